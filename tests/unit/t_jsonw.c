#include "common/base.h"

#include "common/jsonw.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void check_string(const char *p, size_t n, const char *want)
{
	nd_auto_buf struct nd_buf out = {0};
	struct nd_jsonw w = {.out = &out};

	nd_jsonw_strn(&w, NULL, p, n);
	assert_string_equal(out.data, want);
}

static void test_strings(void **state)
{
	(void)state;
	check_string("", 0, "\"\"");
	check_string(NULL, 0, "null");
	check_string("eth0", 4, "\"eth0\"");
	check_string("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	check_string("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	check_string("a\0b", 3, "\"a\\u0000b\"");
	check_string("\x1b[0m\x7f", 5, "\"\\u001b[0m\\u007f\"");
	check_string("\xc3\xbc", 2, "\"\xc3\xbc\"");
	check_string("\xc2\x9b", 2, "\"\\u009b\"");
	check_string("\xe2\x80\xae", 3, "\"\\u202e\"");
	check_string("\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\"");
}

static void test_not_utf8(void **state)
{
	(void)state;
	check_string("\xff", 1, "\"\xef\xbf\xbd\"");
	check_string("a\xc3", 2, "\"a\xef\xbf\xbd\"");
	check_string("a\xc3" "b", 3, "\"a\xef\xbf\xbd" "b\"");
	check_string("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void write_all_kinds(struct nd_jsonw *w)
{
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "name", "eth0");
	nd_jsonw_str(w, "none", NULL);
	nd_jsonw_begin(w, "list", '[');
	nd_jsonw_int(w, NULL, INT64_MIN);
	nd_jsonw_uint(w, NULL, UINT64_MAX);
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_end(w, '}');
	nd_jsonw_end(w, ']');
	nd_jsonw_bool(w, "is", true);
	nd_jsonw_bool(w, "not", false);
	nd_jsonw_raw(w, "raw", "[1]", 3);
	nd_jsonw_begin(w, "empty", '[');
	nd_jsonw_end(w, ']');
	nd_jsonw_end(w, '}');
}

static void test_nesting(void **state)
{
	nd_auto_buf struct nd_buf out = {0};
	struct nd_jsonw w = {.out = &out};

	(void)state;
	write_all_kinds(&w);
	assert_string_equal(out.data, "{\"name\":\"eth0\",\"none\":null,\"list\":["
				      "-9223372036854775808,18446744073709551615,{}],"
				      "\"is\":true,\"not\":false,\"raw\":[1],\"empty\":[]}");
}

static void test_indent(void **state)
{
	nd_auto_buf struct nd_buf out = {0};
	struct nd_jsonw w = {.out = &out, .indent = 2};

	(void)state;
	write_all_kinds(&w);
	assert_string_equal(out.data, "{\n"
				      "  \"name\": \"eth0\",\n"
				      "  \"none\": null,\n"
				      "  \"list\": [\n"
				      "    -9223372036854775808,\n"
				      "    18446744073709551615,\n"
				      "    {}\n"
				      "  ],\n"
				      "  \"is\": true,\n"
				      "  \"not\": false,\n"
				      "  \"raw\": [1],\n"
				      "  \"empty\": []\n"
				      "}");
}

static void test_over(void **state)
{
	nd_auto_buf struct nd_buf out = {.max_bytes = 4};
	struct nd_jsonw w = {.out = &out};

	(void)state;
	nd_jsonw_begin(&w, NULL, '[');
	nd_jsonw_str(&w, NULL, "long");
	nd_jsonw_end(&w, ']');
	assert_true(out.is_over);
	/* The "]" would have fitted, but must not make it look whole. */
	assert_string_equal(out.data, "[\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings), cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_nesting), cmocka_unit_test(test_indent),
		cmocka_unit_test(test_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
