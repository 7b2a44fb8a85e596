/*
 * Walks through clusters that tests/ways made and broke, where the walk was wrong once; what a real
 * packet did there is known. The seed names the bundle, which `ways-test -n 1 -s SEED -o FILE` made.
 */
#include "common/base.h"
#include "tests/unit/walk_world.h"

struct row {
	const char *seed, *from; /* "p4": the pod; "n1": the node */
	uint8_t proto;
	const char *dst;
	uint16_t port;
	enum nd_walk_verdict verdict, back; /* back: when there is a way back */
	const char *text;		    /* in the reason, or in that of the way back; NULL: any */
};

static const struct row rows[] = {
	/* two VXLAN devices of one number and port, each with sockets of its own family */
	{"9", "n2", ND_PROTO_ICMP6, "fd44:1::3", 0, ND_WALK_DELIVERED, ND_WALK_DELIVERED, NULL},
	/* a mark of the outer packet stays on what comes out of the tunnel, and a policy rule sees it */
	{"31", "p4", ND_PROTO_TCP, "10.244.2.2", 9999, ND_WALK_REFUSED, ND_WALK_OUTSIDE, NULL},
	/* a rule that drops neighbour advertisements */
	{"50", "p1", ND_PROTO_TCP, "fd44:2::2", 9999, ND_WALK_LOST, 0, "neighbour advertisement"},
	/* an echo reply begins no connection: no rule of NAT sees it */
	{"56", "n3", ND_PROTO_ICMP, "10.244.1.1", 0, ND_WALK_DELIVERED, ND_WALK_DELIVERED, NULL},
	/* a route to the port of a bridge: the answer to what it asks goes to the bridge */
	{"63", "p4", ND_PROTO_TCP, "fd44:2::2", 8080, ND_WALK_LOST, 0, "is a port of cni0"},
	/* a forwarded packet's neighbour is asked for from the link's address */
	{"155", "p3", ND_PROTO_ICMP6, "fd44:2::2", 0, ND_WALK_DELIVERED, ND_WALK_DELIVERED, NULL},
	/* by a gateway that is an own address all are on the link */
	{"172", "p2", ND_PROTO_TCP, "10.244.1.1", 9999, ND_WALK_REFUSED, ND_WALK_DELIVERED, NULL},
	/* IPv6 answers only for addresses of the device that was asked */
	{"230", "p1", ND_PROTO_TCP, "fd44:1::1", 9999, ND_WALK_LOST, 0, "nobody behind eth0 has fd44:1::1"},
	/* a mark set in OUTPUT leads to a route that refuses: TCP does not hear of it */
	{"295", "n2", ND_PROTO_TCP, "10.244.2.2", 9999, ND_WALK_DROPPED, 0, "prohibit"},
	/* who stands on the link of a pod is asked before any rule can send it to an endpoint */
	{"319", "p0", ND_PROTO_TCP, "10.96.0.12", 80, ND_WALK_LOST, 0, "10.96.0.12"},
	/* REJECT of everything in OUTPUT also eats the error */
	{"513", "n2", ND_PROTO_TCP, "10.244.1.2", 9999, ND_WALK_REJECTED, ND_WALK_REJECTED, "REJECT"},
	/* routed by a bridge, for DNAT: the kernel does not see that a link-local address leaves its link */
	{"1110", "p5", ND_PROTO_TCP, "fd96::12", 80, ND_WALK_DELIVERED, ND_WALK_DROPPED, "ct state new"},
	/* a mark set in OUTPUT leads the neighbour advertisement elsewhere */
	{"4104", "p1", ND_PROTO_TCP, "fd44:1::2", 8080, ND_WALK_DELIVERED, ND_WALK_LOST, "routed again"},
	/* no IPv4 packet leaves with the address of another, a tunnel's neither */
	{"5109", "n3", ND_PROTO_TCP, "10.244.2.3", 8080, ND_WALK_DELIVERED, ND_WALK_LOST, "no address of n2"},
	/* disable_ipv6 of the device it comes in by */
	{"7005", "p0", ND_PROTO_ICMP6, "fd31::12", 0, ND_WALK_DELIVERED, ND_WALK_DROPPED, "disable_ipv6"},
	/* the next hop over a device without IPv6 is dead, though the device is up */
	{"7284", "n1", ND_PROTO_TCP, "fd44:2::2", 9999, ND_WALK_REFUSED, ND_WALK_DELIVERED, NULL},
	/* DNAT to the same bridge does need forwarding with IPv4 */
	{"7325", "p2", ND_PROTO_UDP, "10.96.0.10", 80, ND_WALK_DROPPED, 0, "ip_forward"},
};

static struct nd_walk_ask ask_of(const struct world *w, const struct row *row)
{
	struct nd_walk_ask ask = {.proto = row->proto, .dport = row->port};
	const struct nd_pod *pod = nd_look_pod(w->cluster, "lab", row->from);
	const struct nd_podns *ns;

	assert_true(nd_ip_parse(row->dst, &ask.dst));
	ask.host = nd_look_host(w->cluster, pod ? pod->node : row->from);
	assert_non_null(ask.host);
	if (!pod)
		return ask;
	ns = nd_look_podns(ask.host, pod->meta.uid);
	assert_non_null(ns);
	ask.netns_inode = ns->inode;
	return ask;
}

static void as_the_kernel_did(void **state)
{
	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		char path[100];
		struct world w;
		struct nd_walk walk;

		snprintf(path, sizeof(path), "tests/unit/data/ways/%s.tar.gz", row->seed);
		world_read(&w, path, NULL);
		struct nd_walk_ask ask = ask_of(&w, row);

		nd_walk_run(w.walk, &ask, &walk);
		for (size_t k = 0; k < walk.npaths; k++) {
			const struct nd_walk_path *p = &walk.paths[k];

			if (p->verdict != row->verdict || (p->nback && p->back_verdict != row->back) ||
			    (row->text && !strstr(p->reason, row->text) &&
			     !(p->nback && strstr(p->back_reason, row->text)))) {
				setenv("ND_WALK_WAYS", "1", 1);
				show(p, row->from);
				fail_msg("seed %s: wanted %s", row->seed, nd_walk_verdict_name(row->verdict));
			}
		}
		world_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_the_kernel_did)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
