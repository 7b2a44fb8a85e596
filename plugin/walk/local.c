/* local.c: packets that a namespace makes itself, and those that are for it. */
#include "common/base.h"

#include "plugin/walk/eval_run.h"
#include "plugin/walk/run.h"

void nd_run_post(struct nd_run *run)
{
	run->pkt.oif = run->dev;
	if (!nd_run_hook(run, ND_POSTROUTING))
		return;
	nd_conn_confirm(run);
	run->next = nd_way_transmit;
}

/*
 * kernel: net/ipv4/route.c, __mkroute_output(): 127.0.0.1 does not leave by other devices than lo.
 */
static bool is_loopback_leak(struct nd_run *run)
{
	char src[ND_IP_TEXT];
	bool is_leak = run->pkt.family == 4 && run->pkt.t.src.family == 4 &&
		       run->pkt.t.src.bytes[0] == 127 && !nd_eq(run->dev, "lo") &&
		       nd_run_conf(run, "all", "route_localnet", 0) <= 0 &&
		       nd_run_conf(run, run->dev, "route_localnet", 0) <= 0;

	if (is_leak)
		nd_run_end(run, ND_WALK_DROPPED, nd_run_where(run, "ip route"),
			   "a packet from %s may not leave by %s (route_localnet is off)",
			   nd_ip_text(run->pkt.t.src, src), run->dev);
	return is_leak;
}

/* The device of the route; for own addresses that is lo, whatever carries them. */
static bool take_route(struct nd_run *run)
{
	const struct nd_fib *fib = &run->fib;

	if (fib->kind == ND_FIB_BROADCAST) {
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "ip route"),
			   "broadcast is not modelled");
		return false;
	}
	run->dev = fib->kind == ND_FIB_LOCAL ? "lo" : fib->dev;
	run->hop = nd_fib_hop(fib, run->pkt.t.dst);
	if (fib->kind == ND_FIB_UNICAST && nd_eq(run->dev, "lo") && run->ninner) {
		/* kernel: vxlan_encap_bypass(): it comes out of its own end at once */
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "ip route"),
			   "a tunnel whose packets go to lo is not modelled");
		return false;
	}
	if (fib->kind == ND_FIB_UNICAST && nd_eq(run->dev, "lo")) {
		nd_run_end(run, ND_WALK_DROPPED, nd_run_where(run, "ip route"),
			   "%s swallows packets to %s", nd_net_route_text(run->net, fib->route),
			   nd_run_ip(run, run->pkt.t.dst));
		return false;
	}
	if (run->dev)
		return !is_loopback_leak(run);
	nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "ip route"),
		   "the route to %s names no device", nd_run_ip(run, run->pkt.t.dst));
	return false;
}

static bool choose_source(struct nd_run *run)
{
	if (!run->pkt.t.src.family)
		run->pkt.t.src = run->fib.prefsrc;
	if (run->pkt.t.src.family)
		return true;
	nd_run_end(run, ND_WALK_REJECTED, nd_run_where(run, "ip address"),
		   "%s has no address to send from", run->net->label);
	run->error = "no source address";
	return false;
}

/* Does the address change what routing says? */
static bool is_same_way(const struct nd_run *run, const char *bound)
{
	struct nd_fib_key key = {.dst = run->pkt.t.dst,
				 .src = run->pkt.t.src,
				 .oif = bound,
				 .mark = run->pkt.mark};
	struct nd_fib fib;

	nd_space_route(&run->net->space, &key, &fib);
	if (fib.kind != run->fib.kind || fib.nequal <= 1 || !run->fib.route || !fib.route)
		return fib.kind == run->fib.kind && fib.route == run->fib.route;
	/* Which next hop was chosen already. */
	return nd_eq(fib.route->table, run->fib.route->table) &&
	       nd_prefix_eq(fib.route->dst, run->fib.route->dst);
}

/*
 * Once more when the address is known; rules may ask for it. IPv4: ip_route_connect(); IPv6 keeps
 * the way it has found (ip6_dst_lookup_tail), but for each packet of a raw socket.
 */
static bool is_looked_up_again(const struct nd_run *run)
{
	if (run->pkt.family == 4)
		return run->net->space.has_custom_rules[0];
	return run->net->space.has_custom_rules[1] && run->pkt.proto == ND_PROTO_ICMP6;
}

/* kernel: ip6_dst_lookup_tail(): what is refused without an address is asked again with one. */
static void foresee_source(struct nd_run *run, const char *bound)
{
	struct nd_fib_key key = {.dst = run->pkt.t.dst, .oif = bound, .mark = run->pkt.mark};
	struct nd_fib fib;

	if (run->pkt.family != 6 || !run->net->space.has_custom_rules[1])
		return;
	nd_space_route(&run->net->space, &key, &fib);
	if (fib.kind == ND_FIB_NONE || fib.kind >= ND_FIB_BLACKHOLE)
		run->pkt.t.src = nd_space_source(&run->net->space, bound, key.dst, NULL);
}

void nd_way_output(struct nd_run *run)
{
	const char *bound = run->bound;

	run->bound = NULL;
	bool was_without = !run->pkt.t.src.family;

	if (was_without)
		foresee_source(run, bound);
	if (!nd_run_route(run, NULL, bound, true) || !choose_source(run))
		return;
	if (was_without && is_looked_up_again(run) && !is_same_way(run, bound) &&
	    !nd_run_route(run, NULL, bound, false))
		return;
	if (!take_route(run))
		return;
	if (run->ninner == 0 && !run->is_answer && !run->is_further) {
		run->sent = run->pkt.t;
		run->sent_by = run->dev;
	}
	run->pkt.iif = NULL;
	run->pkt.oif = run->dev;
	nd_conn_find(run);
	if (!nd_run_hook(run, ND_OUTPUT))
		return;
	/* kernel: ip_route_me_harder(), after NAT and after chains of type route */
	if (run->needs_route && (!nd_run_route(run, NULL, bound, false) || !take_route(run)))
		return;
	nd_run_post(run);
}

/* ---- sockets ---- */

static bool is_any(struct nd_ip ip)
{
	static const uint8_t zero[16];

	return memcmp(ip.bytes, zero, ip.family == 4 ? 4 : 16) == 0;
}

/* "::" takes IPv4 too: that an application said IPV6_V6ONLY is not in the report. */
static bool takes(const struct nd_socket *sock, const struct nd_pkt *pkt)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (sock->port != pkt->t.dport || sock->is_udp != (pkt->proto == ND_PROTO_UDP))
		return false;
	if (pkt->family == 6)
		return sock->ip.family == 6 && (is_any(sock->ip) || nd_ip_eq(sock->ip, pkt->t.dst));
	if (sock->ip.family == 4)
		return is_any(sock->ip) || nd_ip_eq(sock->ip, pkt->t.dst);
	return is_any(sock->ip) || (memcmp(sock->ip.bytes, mapped, 12) == 0 &&
				    memcmp(sock->ip.bytes + 12, pkt->t.dst.bytes, 4) == 0);
}

static const struct nd_socket *find_socket(const struct nd_run *run)
{
	const struct nd_space *space = &run->net->space;

	for (size_t i = 0; i < space->nsockets; i++)
		if (takes(&space->sockets[i], &run->pkt))
			return &space->sockets[i];
	return NULL;
}

static void deliver(struct nd_run *run, const char *text)
{
	nd_run_way(run, ND_WAY_SOCKET, nd_run_where(run, "sockets"), "%s", text);
	run->verdict = ND_WALK_DELIVERED;
	run->reason = text;
	run->is_over = true;
	run->next = NULL;
}

/* To the socket that sent what the error is about. */
static void deliver_error(struct nd_run *run)
{
	if (run->net == run->home && nd_tuple_eq(run->about, run->sent))
		deliver(run, "the refusal arrives where the packet was sent from");
	else
		nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "sockets"),
			   "the refusal ends at %s, about a packet that nobody there sent",
			   run->net->label);
}

/* The answer fits to nothing when its addresses are not those that were asked. */
static void deliver_answer(struct nd_run *run)
{
	struct nd_tuple want = nd_tuple_invert(&run->sent, run->pkt.proto);
	const char *where = nd_run_where(run, "sockets");

	if (run->net == run->home && nd_ip_eq(want.src, run->pkt.t.src) &&
	    nd_ip_eq(want.dst, run->pkt.t.dst) && want.sport == run->pkt.t.sport &&
	    want.dport == run->pkt.t.dport) {
		deliver(run, "the answer arrives where the question was sent from");
		return;
	}
	if (run->net != run->home) {
		nd_run_end(run, ND_WALK_LOST, where, "the answer ends at %s, which asked nothing",
			   run->net->label);
		return;
	}
	nd_run_end(run, ND_WALK_LOST, where,
		   "the answer comes from %s port %u to port %u, not from %s port %u to port %u as "
		   "was asked",
		   nd_run_ip(run, run->pkt.t.src), run->pkt.t.sport, run->pkt.t.dport,
		   nd_run_ip(run, want.src), want.sport, want.dport);
}

/* To the socket that has the connection. */
static void deliver_further(struct nd_run *run)
{
	if (run->net == run->there && nd_tuple_eq(run->pkt.t, run->got)) {
		deliver(run, "it arrives where the first one did");
		return;
	}
	run->error = run->pkt.proto == ND_PROTO_TCP ? "tcp-reset" : NULL;
	nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "sockets"),
		   "it ends at %s as %s, the first one ended at %s", run->net->label,
		   nd_pkt_text(run->arena, &run->pkt), run->there->label);
}

static void deliver_icmp(struct nd_run *run)
{
	if (run->pkt.family == 4 && nd_run_sysctl(run, "net.ipv4.icmp_echo_ignore_all", 0)) {
		nd_run_end(run, ND_WALK_DROPPED, nd_run_where(run, "sysctl"),
			   "net.ipv4.icmp_echo_ignore_all = 1");
		return;
	}
	deliver(run, nd_arena_printf(run->arena, "%s answers", run->net->label));
}

static void deliver_socket(struct nd_run *run)
{
	const char *where = nd_run_where(run, "sockets");
	const struct nd_socket *sock;
	const char *proto = run->pkt.proto == ND_PROTO_UDP ? "udp" : "tcp";

	if (run->pkt.proto != ND_PROTO_UDP && run->pkt.proto != ND_PROTO_TCP) {
		nd_run_end(run, ND_WALK_UNKNOWN, where, "who takes protocol %u is not modelled",
			   run->pkt.proto);
		return;
	}
	if (!run->net->space.has_sockets) {
		nd_run_end(run, ND_WALK_UNKNOWN, where, "the sockets of %s are not known",
			   run->net->label);
		return;
	}
	sock = find_socket(run);
	if (!sock) {
		run->error = run->pkt.proto == ND_PROTO_TCP ? "tcp-reset"
			     : run->pkt.family == 6	    ? "icmp6-port-unreachable"
							    : "icmp-port-unreachable";
		nd_run_end(run, ND_WALK_REFUSED, where, "nobody in %s listens on %s %s port %u",
			   run->net->label, nd_run_ip(run, run->pkt.t.dst), proto,
			   run->pkt.t.dport);
		return;
	}
	deliver(run, nd_arena_printf(run->arena, "%s listens on %s port %u of %s", run->net->label,
				     proto, sock->port,
				     is_any(sock->ip) ? "any address" : nd_run_ip(run, sock->ip)));
}

void nd_way_input(struct nd_run *run)
{
	run->pkt.oif = NULL;
	if (!nd_run_hook(run, ND_INPUT))
		return;
	nd_conn_confirm(run);
	if (run->ninner)
		nd_way_decap(run);
	else if (run->is_error)
		deliver_error(run);
	else if (run->is_answer)
		deliver_answer(run);
	else if (run->is_further)
		deliver_further(run);
	else if (run->pkt.proto == ND_PROTO_ICMP || run->pkt.proto == ND_PROTO_ICMP6)
		deliver_icmp(run);
	else
		deliver_socket(run);
}
