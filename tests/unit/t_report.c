/* The report: verdict, summary, and that nothing from the cluster can drive a terminal. */
#include "common/base.h"
#include "plugin/report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct nd_arena arena;

static const char *print(const struct nd_cluster *cluster, const struct nd_diagnosis *d,
			 const char *format, enum nd_report_verdict want)
{
	static const struct nd_style style;
	struct nd_buf out = {0};
	const struct nd_report *r = nd_report_build(&arena, cluster, d, 0.25);
	assert_int_equal(r->verdict, want);
	nd_format_find(format)->print(r, &style, &out);
	const char *text = nd_arena_strdup(&arena, out.data, out.len);
	nd_buf_free(&out);
	return text;
}

static void healthy(void **state)
{
	(void)state;
	struct nd_cluster cluster = {.nnodes = 1, .npods = 9, .nservices = 2};
	struct nd_diagnosis none = {0};
	assert_string_equal(print(&cluster, &none, "text", ND_HEALTHY),
			    "✓ Healthy: 1 node, 9 pods, 2 services · 0.2 s\n");
	assert_non_null(
		strstr(print(&cluster, &none, "json", ND_HEALTHY), "\"verdict\": \"healthy\""));
}

static void a_gap_is_never_fine(void **state)
{
	(void)state;
	struct nd_known_gap gap = {"pods", "api", "forbidden"};
	struct nd_cluster cluster = {.gaps = &gap, .ngaps = 1};
	struct nd_diagnosis none = {0};
	const char *text = print(&cluster, &none, "text", ND_INCOMPLETE);
	assert_non_null(strstr(text, "pods of api: forbidden"));
	assert_non_null(strstr(print(&cluster, &none, "json", ND_INCOMPLETE), "\"incomplete\""));
}

static void a_hostile_name_is_harmless(void **state)
{
	(void)state;
	struct nd_evidence_line line = {"value \x1b[2J\a gone", "x\x9b"
								"31m"};
	struct nd_finding f = {.check = nd_check_find("ip-forward-off"),
			       .subject = "node/a\x1b]0;b\a",
			       .node = "a\x1b",
			       .title = "bad \x1b[31m title",
			       .proof = &line,
			       .nproof = 1};
	const struct nd_finding *causes[] = {&f};
	struct nd_diagnosis d = {.causes = causes, .ncauses = 1};
	struct nd_cluster cluster = {.nnodes = 1};
	const char *formats[] = {"text", "wide", "json"};
	for (size_t i = 0; i < ND_ARRAY_LEN(formats); i++) {
		const char *text = print(&cluster, &d, formats[i], ND_PROBLEMS);
		assert_null(strchr(text, '\x1b'));
		assert_null(strchr(text, '\a'));
		assert_null(strchr(text, '\x9b'));
	}
}

static void the_fix_names_the_node(void **state)
{
	(void)state;
	static const struct nd_check check = {.id = "x", .fix = "docker exec NODE true; NODE"};
	struct nd_finding f = {.check = &check, .node = "w1"};
	char fix[64];
	assert_string_equal(nd_finding_fix(&f, fix, sizeof(fix)), "docker exec w1 true; w1");
	assert_string_equal(nd_finding_fix(&f, fix, 9), "docker e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy),
		cmocka_unit_test(a_gap_is_never_fine),
		cmocka_unit_test(a_hostile_name_is_harmless),
		cmocka_unit_test(the_fix_names_the_node),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	nd_arena_free(&arena);
	return rc;
}
