/*
 * The probe plan: which flows are asked for, which are left out, that a big cluster is sampled, and
 * that the same cluster gives the same bytes.
 */
#include "common/base.h"
#include "common/clock.h"
#include "tests/unit/probe_world.h"

/* ---- which flows ---- */

static void test_two_nodes(void **state)
{
	struct world w = {.nnodes = 2, .npods = 3};

	(void)state;
	build(&w);
	expect(&w, "n00 tcp 1010 10.100.0.9 9153\n" /* a DNS server, not by its DNS port */
		   "n00 tcp 1010 10.100.1.9 9153\n"
		   "n00 pmtu 1010 10.100.1.9 0\n"
		   "n00 tcp 0 10.100.0.9 9153\n"
		   "n00 tcp 0 10.100.0.10 8080\n"
		   "n00 tcp 0 10.100.0.11 8080\n"
		   "n00 tcp 0 10.100.0.12 8080\n"
		   "n00 tcp 0 10.100.1.9 9153\n"
		   "n00 tcp 1010 10.96.0.1 443\n"
		   "n00 tcp 1010 172.18.0.2 6443\n"
		   "n00 tcp 0 10.96.0.1 443\n"
		   "n00 tcp 0 172.18.0.2 6443\n"
		   "n00 dns-udp 1010 10.96.0.10 53 ?\n"
		   "n00 dns-tcp 1010 10.96.0.10 53 ?\n"
		   "n00 dns-udp 1010 10.100.0.9 53 ?\n"
		   "n00 dns-udp 1010 10.100.1.9 53 ?\n"
		   "n00 dns-udp 0 10.96.0.10 53 ?\n"
		   "n00 tcp 1010 10.96.0.30 81\n"
		   "n00 tcp 1010 10.96.0.20 80\n"
		   "n00 tcp 1012 10.96.0.30 81\n" /* solo's own pod */
		   "n00 tcp 0 172.18.0.3 30080\n"
		   "n01 tcp 2010 10.100.1.9 9153\n"
		   "n01 tcp 2010 10.100.0.9 9153\n"
		   "n01 pmtu 2010 10.100.0.9 0\n"
		   "n01 tcp 0 10.100.1.9 9153\n"
		   "n01 tcp 0 10.100.1.10 8080\n"
		   "n01 tcp 0 10.100.1.11 8080\n"
		   "n01 tcp 0 10.100.1.12 8080\n"
		   "n01 tcp 0 10.100.0.9 9153\n"
		   "n01 tcp 2010 10.96.0.1 443\n"
		   "n01 tcp 2010 172.18.0.2 6443\n"
		   "n01 tcp 0 10.96.0.1 443\n"
		   "n01 tcp 0 172.18.0.2 6443\n"
		   "n01 dns-udp 2010 10.96.0.10 53 ?\n"
		   "n01 dns-tcp 2010 10.96.0.10 53 ?\n"
		   "n01 dns-udp 2010 10.100.0.9 53 ?\n"
		   "n01 dns-udp 2010 10.100.1.9 53 ?\n"
		   "n01 dns-udp 0 10.96.0.10 53 ?\n"
		   "n01 tcp 2010 10.96.0.30 81\n"
		   "n01 tcp 2010 10.96.0.20 80\n"
		   "n01 tcp 0 172.18.0.2 30080\n");
	done(&w);
}

static void test_three_nodes(void **state)
{
	struct world w = {.nnodes = 3, .npods = 3};

	(void)state;
	build(&w);
	for (size_t i = 0; i < 3; i++) {
		char node[32];

		snprintf(node, sizeof(node), "n%02zu", i);
		assert_int_equal(count(&w, node, ND_FLOW_POD_SAME_NODE), 1);
		assert_int_equal(count(&w, node, ND_FLOW_POD_CROSS_NODE), 2);
		assert_int_equal(count(&w, node, ND_FLOW_NODE_POD_REMOTE), 2);
		assert_int_equal(count(&w, node, ND_FLOW_API_VIP), 2);
		assert_int_equal(count(&w, node, ND_FLOW_API_ENDPOINT), 2);
		assert_int_equal(count(&w, node, ND_FLOW_DNS_VIP), 3);
		assert_int_equal(count(&w, node, ND_FLOW_DNS_POD), 2);
		assert_int_equal(count(&w, node, ND_FLOW_CLUSTERIP), 2);
		assert_int_equal(count(&w, node, ND_FLOW_HAIRPIN), i == 0);
		assert_int_equal(count(&w, node, ND_FLOW_NODEPORT), 1);
	}
	assert_int_equal(count(&w, NULL, ND_FLOW_OTHER) + count(&w, NULL, ND_FLOW_EXTERNAL), 0);
	done(&w);
}

static void test_one_node(void **state)
{
	struct world w = {.nnodes = 1, .npods = 1};

	(void)state;
	build(&w);
	/* web and DNS have endpoints on a node that is not there; they are no proof of anything */
	expect(&w, "n00 tcp 1010 10.100.0.9 9153\n"
		   "n00 tcp 0 10.100.0.9 9153\n"
		   "n00 tcp 0 10.100.0.10 8080\n"
		   "n00 tcp 1010 10.96.0.1 443\n"
		   "n00 tcp 1010 172.18.0.2 6443\n"
		   "n00 tcp 0 10.96.0.1 443\n"
		   "n00 tcp 0 172.18.0.2 6443\n"
		   "n00 dns-udp 1010 10.96.0.10 53 ?\n"
		   "n00 dns-tcp 1010 10.96.0.10 53 ?\n"
		   "n00 dns-udp 1010 10.100.0.9 53 ?\n"
		   "n00 dns-udp 0 10.96.0.10 53 ?\n");
	done(&w);
}

static void test_policies(void **state)
{
	struct world in = {
		.nnodes = 2,
		.npods = 3,
		.policy = "{" NAMED("app",
				    "x") "},'spec':{'podSelector':{'matchLabels':{'app':'p01'}},"
					 "'policyTypes':['Ingress']}}"};
	struct world out = {
		.nnodes = 2,
		.npods = 3,
		.policy = "{" NAMED(
			"app", "x") "},'spec':{'podSelector':{'matchExpressions':[{'key':'app',"
				    "'operator':'Exists'}]},'policyTypes':['Egress']}}"};
	struct world dns = {
		.nnodes = 2,
		.npods = 3,
		.policy = "{" NAMED("kube-system",
				    "x") "},'spec':{'podSelector':{},'policyTypes':['Ingress']}}"};
	struct world unknown = {.nnodes = 2, .npods = 3, .no_policies = true};

	(void)state;
	build(&in);
	assert_false(has(&in, "10.100.0.11")); /* p01 */
	assert_false(has(&in, "10.96.0.20"));  /* and its service */
	assert_false(has(&in, "30080"));
	assert_true(has(&in, "10.100.0.12"));
	done(&in);
	build(&out);
	assert_false(has(&out, " 1010 "));
	assert_true(has(&out, "n00 tcp 1009 10.96.0.20 80\n")); /* a DNS server sends instead */
	assert_true(has(&out, "n00 tcp 0 10.100.0.11 8080\n"));
	assert_int_equal(count(&out, NULL, ND_FLOW_HAIRPIN), 0);
	done(&out);
	build(&dns);
	assert_int_equal(count(&dns, NULL, ND_FLOW_DNS_VIP) + count(&dns, NULL, ND_FLOW_DNS_POD),
			 0);
	assert_false(has(&dns, "10.100.0.9 "));
	done(&dns);
	build(&unknown);
	expect(&unknown, "n00 tcp 0 10.96.0.1 443\nn00 tcp 0 172.18.0.2 6443\n"
			 "n01 tcp 0 10.96.0.1 443\nn01 tcp 0 172.18.0.2 6443\n");
	done(&unknown);
}

static void test_not_ready(void **state)
{
	struct world pod = {.nnodes = 2, .npods = 3, .unready_pod = "p00"};
	struct world node = {.nnodes = 2, .npods = 3, .unready_node = "n01"};

	(void)state;
	build(&pod);
	assert_false(has(&pod, "10.100.0.10 "));
	assert_false(has(&pod, " 1010 "));
	assert_true(has(&pod, "n00 tcp 1011 10.100.1.9 9153\n"));
	done(&pod);
	build(&node);
	assert_false(has(&node, " 10.100.1."));
	assert_false(has(&node, " 10.96.0.20 ")); /* one of its endpoints is there */
	assert_false(has(&node, " 172.18.0.3 "));
	assert_true(has(&node, "n01 tcp 2010 10.100.0.9 9153\n")); /* it may still send */
	done(&node);
}

static void test_not_listening(void **state)
{
	struct world all = {.nnodes = 2, .npods = 2, .deaf_pod = "p01"};
	struct world hidden = {.nnodes = 2, .npods = 1, .no_hosts = true};

	(void)state;
	build(&all);
	assert_false(has(&all, " 10.100.0.11 ")); /* others on the node listen */
	assert_false(has(&all, " 10.96.0.20 "));
	done(&all);
	build(&hidden);
	assert_int_equal(hidden.plan.nprobes, 0); /* nobody can send */
	done(&hidden);
}

/* n02 sends no report: what is there can only be asked for an echo. */
static void test_half_hidden(void **state)
{
	struct world w = {.nnodes = 3, .npods = 1};
	struct nd_host *host;

	(void)state;
	build(&w);
	host = (struct nd_host *)nd_look_host(w.cluster, "n02");
	host->have = 0;
	host->npodns = 0;
	nd_probe_plan_build(&w.arena, w.cluster, NULL, &w.plan);
	assert_true(has(&w, "n00 icmp 1010 10.100.2.10 0\n"));
	assert_true(has(&w, "n01 icmp 0 10.100.2.10 0\n"));
	assert_false(has(&w, "n02"));
	done(&w);
}

static void test_services(void **state)
{
	struct world w = {
		.nnodes = 3,
		.npods = 3,
		.service = ",{" NAMED(
			"app", "other") "},'spec':{'type':'ClusterIP','clusterIP':'10.96.0.40',"
					"'ports':[{'port':80}]}}"};
	struct nd_service *web;

	(void)state;
	build(&w);
	assert_false(has(&w, " 10.96.0.40 ")); /* nothing behind it */
	web = (struct nd_service *)nd_look_service(w.cluster, "app", "web");
	web->internal_policy = "Local";
	web->external_policy = "Local";
	nd_probe_plan_build(&w.arena, w.cluster, NULL, &w.plan);
	assert_true(has(&w, "n01 tcp 2010 10.96.0.20 80\n"));
	assert_false(has(&w, "n02 tcp 3010 10.96.0.20 80\n"));
	/* Nodes that have an endpoint, and no others: not n02. */
	assert_true(has(&w, "n00 tcp 0 172.18.0.3 30080\n"));
	assert_true(has(&w, "n01 tcp 0 172.18.0.2 30080\n"));
	assert_true(has(&w, "n02 tcp 0 172.18.0.2 30080\n"));
	assert_false(has(&w, " 172.18.0.4 30080\n"));
	web->proxy_name = "mine";
	nd_probe_plan_build(&w.arena, w.cluster, NULL, &w.plan);
	assert_false(has(&w, " 10.96.0.20 "));
	done(&w);
}

static void test_namespace(void **state)
{
	struct world w = {.nnodes = 2, .npods = 3, .options = {.only_ns = "app"}};
	struct world none = {.nnodes = 2, .npods = 3, .options = {.only_ns = "nowhere"}};

	(void)state;
	build(&w);
	assert_true(has(&w, "n00 tcp 1010 10.100.1.10 8080\n"));
	assert_true(has(&w, "n00 tcp 1010 10.96.0.20 80\n"));
	assert_true(has(&w, "n00 dns-udp 1010 10.100.1.9 53 ?\n"));
	assert_false(has(&w, " 10.96.0.1 "));
	assert_false(has(&w, " 9153\n"));
	done(&w);
	build(&none);
	expect(&none, "n00 dns-udp 0 10.96.0.10 53 ?\nn01 dns-udp 0 10.96.0.10 53 ?\n");
	done(&none);
}

static void test_two_families(void **state)
{
	struct world w = {.nnodes = 2, .npods = 1, .is_dual = true};
	const char *lines;

	(void)state;
	build(&w);
	lines = lines_of(&w, &w.plan);
	assert_non_null(strstr(lines, "n00 tcp 1010 fd00:2::9 9153\n"));
	assert_true(strstr(lines, "n00 tcp 1010 fd00:2::9 9153\n") >
		    strstr(lines, "n00 tcp 1010 10.96.0.1 443\n"));
	assert_null(strstr(lines, "n00 tcp 0 fd00:2::9 9153\n")); /* the node has no such address */
	done(&w);
}

/* ---- DNS names and requests ---- */

static void check_domain(const char *kubelet, const char *name)
{
	struct world w = {.nnodes = 1, .npods = 1, .kubelet = kubelet};

	build(&w);
	for (size_t i = 0; i < w.plan.nprobes; i++)
		if (w.plan.probes[i].name)
			assert_string_equal(w.plan.probes[i].name, name);
	done(&w);
}

static void test_domain(void **state)
{
	(void)state;
	check_domain("kind: x\\nclusterDomain: k8s.corp\\nz: 1\\n",
		     "kubernetes.default.svc.k8s.corp.");
	check_domain("clusterDomain: \\\"k8s.corp.\\\" # ours", "kubernetes.default.svc.k8s.corp.");
	check_domain("clusterDomain:", "kubernetes.default.svc.cluster.local.");
	check_domain("x:\\n  clusterDomain: a", "kubernetes.default.svc.cluster.local.");
	check_domain("clusterDomain: ..", "kubernetes.default.svc.cluster.local.");
	check_domain("clusterDomain: a;b", "kubernetes.default.svc.cluster.local.");
	check_domain("clusterDomain: \\\"", "kubernetes.default.svc.cluster.local.");
}

static void test_request(void **state)
{
	struct nd_probe probes[] = {
		{.node = "a", .kind = ND_PROBE_icmp},
		{.node = "b", .kind = ND_PROBE_tcp, .port = 8080, .netns_inode = 4026532871},
		{.node = "b",
		 .kind = ND_PROBE_dns_udp,
		 .port = 53,
		 .name = "x.y.",
		 .is_aaaa = true}};
	struct nd_probe_plan plan = {.probes = probes, .nprobes = 3};
	struct nd_buf out = {0};

	(void)state;
	nd_ip_parse("10.1.2.3", &probes[0].ip);
	nd_ip_parse("10.244.1.5", &probes[1].ip);
	nd_ip_parse("fd00::10", &probes[2].ip);
	nd_probe_request(&plan, 1, 2, 1000, 2000, &out);
	assert_string_equal(
		out.data, "netdoctor 1\nprobe-timeout-ms 1000\nprobe-rate 2000\ndeadline-ms 6001\n"
			  "probe 1 tcp 4026532871 10.244.1.5 8080\n"
			  "probe 2 dns-udp node fd00::10 53 x.y. AAAA\ngo\n");
	nd_buf_free(&out);
	out = (struct nd_buf){0};
	nd_probe_request(&plan, 0, 1, 0, 0, &out);
	assert_string_equal(out.data,
			    "netdoctor 1\nprobe-timeout-ms 50\nprobe-rate 1\ndeadline-ms 6050\n"
			    "probe 1 icmp node 10.1.2.3 0\ngo\n");
	nd_buf_free(&out);
	assert_true(nd_probe_name_is_ok("/a?b=c"));
	assert_false(nd_probe_name_is_ok("/a b"));
	assert_false(nd_probe_name_is_ok("/a\ngo"));
	assert_false(nd_probe_name_is_ok(""));
	assert_false(nd_probe_name_is_ok(NULL));
}

static void test_same_bytes(void **state)
{
	struct world a = {.nnodes = 5, .npods = 7, .nservices = 20}, b = a;
	struct nd_buf one = {0}, two = {0};

	(void)state;
	build(&a);
	build(&b);
	assert_true(a.plan.nprobes > 0 && a.plan.nprobes == b.plan.nprobes);
	nd_probe_request(&a.plan, 0, a.plan.nprobes, 1000, 2000, &one);
	nd_probe_request(&b.plan, 0, b.plan.nprobes, 1000, 2000, &two);
	assert_string_equal(one.data, two.data);
	nd_buf_free(&one);
	nd_buf_free(&two);
	done(&a);
	done(&b);
}

/* ---- big clusters ---- */

static void test_big(void **state)
{
	struct world w = {.nnodes = 100, .npods = 30, .nservices = 500};
	char line[64];
	const char *lines;

	(void)state;
	build(&w);
	assert_true(most_a_node(&w.plan) <= 200);
	assert_int_equal(count(&w, "n07", ND_FLOW_POD_CROSS_NODE), ND_PROBE_MAX_PAIRS);
	lines = lines_of(&w, &w.plan);
	for (size_t i = 0; i < w.nservices; i++) { /* each is asked by somebody */
		snprintf(line, sizeof(line), " 10.97.%zu.%zu 80\n", i / 250, i % 250 + 1);
		assert_non_null(strstr(lines, line));
	}
	for (size_t i = 0; i < w.nnodes;
	     i++) { /* and each node asks one NodePort service and some others */
		snprintf(line, sizeof(line), "n%02zu", i);
		assert_true(count(&w, line, ND_FLOW_CLUSTERIP) >= 5);
		snprintf(line, sizeof(line), "n%02zu tcp %zu 10.96.0.20 80\n", i,
			 1000 * (i + 1) + 10);
		assert_non_null(strstr(lines, line));
	}
	w.options.max_pairs = 5;
	nd_probe_plan_build(&w.arena, w.cluster, &w.options, &w.plan);
	assert_int_equal(count(&w, "n07", ND_FLOW_POD_CROSS_NODE), 5);
	w.options.extent = ND_PROBE_EXTENT_ALL;
	nd_probe_plan_build(&w.arena, w.cluster, &w.options, &w.plan);
	assert_int_equal(w.plan.nprobes, 100 * ND_PROBE_MAX_A_NODE);
	done(&w);
}

static void test_all(void **state)
{
	struct world w = {.nnodes = 3, .npods = 4, .options = {.extent = ND_PROBE_EXTENT_ALL}};

	(void)state;
	build(&w);
	/* 5 + 5 + 4 pods: each with each, but itself */
	assert_int_equal(count(&w, NULL, ND_FLOW_POD_SAME_NODE), 5 * 4 + 5 * 4 + 4 * 3);
	assert_int_equal(count(&w, NULL, ND_FLOW_POD_CROSS_NODE), 14 * 14 - 25 - 25 - 16);
	done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_nodes),   cmocka_unit_test(test_three_nodes),
		cmocka_unit_test(test_one_node),    cmocka_unit_test(test_policies),
		cmocka_unit_test(test_not_ready),   cmocka_unit_test(test_not_listening),
		cmocka_unit_test(test_half_hidden), cmocka_unit_test(test_services),
		cmocka_unit_test(test_namespace),   cmocka_unit_test(test_two_families),
		cmocka_unit_test(test_domain),	    cmocka_unit_test(test_request),
		cmocka_unit_test(test_same_bytes),  cmocka_unit_test(test_big),
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
