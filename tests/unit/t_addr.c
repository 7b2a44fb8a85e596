#include "common/base.h"

#include "common/addr.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static struct nd_ip ip(const char *text)
{
	struct nd_ip got = {0};

	assert_true(nd_ip_parse(text, &got));
	return got;
}

static struct nd_prefix prefix(const char *text)
{
	struct nd_prefix got = {0};

	assert_true(nd_prefix_parse(text, &got));
	return got;
}

static void test_ip_parse(void **state)
{
	static const char *const bad[] = {
		"",	     " ",	   "10.0.0",	"10.0.0.0.1",	    "10.0.0.256",
		"10.0.0.1 ", " 10.0.0.1",  "010.0.0.1", "::1%lo",	    "1::2::3",
		"fe80::g",   "10.0.0.1/8", "\xff\xfe",	"1:2:3:4:5:6:7:8:9"};
	struct nd_ip got = {.family = 9};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(bad); i++)
		assert_false(nd_ip_parse(bad[i], &got));
	assert_false(nd_ip_parse(NULL, &got));
	assert_int_equal(got.family, 9);
	assert_int_equal(ip("10.244.1.2").family, 4);
	assert_int_equal(ip("10.244.1.2").bytes[3], 2);
	assert_int_equal(ip("fd00::1").family, 6);
	assert_int_equal(ip("::ffff:10.0.0.1").family, 6);
}

static void test_ip_text(void **state)
{
	static const char *const same[] = {"0.0.0.0", "255.255.255.255", "::", "fd00:10:244::1",
					   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	char dst[ND_IP_TEXT];

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(same); i++)
		assert_string_equal(nd_ip_text(ip(same[i]), dst), same[i]);
	assert_string_equal(nd_ip_text((struct nd_ip){0}, dst), "");
	assert_string_equal(nd_ip_text((struct nd_ip){.family = 77}, dst), "");
}

static void test_prefix_parse(void **state)
{
	static const char *const bad[] = {"",
					  "/",
					  "10.0.0.0/",
					  "10.0.0.0/33",
					  "10.0.0.0/08",
					  "10.0.0.0/-1",
					  "fd00::/129",
					  "/8",
					  "10.0.0.0/8/",
					  "10.0.0.0 /8",
					  "10.0.0.0/8 ",
					  "\xff/8",
					  "10.0.0.0/99999999999999999999999"};
	struct nd_prefix got = {.len = 99};
	char dst[ND_PREFIX_TEXT];

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(bad); i++)
		assert_false(nd_prefix_parse(bad[i], &got));
	assert_false(nd_prefix_parse(NULL, &got));
	assert_int_equal(got.len, 99);
	assert_int_equal(prefix("10.0.0.0/0").len, 0);
	assert_int_equal(prefix("10.0.0.0/32").len, 32);
	assert_int_equal(prefix("10.0.0.1").len, 32);
	assert_int_equal(prefix("fd00::/128").len, 128);
	assert_int_equal(prefix("fd00::1").len, 128);
	assert_string_equal(nd_prefix_text(prefix("10.1.2.3/8"), dst), "10.1.2.3/8");
	assert_string_equal(nd_prefix_text((struct nd_prefix){0}, dst), "");
	assert_string_equal(
		nd_prefix_text(prefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"), dst),
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
}

static void test_has(void **state)
{
	(void)state;
	assert_true(nd_prefix_has(prefix("10.244.1.0/24"), ip("10.244.1.255")));
	assert_false(nd_prefix_has(prefix("10.244.1.0/24"), ip("10.244.2.0")));
	assert_true(nd_prefix_has(prefix("10.244.1.77/23"), ip("10.244.0.1")));
	assert_false(nd_prefix_has(prefix("10.244.1.77/23"), ip("10.244.2.1")));
	assert_true(nd_prefix_has(prefix("0.0.0.0/0"), ip("1.2.3.4")));
	assert_false(nd_prefix_has(prefix("0.0.0.0/0"), ip("::1")));
	assert_false(nd_prefix_has((struct nd_prefix){0}, (struct nd_ip){0}));
	assert_true(nd_prefix_has(prefix("fd00:10:244::/47"), ip("fd00:10:245::1")));
	assert_true(nd_prefix_has(prefix("fd00::1"), ip("fd00::1")));
	assert_false(nd_prefix_has(prefix("fd00::1"), ip("fd00::2")));
}

static void test_relations(void **state)
{
	struct nd_prefix wide = prefix("10.244.0.0/16"), narrow = prefix("10.244.3.0/24");

	(void)state;
	assert_true(nd_prefix_covers(wide, narrow));
	assert_false(nd_prefix_covers(narrow, wide));
	assert_true(nd_prefix_covers(wide, wide));
	assert_true(nd_prefix_overlaps(wide, narrow));
	assert_true(nd_prefix_overlaps(narrow, wide));
	assert_false(nd_prefix_overlaps(narrow, prefix("10.244.4.0/24")));
	assert_false(nd_prefix_overlaps(wide, prefix("::/0")));
	assert_true(nd_prefix_eq(prefix("10.244.3.9/24"), narrow));
	assert_false(nd_prefix_eq(prefix("10.244.3.0/25"), narrow));
	assert_true(nd_ip_eq(ip("::1"), ip("0:0:0:0:0:0:0:1")));
	assert_false(nd_ip_eq(ip("::"), ip("0.0.0.0")));
}

static void check_at(const char *text, uint32_t n, const char *want)
{
	char dst[ND_IP_TEXT];

	assert_string_equal(nd_ip_text(nd_prefix_at(prefix(text), n), dst), want);
}

static void test_at(void **state)
{
	(void)state;
	check_at("10.244.1.0/24", 1, "10.244.1.1");
	check_at("10.244.1.77/24", 0, "10.244.1.0");
	check_at("10.244.1.0/24", 255, "10.244.1.255");
	check_at("10.244.1.0/24", 256, "");
	check_at("10.244.1.9/32", 0, "10.244.1.9");
	check_at("10.244.1.9/32", 1, "");
	check_at("10.96.0.0/12", 10, "10.96.0.10");
	check_at("10.111.0.0/12", 0, "10.96.0.0");
	check_at("1.2.3.4/0", UINT32_MAX, "255.255.255.255");
	check_at("fd00::ffff/64", UINT32_MAX, "fd00::ffff:ffff");
	check_at("fd00:10:96::/112", 10, "fd00:10:96::a");
	check_at("fd00:10:96::/112", 65536, "");
	assert_int_equal(nd_prefix_at((struct nd_prefix){0}, 0).family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip_parse),     cmocka_unit_test(test_ip_text),
		cmocka_unit_test(test_prefix_parse), cmocka_unit_test(test_has),
		cmocka_unit_test(test_relations),    cmocka_unit_test(test_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
