/* forward.c: packets that come in by a device: for whom are they, and may they go on? */
#include "common/base.h"

#include "plugin/walk/run.h"

#define SHORT 576 /* bytes; RFC 791: every link takes so much */

static bool is_loopback(struct nd_ip ip)
{
	return ip.family == 4 && ip.bytes[0] == 127;
}

static int64_t max_conf(const struct nd_run *run, const char *name)
{
	int64_t all = nd_run_conf(run, "all", name, 0), own = nd_run_conf(run, run->dev, name, 0);

	return all > own ? all : own;
}

/* kernel: net/ipv4/route.c, ip_route_input_slow(): addresses of 127/8 from outside */
static bool is_martian(struct nd_run *run)
{
	bool is_dst = is_loopback(run->pkt.t.dst);

	if (!is_dst && !is_loopback(run->pkt.t.src))
		return false;
	if (max_conf(run, "route_localnet") > 0)
		return false;
	nd_run_end(run, ND_WALK_DROPPED, nd_run_where(run, "ip route"),
		   "%s %s came in by %s (martian; route_localnet is off)",
		   is_dst ? "a packet to" : "a packet from",
		   nd_run_ip(run, is_dst ? run->pkt.t.dst : run->pkt.t.src), run->dev);
	return true;
}

/* Does some next hop of the way back use this device? */
static bool is_way_back(const struct nd_run *run, struct nd_fib_key key, struct nd_fib fib)
{
	for (uint32_t i = 0; i < fib.nequal; i++) {
		struct nd_fib one;

		key.nth = i;
		nd_space_route(&run->net->space, &key, &one);
		if (nd_eq(one.dev, run->dev))
			return true;
	}
	return false;
}

/*
 * kernel: net/ipv4/fib_frontend.c, fib_validate_source(); IPv6 has no such test. Policy rules see
 * the way back as coming in by the device the packet goes out of; NULL: it is for us.
 */
bool nd_run_source_valid(struct nd_run *run, const char *out)
{
	struct nd_fib_key key = {.dst = run->pkt.t.src, .src = run->pkt.t.dst, .iif = out};
	int64_t level = max_conf(run, "rp_filter");
	struct nd_fib fib;

	if (run->pkt.family != 4)
		return true;
	nd_space_route(&run->net->space, &key, &fib);
	if (fib.kind == ND_FIB_LOCAL && max_conf(run, "accept_local") <= 0) {
		nd_run_end(run, ND_WALK_DROPPED, nd_run_where(run, "ip route"),
			   "%s is an own address of %s, yet the packet came in by %s (martian "
			   "source)",
			   nd_run_ip(run, key.dst), run->net->label, run->dev);
		return false;
	}
	if (level <= 0 ||
	    (fib.kind == ND_FIB_UNICAST && (level >= 2 || is_way_back(run, key, fib))))
		return true;
	nd_run_end(run, ND_WALK_DROPPED, nd_run_where(run, "sysctl"),
		   "rp_filter = %d on %s: the way back to %s %s%s", (int)level, run->dev,
		   nd_run_ip(run, key.dst), fib.dev ? "is by " : "is not there",
		   fib.dev ? fib.dev : "");
	return false;
}

/* True: it does. Ends the run when not, or when nobody knows. */
static bool may_forward(struct nd_run *run)
{
	const char *key =
		run->pkt.family == 6 ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward";
	int64_t value = nd_run_sysctl(run, key, -1);

	if (run->pkt.family == 4) {
		int64_t own = nd_run_conf(run, run->dev, "forwarding", value);

		if (own != value)
			key = nd_arena_printf(run->arena, "net.ipv4.conf.%s.forwarding", run->dev);
		value = own;
	}
	if (value > 0)
		return true;
	if (value < 0)
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "sysctl"),
			   "whether %s forwards packets is not known (it got one for %s)",
			   run->net->label, nd_run_ip(run, run->pkt.t.dst));
	else
		nd_run_end(run, ND_WALK_DROPPED, nd_run_where(run, "sysctl"), "%s = 0", key);
	return false;
}

/*
 * kernel: ip_forward(): what does not fit is dropped before FORWARD, and its sender told; TCP then
 * sends less at once. That the message gets there is not looked at here.
 */
static void shorten(struct nd_run *run)
{
	const struct nd_link *link =
		run->pkt.length <= SHORT ? NULL : nd_space_link(&run->net->space, run->dev);

	if (!link || !link->mtu_bytes || run->pkt.length <= link->mtu_bytes)
		return;
	nd_run_way(run, ND_WAY_DEVICE, nd_run_where(run, "ip link"),
		   "%u bytes do not fit into %s (MTU %u): the sender is told, and sends %u",
		   run->pkt.length, run->dev, link->mtu_bytes, link->mtu_bytes);
	run->pkt.length = (uint16_t)link->mtu_bytes;
}

static void forward(struct nd_run *run, struct nd_fib_key key)
{
	/* kernel: ip6_pkt_discard(): a route that refuses does so whether it forwards or not. */
	bool is_six = run->pkt.family == 6;

	if ((!is_six && !may_forward(run)) || !nd_run_follow(run, key, true) ||
	    (is_six && !may_forward(run)) || !nd_run_source_valid(run, run->fib.dev))
		return;
	/*
	 * kernel: ip6_forward(): such a packet may only go back where it came from. ip6_rcv_core()
	 * takes it for that when a bridge has given it its route.
	 */
	if (nd_ip_is_link_local(run->pkt.t.src) && !run->is_routed &&
	    !nd_eq(run->fib.dev, run->pkt.iif)) {
		run->error = "icmp6-beyond-scope";
		nd_run_end(run, ND_WALK_REJECTED, nd_run_where(run, "ip"),
			   "packets from %s do not leave their link",
			   nd_run_ip(run, run->pkt.t.src));
		return;
	}
	if (run->pkt.ttl <= 1) {
		run->error = run->pkt.family == 6 ? "icmp6-time-exceeded" : "icmp-time-exceeded";
		nd_run_end(run, ND_WALK_REJECTED, nd_run_where(run, "ip"), "its time to live ends");
		return;
	}
	run->pkt.ttl--;
	run->dev = run->fib.dev;
	run->hop = nd_fib_hop(&run->fib, run->pkt.t.dst);
	run->pkt.oif = run->dev;
	/* It keeps its route over lo, and is forwarded there again (kernel: skb_valid_dst). */
	if (nd_eq(run->dev, "lo")) {
		run->error = is_six ? "icmp6-time-exceeded" : "icmp-time-exceeded";
		nd_run_end(run, ND_WALK_REJECTED, nd_run_where(run, "ip route"),
			   "%s sends packets to %s to lo, until their time to live ends",
			   nd_net_route_text(run->net, run->fib.route),
			   nd_run_ip(run, run->pkt.t.dst));
		return;
	}
	if (!run->dev) {
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "ip route"),
			   "the route to %s names no device", nd_run_ip(run, run->pkt.t.dst));
		return;
	}
	shorten(run);
	if (nd_run_hook(run, ND_FORWARD))
		nd_run_post(run);
}

void nd_way_route_in(struct nd_run *run)
{
	struct nd_fib_key key = {.dst = run->pkt.t.dst,
				 .src = run->pkt.t.src,
				 .iif = run->dev,
				 .mark = run->pkt.mark};
	const struct nd_fib *fib = &run->fib;

	if (!run->net->is_known) {
		nd_run_end(run, ND_WALK_UNKNOWN, NULL, "the routes of %s are not known",
			   run->net->label);
		return;
	}
	if (run->pkt.family == 4 && is_martian(run))
		return;
	nd_space_route(&run->net->space, &key, &run->fib);
	if (fib->kind != ND_FIB_LOCAL && fib->kind != ND_FIB_BROADCAST) {
		forward(run, key);
		return;
	}
	if (nd_run_follow(run, key, true) && nd_run_source_valid(run, NULL))
		nd_way_input(run);
}

void nd_way_receive(struct nd_run *run)
{
	bool is_loop = nd_eq(run->dev, "lo");

	run->pkt.iif = run->dev;
	run->pkt.oif = NULL;
	/* kernel: ip6_rcv_core() */
	if (run->pkt.family == 6 && nd_run_conf(run, run->dev, "disable_ipv6", 0) > 0) {
		nd_run_end(run, ND_WALK_DROPPED, nd_run_where(run, "sysctl"),
			   "net.ipv6.conf.%s.disable_ipv6 = 1", run->dev);
		return;
	}
	/* Over lo the connection and the route of the way out are still known. */
	if (!is_loop)
		nd_conn_find(run);
	if (!nd_run_hook(run, ND_PREROUTING))
		return;
	if (is_loop)
		nd_way_input(run);
	else
		nd_way_route_in(run);
}
