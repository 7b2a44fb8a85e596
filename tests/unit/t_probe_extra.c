/* What verify sends besides the plan of diagnose, and that diagnose sends none of it. */
#include "common/base.h"
#include "tests/unit/probe_world.h"

/* The lines that the extra options add. */
static const char *added(struct world *w)
{
	struct nd_buf out = {0};
	struct nd_probe_plan plain = {0};
	struct nd_probe_options options = {.only_ns = w->options.only_ns,
					   .max_pairs = w->options.max_pairs};
	struct nd_str rest, line;
	const char *text;

	build(w);
	nd_probe_plan_build(&w->arena, w->cluster, &options, &plain);
	text = lines_of(w, &plain);
	rest = nd_str(lines_of(w, &w->plan));
	while (nd_str_line(&rest, &line)) {
		char *whole = nd_arena_printf(&w->arena, "%.*s\n", (int)line.n, line.p);

		if (!strstr(text, whole))
			nd_buf_puts(&out, whole);
	}
	assert_true(plain.nprobes <= w->plan.nprobes);
	text = nd_arena_strdup(&w->arena, out.data ? out.data : "", out.len);
	nd_buf_free(&out);
	return text;
}

static void test_pings_and_namespaces(void **state)
{
	struct world w = {.nnodes = 3, .npods = 2, .options = {.has_extra = true}};

	(void)state;
	assert_string_equal(added(&w),
			    "n00 icmp 1010 10.100.0.9 0\n"
			    "n00 icmp 1010 10.100.1.9 0\n"
			    "n00 icmp 1010 10.100.2.11 0\n"
			    "n01 icmp 2010 10.100.1.9 0\n"
			    "n01 icmp 2010 10.100.2.10 0\n"
			    "n01 icmp 2010 10.100.0.10 0\n"
			    "n01 tcp 2010 10.100.0.9 9153\n" /* the plan has another pod there */
			    "n02 icmp 3011 10.100.2.10 0\n"
			    "n02 icmp 3010 10.100.0.9 0\n"
			    "n02 icmp 3010 10.100.1.10 0\n");
	done(&w);
}

/* A namespace of its own has nothing across in its plan: that is added. */
static void test_of_a_namespace(void **state)
{
	struct world w = {
		.nnodes = 2, .npods = 3, .options = {.has_extra = true, .only_ns = "app"}};
	size_t nnames = 0;
	const char *text;

	(void)state;
	text = added(&w);
	for (size_t i = 0; i < w.plan.nprobes; i++)
		nnames += nd_eq(w.plan.probes[i].name, "web.app.svc.cluster.local.") ||
			  nd_eq(w.plan.probes[i].name, "solo.app.svc.cluster.local.");
	assert_int_equal(nnames, 4); /* two services, two nodes */
	assert_non_null(strstr(text, "n00 tcp 1010 10.100.1.9 9153\n"));
	assert_non_null(strstr(text, "n01 tcp 2010 10.100.0.9 9153\n"));
	done(&w);
}

static void test_isolated_pods_are_left_alone(void **state)
{
	struct world w = {
		.nnodes = 2,
		.npods = 2,
		.policy = "{'metadata':{'namespace':'app','name':'deny'},'spec':{'podSelector':{},"
			  "'policyTypes':['Ingress','Egress']}}",
		.options = {.has_extra = true}};

	(void)state;
	/* From a DNS server to the other one, as nothing else may. */
	assert_string_equal(added(&w), "n00 icmp 1009 10.100.1.9 0\n"
				       "n01 icmp 2009 10.100.0.9 0\n");
	done(&w);
}

static void test_what_the_user_asked_for(void **state)
{
	struct nd_probe_get gets[2] = {{.port = 80, .path = "/a"}, {.port = 81, .path = "/b"}};
	struct world w = {
		.nnodes = 2,
		.npods = 1,
		.options = {.gets = gets, .ngets = 2, .outside_name = "registry.k8s.io."}};

	(void)state;
	assert_true(nd_ip_parse("10.96.0.20", &gets[0].ip));
	assert_true(nd_ip_parse("10.96.0.30", &gets[1].ip));
	assert_string_equal(added(&w), "n00 http 1010 10.96.0.20 80 ?\n"
				       "n00 http 1010 10.96.0.30 81 ?\n"
				       "n01 http 2010 10.96.0.20 80 ?\n"
				       "n01 http 2010 10.96.0.30 81 ?\n");
	for (size_t i = 0; i < w.plan.nprobes; i++)
		if (nd_eq(w.plan.probes[i].name, "registry.k8s.io."))
			gets[0].port++;
	assert_int_equal(gets[0].port, 82); /* one a node */
	done(&w);
}

/* From CoreDNS, that shows its metrics everywhere; not from itself. */
static void test_transfers(void **state)
{
	struct world w = {.nnodes = 3, .npods = 1, .options = {.has_bulk = true, .only_ns = "app"}};

	(void)state;
	assert_string_equal(added(&w), "n00 bulk 1010 10.100.0.9 9153 ?\n"
				       "n00 bulk 1010 10.100.1.9 9153 ?\n"
				       "n01 bulk 2010 10.100.0.9 9153 ?\n"
				       "n01 bulk 2010 10.100.1.9 9153 ?\n"
				       "n02 bulk 3010 10.100.0.9 9153 ?\n"
				       "n02 bulk 3010 10.100.1.9 9153 ?\n");
	done(&w);
}

static void test_pairs_are_bounded(void **state)
{
	struct world w = {.nnodes = 80, .npods = 1, .options = {.has_extra = true, .max_pairs = 3}};
	size_t n = 0;

	(void)state;
	build(&w);
	for (size_t i = 0; i < w.plan.nprobes; i++)
		n += w.plan.probes[i].kind == ND_PROBE_icmp;
	assert_in_range(n, 80 * 3, 80 * 4);
	done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pings_and_namespaces),
		cmocka_unit_test(test_of_a_namespace),
		cmocka_unit_test(test_isolated_pods_are_left_alone),
		cmocka_unit_test(test_what_the_user_asked_for),
		cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_pairs_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
