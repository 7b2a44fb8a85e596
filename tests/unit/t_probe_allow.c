/* The probe plan where NetworkPolicy isolates pods: what is allowed is asked, nothing else. */
#include "common/base.h"
#include "common/clock.h"
#include "tests/unit/probe_world.h"

#define SPEC(ns, name, spec) "{" NAMED(ns, name) "},'spec':{" spec "}}"
#define OF_P01 "'podSelector':{'matchLabels':{'app':'p01'}},'policyTypes':['Ingress']"

/* Each pair is asked: what is allowed is planned, what is not is left out. */
static void test_allowed(void **state)
{
	struct world w = {.nnodes = 2,
			  .npods = 3,
			  .is_kindnet = true,
			  .options = {.extent = ND_PROBE_EXTENT_ALL},
			  .policy =
				  SPEC("app", "x",
				       OF_P01 ",'ingress':[{'from':[{'podSelector':{'matchLabels':"
					      "{'app':'p02'}}}],'ports':[{'port':8080}]}]")};

	(void)state;
	build(&w);
	assert_true(has(&w, "n00 tcp 1012 10.100.1.11 8080\n"));  /* p02 to p01 */
	assert_false(has(&w, "n00 tcp 1010 10.100.1.11 8080\n")); /* p00 to p01 */
	assert_false(has(&w, "n00 tcp 1009 10.100.1.11 8080\n")); /* dns to p01 */
	assert_true(has(&w, "n00 tcp 0 10.100.0.11 8080\n"));	  /* its own node */
	assert_false(has(&w, "n00 tcp 0 10.100.1.11 8080\n"));
	assert_false(has(&w, " pmtu 1012 10.100.1.11 "));	 /* no port is no echo request */
	assert_true(has(&w, "n00 tcp 1011 10.100.1.10 8080\n")); /* p01 may send */
	assert_false(has(&w, " 10.96.0.20 ")); /* p00 asks services, and may not */
	assert_false(has(&w, " 30080\n"));
	assert_true(has(&w, "n00 tcp 1010 10.96.0.30 81\n"));
	done(&w);
}

static void test_allowed_services(void **state)
{
	struct world by = {.nnodes = 2,
			   .npods = 3,
			   .is_kindnet = true,
			   .policy = SPEC("app", "x",
					  OF_P01 ",'ingress':[{'from':[{'namespaceSelector':{"
						 "'matchLabels':{'team':'data'}}}]}]")};
	struct world block = {.nnodes = 2,
			      .npods = 3,
			      .is_kindnet = true,
			      .policy = SPEC("app", "x",
					     OF_P01 ",'ingress':[{'from':[{'ipBlock':{'cidr':"
						    "'172.18.0.0/16'}}]}]")};
	struct nd_configmap *map;

	(void)state;
	build(&by);
	assert_true(has(&by, "n00 tcp 1010 10.96.0.20 80\n"));
	assert_false(has(&by, " 30080\n"));
	map = (struct nd_configmap *)nd_look_configmap(by.cluster, "kube-system", "kube-proxy");
	map->data.items[0].value = "mode: iptables\niptables:\n  masqueradeAll: true\n";
	nd_probe_plan_build(&by.arena, by.cluster, NULL, &by.plan);
	assert_false(has(&by, " 10.96.0.20 80\n"));
	done(&by);
	build(&block); /* all nodes' addresses */
	assert_false(has(&block, " 1010 10.96.0.20 80\n"));
	assert_false(has(&block, " 30080\n"));
	done(&block);
}

/* Nothing but DNS: not the API server, no other pod. */
static void test_allowed_egress(void **state)
{
	static const char dns[] =
		SPEC("app", "x",
		     "'podSelector':{},'policyTypes':['Egress'],'egress':[{'to':[{'"
		     "namespaceSelector':{},"
		     "'podSelector':{'matchLabels':{'k8s-app':'kube-dns'}}}],'ports':[{'port':53,"
		     "'protocol':'UDP'}]}]");
	struct world w = {.nnodes = 3, .npods = 2, .is_kindnet = true, .policy = dns};
	struct world all = {.nnodes = 3,
			    .npods = 2,
			    .is_kindnet = true,
			    .policy = SPEC("app", "x", "'podSelector':{},'egress':[{}]")};

	(void)state;
	build(&w);
	assert_true(has(&w, "n00 tcp 1009 10.96.0.1 443\n"));	    /* a DNS server is free */
	assert_true(has(&w, "n02 dns-udp 3010 10.96.0.10 53 ?\n")); /* no such pod on n02 */
	assert_true(has(&w, "n02 dns-udp 3010 10.100.0.9 53 ?\n"));
	assert_false(has(&w, " dns-tcp 3010 "));
	assert_false(has(&w, " tcp 3010 "));
	assert_false(has(&w, " pmtu 3010 "));
	assert_int_equal(count(&w, "n02", ND_FLOW_POD_SAME_NODE), 0);
	done(&w);
	build(&all); /* ingress is denied, egress is not: DNS servers can be asked */
	assert_true(has(&all, "n02 tcp 3010 10.100.0.9 9153\n"));
	assert_true(has(&all, "n02 tcp 3010 10.96.0.1 443\n"));
	assert_false(has(&all, " 3010 10.100.0.10 8080\n"));
	done(&all);
}

/* Who may talk is known only for engines that mean what the API says. */
static void test_allowed_unknown(void **state)
{
	struct world w = {.nnodes = 2,
			  .npods = 2,
			  .is_kindnet = true,
			  .policy = SPEC("app", "x", OF_P01 ",'ingress':[{}]")};

	(void)state;
	build(&w);
	assert_true(has(&w, "n00 tcp 0 10.100.0.11 8080\n"));
	w.cluster->workloads[0].meta.name = "cilium";
	nd_probe_plan_build(&w.arena, w.cluster, NULL, &w.plan);
	assert_false(has(&w, " 10.100.0.11 8080\n"));
	done(&w);
}

/* Everybody is denied everything, in a large cluster: it costs no look at all pairs. */
static void test_all_denied(void **state)
{
	struct world w = {
		.nnodes = 100,
		.npods = 30,
		.is_kindnet = true,
		.options = {.extent = ND_PROBE_EXTENT_ALL},
		.policy = SPEC("app", "x", "'podSelector':{},'policyTypes':['Ingress','Egress']")};
	int64_t start = nd_clock_mono_us();

	(void)state;
	build(&w);
	assert_true(nd_clock_mono_us() - start < 20 * 1000000);
	assert_false(has(&w, " tcp 3010 "));
	assert_true(has(&w, "n00 tcp 1009 10.100.1.9 9153\n"));
	assert_true(has(&w, "n50 tcp 0 10.100.50.10 8080\n"));
	done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),	       cmocka_unit_test(test_allowed_services),
		cmocka_unit_test(test_allowed_egress), cmocka_unit_test(test_allowed_unknown),
		cmocka_unit_test(test_all_denied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
