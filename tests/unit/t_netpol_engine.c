/*
 * NetworkPolicy against kindnet's engine: random clusters, and what evaluatePacket of
 * kube-network-policies v0.6.1-0.20241023163654 (the version of kindnetd in kind v0.27) said of
 * random packets in them. data/netpol-engine.txt: "W n" begins a cluster, "LIST JSON" is a page,
 * "F src dst proto port verdict" a packet, "E" its end. docs/accuracy.md has the long run.
 */
#include "common/base.h"
#include "plugin/model/netpol.h"
#include "tests/unit/model.h"

static void check_packet(const struct nd_cluster *cluster, const char *world, const char *line)
{
	struct nd_netpol_flow flow = {.is_queued = true};
	struct nd_netpol_answer got;
	struct nd_arena arena = {0};
	char src[64], dst[64];
	unsigned proto, port, want;

	assert_int_equal(sscanf(line, "F %63s %63s %u %u %u", src, dst, &proto, &port, &want), 5);
	assert_true(nd_ip_parse(src, &flow.src) && nd_ip_parse(dst, &flow.dst));
	flow.proto = (uint8_t)proto;
	flow.dport = (uint16_t)port;
	nd_netpol_check(&arena, cluster, &flow, &got);
	if (got.is_unknown || got.is_allowed != want)
		fail_msg("%s: %s: %s", world, line, got.why);
	nd_arena_free(&arena);
}

static void says_what_the_engine_says(void **state)
{
	nd_auto_file FILE *in = fopen("tests/unit/data/netpol-engine.txt", "re");
	nd_auto_free char *line = NULL;
	struct nd_model *model = NULL;
	const struct nd_cluster *cluster = NULL;
	char world[32] = "";
	size_t size = 0, npackets = 0;
	ssize_t n;

	(void)state;
	assert_non_null(in);
	while ((n = getline(&line, &size, in)) > 0) {
		line[n - 1] = '\0';
		char *space = strchr(line, ' ');

		if (nd_starts(line, "W ")) {
			model = nd_model_new();
			cluster = NULL;
			snprintf(world, sizeof(world), "%s", line);
		} else if (nd_starts(line, "F ")) {
			cluster = cluster ? cluster : nd_model_finish(model);
			check_packet(cluster, world, line);
			npackets++;
		} else if (nd_eq(line, "E")) {
			nd_model_free(model);
		} else {
			assert_non_null(space);
			*space = '\0';
			feed_api(model, line, space + 1);
		}
	}
	assert_int_equal(npackets, 1600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_the_engine_says)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
