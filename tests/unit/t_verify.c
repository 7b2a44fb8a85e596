/*
 * The tests of verify: what passes, what fails and how it is said, what is skipped, and that a node
 * which could not be looked at is never read as fine. The results are made here, as evidence.
 */
#include "common/base.h"
#include "tests/unit/verify_world.h"

#include <cjson/cJSON.h>

/* ---- one by one ---- */

static void all_is_well(void **state)
{
	(void)state;
	build(&(struct world){.nodeport = ",'nodePort':30080"}, healthy_w1, healthy_w2);
	run();
	check("dns", ND_VERIFY_SKIPPED, 0, 0);
	check("service", ND_VERIFY_PASSED, 1, 1);
	check("pod-ip", ND_VERIFY_PASSED, 3, 3);
	check("cross-namespace", ND_VERIFY_PASSED, 1, 1);
	check("ping", ND_VERIFY_PASSED, 2, 2);
	check("nodeport", ND_VERIFY_PASSED, 1, 1);
	check("external", ND_VERIFY_SKIPPED, 0, 0);
	assert_string_equal(outcome("external")->why, "not asked for (--external)");
	check("components", ND_VERIFY_PASSED, 6, 6);
	check("endpoints", ND_VERIFY_PASSED, 2, 2);
	assert_null(outcome("http"));
	assert_null(outcome("baseline"));
	assert_int_equal(answer->verdict, ND_VERIFY_PASSED);
	assert_int_equal(outcome("pod-ip")->slowest_us, 1300);
}

static void what_fails_is_said(void **state)
{
	(void)state;
	build(&(struct world){0},
	      "[{'id':1,'kind':'tcp','source':'101','addr':'10.244.2.5','port':8080,'outcome':'"
	      "TIMEOUT','us':1000000},"
	      "{'id':2,'kind':'tcp','source':'101','addr':'10.96.0.50','port':80,'outcome':'ok','"
	      "us':2500000},"
	      "{'id':3,'kind':'tcp','source':'node','addr':'10.244.2.6','port':8080,'outcome':'"
	      "REFUSED','us':40}]",
	      healthy_w2);
	run();
	check("pod-ip", ND_VERIFY_FAILED, 1, 3);
	assert_string_equal(outcome("pod-ip")->failures[0],
			    "pod a/p1 on w1 -> 10.244.2.5:8080 (pod a/p2 on w2): TIMEOUT");
	assert_string_equal(outcome("pod-ip")->failures[1],
			    "node w1 -> 10.244.2.6:8080 (pod b/q on w2): REFUSED");
	check("service", ND_VERIFY_FAILED, 0, 1);
	assert_string_equal(
		outcome("service")->failures[0],
		"pod a/p1 on w1 -> 10.96.0.50:80 (service a/web): slow, 2500.0 ms (at most 2000)");
	assert_int_equal(answer->verdict, ND_VERIFY_FAILED);
	options.max_time_us = 3000000;
	run();
	check("service", ND_VERIFY_PASSED, 1, 1);
}

#define TRY(kind, port, outcome, id)                                                               \
	"{'id':" id ",'kind':'" kind "','source':'101','addr':'10.244.2.5','port':" port           \
	",'outcome':'" outcome "','us':90}"

/* The last try counts; an echo that was lost was lost. A pod that ended says nothing. */
static void tries(void **state)
{
	(void)state;
	build(&(struct world){0},
	      "[" TRY("tcp", "8080", "TIMEOUT", "1") "," TRY("icmp", "0", "TIMEOUT", "2") "," TRY(
		      "tcp", "8080", "ok", "3") "," TRY("icmp", "0", "ok",
							"4") "," TRY("tcp", "81", "GONE", "5") "]",
	      healthy_w2);
	run();
	check("pod-ip", ND_VERIFY_PASSED, 2, 2);
	assert_int_equal(outcome("pod-ip")->nagain, 1);
	check("ping", ND_VERIFY_FAILED, 1, 2);
	assert_string_equal(outcome("ping")->failures[0],
			    "pod a/p1 on w1 -> 10.244.2.5 (pod a/p2 on w2) icmp: 1 of 2 lost");
}

static void not_all_was_seen(void **state)
{
	(void)state;
	build(&(struct world){.no_w2 = true}, healthy_w1, NULL);
	run();
	check("pod-ip", ND_VERIFY_INCOMPLETE, 2, 2);
	assert_string_equal(outcome("pod-ip")->why, "node w2: there is no report of it");
	check("endpoints", ND_VERIFY_PASSED, 2, 2);
	assert_int_equal(answer->verdict, ND_VERIFY_INCOMPLETE);
	options.node = "w1"; /* the other was not asked for */
	run();
	check("pod-ip", ND_VERIFY_PASSED, 2, 2);
	assert_int_equal(answer->verdict, ND_VERIFY_PASSED);

	build(&(struct world){.w2_ready = "Unknown"}, healthy_w1, healthy_w2);
	run();
	check("pod-ip", ND_VERIFY_INCOMPLETE, 3, 3);
	assert_string_equal(outcome("pod-ip")->why,
			    "node w2: it is not ready, so its pods were not tested");

	build(&(struct world){0}, NULL, NULL);
	run();
	check("pod-ip", ND_VERIFY_INCOMPLETE, 0, 0);
	assert_int_equal(answer->verdict, ND_VERIFY_INCOMPLETE);

	build(&(struct world){.no_api = true}, healthy_w1, healthy_w2);
	run();
	check("components", ND_VERIFY_INCOMPLETE, 0, 0);
	check("endpoints", ND_VERIFY_INCOMPLETE, 0, 0);
	check("service", ND_VERIFY_INCOMPLETE, 0, 0);
	assert_int_equal(answer->verdict, ND_VERIFY_INCOMPLETE);

	build(&(struct world){0},
	      "[{'id':1,'kind':'tcp','source':'101','addr':'10.244.2.5','port':8080,"
	      "'outcome':'ERROR','errno':24,'us':1}]",
	      healthy_w2);
	run();
	check("pod-ip", ND_VERIFY_INCOMPLETE, 1, 1);
}

static void a_gap_of_the_probes(void **state)
{
	(void)state;
	struct nd_sink sink;

	build(&(struct world){0}, healthy_w1, healthy_w2);
	sink = nd_model_sink(model);
	assert_int_equal(nd_sink_gap(&sink, "probes", "node/w2", &err, "it ended early"), 0);
	cluster = nd_model_finish(model);
	run();
	check("ping", ND_VERIFY_INCOMPLETE, 2, 2);
	assert_string_equal(outcome("ping")->why, "node w2: it ended early");
}

static void components_and_endpoints(void **state)
{
	(void)state;
	build(&(struct world){.crash = "'waiting':{'reason':'CrashLoopBackOff'}",
			      .dns_ready = "0",
			      .idle = "," SERVICE("b", "none", "10.96.0.60", "80", "")},
	      healthy_w1, healthy_w2);
	run();
	check("components", ND_VERIFY_FAILED, 4, 6);
	assert_string_equal(outcome("components")->failures[0],
			    "Deployment kube-system/coredns: 0 of 1 ready");
	assert_string_equal(
		outcome("components")->failures[1],
		"pod kube-system/dns on w1: container c is in CrashLoopBackOff, 7 restarts");
	check("endpoints", ND_VERIFY_FAILED, 1, 2);
	assert_string_equal(outcome("endpoints")->failures[0],
			    "service kube-system/kube-dns: 0 endpoints, none ready");
	assert_non_null(strstr(outcome("endpoints")->why, "1 left out"));
}

static void what_is_not_there(void **state)
{
	(void)state;
	build(&(struct world){.no_dns_service = true, .no_proxy = true}, healthy_w1, healthy_w2);
	run();
	check("dns", ND_VERIFY_FAILED, 0, 1);
	assert_string_equal(outcome("dns")->failures[0],
			    "there is no service kube-system/kube-dns");
	check("components", ND_VERIFY_FAILED, 4, 6); /* no kube-proxy on either node */
	assert_non_null(
		strstr(outcome("components")->failures[0], "kube-proxy does not run there"));
}

static void a_namespace(void **state)
{
	(void)state;
	build(&(struct world){0}, healthy_w1, healthy_w2);
	options.ns = "b";
	run();
	assert_int_equal(answer->noutcomes, 4);
	check("service", ND_VERIFY_SKIPPED, 0, 0);
	check("pod-ip", ND_VERIFY_PASSED, 1, 1);
	check("cross-namespace", ND_VERIFY_PASSED, 1, 1);
	options.ns = "nothing";
	run();
	assert_int_equal(answer->verdict, ND_VERIFY_INCOMPLETE);
}

/* ---- what was asked for ---- */

#define GET(id, outcome, status)                                                                   \
	"{'id':" id ",'kind':'http','source':'101','addr':'10.96.0.50','port':80,'name':'/"        \
	"x','outcome':'" outcome "','status':" status ",'us':90}"

static void http(void **state)
{
	(void)state;
	static const struct {
		const char *w1;
		enum nd_verify_result result;
		const char *says;
	} cases[] = {
		{"[" GET("1", "ok", "200") "]", ND_VERIFY_PASSED, NULL},
		{"[" GET("1", "ok", "399") "]", ND_VERIFY_PASSED, NULL},
		{"[" GET("1", "ok", "404") "]", ND_VERIFY_FAILED,
		 "pod a/p1 on w1 -> 10.96.0.50:80 (service a/web) http /x: status 404"},
		{"[" GET("1", "RESET", "0") "]", ND_VERIFY_FAILED,
		 "pod a/p1 on w1 -> 10.96.0.50:80 (service a/web) http /x: RESET"},
		{healthy_w1, ND_VERIFY_INCOMPLETE, NULL},
	};
	struct nd_target target;

	assert_int_equal(nd_target_parse(&arena, "svc/a/web:main/x", &target, &err), 0);
	for (size_t i = 0; i < ND_ARRAY_LEN(cases); i++) {
		build(&(struct world){0}, cases[i].w1, healthy_w2);
		options.targets = &target;
		options.ntargets = 1;
		run();
		assert_int_equal(outcome("http")->result, cases[i].result);
		if (cases[i].says)
			assert_string_equal(outcome("http")->failures[0], cases[i].says);
	}
}

/* ---- what is printed ---- */

static void text_and_json(void **state)
{
	(void)state;
	struct nd_buf out = {0};
	struct nd_buf many = {0};
	struct nd_style style = {0};

	nd_buf_puts(&many, "[");
	for (int i = 1; i <= 7; i++)
		nd_buf_printf(&many,
			      "%s{'id':%d,'kind':'tcp','source':'101','addr':'10.244.2.5','port':%"
			      "d,'outcome':'TIMEOUT',"
			      "'us':1}",
			      i > 1 ? "," : "", i, i);
	nd_buf_puts(&many, "]");
	build(&(struct world){0}, many.data, healthy_w2);
	run();
	nd_verify_print_text(answer, 0.6, &style, &out);
	assert_true(nd_starts(out.data, "✗ 1 of 4 tests failed, 5 skipped · 0.6 s\n"));
	assert_non_null(strstr(
		out.data, "✗ Direct pod IP            1 of 8, slowest 1.3 ms\n    pod a/p1 on w1"));
	assert_non_null(strstr(out.data, "    and 2 more (-o wide)\n"));
	assert_non_null(strstr(out.data, "- Cross-namespace          skipped: no pod with"));
	assert_non_null(strstr(out.data,
			       "- External names           skipped: not asked for (--external)\n"));
	nd_buf_free(&out);
	out = (struct nd_buf){0};
	nd_verify_print_json(answer, 0.6, &out);
	cJSON *json = cJSON_Parse(out.data);
	assert_string_equal(cJSON_GetObjectItem(json, "verdict")->valuestring, "failed");
	assert_string_equal(cJSON_GetObjectItem(json, "kind")->valuestring, "Verification");
	cJSON *test = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "tests"), 2);
	assert_string_equal(cJSON_GetObjectItem(test, "id")->valuestring, "pod-ip");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(test, "failures")), 7);
	cJSON_Delete(json);
	nd_buf_free(&out);
	nd_buf_free(&many);

	build(&(struct world){.no_w2 = true}, "[]", NULL);
	run();
	out = (struct nd_buf){0};
	nd_verify_print_text(answer, 0.6, &style, &out);
	assert_non_null(strstr(
		out.data,
		"? DNS resolution           not tested: 2 nodes could not be looked at, first "
		"node w1: it sent no probes\n"));
	assert_non_null(strstr(out.data, "? Pod-to-pod ping          not tested: as above\n"));
	nd_buf_free(&out);
}

/* Each has an id and a row in the page, in the same order. */
static void the_page(void **state)
{
	(void)state;
	static char text[64 << 10];
	FILE *f = fopen("docs/verify.md", "r");
	const char *last = text;

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	for (size_t i = 0; nd_verify_test_at(i); i++) {
		char row[64];

		snprintf(row, sizeof(row), "\n| `%s` | ", nd_verify_test_id(nd_verify_test_at(i)));
		last = strstr(last, row);
		if (!last)
			fail_msg("docs/verify.md: no row %s, or not in the order of tests.def",
				 row + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(what_fails_is_said),
		cmocka_unit_test(tries),
		cmocka_unit_test(not_all_was_seen),
		cmocka_unit_test(a_gap_of_the_probes),
		cmocka_unit_test(components_and_endpoints),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(a_namespace),
		cmocka_unit_test(http),
		cmocka_unit_test(text_and_json),
		cmocka_unit_test(the_page),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	nd_model_free(model);
	nd_arena_free(&arena);
	return rc;
}
