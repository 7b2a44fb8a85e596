/*
 * After the first results: what is sent again and around it, and what a result was for.
 */
#include "common/base.h"
#include "tests/unit/probe_world.h"

/* ---- the second try ---- */

static void give_results(struct world *w, const char *node, bool (*fails)(const struct nd_probe *p))
{
	struct nd_host *host = (struct nd_host *)nd_look_host(w->cluster, node);

	for (size_t i = 0; i < w->plan.nprobes; i++) {
		const struct nd_probe *p = &w->plan.probes[i];
		struct nd_probe_result r = {.kind = p->kind,
					    .netns_inode = p->netns_inode,
					    .ip = p->ip,
					    .port = p->port,
					    .name = p->name,
					    .outcome =
						    fails(p) ? ND_OUTCOME_timeout : ND_OUTCOME_ok};

		if (nd_eq(p->node, node))
			ND_ARENA_PUSH(&w->arena, host->probes, host->nprobes) = r;
	}
}

static bool is_service(const struct nd_probe *p)
{
	return p->netns_inode && p->ip.bytes[1] == 96 && p->port == 80;
}
static bool is_pair(const struct nd_probe *p)
{
	return p->netns_inode && p->kind == ND_PROBE_tcp && p->ip.bytes[1] == 100 &&
	       p->ip.bytes[2] == 1;
}
static bool is_request(const struct nd_probe *p)
{
	return p->kind == ND_PROBE_http;
}
static bool is_any(const struct nd_probe *p)
{
	(void)p;
	return true;
}

static char *retry_lines(struct world *w, bool (*fails)(const struct nd_probe *p))
{
	struct nd_probe_plan again;

	give_results(w, "n00", fails);
	nd_probe_plan_retry(&w->arena, w->cluster, &w->plan, &again);
	assert_true(most_a_node(&again) <= ND_PROBE_MAX_RETRY_A_NODE);
	return lines_of(w, &again);
}

static void test_retry(void **state)
{
	struct world service = {.nnodes = 2, .npods = 3}, pair = service;
	struct world all = {.nnodes = 40, .npods = 3, .nservices = 5};
	struct nd_probe_plan again;

	(void)state;
	build(&service);
	nd_probe_plan_retry(&service.arena, service.cluster, &service.plan, &again);
	assert_int_equal(again.nprobes, 0); /* no results yet */
	assert_string_equal(retry_lines(&service, is_service), "n00 tcp 1010 10.96.0.20 80\n"
							       "n00 tcp 1011 10.100.0.11 8080\n"
							       "n00 tcp 1010 10.100.0.11 8080\n"
							       "n00 tcp 1010 10.100.1.11 8080\n");
	/* It worked when it was sent again: the last one counts. */
	struct nd_host *host = (struct nd_host *)nd_look_host(service.cluster, "n00");
	size_t n = host->nprobes;
	for (size_t i = 0; i < n; i++) {
		struct nd_probe_result r = host->probes[i];
		r.outcome = ND_OUTCOME_ok;
		ND_ARENA_PUSH(&service.arena, host->probes, host->nprobes) = r;
	}
	nd_probe_plan_retry(&service.arena, service.cluster, &service.plan, &again);
	assert_int_equal(again.nprobes, 0);
	done(&service);
	build(&pair);
	assert_string_equal(retry_lines(&pair, is_pair), "n00 tcp 1010 10.100.1.9 9153\n"
							 "n00 tcp 1011 10.100.1.9 9153\n"
							 "n00 tcp 1010 10.100.1.10 8080\n");
	done(&pair);
	build(&all);
	retry_lines(&all, is_any);
	done(&all);
}

/* Around a request others are only connected to: those probes have no path (the agent refuses it). */
static void test_request(void **state)
{
	struct world w = {.nnodes = 2, .npods = 3};

	(void)state;
	build(&w);
	for (size_t i = 0; i < w.plan.nprobes; i++)
		if (is_pair(&w.plan.probes[i])) {
			w.plan.probes[i].kind = ND_PROBE_http;
			w.plan.probes[i].name = "/metrics";
		}
	assert_string_equal(retry_lines(&w, is_request), "n00 http 1010 10.100.1.9 9153 ?\n"
							 "n00 http 1011 10.100.1.9 9153 ?\n"
							 "n00 tcp 1010 10.100.1.10 8080\n");
	done(&w);
}

static void test_gone(void **state)
{
	struct world w = {.nnodes = 2, .npods = 3};
	struct nd_probe_plan again;
	struct nd_host *host;

	(void)state;
	build(&w);
	give_results(&w, "n00", is_any);
	host = (struct nd_host *)nd_look_host(w.cluster, "n00");
	for (size_t i = 0; i < host->nprobes; i++)
		host->probes[i].outcome = ND_OUTCOME_gone;
	nd_probe_plan_retry(&w.arena, w.cluster, &w.plan, &again);
	assert_int_equal(again.nprobes, 0);
	done(&w);
}

/* ---- what a result was for ---- */

static void check_flow(struct world *w, uint64_t inode, const char *ip, uint16_t port,
		       enum nd_flow_kind kind, const char *target)
{
	struct nd_probe probe = {
		.node = "n00", .netns_inode = inode, .kind = ND_PROBE_tcp, .port = port};
	struct nd_flow flow;

	assert_true(nd_ip_parse(ip, &probe.ip));
	flow_of(w, &probe, &flow);
	assert_int_equal(flow.kind, kind);
	assert_string_equal(flow.source_node, "n00");
	if (inode)
		assert_string_equal(flow.source_pod->meta.name, "p00-0");
	if (target)
		assert_string_equal(flow.target_node ? flow.target_node : flow.service->meta.name,
				    target);
}

/* The sorted tables give the same answers. */
static void test_index(void **state)
{
	struct world w = {.nnodes = 12, .npods = 3, .nservices = 30};
	struct nd_flow_index index;

	(void)state;
	build(&w);
	nd_flow_index_build(&w.arena, w.cluster, &index);
	for (size_t i = 0; i < w.plan.nprobes; i++) {
		const struct nd_probe *p = &w.plan.probes[i];
		struct nd_probe_result result = {.kind = p->kind,
						 .netns_inode = p->netns_inode,
						 .ip = p->ip,
						 .port = p->port,
						 .name = p->name};
		struct nd_flow a, b;

		flow_of(&w, p, &a);
		nd_flow_find(&index, nd_look_host(w.cluster, p->node), &result, &b);
		assert_int_equal(a.kind, b.kind);
		assert_ptr_equal(a.source_pod, b.source_pod);
		assert_ptr_equal(a.target_pod, b.target_pod);
		assert_ptr_equal(a.target_node, b.target_node);
		assert_ptr_equal(a.service, b.service);
		assert_ptr_equal(a.service_port, b.service_port);
	}
	done(&w);
}

static void test_flows(void **state)
{
	struct world w = {.nnodes = 2, .npods = 3};

	(void)state;
	build(&w);
	check_flow(&w, 1010, "10.100.0.11", 8080, ND_FLOW_POD_SAME_NODE, "n00");
	check_flow(&w, 1010, "10.100.1.11", 1, ND_FLOW_POD_CROSS_NODE, "n01");
	check_flow(&w, 0, "10.100.0.11", 8080, ND_FLOW_NODE_POD_LOCAL, "n00");
	check_flow(&w, 0, "10.100.1.11", 8080, ND_FLOW_NODE_POD_REMOTE, "n01");
	check_flow(&w, 1010, "10.96.0.20", 80, ND_FLOW_CLUSTERIP, "web");
	check_flow(&w, 1010, "10.96.0.20", 81, ND_FLOW_CLUSTERIP, "web"); /* no such port */
	check_flow(&w, 1010, "10.96.0.1", 443, ND_FLOW_API_VIP, "kubernetes");
	check_flow(&w, 0, "172.18.0.2", 6443, ND_FLOW_API_ENDPOINT, "n00");
	check_flow(&w, 0, "172.18.0.3", 30080, ND_FLOW_NODEPORT, "n01");
	check_flow(&w, 0, "172.18.0.3", 22, ND_FLOW_OTHER, "n01");
	check_flow(&w, 1010, "10.96.0.10", 53, ND_FLOW_DNS_VIP, "kube-dns");
	check_flow(&w, 1010, "10.100.1.200", 80, ND_FLOW_OTHER,
		   NULL); /* a pod's, but nobody's now */
	check_flow(&w, 1010, "127.0.0.1", 80, ND_FLOW_OTHER, NULL);
	check_flow(&w, 1010, "192.0.2.1", 80, ND_FLOW_EXTERNAL, NULL);
	done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_request), cmocka_unit_test(test_gone),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
