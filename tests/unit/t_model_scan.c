#include "common/base.h"

#include "plugin/model/scan.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* The elements joined by '|', then '!' and why it broke. */
static const char *scan_text(char out[512], const char *p, size_t len)
{
	struct nd_scan scan;
	struct nd_str item;
	char *copy = malloc(len ? len : 1);
	size_t n = 0;

	if (len)
		memcpy(copy, p, len);
	out[0] = '\0';
	nd_scan_start(&scan, (struct nd_str){copy, len}, "items");
	while (nd_scan_next(&scan, &item))
		n += (size_t)snprintf(out + n, 512 - n, "%.*s|", (int)item.n, item.p);
	assert_false(nd_scan_next(&scan, &item));
	if (scan.why)
		snprintf(out + n, 512 - n, "!%s", scan.why);
	assert_true(scan.at <= len);
	free(copy);
	return out;
}

static void check(const char *text, const char *wanted)
{
	char out[512];

	assert_string_equal(scan_text(out, text, strlen(text)), wanted);
}

static void finds_elements(void **state)
{
	(void)state;
	check("{\"items\":[{\"a\":1},{\"b\":\"]}\"}]}", "{\"a\":1}|{\"b\":\"]}\"}|");
	check("[1, \"x\\\"]\" ,[2,[3]],null]", "1|\"x\\\"]\"|[2,[3]]|null|");
	check("{\"kind\":\"L\",\"metadata\":{\"items\":[9]},\"items\":[1],\"z\":[7]} \n", "1|");
	check("{\"items\":null}", "");
	check("{\"items\":[]}", "");
	check("[]", "");
	check("{}", "");
}

static void names_what_is_wrong(void **state)
{
	(void)state;
	check("", "!it is cut in the middle");
	check("<html>", "!it is not JSON");
	check("{\"items\":[1],\"items\":[2]}", "1|!the list is there twice");
	check("{\"items\":null,\"items\":[2]}", "!the list is there twice");
	check("{\"items\":{}}", "!the list is not an array");
	check("[1 2]", "1|!a comma was expected");
	check("[1,]", "1|!a value was expected");
	check("[{]}]", "!brackets do not match");
	check("[1] x", "1|!there is something behind its end");
	check("{\"items\":[1]}}", "1|!there is something behind its end");
	check("{items:[1]}", "!a member name was expected");
	check("{\"a\" 1}", "!a colon was expected");
	check("{\"a\":1 \"b\":2}", "!a comma was expected");
	check("[\xff\xfe]", "\xff\xfe|");
}

static void survives_every_cut(void **state)
{
	static const char text[] =
		"{\"metadata\":{\"continue\":\"x\\\\\"},\"items\":[{\"a\":[1,\"\\\"\"]},2]}";
	char out[512];

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_non_null(strchr(scan_text(out, text, len), '!'));
	assert_null(strchr(scan_text(out, text, sizeof(text) - 1), '!'));
}

static void caps_depth(void **state)
{
	char text[2 * ND_SCAN_MAX_DEPTH + 8], out[512];

	(void)state;
	for (size_t depth = ND_SCAN_MAX_DEPTH - 1; depth <= ND_SCAN_MAX_DEPTH + 1; depth++) {
		memset(text, '[', depth + 1);
		memset(text + depth + 1, ']', depth + 1);
		scan_text(out, text, 2 * depth + 2);
		assert_int_equal(strstr(out, "too deep") != NULL, depth > ND_SCAN_MAX_DEPTH);
	}
}

static void finds_metadata(void **state)
{
	static const char text[] = "{\"items\":[1],\"metadata\":{\"continue\":\"t\"}}";
	struct nd_scan scan;
	struct nd_str item;

	(void)state;
	nd_scan_start(&scan, nd_str(text), "items");
	assert_true(nd_scan_next(&scan, &item));
	assert_false(nd_scan_next(&scan, &item));
	assert_true(nd_str_eq(scan.metadata, "{\"continue\":\"t\"}"));
	assert_true(scan.has_list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_elements),    cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(survives_every_cut), cmocka_unit_test(caps_depth),
		cmocka_unit_test(finds_metadata),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
