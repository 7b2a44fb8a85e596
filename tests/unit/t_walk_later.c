/*
 * What comes behind a packet and its answer: recorded clusters with one rule that lets both pass
 * and stops the next, and rules that look like such ones.
 */
#include "common/base.h"
#include "plugin/checks/run.h"
#include "plugin/report/trace.h"
#include "tests/unit/walk_world.h"

#define KINDNET "healthy-nd-kindnet"
#define FLANNEL "healthy-nd-flannel"
#define NODE "nd-kindnet-worker"

/* At the head of FORWARD of the table filter: behind the names of its last chains. */
#define HEAD ":KUBE-PROXY-FIREWALL - [0:0]\n:KUBE-SERVICES - [0:0]\n"
#define FORWARD(rule)                                                                              \
	{                                                                                          \
		.node = NODE, .section = "iptables", .from = HEAD,                                 \
		.to = HEAD "-A FORWARD " rule "\n"                                                 \
	}

static const struct nd_pod *pod_of(const struct world *w, const char *prefix, const char *node,
				   bool is_there)
{
	for (size_t i = 0; i < w->cluster->npods; i++) {
		const struct nd_pod *pod = &w->cluster->pods[i];

		if (nd_starts(pod->meta.name, prefix) && pod->is_ready &&
		    nd_eq(pod->node, node) == is_there)
			return pod;
	}
	fail_msg("no pod %s", prefix);
	return NULL;
}

/* From a pod of the node to a pod of another one. */
static struct nd_walk_ask ask_of(const struct world *w, const char *node, uint8_t proto)
{
	const struct nd_pod *from = pod_of(w, "echo-", node, true);
	const struct nd_host *host = nd_look_host(w->cluster, node);
	const struct nd_podns *ns = nd_look_podns(host, from->meta.uid);
	bool is_udp = proto == ND_PROTO_UDP;

	assert_non_null(ns);
	return (struct nd_walk_ask){
		.host = host,
		.netns_inode = ns->inode,
		.dst = pod_of(w, is_udp ? "coredns-" : "echo-", node, false)->ip,
		.proto = proto,
		.dport = is_udp			 ? 53
			 : proto == ND_PROTO_TCP ? 8080
						 : 0,
		.has_turns = true};
}

/* Which of the turns ends, of a rule that is at the head of FORWARD. */
static const struct row {
	struct change change;
	uint8_t proto;
	const char *name; /* of the first turn that does not arrive; NULL: all do */
} rows[] = {
	{FORWARD("-p tcp -m tcp --tcp-flags PSH PSH -j DROP"), ND_PROTO_TCP, "data"},
	{FORWARD("-p tcp -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j DROP"),
	 ND_PROTO_TCP, "ACK"},
	{FORWARD("-s 10.244.0.0/16 -d 10.244.0.0/16 -p tcp -m conntrack --ctstatus ASSURED -j "
		 "DROP"),
	 ND_PROTO_TCP, "ACK"},
	{FORWARD("-p tcp -m tcp --tcp-flags SYN,ACK,PSH ACK -j DROP"), ND_PROTO_TCP, "ACK"},
	{FORWARD("-m length --length 1000:65535 -j DROP"), ND_PROTO_TCP, "data back"},
	{FORWARD("-p tcp -m length --length 1500 -j REJECT --reject-with tcp-reset"), ND_PROTO_TCP,
	 "data back"},
	{FORWARD("-m length --length 1501:65535 -j DROP"), ND_PROTO_TCP, NULL},
	{FORWARD("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j "
		 "DROP"),
	 ND_PROTO_TCP, NULL},
	{FORWARD("-m conntrack --ctstate INVALID -j DROP"), ND_PROTO_TCP, NULL},
	{FORWARD("-p udp -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j DROP"),
	 ND_PROTO_UDP, "second question"},
	{FORWARD("-p udp -m conntrack --ctstatus ASSURED -j DROP"), ND_PROTO_UDP, NULL},
	{FORWARD("-p icmp -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j DROP"),
	 ND_PROTO_ICMP, "second question"},
};

static void rules_stop_what_comes_later(void **state)
{
	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		struct world w;
		struct nd_walk walk;

		world_read(&w, KINDNET, &rows[i].change);
		struct nd_walk_ask ask = ask_of(&w, NODE, rows[i].proto);
		nd_walk_run(w.walk, &ask, &walk);
		const struct nd_walk_path *path = &walk.paths[0];
		const struct nd_walk_turn *bad = nd_walk_bad_turn(path);
		const char *name = bad ? nd_walk_turn_name(bad, ask.proto) : NULL;

		if (path->back_verdict != ND_WALK_DELIVERED ||
		    !(name ? nd_eq(name, rows[i].name) : !rows[i].name)) {
			show(path, "?");
			fail_msg("row %zu: wanted %s, got %s", i,
				 rows[i].name ? rows[i].name : "all", name ? name : "all");
		}
		if (bad) {
			assert_true(bad->verdict == ND_WALK_DROPPED ||
				    bad->verdict == ND_WALK_REJECTED);
			assert_string_equal(bad->end->node, NODE);
			assert_int_equal(bad->end->kind, ND_WAY_HOOK);
			assert_non_null(strstr(rows[i].change.to, bad->reason));
			assert_int_equal(nd_walk_path_verdict(path), bad->verdict);
		} else {
			assert_int_equal(path->nturns, rows[i].proto == ND_PROTO_TCP ? 3 : 2);
			assert_int_equal(nd_walk_path_verdict(path), ND_WALK_DELIVERED);
		}
		world_free(&w);
	}
}

/* Without an ACK of its own the data says the same; a lost question has no answer. */
static void how_many_are_walked(void **state)
{
	static const struct {
		size_t row, nturns;
	} wanted[] = {{0, 2}, {1, 2}, {3, 3}, {4, 3}, {9, 1}};
	struct nd_walk walk;
	struct world w;

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(wanted); i++) {
		world_read(&w, KINDNET, &rows[wanted[i].row].change);
		struct nd_walk_ask ask = ask_of(&w, NODE, rows[wanted[i].row].proto);
		nd_walk_run(w.walk, &ask, &walk);
		assert_int_equal(walk.paths[0].nturns, wanted[i].nturns);
		ask.has_turns = false;
		nd_walk_run(w.walk, &ask, &walk);
		assert_int_equal(walk.paths[0].nturns, 0);
		assert_int_equal(nd_walk_path_verdict(&walk.paths[0]), ND_WALK_DELIVERED);
		world_free(&w);
	}
}

/* Translated as the connection was, without asking the nat table again. */
static void services_stay_translated(void **state)
{
	struct nd_walk walk;
	struct world w;
	struct nd_ip vip = {0};

	(void)state;
	world_read(&w, KINDNET, NULL);
	struct nd_walk_ask ask = ask_of(&w, NODE, ND_PROTO_TCP);
	vip = nd_look_service(w.cluster, "data-platform", "echo")->cluster_ip;
	ask.dst = vip;
	ask.dport = 80;
	nd_walk_run(w.walk, &ask, &walk);
	assert_int_equal(walk.npaths, 3);
	for (size_t i = 0; i < walk.npaths; i++) {
		const struct nd_walk_path *path = &walk.paths[i];

		assert_int_equal(path->nturns, 3);
		assert_null(nd_walk_bad_turn(path));
		for (size_t k = 0; k < path->nturns; k++) {
			const struct nd_walk_turn *turn = &path->turns[k];
			const struct nd_pkt *last = turn->ways[turn->nways - 1].packet;

			assert_true(nd_ip_eq(
				turn->kind == ND_TURN_DATA_BACK ? last->t.src : last->t.dst,
				turn->kind == ND_TURN_DATA_BACK ? vip : path->pod->ip));
			for (size_t way = 0; way < turn->nways; way++)
				for (size_t e = 0; e < turn->ways[way].nevents; e++)
					assert_null(turn->ways[way].events[e].rule &&
								    nd_eq(turn->ways[way]
										  .events[e]
										  .table->name,
									  "nat")
							    ? turn->ways[way].events[e].rule->text
							    : NULL);
		}
	}
	world_free(&w);
}

/* As long as the devices of both ends allow; a router with less says so, and then it fits. */
static void data_back_is_as_long_as_it_can_be(void **state)
{
	static const struct change router = {
		.node = NODE, .section = "links", .from = "\"mtu\":1500", .to = "\"mtu\":1400"};
	static const struct {
		const char *bundle, *node;
		const struct change *change;
		uint16_t length, at_end;
	} wanted[] = {{KINDNET, NODE, NULL, 1500, 1500},
		      {KINDNET, NODE, &router, 1500, 1400},
		      {FLANNEL, "nd-flannel-worker", NULL, 1450, 1450}};
	struct nd_walk walk;
	struct world w;

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(wanted); i++) {
		world_read(&w, wanted[i].bundle, wanted[i].change);
		struct nd_walk_ask ask = ask_of(&w, wanted[i].node, ND_PROTO_TCP);
		nd_walk_run(w.walk, &ask, &walk);
		assert_int_equal(walk.paths[0].nturns, 3);
		const struct nd_walk_turn *turn = &walk.paths[0].turns[2];
		assert_int_equal(turn->verdict, ND_WALK_DELIVERED);
		assert_int_equal(turn->length, wanted[i].length);
		assert_int_equal(turn->ways[turn->nways - 1].packet->length, wanted[i].at_end);
		world_free(&w);
	}
}

/* From outside of the cluster, by a NodePort. */
static void outside_too(void **state)
{
	struct nd_walk walk;
	struct world w;

	(void)state;
	world_read(&w, KINDNET, NULL);
	struct nd_walk_ask ask = {.dst = w.cluster->nodes[0].internal_ip,
				  .proto = ND_PROTO_TCP,
				  .dport = 30080,
				  .has_turns = true};
	assert_true(nd_ip_parse("172.18.0.1", &ask.src));
	nd_walk_run(w.walk, &ask, &walk);
	assert_int_equal(walk.paths[0].verdict, ND_WALK_DELIVERED);
	assert_int_equal(walk.paths[0].nturns, 3);
	assert_null(nd_walk_bad_turn(&walk.paths[0]));
	assert_non_null(strstr(walk.paths[0].turns[0].ways[0].text, "from outside"));
	world_free(&w);
}

static void trace_says_which(void **state)
{
	struct nd_walk walk;
	struct world w;
	struct nd_buf text = {0}, wide = {0}, json = {0};
	struct nd_style style = {.is_wide = true}, plain = {0};

	(void)state;
	world_read(&w, KINDNET, &rows[0].change);
	struct nd_walk_ask ask = ask_of(&w, NODE, ND_PROTO_TCP);
	nd_walk_run(w.walk, &ask, &walk);
	struct nd_place place = {.text = "place"};
	struct nd_trace trace = {
		.from = &place, .to = &place, .proto = "tcp", .dport = 8080, .walk = &walk};
	nd_trace_print_text(&trace, &plain, &text);
	nd_trace_print_text(&trace, &style, &wide);
	nd_trace_print_json(&trace, &json);
	assert_non_null(strstr(
		text.data, "; the answer is delivered; the data is dropped: -A FORWARD -p tcp"));
	assert_non_null(strstr(text.data, "✗"));
	assert_non_null(strstr(text.data, "  the data:\n"));
	assert_null(strstr(text.data, "  the ACK:\n"));
	assert_non_null(strstr(wide.data, "  the ACK:\n"));
	assert_non_null(strstr(json.data, "\"name\": \"data\""));
	assert_non_null(strstr(json.data, "\"back_verdict\": \"delivered\""));
	nd_buf_free(&text);
	nd_buf_free(&wide);
	nd_buf_free(&json);
	world_free(&w);
}

/* A native table whose only rule is this; priority 5 of forward. */
#define NFT_TABLE                                                                                  \
	"{\"table\":{\"family\":\"inet\",\"name\":\"hardening\"}},{\"chain\":{\"family\":"         \
	"\"inet\",\"table\":"                                                                      \
	"\"hardening\",\"name\":\"f\",\"type\":\"filter\",\"hook\":\"forward\",\"prio\":5,"        \
	"\"policy\":\"accept\"}},"                                                                 \
	"{\"rule\":{\"family\":\"inet\",\"table\":\"hardening\",\"chain\":\"f\",\"handle\":3,"     \
	"\"expr\":[{\"match\":{"                                                                   \
	"\"op\":\"in\",\"left\":{\"ct\":{\"key\":\"state\"}},\"right\":\"established\"}},{"        \
	"\"match\":{\"op\":\"==\","                                                                \
	"\"left\":{\"ct\":{\"key\":\"direction\"}},\"right\":\"original\"}},{\"drop\":null}]}},"
static const struct change nft_drop = {.node = NODE,
				       .section = "nft",
				       .from = "{\"nftables\": [",
				       .to = "{\"nftables\": [" NFT_TABLE};

static void expect_cause(const struct change *change, const char *id, const char *rule)
{
	struct nd_arena arena = {0};
	struct nd_finding_list found;
	const struct nd_finding *cause = NULL;
	struct world w;

	world_read(&w, KINDNET, change);
	nd_checks_run(w.cluster, &arena, &found);
	for (size_t i = 0; i < found.n; i++)
		if (nd_eq(found.items[i]->check->id, "ipt-stray-drop") ||
		    nd_eq(found.items[i]->check->id, "nft-native-drop"))
			cause = found.items[i];
	if (!id) {
		if (cause)
			fail_msg("%s: %s", change->to, cause->title);
	} else {
		assert_non_null(cause);
		assert_string_equal(cause->check->id, id);
		assert_string_equal(cause->subject, "node/" NODE);
		assert_non_null(strstr(cause->title, "drops packets of established connections"));
		assert_int_equal(cause->nproof, 1);
		assert_non_null(strstr(cause->proof[0].text, rule));
	}
	nd_arena_free(&arena);
	world_free(&w);
}

/* Also those that need a flow the plan has only as a connection, and those of UDP and echo. */
static void diagnose_names_the_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++)
		expect_cause(&rows[i].change, rows[i].name ? "ipt-stray-drop" : NULL,
			     "-A FORWARD ");
	expect_cause(&nft_drop, "nft-native-drop", "ct direction original");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_stop_what_comes_later),
		cmocka_unit_test(how_many_are_walked),
		cmocka_unit_test(services_stay_translated),
		cmocka_unit_test(data_back_is_as_long_as_it_can_be),
		cmocka_unit_test(outside_too),
		cmocka_unit_test(trace_says_which),
		cmocka_unit_test(diagnose_names_the_rule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
