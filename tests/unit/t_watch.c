/*
 * Where is looked while probes are sent again, and how the request says so.
 */
#include "common/base.h"
#include "plugin/probe/watch.h"
#include "tests/unit/probe_world.h"

static struct nd_probe probe_of(const char *node, uint64_t inode, const char *ip, uint16_t port)
{
	struct nd_probe probe = {
		.node = node, .netns_inode = inode, .kind = ND_PROBE_tcp, .port = port};

	assert_true(nd_ip_parse(ip, &probe.ip));
	return probe;
}

/* "n00 1010 1011\n" a node. */
static char *watched(struct world *w, struct nd_probe *probes, size_t n)
{
	struct nd_probe_plan plan = {.probes = probes, .nprobes = n};
	struct nd_probe_watches watches;
	struct nd_buf out = {0};

	nd_probe_watches_find(&w->arena, w->cluster, &plan, &watches);
	for (size_t i = 0; i < watches.n; i++) {
		const struct nd_probe_watch *watch = &watches.items[i];

		assert_ptr_equal(nd_probe_watches_of(&watches, watch->node), watch);
		nd_buf_puts(&out, watch->node);
		for (size_t j = 0; j < watch->ninodes; j++)
			nd_buf_printf(&out, " %llu", (unsigned long long)watch->inodes[j]);
		nd_buf_puts(&out, "\n");
	}
	assert_null(nd_probe_watches_of(&watches, "nobody"));
	char *text = nd_arena_strdup(&w->arena, out.data ? out.data : "", out.len);
	nd_buf_free(&out);
	return text;
}

static void test_where(void **state)
{
	struct world w = {.nnodes = 3, .npods = 3};
	struct nd_probe p[2];

	(void)state;
	build(&w);
	p[0] = probe_of("n00", 1010, "10.100.1.11", 8080); /* pod p01 of n01 */
	assert_string_equal(watched(&w, p, 1), "n00 1010\nn01 2011\n");
	p[0] = probe_of("n02", 0, "10.96.0.20", 80); /* a service with endpoints on n00 and n01 */
	assert_string_equal(watched(&w, p, 1), "n00 1011\nn01 2011\nn02\n");
	p[0] = probe_of("n00", 1010, "172.18.0.4", 30080); /* the same by a port of n02 */
	assert_string_equal(watched(&w, p, 1), "n00 1010 1011\nn01 2011\nn02\n");
	p[0] = probe_of("n00", 1010, "10.100.0.10", 8080); /* asks itself */
	assert_string_equal(watched(&w, p, 1), "");
	p[0] = probe_of("n00", 1010, "10.100.1.11", 0);
	p[0].kind = ND_PROBE_icmp; /* not seen */
	p[1] = probe_of("nobody", 5, "10.100.1.11", 8080);
	assert_string_equal(watched(&w, p, 2), "");
	done(&w);
}

static void test_limit(void **state)
{
	struct world w = {.nnodes = 2, .npods = 40};
	struct nd_probe p[40];
	struct nd_probe_watches watches;
	struct nd_probe_plan plan = {.probes = p, .nprobes = 40};

	(void)state;
	build(&w);
	for (size_t i = 0; i < 40; i++)
		p[i] = probe_of("n00", 1010 + i, "10.100.1.11", 8080);
	nd_probe_watches_find(&w.arena, w.cluster, &plan, &watches);
	assert_int_equal(watches.n, 2);
	assert_int_equal(watches.items[0].ninodes, ND_PROBE_MAX_WATCHED);
	assert_int_equal(watches.items[1].ninodes, 1);
	done(&w);
}

static void test_request(void **state)
{
	struct nd_probe p = probe_of("w1", 7, "10.244.1.5", 8080);
	struct nd_probe_plan plan = {.probes = &p, .nprobes = 1};
	struct nd_probe_watch watch = {.node = "w1", .inodes = {7, 8}, .ninodes = 2};
	struct nd_buf out = {0};

	(void)state;
	nd_probe_request_watching(&plan, 0, 1, 400, 2000, &watch, &out);
	assert_string_equal(out.data, "netdoctor 1\nprobe-timeout-ms 400\nprobe-rate 2000\n"
				      "deadline-ms 6000\nwatch-ms 600\nprobe-delay-ms 200\n"
				      "watch node\nwatch 7\nwatch 8\n"
				      "probe 1 tcp 7 10.244.1.5 8080\ngo\n");
	nd_buf_free(&out);
	out = (struct nd_buf){0};
	/* Only look, as long as a node that sends the most that is sent again. */
	watch.ninodes = 0;
	nd_probe_request_watching(&plan, 0, 0, 10000, 1, &watch, &out);
	assert_string_equal(out.data, "netdoctor 1\nprobe-timeout-ms 10000\nprobe-rate 1\n"
				      "deadline-ms 25000\nwatch-ms 10000\nprobe-delay-ms 200\n"
				      "watch node\ngo\n");
	nd_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_where),
					   cmocka_unit_test(test_limit),
					   cmocka_unit_test(test_request)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
