#include "common/base.h"

#include "common/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void test_str_eq_and_starts(void **state)
{
	struct nd_str none = nd_str(NULL);

	(void)state;
	assert_true(nd_str_eq(none, ""));
	assert_false(nd_str_eq(none, "a"));
	assert_true(nd_str_eq(ND_STR("eth0"), "eth0"));
	assert_false(nd_str_eq(ND_STR("eth"), "eth0"));
	assert_false(nd_str_eq(ND_STR("eth00"), "eth0"));
	assert_false(nd_str_eq((struct nd_str){"a\0b", 3}, "a"));
	assert_true(nd_str_starts(none, ""));
	assert_true(nd_str_starts(ND_STR("eth0"), "eth"));
	assert_true(nd_str_starts(ND_STR("eth0"), "eth0"));
	assert_false(nd_str_starts(ND_STR("eth0"), "eth01"));
	assert_true(nd_ends("a.conf", ".conf"));
	assert_false(nd_ends("conf", ".conf"));
	assert_false(nd_ends(NULL, ".conf"));
	assert_false(nd_eq(NULL, NULL));
}

static void test_trim(void **state)
{
	(void)state;
	assert_int_equal(nd_str_trim(nd_str(NULL)).n, 0);
	assert_int_equal(nd_str_trim(ND_STR(" \t\r\n")).n, 0);
	assert_true(nd_str_eq(nd_str_trim(ND_STR(" a b\r\n")), "a b"));
	assert_true(nd_str_eq(nd_str_trim(ND_STR("a")), "a"));
}

static void test_lines(void **state)
{
	struct nd_str rest = ND_STR("one\r\n\n two\nlast\r"), line;

	(void)state;
	assert_true(nd_str_line(&rest, &line) && nd_str_eq(line, "one"));
	assert_true(nd_str_line(&rest, &line) && nd_str_eq(line, ""));
	assert_true(nd_str_line(&rest, &line) && nd_str_eq(line, " two"));
	/* Only a line end takes the CR with it. */
	assert_true(nd_str_line(&rest, &line) && nd_str_eq(line, "last\r"));
	assert_false(nd_str_line(&rest, &line));
	rest = nd_str(NULL);
	assert_false(nd_str_line(&rest, &line));
	rest = ND_STR("\n");
	assert_true(nd_str_line(&rest, &line) && line.n == 0);
	assert_false(nd_str_line(&rest, &line));
}

static void test_words(void **state)
{
	struct nd_str rest = ND_STR("  -A KUBE-FORWARD\t-j  DROP\n"), word;

	(void)state;
	assert_true(nd_str_word(&rest, &word) && nd_str_eq(word, "-A"));
	assert_true(nd_str_word(&rest, &word) && nd_str_eq(word, "KUBE-FORWARD"));
	assert_true(nd_str_word(&rest, &word) && nd_str_eq(word, "-j"));
	assert_true(nd_str_word(&rest, &word) && nd_str_eq(word, "DROP"));
	assert_false(nd_str_word(&rest, &word));
	rest = nd_str(NULL);
	assert_false(nd_str_word(&rest, &word));
}

static void test_parse_u64(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_false(nd_parse_u64(nd_str(NULL), 9, &n));
	assert_false(nd_parse_u64(ND_STR(""), 9, &n));
	assert_false(nd_parse_u64(ND_STR("10"), 9, &n));
	assert_false(nd_parse_u64(ND_STR("-1"), UINT64_MAX, &n));
	assert_false(nd_parse_u64(ND_STR("+1"), UINT64_MAX, &n));
	assert_false(nd_parse_u64(ND_STR(" 1"), UINT64_MAX, &n));
	assert_false(nd_parse_u64(ND_STR("1 "), UINT64_MAX, &n));
	assert_false(nd_parse_u64(ND_STR("1a"), UINT64_MAX, &n));
	assert_false(nd_parse_u64(ND_STR("\xff"), UINT64_MAX, &n));
	assert_false(nd_parse_u64(ND_STR("18446744073709551616"), UINT64_MAX, &n));
	assert_false(nd_parse_u64(ND_STR("99999999999999999999999"), UINT64_MAX, &n));
	assert_int_equal(n, 7);
	assert_true(nd_parse_u64(ND_STR("9"), 9, &n));
	assert_int_equal(n, 9);
	assert_true(nd_parse_u64(ND_STR("18446744073709551615"), UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	/* Only the slice counts, not what stands behind it. */
	assert_true(nd_parse_u64((struct nd_str){"123", 2}, 99, &n));
	assert_int_equal(n, 12);
}

static void test_parse_i64(void **state)
{
	int64_t n = 7;

	(void)state;
	assert_false(nd_parse_i64(ND_STR(""), -9, 9, &n));
	assert_false(nd_parse_i64(ND_STR("-"), -9, 9, &n));
	assert_false(nd_parse_i64(ND_STR("--1"), -9, 9, &n));
	assert_false(nd_parse_i64(ND_STR("-10"), -9, 9, &n));
	assert_false(nd_parse_i64(ND_STR("-9223372036854775809"), INT64_MIN, INT64_MAX, &n));
	assert_false(nd_parse_i64(ND_STR("9223372036854775808"), INT64_MIN, INT64_MAX, &n));
	assert_int_equal(n, 7);
	assert_true(nd_parse_i64(ND_STR("-9"), -9, 9, &n));
	assert_int_equal(n, -9);
	assert_true(nd_parse_i64(ND_STR("-9223372036854775808"), INT64_MIN, INT64_MAX, &n));
	assert_true(n == INT64_MIN);
	assert_true(nd_parse_i64(ND_STR("9223372036854775807"), INT64_MIN, INT64_MAX, &n));
	assert_true(n == INT64_MAX);
}

static void test_parse_hex(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_false(nd_parse_hex(ND_STR(""), 255, &n));
	assert_false(nd_parse_hex(ND_STR("0x"), 255, &n));
	assert_false(nd_parse_hex(ND_STR("x1"), 255, &n));
	assert_false(nd_parse_hex(ND_STR("fg"), 255, &n));
	assert_false(nd_parse_hex(ND_STR("100"), 255, &n));
	assert_false(nd_parse_hex(ND_STR("10000000000000000"), UINT64_MAX, &n));
	assert_int_equal(n, 7);
	assert_true(nd_parse_hex(ND_STR("fF"), 255, &n));
	assert_int_equal(n, 255);
	assert_true(nd_parse_hex(ND_STR("0x4000"), 0x4000, &n));
	assert_int_equal(n, 0x4000);
}

static void check_utf8(const char *s, size_t n, size_t len, uint32_t want)
{
	/* A copy of its own, so that a sanitizer sees a read past the end. */
	char *copy = malloc(n ? n : 1);
	uint32_t c = 0;

	memcpy(copy, s, n);
	assert_int_equal(nd_utf8_next(copy, n, &c), len);
	assert_int_equal(c, want);
	free(copy);
}

static void test_utf8(void **state)
{
	(void)state;
	check_utf8("", 0, 0, 0);
	check_utf8("a", 1, 1, 'a');
	check_utf8("\0", 1, 1, 0);
	check_utf8("\xc2\x80", 2, 2, 0x80);
	check_utf8("\xc2", 1, 0, 0);
	check_utf8("\x80", 1, 0, 0);
	check_utf8("\xc1\xbf", 2, 0, 0);
	check_utf8("\xe2\x82\xac", 3, 3, 0x20ac);
	check_utf8("\xe2\x82", 2, 0, 0);
	check_utf8("\xe0\x9f\xbf", 3, 0, 0);
	check_utf8("\xed\x9f\xbf", 3, 3, 0xd7ff);
	check_utf8("\xed\xa0\x80", 3, 0, 0);
	check_utf8("\xf0\x9f\x98\x80", 4, 4, 0x1f600);
	check_utf8("\xf0\x9f\x98", 3, 0, 0);
	check_utf8("\xf0\x8f\xbf\xbf", 4, 0, 0);
	check_utf8("\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff);
	check_utf8("\xf4\x90\x80\x80", 4, 0, 0);
	check_utf8("\xff", 1, 0, 0);
}

static void test_safe(void **state)
{
	char dst[32];

	(void)state;
	assert_string_equal(nd_text_safe(dst, sizeof(dst), NULL), "");
	assert_string_equal(nd_text_safe(dst, sizeof(dst), ""), "");
	assert_string_equal(nd_text_safe(dst, sizeof(dst), "a\x1b[31m\n\x7f"), "a?[31m??");
	assert_string_equal(nd_text_safe(dst, sizeof(dst), "\xc2\x9b"), "?");
	assert_string_equal(nd_text_safe(dst, sizeof(dst), "a\xe2\x80\xae" "b"), "a?b");
	assert_string_equal(nd_text_safe(dst, sizeof(dst), "\xff\xfe" "x\xe2\x82"), "??x??");
	assert_string_equal(nd_text_safe(dst, sizeof(dst), "gr\xc3\xbc\xc3\x9f"),
			    "gr\xc3\xbc\xc3\x9f");
}

static void test_safe_cut(void **state)
{
	char dst[8];

	(void)state;
	assert_string_equal(nd_text_safe(dst, sizeof(dst), "123456"), "123456");
	assert_string_equal(nd_text_safe(dst, sizeof(dst), "1234567"), "1234567");
	assert_string_equal(nd_text_safe(dst, sizeof(dst), "12345678"), "1234...");
	/* Never half a character before the dots. */
	assert_string_equal(nd_text_safe(dst, sizeof(dst), "123\xc3\xbc" "5678"), "123...");
	assert_string_equal(nd_text_safe(dst, 3, "1234"), "..");
	assert_string_equal(nd_text_safe(dst, 1, "1234"), "");
	assert_string_equal(nd_text_safe(dst, 0, "1234"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_str_eq_and_starts), cmocka_unit_test(test_trim),
		cmocka_unit_test(test_lines),		  cmocka_unit_test(test_words),
		cmocka_unit_test(test_parse_u64),	  cmocka_unit_test(test_parse_i64),
		cmocka_unit_test(test_parse_hex),	  cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_safe),		  cmocka_unit_test(test_safe_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
