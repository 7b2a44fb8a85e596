/*
 * Turns a way can take: recorded clusters with one thing changed each, and packets that are not
 * like those of every day.
 */
#include "common/base.h"
#include "tests/unit/walk_world.h"

static struct nd_ip ip(const char *text)
{
	struct nd_ip out = {0};

	assert_true(nd_ip_parse(text, &out));
	return out;
}

/* The first running pod of a namespace whose name begins so, on a node (NULL: any). */
static const struct nd_pod *pod_of(const struct world *w, const char *prefix, const char *node)
{
	for (size_t i = 0; i < w->cluster->npods; i++) {
		const struct nd_pod *pod = &w->cluster->pods[i];

		if (nd_starts(pod->meta.name, prefix) && pod->is_ready && (!node || nd_eq(pod->node, node)))
			return pod;
	}
	fail_msg("no pod %s", prefix);
	return NULL;
}

static struct nd_walk_ask from_pod(const struct world *w, const struct nd_pod *pod)
{
	const struct nd_host *host = nd_look_host(w->cluster, pod->node);
	const struct nd_podns *ns = nd_look_podns(host, pod->meta.uid);

	assert_non_null(ns);
	return (struct nd_walk_ask){.host = host, .netns_inode = ns->inode, .proto = ND_PROTO_TCP};
}

static struct nd_ip service_ip(const struct world *w, const char *ns, const char *name)
{
	const struct nd_service *s = nd_look_service(w->cluster, ns, name);

	assert_non_null(s);
	return s->cluster_ip;
}

static void expect(struct world *w, const struct nd_walk_ask *ask, enum nd_walk_verdict verdict, const char *reason)
{
	struct nd_walk walk;

	nd_walk_run(w->walk, ask, &walk);
	assert_true(walk.npaths > 0);
	const struct nd_walk_path *path = &walk.paths[0];
	if (path->verdict != verdict || (reason && !strstr(path->reason ? path->reason : "", reason))) {
		show(path, "?");
		fail_msg("wanted %s: %s", nd_walk_verdict_name(verdict), reason ? reason : "");
	}
	assert_non_null(path->end);
}

static void expect_back(struct world *w, const struct nd_walk_ask *ask, enum nd_walk_verdict verdict,
			const char *reason)
{
	struct nd_walk walk;

	nd_walk_run(w->walk, ask, &walk);
	const struct nd_walk_path *path = &walk.paths[0];
	if (path->verdict != ND_WALK_DELIVERED || path->back_verdict != verdict ||
	    !strstr(path->back_reason ? path->back_reason : "", reason)) {
		show(path, "?");
		fail_msg("wanted back %s: %s", nd_walk_verdict_name(verdict), reason);
	}
}

#define FLANNEL "healthy-nd-flannel"
#define KINDNET "healthy-nd-kindnet"

/* The only endpoint of its own service: sent back to where it came from. */
static void hairpin(void **state)
{
	static const struct change off = {.section = "links", .from = "\"hairpin\":true", .to = "\"hairpin\":false"};
	static const struct change unsaid = {.section = "links", .from = "\"hairpin\":true", .to = "\"x\":true"};
	static const struct {
		const struct change *change;
		enum nd_walk_verdict verdict;
		const char *reason;
	} rows[] = {{NULL, ND_WALK_DELIVERED, NULL},
		    {&off, ND_WALK_LOST, "hairpin mode is off"},
		    {&unsaid, ND_WALK_UNKNOWN, "hairpin mode is not known"}};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		struct world w;

		world_read(&w, FLANNEL, rows[i].change);
		struct nd_walk_ask ask = from_pod(&w, pod_of(&w, "solo-", NULL));
		ask.dst = service_ip(&w, "data-platform", "solo");
		ask.dport = 8087;
		expect(&w, &ask, rows[i].verdict, rows[i].reason);
		world_free(&w);
	}
}

/* Bridged answers are not translated back: the famous case for bridge-nf-call-iptables. */
static void bridge_without_netfilter(void **state)
{
	static const struct change off = {.section = "sysctls",
					  .from = "net.bridge.bridge-nf-call-iptables = 1",
					  .to = "net.bridge.bridge-nf-call-iptables = 0"};
	struct world w;

	(void)state;
	world_read(&w, FLANNEL, &off);
	const struct nd_pod *solo = pod_of(&w, "solo-", NULL);
	struct nd_walk_ask ask = from_pod(&w, pod_of(&w, "echo-", solo->node));
	ask.dst = service_ip(&w, "data-platform", "solo");
	ask.dport = 8087;
	expect_back(&w, &ask, ND_WALK_LOST, "the answer comes from");
	ask.dst = solo->ip;
	expect_back(&w, &ask, ND_WALK_DELIVERED, "arrives");
	world_free(&w);
}

static void what_is_missing_is_unknown(void **state)
{
	static const struct {
		const char *bundle, *section;
		const char *reason;
	} rows[] = {
		{KINDNET, "iptables", "the iptables rules of nd-kindnet-"},
		{KINDNET, "nft", "the nftables rules of nd-kindnet-"},
		{KINDNET, "routes", "of nd-kindnet-"},
		{KINDNET, "sysctls", "forwards packets is not known"},
		{FLANNEL, "neigh", "the neighbours of nd-flannel-"},
		{FLANNEL, "fdb", "the neighbours of nd-flannel-"},
	};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		const struct change gone = {.section = rows[i].section};
		struct world w;

		world_read(&w, rows[i].bundle, &gone);
		const struct nd_pod *solo = pod_of(&w, "solo-", NULL), *other = NULL;
		for (size_t k = 0; k < w.cluster->npods && !other; k++)
			if (nd_starts(w.cluster->pods[k].meta.name, "echo-") &&
			    !nd_eq(w.cluster->pods[k].node, solo->node))
				other = &w.cluster->pods[k];
		assert_non_null(other);
		struct nd_walk_ask ask = from_pod(&w, solo);
		ask.dst = other->ip;
		ask.dport = 8080;
		expect(&w, &ask, ND_WALK_UNKNOWN, rows[i].reason);
		world_free(&w);
	}
}

static void nodes_without_report(void **state)
{
	struct world w;

	(void)state;
	world_read(&w, KINDNET, NULL);
	const char *away = pod_of(&w, "solo-", NULL)->node;
	struct nd_ip dst = pod_of(&w, "solo-", NULL)->ip;
	char *node = strdup(away);
	world_free(&w);

	const struct change gone = {.node = node};
	world_read(&w, KINDNET, &gone);
	for (size_t i = 0; i < w.cluster->nhosts; i++) {
		if (nd_eq(w.cluster->hosts[i].node, node))
			continue;
		struct nd_walk_ask ask = {
			.host = &w.cluster->hosts[i], .proto = ND_PROTO_TCP, .dst = dst, .dport = 8087};
		expect(&w, &ask, ND_WALK_UNKNOWN, node);
	}
	world_free(&w);
	free(node);
}

static void sockets(void **state)
{
	struct world w;

	(void)state;
	world_read(&w, KINDNET, NULL);
	struct nd_walk_ask ask = from_pod(&w, pod_of(&w, "echo-", NULL));
	ask.dst = pod_of(&w, "solo-", NULL)->ip;
	ask.dport = 9;
	expect(&w, &ask, ND_WALK_REFUSED, "nobody in pod data-platform/solo");
	ask.proto = ND_PROTO_UDP;
	ask.dport = 8087;
	expect(&w, &ask, ND_WALK_REFUSED, "udp port 8087");
	ask.proto = ND_PROTO_SCTP;
	expect(&w, &ask, ND_WALK_UNKNOWN, "protocol 132");
	world_free(&w);
}

/* The laboratory's kernel has no queues; kindnet's rule is put in as it stands elsewhere. */
#define QUEUE_TABLE                                                                                                    \
	"{\"table\":{\"family\":\"inet\",\"name\":\"kindnet-network-policies\"}},{\"chain\":{\"family\":\"inet\","     \
	"\"table\":\"kindnet-network-policies\",\"name\":\"postrouting\",\"type\":\"filter\",\"hook\":"                \
	"\"postrouting\",\"prio\":95,\"policy\":\"accept\"}},{\"rule\":{\"family\":\"inet\",\"table\":"                \
	"\"kindnet-network-policies\",\"chain\":\"postrouting\",\"expr\":[{\"queue\":{\"num\":101,"                    \
	"\"flags\":\"bypass\"}}]}},"

static void policies_are_asked(void **state)
{
	static const struct change queue = {
		.section = "nft", .from = "{\"nftables\": [", .to = "{\"nftables\": [" QUEUE_TABLE};
	struct world w;
	struct nd_walk walk;

	(void)state;
	world_read(&w, KINDNET, &queue);
	struct nd_walk_ask ask = from_pod(&w, pod_of(&w, "coredns-", NULL));
	ask.dst = pod_of(&w, "vault-", NULL)->ip;
	ask.dport = 8200;
	expect(&w, &ask, ND_WALK_DROPPED, "networkpolicy/locked/");
	nd_walk_run(w.walk, &ask, &walk);
	assert_int_equal(walk.paths[0].end->kind, ND_WAY_POLICY);
	ask = from_pod(&w, pod_of(&w, "echo-", NULL));
	ask.dst = pod_of(&w, "vault-", NULL)->ip;
	ask.dport = 8200;
	expect_back(&w, &ask, ND_WALK_DELIVERED, "arrives");
	world_free(&w);
}

static void out_of_the_cluster_and_into_it(void **state)
{
	struct world w;

	(void)state;
	world_read(&w, KINDNET, NULL);
	struct nd_walk_ask ask = from_pod(&w, pod_of(&w, "echo-", NULL));
	ask.dst = ip("192.0.2.1");
	ask.dport = 443;
	expect(&w, &ask, ND_WALK_OUTSIDE, "leaves the cluster by eth0 to 172.18.0.1");
	ask.dst = ip("10.96.255.1"); /* nobody's */
	expect(&w, &ask, ND_WALK_OUTSIDE, NULL);
	ask.dst = ip("2001:db8::1");
	expect(&w, &ask, ND_WALK_REJECTED, "no route");

	/* A NodePort from outside: the node's masquerading brings the answer back the same way. */
	ask = (struct nd_walk_ask){
		.src = ip("172.18.0.1"), .dst = w.cluster->nodes[0].internal_ip, .proto = ND_PROTO_TCP, .dport = 30080};
	expect_back(&w, &ask, ND_WALK_DELIVERED, "leaves the cluster as it was asked for");
	ask.dst = ip("192.0.2.1");
	expect(&w, &ask, ND_WALK_UNKNOWN, "from outside");
	ask.src = ip("fc00::1");
	expect(&w, &ask, ND_WALK_UNKNOWN, "family");
	world_free(&w);
}

static void martians(void **state)
{
	struct world w;

	(void)state;
	world_read(&w, KINDNET, NULL);
	struct nd_walk_ask ask = {
		.src = ip("127.0.0.9"), .dst = w.cluster->nodes[0].internal_ip, .proto = ND_PROTO_TCP, .dport = 10250};
	/* kube-proxy sets route_localnet: then it is the own address that is wrong. */
	expect(&w, &ask, ND_WALK_DROPPED, "martian");
	ask.src = w.cluster->nodes[0].internal_ip;
	expect(&w, &ask, ND_WALK_DROPPED, "martian source");
	world_free(&w);
}

static void broken_wires(void **state)
{
	static const struct {
		struct change change;
		const char *reason;
	} rows[] = {
		{{.section = "neigh", .from = "flannel.1", .to = "other"}, "flannel.1 has no neighbour entry for"},
		{{.section = "fdb", .from = "flannel.1", .to = "other"}, "has no forwarding entry for"},
		{{.node = "nd-flannel-worker", .section = "links", .from = "\"id\":1,", .to = "\"id\":2,"}, "VXLAN"},
		{{.node = "nd-flannel-worker", .section = "links", .from = "\"port\":8472", .to = "\"port\":4789"},
		 "no VXLAN device at port"},
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		world_read(&w, FLANNEL, &rows[i].change);
		struct nd_walk_ask ask = {.host = nd_look_host(w.cluster, "nd-flannel-worker"),
					  .dst = pod_of(&w, "echo-", "nd-flannel-control-plane")->ip,
					  .proto = ND_PROTO_TCP,
					  .dport = 8080};
		expect(&w, &ask, ND_WALK_LOST, rows[i].reason);
		world_free(&w);
	}
}

/* Two nodes that think the other has the network: the packet dies of old age. */
static void circles_end(void **state)
{
	static const struct change loop = {
		.node = "nd-kindnet-worker2", .section = "routes", .from = "\"10.244.1.", .to = "\"10.99.1."};
	struct world w;

	(void)state;
	world_read(&w, KINDNET, &loop);
	struct nd_walk_ask ask = {.host = nd_look_host(w.cluster, "nd-kindnet-worker"),
				  .dst = ip("10.244.1.77"),
				  .proto = ND_PROTO_TCP,
				  .dport = 80};
	struct nd_walk walk;
	nd_walk_run(w.walk, &ask, &walk);
	assert_true(walk.npaths == 1 && walk.paths[0].verdict != ND_WALK_DELIVERED);
	assert_true(walk.paths[0].nways < ND_WALK_MAX_WAYS + 10);
	world_free(&w);
}

static void chance_is_shared_out(void **state)
{
	struct world w;
	struct nd_walk walk;
	double sum = 0;

	(void)state;
	world_read(&w, KINDNET, NULL);
	struct nd_walk_ask ask = from_pod(&w, pod_of(&w, "solo-", NULL));
	ask.dst = service_ip(&w, "data-platform", "echo");
	ask.dport = 80;
	nd_walk_run(w.walk, &ask, &walk);
	assert_int_equal(walk.npaths, 3);
	for (size_t i = 0; i < walk.npaths; i++) {
		sum += walk.paths[i].share;
		assert_true(walk.paths[i].share > 0.33 && walk.paths[i].share < 0.34);
		assert_true(nd_starts(walk.paths[i].pod->meta.name, "echo-"));
		for (size_t k = 0; k < i; k++)
			assert_ptr_not_equal(walk.paths[i].pod, walk.paths[k].pod);
	}
	assert_true(sum > 0.9999 && sum < 1.0001);
	world_free(&w);
}

/* What a walk allocates goes into the arena it is given. */
static void arena_of_the_caller(void **state)
{
	struct nd_arena own = {0};
	struct nd_walk walk;
	struct world w;

	(void)state;
	world_read(&w, KINDNET, NULL);
	struct nd_walk_ask ask = from_pod(&w, pod_of(&w, "solo-", NULL));
	ask.dst = pod_of(&w, "echo-", NULL)->ip;
	ask.dport = 8080;
	nd_walk_run(w.walk, &ask, &walk); /* rules are compiled */
	size_t before = w.arena.used_bytes;
	ask.arena = &own;
	nd_walk_run(w.walk, &ask, &walk);
	assert_int_equal(w.arena.used_bytes, before);
	assert_true(own.used_bytes > 0);
	nd_arena_free(&own);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hairpin),
		cmocka_unit_test(bridge_without_netfilter),
		cmocka_unit_test(what_is_missing_is_unknown),
		cmocka_unit_test(nodes_without_report),
		cmocka_unit_test(sockets),
		cmocka_unit_test(policies_are_asked),
		cmocka_unit_test(out_of_the_cluster_and_into_it),
		cmocka_unit_test(martians),
		cmocka_unit_test(broken_wires),
		cmocka_unit_test(circles_end),
		cmocka_unit_test(chance_is_shared_out),
		cmocka_unit_test(arena_of_the_caller),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
