/* mutate.c: what is broken at random: up to three changes of a cluster that works. */
#include "common/base.h"

#include "tests/ways/mutate.h"

uint32_t mutate_pick(struct about *a, uint32_t n)
{
	return rng_pick(&a->lab->rng, n);
}

void mutate_add(struct about *a, int space, enum tool tool, const char *fmt, ...)
{
	va_list args;

	if (a->m->nsteps == MAX_STEPS)
		return;
	va_start(args, fmt);
	a->m->steps[a->m->nsteps++] =
		(struct step){space, tool, nd_arena_vprintf(&a->lab->arena, fmt, args)};
	va_end(args);
}

int mutate_space(const struct about *a)
{
	return a->lab->nodes[a->node].space;
}

static int pod_space(const struct about *a)
{
	return a->lab->pods[a->pod].space;
}

static int pod_of(struct lab *lab, int node)
{
	int found[MAX_PODS] = {0}, n = 0;

	for (int p = 0; p < lab->npods; p++)
		if (lab->pods[p].node == node)
			found[n++] = p;
	return found[rng_pick(&lab->rng, (uint32_t)n)];
}

/* A device of the node. */
const char *mutate_dev(struct about *a)
{
	bool is_flannel = a->lab->nodes[a->node].is_flannel;

	switch (mutate_pick(a, 4)) {
	case 0:
		return "eth0";
	case 1:
		return is_flannel ? "cni0" : "eth0";
	case 2:
		return is_flannel ? (a->is_six && !a->lab->is_six_in_four ? "flannel-v6.1"
									  : "flannel.1")
				  : "eth0";
	default:
		return nd_arena_printf(&a->lab->arena, "v%d", a->pod);
	}
}

/* Whom a rule or route is about: hosts and networks that packets have. */
const char *mutate_prefix(struct about *a)
{
	struct lab *lab = a->lab;

	switch (mutate_pick(a, 7)) {
	case 0:
		return pod_text(lab, a->pod, a->is_six);
	case 1:
		return pod_text(lab, a->far, a->is_six);
	case 2:
		return cidr_text(lab, a->node, a->is_six);
	case 3:
		return cidr_text(lab, a->other, a->is_six);
	case 4:
		return node_text(lab, a->node, a->is_six, 0);
	case 5:
		return node_text(lab, a->other, a->is_six, 0);
	default:
		return a->is_six ? "fd44::/16" : "10.244.0.0/16";
	}
}

static const char *some_hop(struct about *a)
{
	switch (mutate_pick(a, 5)) {
	case 0:
		return a->is_six ? "via fd30::99 dev eth0" : "via 172.30.0.99 dev eth0";
	case 1:
		return a->is_six ? "via fd30::1 dev eth0" : "via 172.30.0.1 dev eth0";
	case 2:
		return nd_arena_printf(&a->lab->arena, "dev %s", mutate_dev(a));
	case 3:
		return nd_arena_printf(&a->lab->arena, "dev v%d", a->pod);
	default:
		return nd_arena_printf(&a->lab->arena, "via %s dev eth0",
				       node_text(a->lab,
						 (int)mutate_pick(a, (uint32_t)a->lab->nnodes),
						 a->is_six, 0));
	}
}

/* ---- routes ---- */

static void route_del(struct about *a)
{
	const char *what = mutate_pick(a, 4) ? cidr_text(a->lab, a->other, a->is_six) : "default";

	if (!mutate_pick(a, 4))
		what = mutate_pick(a, 2) ? pod_text(a->lab, a->pod, a->is_six)
					 : cidr_text(a->lab, a->node, a->is_six);
	mutate_add(a, mutate_space(a), TOOL_IP, "%sroute del %s", a->six, what);
}

static void route_refuse(struct about *a)
{
	mutate_add(a, mutate_space(a), TOOL_IP, "%sroute %s %s %s", a->six,
		   ONE_OF(a, "replace", "replace", "add"),
		   ONE_OF(a, "blackhole", "unreachable", "prohibit", "throw"), mutate_prefix(a));
}

static void route_elsewhere(struct about *a)
{
	mutate_add(a, mutate_space(a), TOOL_IP, "%sroute replace %s %s", a->six,
		   mutate_pick(a, 3) ? cidr_text(a->lab, a->other, a->is_six) : "default",
		   some_hop(a));
}

static void route_specific(struct about *a)
{
	mutate_add(a, mutate_space(a), TOOL_IP, "%sroute replace %s %s%s", a->six, mutate_prefix(a),
		   some_hop(a), ONE_OF(a, "", "", " onlink", " metric 50"));
}

static void route_many(struct about *a)
{
	const char *to = node_text(a->lab, a->other, a->is_six, 0);

	mutate_add(a, mutate_space(a), TOOL_IP,
		   "%sroute replace %s nexthop via %s dev eth0 nexthop via %s dev eth0", a->six,
		   cidr_text(a->lab, a->other, a->is_six), to,
		   ONE_OF(a, a->is_six ? "fd30::99" : "172.30.0.99",
			  a->is_six ? "fd30::1" : "172.30.0.1"));
}

static void route_of_pod(struct about *a)
{
	const char *gw = gateway_text(a->lab, a->node, a->is_six);

	switch (mutate_pick(a, 5)) {
	case 0:
		mutate_add(a, pod_space(a), TOOL_IP, "%sroute del default", a->six);
		break;
	case 1:
		mutate_add(a, pod_space(a), TOOL_IP,
			   "%sroute replace default via %s99 dev eth0 onlink", a->six, gw);
		break;
	case 2:
		mutate_add(a, pod_space(a), TOOL_IP, "%sroute add %s %s", a->six,
			   ONE_OF(a, "unreachable", "blackhole", "prohibit"), mutate_prefix(a));
		break;
	case 3:
		mutate_add(a, pod_space(a), TOOL_IP, "%sroute replace %s dev eth0", a->six,
			   mutate_prefix(a));
		break;
	default:
		mutate_add(a, pod_space(a), TOOL_IP, "%sroute replace default dev eth0", a->six);
	}
}

static void addr_del(struct about *a)
{
	bool is_flannel = a->lab->nodes[a->node].is_flannel;

	switch (mutate_pick(a, 4)) {
	case 0:
		mutate_add(a, mutate_space(a), TOOL_IP, "addr del %s/%d dev eth0",
			   node_text(a->lab, a->node, a->is_six, 0), a->is_six ? 64 : 16);
		break;
	case 1:
		mutate_add(a, pod_space(a), TOOL_IP, "addr del %s/%d dev eth0",
			   pod_text(a->lab, a->pod, a->is_six), a->is_six ? 64 : 24);
		break;
	default:
		if (is_flannel)
			mutate_add(a, mutate_space(a), TOOL_IP, "addr del %s/%d dev cni0",
				   gateway_text(a->lab, a->node, a->is_six), a->is_six ? 64 : 24);
		else
			mutate_add(a, mutate_space(a), TOOL_IP, "addr del %s/%d dev v%d",
				   gateway_text(a->lab, a->node, a->is_six), a->is_six ? 128 : 32,
				   a->pod);
	}
}

static void addr_add(struct about *a)
{
	static const int lens[2][3] = {{32, 24, 16}, {128, 64, 64}};

	mutate_add(a, mutate_space(a), TOOL_IP, "addr add %s/%d dev %s%s",
		   a->is_six ? "fd30:9::9" : "10.9.0.9", lens[a->is_six][mutate_pick(a, 3)],
		   mutate_dev(a), a->is_six ? " nodad" : "");
}

/* ---- policy rules ---- */

/* What a tunnel does whose packets go to lo is not modelled (plugin/walk/local.c). */
static const char *nowhere(const struct about *a)
{
	if (a->is_six)
		return "via fd30::1 dev eth0";
	for (int i = 0; i < a->lab->nnodes; i++)
		if (a->lab->nodes[i].is_flannel)
			return "via 172.30.0.1 dev eth0";
	return "dev lo";
}

static void policy(struct about *a)
{
	const char *what;
	uint32_t priority = 100 + mutate_pick(a, 3) * 100;

	switch (mutate_pick(a, 5)) {
	case 0:
		what = nd_arena_printf(&a->lab->arena, "from %s", mutate_prefix(a));
		break;
	case 1:
		what = nd_arena_printf(&a->lab->arena, "to %s", mutate_prefix(a));
		break;
	case 2:
		what = nd_arena_printf(&a->lab->arena, "iif %s", mutate_dev(a));
		break;
	case 3:
		what = nd_arena_printf(&a->lab->arena, "not from %s", mutate_prefix(a));
		break;
	default:
		what = "fwmark 0x10/0x10";
		mutate_add(a, mutate_space(a), a->is_six ? TOOL_IPT6 : TOOL_IPT4,
			   "*mangle\n-I %s -d %s -j MARK --set-xmark 0x10/0x10",
			   ONE_OF(a, "PREROUTING", "OUTPUT"), mutate_prefix(a));
	}
	if (!mutate_pick(a, 4)) {
		mutate_add(a, mutate_space(a), TOOL_IP, "%srule add %s %s priority %u", a->six,
			   what, ONE_OF(a, "blackhole", "unreachable", "prohibit"), priority);
		return;
	}
	mutate_add(a, mutate_space(a), TOOL_IP, "%srule add %s lookup 100 priority %u", a->six,
		   what, priority);
	mutate_add(a, mutate_space(a), TOOL_IP, "%sroute replace %s %s table 100", a->six,
		   mutate_pick(a, 2) ? "default" : mutate_prefix(a),
		   mutate_pick(a, 4) ? some_hop(a) : nowhere(a));
}

/* ---- settings ---- */

static void sysctl4(struct about *a)
{
	const char *dev = mutate_pick(a, 3) ? mutate_dev(a) : "all";
	int space = mutate_space(a);

	switch (mutate_pick(a, 9)) {
	case 0:
		mutate_add(a, space, TOOL_SYSCTL, "net/ipv4/ip_forward 0");
		break;
	case 1:
		mutate_add(a, space, TOOL_SYSCTL, "net/ipv4/conf/%s/forwarding 0", dev);
		break;
	case 2:
	case 3:
		mutate_add(a, space, TOOL_SYSCTL, "net/ipv4/conf/%s/rp_filter %s", dev,
			   ONE_OF(a, "0", "1", "2"));
		break;
	case 4:
		mutate_add(a, space, TOOL_SYSCTL, "net/ipv4/conf/%s/arp_ignore %s", dev,
			   ONE_OF(a, "1", "2", "8"));
		break;
	case 5:
		mutate_add(a, space, TOOL_SYSCTL, "net/ipv4/conf/%s/proxy_arp 1", dev);
		break;
	case 6:
		mutate_add(a, space, TOOL_SYSCTL, "net/ipv4/conf/%s/route_localnet 1", dev);
		break;
	default:
		mutate_add(a, space, TOOL_SYSCTL, "net/bridge/bridge-nf-call-iptables %s",
			   ONE_OF(a, "0", "1"));
	}
}

static void sysctl6(struct about *a)
{
	int space = mutate_space(a);

	switch (mutate_pick(a, 4)) {
	case 0:
		mutate_add(a, space, TOOL_SYSCTL, "net/ipv6/conf/all/forwarding 0");
		break;
	case 1:
		mutate_add(a, space, TOOL_SYSCTL, "net/ipv6/conf/%s/forwarding 0", mutate_dev(a));
		break;
	case 2:
		mutate_add(a, space, TOOL_SYSCTL, "net/ipv6/conf/%s/disable_ipv6 1", mutate_dev(a));
		break;
	default:
		mutate_add(a, space, TOOL_SYSCTL, "net/bridge/bridge-nf-call-ip6tables %s",
			   ONE_OF(a, "0", "1"));
	}
}

static void sysctl(struct about *a)
{
	(a->is_six ? sysctl6 : sysctl4)(a);
}

/* ---- devices ---- */

static void link_change(struct about *a)
{
	bool is_flannel = a->lab->nodes[a->node].is_flannel;

	a->m->is_slow = true;
	switch (mutate_pick(a, 5)) {
	case 0:
		mutate_add(a, pod_space(a), TOOL_IP, "link set eth0 down");
		break;
	case 1:
		mutate_add(a, mutate_space(a), TOOL_IP, "link set %s down", mutate_dev(a));
		break;
	case 2:
		if (is_flannel)
			mutate_add(a, mutate_space(a), TOOL_IP, "link set v%d nomaster", a->pod);
		else
			mutate_add(a, mutate_space(a), TOOL_IP, "link set v%d down", a->pod);
		break;
	default:
		if (is_flannel)
			mutate_add(a, mutate_space(a), TOOL_IP,
				   "link set v%d type bridge_slave hairpin off", a->pod);
		else
			mutate_add(a, mutate_space(a), TOOL_IP, "link del v%d", a->pod);
	}
}

static void neighbour(struct about *a)
{
	mutate_add(a, mutate_space(a), TOOL_IP,
		   "neigh replace %s lladdr 02:00:00:00:00:99 dev %s nud permanent",
		   mutate_pick(a, 2) ? node_text(a->lab, a->other, a->is_six, 0)
				     : pod_text(a->lab, a->pod, a->is_six),
		   mutate_dev(a));
}

/* ---- the tunnel ---- */

static void tunnel_entry(struct about *a)
{
	bool is_six = a->is_six && !a->lab->is_six_in_four;
	const char *dev = is_six ? "flannel-v6.1" : "flannel.1";
	int n = a->other, v = is_six ? 6 : 4, space = mutate_space(a);
	const char *hop =
		nd_arena_printf(&a->lab->arena, a->is_six ? "fd44:%d::" : "10.244.%d.0", n + 1);

	switch (mutate_pick(a, 5)) {
	case 0:
		mutate_add(a, space, TOOL_BRIDGE, "fdb del 02:00:00:0%d:0f:0%d dev %s", v, n + 1,
			   dev);
		break;
	case 1:
		mutate_add(a, space, TOOL_BRIDGE,
			   "fdb replace 02:00:00:0%d:0f:0%d dev %s dst %s self permanent", v, n + 1,
			   dev, is_six ? "fd30::99" : "172.30.0.99");
		break;
	case 2:
		mutate_add(a, space, TOOL_BRIDGE,
			   "fdb replace 02:00:00:0%d:0f:0%d dev %s dst %s self permanent", v, n + 1,
			   dev,
			   node_text(a->lab, (int)mutate_pick(a, (uint32_t)a->lab->nnodes), is_six,
				     0));
		break;
	case 3:
		mutate_add(a, space, TOOL_IP, "neigh del %s dev %s", hop, dev);
		break;
	default:
		mutate_add(a, space, TOOL_IP,
			   "neigh replace %s lladdr 02:00:00:00:00:99 dev %s nud permanent", hop,
			   dev);
	}
}

static void tunnel_other(struct about *a)
{
	bool is_six = a->is_six && !a->lab->is_six_in_four;
	nd_auto_buf struct nd_buf ip = {0}, bridge = {0};
	uint32_t what = mutate_pick(a, 3);

	mutate_add(a, mutate_space(a), TOOL_IP, "link del %s",
		   is_six ? "flannel-v6.1" : "flannel.1");
	gen_tunnel(a->lab, a->node, is_six, what == 0 ? 7 : 1, what == 1 ? 4789 : 8472,
		   what == 2 ? a->other : a->node, &ip, &bridge);
	mutate_add(a, mutate_space(a), TOOL_IP, "%s", ip.data);
	if (bridge.len)
		mutate_add(a, mutate_space(a), TOOL_BRIDGE, "%s", bridge.data);
	a->m->is_slow = true;
}

static void tunnel(struct about *a)
{
	if (!a->lab->nodes[a->node].is_flannel)
		route_elsewhere(a);
	else if (mutate_pick(a, 3))
		tunnel_entry(a);
	else
		tunnel_other(a);
}

static void deaf(struct about *a)
{
	mutate_add(a, mutate_pick(a, 3) ? pod_space(a) : mutate_space(a), TOOL_DEAF, "%s", "");
}

void lab_mutate(struct lab *lab)
{
	static void (*const all[])(struct about *) = {
		route_del,	 route_refuse,	  route_elsewhere, route_specific, route_many,
		route_of_pod,	 addr_del,	  addr_add,	   policy,	   policy,
		sysctl,		 sysctl,	  sysctl,	   link_change,	   link_change,
		neighbour,	 tunnel,	  tunnel,	   tunnel,	   mutate_iptables,
		mutate_iptables, mutate_iptables, mutate_nft,	   mutate_nft,	   deaf};

	lab->nmutations = rng_pick(&lab->rng, MAX_MUTATIONS + 1);
	for (size_t i = 0; i < lab->nmutations; i++) {
		struct about a = {.lab = lab, .m = &lab->mutations[i]};

		a.node = (int)rng_pick(&lab->rng, (uint32_t)lab->nnodes);
		a.other = (a.node + 1 + (int)rng_pick(&lab->rng, (uint32_t)lab->nnodes - 1)) %
			  lab->nnodes;
		a.pod = pod_of(lab, a.node);
		a.far = pod_of(lab, a.other);
		a.is_six = lab->has[1] && (!lab->has[0] || rng_chance(&lab->rng, 50));
		a.six = a.is_six ? "-6 " : "";
		all[rng_pick(&lab->rng, ND_ARRAY_LEN(all))](&a);
	}
}
