/* Flags: every form, both sides of a word, and what is refused. */
#include "common/base.h"
#include "plugin/cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct nd_arena arena;
static struct nd_err err;

static int parse(struct nd_args *out, const char *a, const char *b, const char *c, const char *d)
{
	char *argv[] = {(char *)"x", (char *)a, (char *)b, (char *)c, (char *)d, NULL};
	int argc = 1;
	while (argv[argc])
		argc++;
	*out = (struct nd_args){0};
	err = (struct nd_err){0};
	return nd_args_parse(&arena, argc, argv, out, &err);
}

static void every_form_of_a_flag(void **state)
{
	(void)state;
	struct nd_args args;
	assert_int_equal(parse(&args, "diagnose", "-o", "json", NULL), 0);
	assert_string_equal(args.command, "diagnose");
	assert_string_equal(args.output, "json");
	assert_int_equal(parse(&args, "-ojson", "diagnose", "--from=x", NULL), 0);
	assert_string_equal(args.output, "json");
	assert_string_equal(args.from, "x");
	assert_int_equal(parse(&args, "-o=json", "--no-agent=false", "--no-probe", NULL), 0);
	assert_string_equal(args.output, "json");
	assert_false(args.no_agent);
	assert_true(args.no_probe);
	assert_int_equal(parse(&args, "--as-group", "a", "--as-group=b", NULL), 0);
	assert_int_equal(args.kube.nas_groups, 2);
	assert_int_equal(parse(&args, "explain", "--", "--help", NULL), 0);
	assert_int_equal(args.nwords, 1);
	assert_false(args.help);
}

static void what_is_refused(void **state)
{
	(void)state;
	struct nd_args args;
	assert_int_equal(parse(&args, "--rubbish", NULL, NULL, NULL), -1);
	assert_int_equal(err.code, ND_E_USAGE);
	assert_int_equal(parse(&args, "-x", NULL, NULL, NULL), -1);
	assert_int_equal(parse(&args, "--context", NULL, NULL, NULL), -1);
	assert_int_equal(parse(&args, "--no-agent=maybe", NULL, NULL, NULL), -1);
}

static void durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} cases[] = {{"0", 0},	     {"20", 20000},   {"20s", 20000}, {"1m30s", 90000},
		     {"500ms", 500}, {"2h", 7200000}, {"", -1},	      {"s", -1},
		     {"1x", -1},     {"-1", -1},      {"1m30", -1},   {"99999999999", -1}};
	for (size_t i = 0; i < ND_ARRAY_LEN(cases); i++) {
		int64_t ms = -1;
		bool is_good = nd_duration_parse(cases[i].text, &ms);
		if (is_good != (cases[i].ms >= 0) || (is_good && ms != cases[i].ms))
			fail_msg("%s: got %d, %lld ms", cases[i].text, is_good, (long long)ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_a_flag),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(durations),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	nd_arena_free(&arena);
	return rc;
}
