/*
 * The status: what is counted, which criteria are met, missed or blocked, that nothing unprobed is
 * called good, and that it fits a screen. The base is the healthy cluster of the checks' tests: nodes
 * cp and w1, pods coredns-1 on cp and web-1 on w1.
 */
#include "common/base.h"
#include "plugin/status/status.h"
#include "tests/unit/checks_evidence.h"
#include "tests/unit/model.h"

#define MAX_CHANGES 6
struct change {
	const char *node, *name; /* of the item */
	const char *old, *new;	 /* old NULL: new is the whole text, or without new the item is absent */
};

struct world {
	struct nd_arena arena;
	struct nd_model *model;
	struct nd_status *status;
	struct nd_buf text, json;
};

#define RESULT(kind, source, addr, port, outcome)                                                  \
	"{'id':1,'kind':'" kind "','source':'" source "','addr':'" addr "','port':" port ",'outcome':'" outcome     \
	"','us':9}"
/* From the pod of either node to the other, to the service and to DNS. */
#define PROBES_CP(pod, service, dns)                                                               \
	"[" RESULT("tcp", "5", "10.244.1.2", "8080", pod) "," RESULT("tcp", "5", "10.96.1.1", "80", service) ","    \
	RESULT("dns-udp", "5", "10.96.0.10", "53", dns) "]"
#define PROBED(pod, service, dns)                                                                  \
	{"cp", "probe", NULL, PROBES_CP(pod, service, dns)},                                       \
	{"w1", "probe", NULL, "[" RESULT("tcp", "5", "10.244.0.2", "9153", "ok") "]"}

static char *changed(const struct evidence *ev, const struct change *changes)
{
	char *text = strdup(ev->text);
	for (size_t i = 0; i < MAX_CHANGES && changes[i].name; i++) {
		const struct change *c = &changes[i];
		char *next = NULL;
		if (!nd_eq(c->name, ev->name) || (c->node || ev->node ? !nd_eq(c->node, ev->node) : false))
			continue;
		if (c->old) {
			char *at = strstr(text, c->old);
			assert_non_null(at);
			assert_true(asprintf(&next, "%.*s%s%s", (int)(at - text), text, c->new,
					     at + strlen(c->old)) >= 0);
		} else if (c->new) {
			next = strdup(c->new);
		}
		free(text);
		text = next;
		if (!text)
			return NULL;
	}
	return text;
}

static void build(struct world *w, const struct change *changes, const char *only_ns)
{
	struct nd_status_style style = {0};
	w->model = nd_model_new();
	for (size_t i = 0; i < ND_ARRAY_LEN(healthy); i++) {
		if (healthy[i].base == FLANNEL)
			continue;
		char *text = changed(&healthy[i], changes);
		for (char *p = text; p && *p && !nd_eq(healthy[i].name, "iptables"); p++)
			*p = *p == '\'' ? '"' : *p;
		if (text)
			feed(w->model, healthy[i].kind, healthy[i].node, healthy[i].name, text, strlen(text));
		free(text);
	}
	feed_api(w->model, "networkpolicies", "{\"items\":[]}");
	w->status = nd_status_build(&w->arena, nd_model_finish(w->model), only_ns);
	nd_status_print_text(w->status, &style, &w->text);
	nd_status_print_json(w->status, &w->json);
}

static void end(struct world *w)
{
	nd_buf_free(&w->text);
	nd_buf_free(&w->json);
	nd_model_free(w->model);
	nd_arena_free(&w->arena);
}

static void has(const struct nd_buf *out, const char *text)
{
	if (!strstr(out->data, text))
		fail_msg("no \"%s\" in:\n%s", text, out->data);
}

/* Eight letters, in the order of criteria.def: + met, x missed, - blocked. */
static void criteria_are(const struct world *w, const char *want)
{
	char got[ND_CRITERIA + 1] = "";
	for (size_t i = 0; i < ND_CRITERIA; i++)
		got[i] = "+x-"[w->status->criteria[i].state];
	if (!nd_eq(got, want))
		fail_msg("wanted %s, got %s:\n%s", want, got, w->text.data);
}

static void check_screen(const struct world *w)
{
	size_t n = 0, width = 0;
	for (const char *p = w->text.data; *p; p++) {
		if (*p == '\n') {
			n++;
			width = 0;
		} else {
			width += (*p & 0xc0) != 0x80;
			assert_true(width <= 80);
		}
		assert_true(*p == '\n' || (unsigned char)*p >= 0x20);
	}
	assert_true(n <= 24);
}

static void all_is_well(void **state)
{
	(void)state;
	struct world w = {0};
	static const struct change changes[MAX_CHANGES] = {PROBED("ok", "ok", "ok")};
	build(&w, changes, NULL);
	criteria_are(&w, "++++++++");
	assert_int_equal(w.status->verdict, ND_MET);
	has(&w.text, "nodes      2 of 2 ready");
	has(&w.text, "pod to pod 100 % · to services 100 % · 4 of 4 probes");
	has(&w.text, "pods 10.244.0.0/16");
	has(&w.text, "nodes 172.18.0.0/16");
	has(&w.text, "CNI kindnet · kube-proxy iptables");
	has(&w.text, "2 of 2 probed answer everywhere");
	has(&w.json, "\"kind\": \"Status\"");
	has(&w.json, "\"verdict\": \"healthy\"");
	has(&w.json, "\"pod_to_pod_percent\": 100");
	check_screen(&w);
	end(&w);
}

static void not_probed_is_not_good(void **state)
{
	(void)state;
	struct world w = {0};
	static const struct change changes[MAX_CHANGES] = {{0}};
	build(&w, changes, NULL);
	criteria_are(&w, "+++++---");
	assert_int_equal(w.status->verdict, ND_BLOCKED);
	has(&w.text, "pod to pod not probed · to services not probed");
	has(&w.text, "- pods talk across nodes   blocked: not probed");
	has(&w.json, "\"pod_to_pod_percent\": null");
	has(&w.json, "\"verdict\": \"incomplete\"");
	assert_null(strstr(w.text.data, "100 %"));
	end(&w);
}

static void what_fails_is_missed(void **state)
{
	(void)state;
	struct world w = {0};
	static const struct change changes[MAX_CHANGES] = {PROBED("TIMEOUT", "REFUSED", "SERVFAIL")};
	build(&w, changes, NULL);
	criteria_are(&w, "+++++xxx");
	assert_int_equal(w.status->verdict, ND_MISSED);
	has(&w.text, "pod to pod 50 % · to services 0 %");
	has(&w.text, "1 of 2, not: cp to w1 (TIMEOUT)");
	has(&w.text, "0 of 2 probed, not: default/web, kube-system/kube-dns");
	has(&w.text, "why: kubectl netdoctor diagnose");
	check_screen(&w);
	end(&w);
}

static void a_broken_part_blocks_the_next(void **state)
{
	(void)state;
	struct world w = {0};
	static const struct change changes[MAX_CHANGES] = {
		{NULL, "nodes", "'172.18.0.3'}],'conditions':[{'type':'Ready','status':'True'}]",
		 "'172.18.0.3'}],'conditions':[{'type':'Ready','status':'False'}]"},
	};
	build(&w, changes, NULL);
	criteria_are(&w, "x++++---");
	assert_int_equal(w.status->verdict, ND_MISSED);
	has(&w.text, "1 of 2, not: w1");
	has(&w.text, "blocked: not probed; before it: nodes ready");
	end(&w);
}

static void a_list_that_was_not_read_says_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *list, *criteria;
	} rows[] = {
		{"nodes", "-+++++++"},	    {"pods", "+++++-++"},	{"services", "++++-+--"},
		{"endpointslices", "++++-+++"}, {"daemonsets", "+--+++++"}, {"deployments", "++++++++"},
	};
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		struct world w = {0};
		const struct change changes[MAX_CHANGES] = {{NULL, rows[i].list, NULL, NULL}, PROBED("ok", "ok", "ok")};
		build(&w, changes, NULL);
		criteria_are(&w, rows[i].criteria);
		/* What Deployments tell of CoreDNS, its endpoints tell as well. */
		assert_int_equal(w.status->verdict, nd_eq(rows[i].list, "deployments") ? ND_MET : ND_BLOCKED);
		end(&w);
	}
}

static void nothing_at_all(void **state)
{
	(void)state;
	static const struct nd_cluster none;
	struct nd_status_style style = {0};
	struct world w = {0};
	w.status = nd_status_build(&w.arena, &none, NULL);
	nd_status_print_text(w.status, &style, &w.text);
	nd_status_print_json(w.status, &w.json);
	criteria_are(&w, "--------");
	has(&w.text, "nodes      not looked at: not read");
	has(&w.json, "\"nodes\": null");
	nd_buf_free(&w.text);
	nd_buf_free(&w.json);
	nd_arena_free(&w.arena);
}

/* Ready, and still not where we have been. */
static void a_daemonset_that_wants_too_few(void **state)
{
	(void)state;
	struct nd_host hosts[] = {{.node = "n1", .have = 1}, {.node = "n2", .have = 1}, {.node = "n3"}};
	struct nd_node nodes[] = {{.meta.name = "n1"}, {.meta.name = "n2"}, {.meta.name = "n3"}};
	struct nd_pod pod = {.meta = {.ns = "kube-system", .name = "p", .owner_name = "kube-proxy"}, .node = "n1"};
	struct nd_workload proxy = {.kind = "DaemonSet", .meta = {.ns = "kube-system", .name = "kube-proxy"},
				    .wanted = 1, .ready = 1};
	struct nd_cluster c = {.hosts = hosts, .nhosts = 3, .nodes = nodes, .nnodes = 3, .pods = &pod, .npods = 1,
			       .workloads = &proxy, .nworkloads = 1, .have_resources = UINT32_MAX};
	struct nd_arena arena = {0};
	const struct nd_criterion *got = &nd_status_build(&arena, &c, NULL)->criteria[ND_CRITERION_proxy];
	assert_int_equal(got->state, ND_MISSED);
	assert_string_equal(got->detail, "kube-proxy: 1 of 1 ready, not on n2");
	nd_arena_free(&arena);
}

static void no_service_for_dns(void **state)
{
	(void)state;
	struct world w = {0};
	static const struct change changes[MAX_CHANGES] = {{NULL, "services", "'kube-dns'", "'kube-dnss'"}};
	build(&w, changes, NULL);
	assert_int_equal(w.status->criteria[ND_CRITERION_dns].state, ND_MISSED);
	end(&w);
}

static void services_without_endpoints(void **state)
{
	(void)state;
	struct world w = {0};
	static const struct change changes[MAX_CHANGES] = {
		{NULL, "endpointslices", "'conditions':{'ready':true}", "'conditions':{'ready':false}"},
		PROBED("ok", "REFUSED", "ok")};
	build(&w, changes, NULL);
	assert_int_equal(w.status->criteria[ND_CRITERION_endpoints].state, ND_MISSED);
	has(&w.text, "1 of 2, not: default/web");
	has(&w.text, "1 of 2 have ready endpoints");
	end(&w);
}

static void one_namespace(void **state)
{
	(void)state;
	struct world w = {0};
	static const struct change changes[MAX_CHANGES] = {PROBED("ok", "TIMEOUT", "ok")};
	build(&w, changes, "kube-system");
	assert_int_equal(w.status->nservices, 1);
	assert_int_equal(w.status->nservices_probed, 1);
	assert_int_equal(w.status->criteria[ND_CRITERION_services].state, ND_MET);
	for (size_t i = 0; i < w.status->nnamespaces; i++)
		assert_string_equal(w.status->namespaces[i].name, "kube-system");
	has(&w.text, "only namespace kube-system");
	end(&w);
}

/* ---- many namespaces, hostile names: made by hand, as only counting matters ---- */

static void the_worst_namespaces_come_first(void **state)
{
	(void)state;
	enum { N = 40 };
	static struct nd_pod pods[N];
	static struct nd_policy policy = {.meta = {.ns = "ns-\x1b[2J\xe2\x80\xae-of-a-name-that-is-long"}};
	static char names[N][16];
	struct nd_known_gap gap = {"nodes", "w9\x1b[31m",
				   "a reason that is much longer than what a line of a terminal has room for"};
	struct nd_known_gap gaps[3] = {gap, gap, gap};
	struct nd_cluster c = {.pods = pods, .npods = N, .policies = &policy, .npolicies = 1, .gaps = gaps, .ngaps = 3,
			       .have_resources = UINT32_MAX};
	struct nd_status_style style = {0};
	struct world w = {0};
	for (size_t i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "ns%02zu", i / 2);
		pods[i].meta.ns = names[i];
		pods[i].phase = i == 31 ? "Failed" : i == 33 ? "Pending" : i == 35 ? "Succeeded" : "Running";
		pods[i].is_ready = i != 32;
	}
	w.status = nd_status_build(&w.arena, &c, NULL);
	nd_status_print_text(w.status, &style, &w.text);
	assert_int_equal(w.status->nnamespaces, 21);
	assert_string_equal(w.status->namespaces[0].name, "ns16"); /* pending and not ready */
	assert_string_equal(w.status->namespaces[1].name, "ns15");
	has(&w.text, "37 running (1 not ready), 1 pending, 1 failed, 1 succeeded");
	has(&w.text, "and 15 more namespaces (-o wide)");
	has(&w.text, "3 gaps (-o wide), such as nodes of w9?[31m");
	assert_null(strchr(w.text.data, '\x1b'));
	assert_int_equal(w.status->verdict, ND_MISSED); /* there is no CoreDNS */
	check_screen(&w);
	nd_buf_free(&w.text);
	nd_arena_free(&w.arena);
}

static void the_service_cidr(void **state)
{
	(void)state;
	static const struct {
		const char *args, *want;
	} rows[] = {
		{"kube-apiserver --x --service-cluster-ip-range=10.96.0.0/16 --y", "10.96.0.0/16"},
		{"kube-apiserver --service-cluster-ip-range=10.96.0.0/16,fd00::/112", "10.96.0.0/16,fd00::/112"},
		{"kube-apiserver --service-cluster-ip-range 10.96.0.0/12", "10.96.0.0/12"},
		{"kube-apiserver --service-cluster-ip-range", NULL},
		{"kube-apiserver --service-cluster-ip-range=", NULL},
		{"kube-apiserver --service-cluster-ip-range=\x1b[2J", NULL},
		{"kube-apiserver --service-cluster-ip-range=10.96.0.0/16,,", NULL},
		{"kube-apiserver --service-cluster-ip-ranges=10.96.0.0/16", NULL},
		{"kube-apiserver", NULL},
		{NULL, NULL},
	};
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		struct nd_arena arena = {0};
		struct nd_container container = {.args = rows[i].args};
		struct nd_pod pod = {.meta = {.ns = "kube-system", .name = "kube-apiserver-cp"},
				     .containers = &container,
				     .ncontainers = 1};
		struct nd_cluster c = {.pods = &pod, .npods = 1};
		const char *got = nd_status_build(&arena, &c, NULL)->service_cidr;
		if (rows[i].want ? !nd_eq(got, rows[i].want) : got != NULL)
			fail_msg("%s: %s", rows[i].args, got ? got : "NULL");
		nd_arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(not_probed_is_not_good),
		cmocka_unit_test(what_fails_is_missed),
		cmocka_unit_test(a_broken_part_blocks_the_next),
		cmocka_unit_test(a_list_that_was_not_read_says_nothing),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(a_daemonset_that_wants_too_few),
		cmocka_unit_test(no_service_for_dns),
		cmocka_unit_test(services_without_endpoints),
		cmocka_unit_test(one_namespace),
		cmocka_unit_test(the_worst_namespaces_come_first),
		cmocka_unit_test(the_service_cidr),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
