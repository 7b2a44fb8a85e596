/* mutate.c: what is broken at random: up to three changes of a cluster that works. */
#include "common/base.h"

#include "tests/ways/ways.h"

/* What a change is about: a node, another one, one of its pods, a family. */
struct about {
	struct lab *lab;
	struct mutation *m;
	int node, other, pod; /* pod of node */
	int far;	      /* pod of other */
	bool is_six;
	const char *six; /* "-6 " */
};

static uint32_t pick(struct about *a, uint32_t n)
{
	return rng_pick(&a->lab->rng, n);
}

static void add(struct about *a, int space, enum tool tool, const char *fmt, ...) ND_PRINTF(4, 5);
static void add(struct about *a, int space, enum tool tool, const char *fmt, ...)
{
	va_list args;

	if (a->m->nsteps == MAX_STEPS)
		return;
	va_start(args, fmt);
	a->m->steps[a->m->nsteps++] = (struct step){space, tool, nd_arena_vprintf(&a->lab->arena, fmt, args)};
	va_end(args);
}

#define ONE_OF(a, ...)                                                                                                 \
	((const char *const[]){__VA_ARGS__}[pick(a, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))])

static int space_of(const struct about *a)
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
static const char *node_dev(struct about *a)
{
	bool is_flannel = a->lab->nodes[a->node].is_flannel;

	switch (pick(a, 4)) {
	case 0:
		return "eth0";
	case 1:
		return is_flannel ? "cni0" : "eth0";
	case 2:
		return is_flannel ? (a->is_six && !a->lab->is_six_in_four ? "flannel-v6.1" : "flannel.1") : "eth0";
	default:
		return nd_arena_printf(&a->lab->arena, "v%d", a->pod);
	}
}

/* Whom a rule or route is about: hosts and networks that packets have. */
static const char *some_prefix(struct about *a)
{
	struct lab *lab = a->lab;

	switch (pick(a, 7)) {
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
	switch (pick(a, 5)) {
	case 0:
		return a->is_six ? "via fd30::99 dev eth0" : "via 172.30.0.99 dev eth0";
	case 1:
		return a->is_six ? "via fd30::1 dev eth0" : "via 172.30.0.1 dev eth0";
	case 2:
		return nd_arena_printf(&a->lab->arena, "dev %s", node_dev(a));
	case 3:
		return nd_arena_printf(&a->lab->arena, "dev v%d", a->pod);
	default:
		return nd_arena_printf(&a->lab->arena, "via %s dev eth0",
				       node_text(a->lab, (int)pick(a, (uint32_t)a->lab->nnodes), a->is_six, 0));
	}
}

/* ---- routes ---- */

static void route_del(struct about *a)
{
	const char *what = pick(a, 4) ? cidr_text(a->lab, a->other, a->is_six) : "default";

	if (!pick(a, 4))
		what = pick(a, 2) ? pod_text(a->lab, a->pod, a->is_six) : cidr_text(a->lab, a->node, a->is_six);
	add(a, space_of(a), TOOL_IP, "%sroute del %s", a->six, what);
}

static void route_refuse(struct about *a)
{
	add(a, space_of(a), TOOL_IP, "%sroute %s %s %s", a->six, ONE_OF(a, "replace", "replace", "add"),
	    ONE_OF(a, "blackhole", "unreachable", "prohibit", "throw"), some_prefix(a));
}

static void route_elsewhere(struct about *a)
{
	add(a, space_of(a), TOOL_IP, "%sroute replace %s %s", a->six,
	    pick(a, 3) ? cidr_text(a->lab, a->other, a->is_six) : "default", some_hop(a));
}

static void route_specific(struct about *a)
{
	add(a, space_of(a), TOOL_IP, "%sroute replace %s %s%s", a->six, some_prefix(a), some_hop(a),
	    ONE_OF(a, "", "", " onlink", " metric 50"));
}

static void route_many(struct about *a)
{
	const char *to = node_text(a->lab, a->other, a->is_six, 0);

	add(a, space_of(a), TOOL_IP, "%sroute replace %s nexthop via %s dev eth0 nexthop via %s dev eth0", a->six,
	    cidr_text(a->lab, a->other, a->is_six), to,
	    ONE_OF(a, a->is_six ? "fd30::99" : "172.30.0.99", a->is_six ? "fd30::1" : "172.30.0.1"));
}

static void route_of_pod(struct about *a)
{
	const char *gw = gateway_text(a->lab, a->node, a->is_six);

	switch (pick(a, 5)) {
	case 0:
		add(a, pod_space(a), TOOL_IP, "%sroute del default", a->six);
		break;
	case 1:
		add(a, pod_space(a), TOOL_IP, "%sroute replace default via %s99 dev eth0 onlink", a->six, gw);
		break;
	case 2:
		add(a, pod_space(a), TOOL_IP, "%sroute add %s %s", a->six,
		    ONE_OF(a, "unreachable", "blackhole", "prohibit"), some_prefix(a));
		break;
	case 3:
		add(a, pod_space(a), TOOL_IP, "%sroute replace %s dev eth0", a->six, some_prefix(a));
		break;
	default:
		add(a, pod_space(a), TOOL_IP, "%sroute replace default dev eth0", a->six);
	}
}

static void addr_del(struct about *a)
{
	bool is_flannel = a->lab->nodes[a->node].is_flannel;

	switch (pick(a, 4)) {
	case 0:
		add(a, space_of(a), TOOL_IP, "addr del %s/%d dev eth0", node_text(a->lab, a->node, a->is_six, 0),
		    a->is_six ? 64 : 16);
		break;
	case 1:
		add(a, pod_space(a), TOOL_IP, "addr del %s/%d dev eth0", pod_text(a->lab, a->pod, a->is_six),
		    a->is_six ? 64 : 24);
		break;
	default:
		if (is_flannel)
			add(a, space_of(a), TOOL_IP, "addr del %s/%d dev cni0", gateway_text(a->lab, a->node, a->is_six),
			    a->is_six ? 64 : 24);
		else
			add(a, space_of(a), TOOL_IP, "addr del %s/%d dev v%d", gateway_text(a->lab, a->node, a->is_six),
			    a->is_six ? 128 : 32, a->pod);
	}
}

static void addr_add(struct about *a)
{
	static const int lens[2][3] = {{32, 24, 16}, {128, 64, 64}};

	add(a, space_of(a), TOOL_IP, "addr add %s/%d dev %s%s", a->is_six ? "fd30:9::9" : "10.9.0.9",
	    lens[a->is_six][pick(a, 3)], node_dev(a), a->is_six ? " nodad" : "");
}

/* ---- policy rules ---- */

static void policy(struct about *a)
{
	const char *what;
	uint32_t priority = 100 + pick(a, 3) * 100;

	switch (pick(a, 5)) {
	case 0:
		what = nd_arena_printf(&a->lab->arena, "from %s", some_prefix(a));
		break;
	case 1:
		what = nd_arena_printf(&a->lab->arena, "to %s", some_prefix(a));
		break;
	case 2:
		what = nd_arena_printf(&a->lab->arena, "iif %s", node_dev(a));
		break;
	case 3:
		what = nd_arena_printf(&a->lab->arena, "not from %s", some_prefix(a));
		break;
	default:
		what = "fwmark 0x10/0x10";
		add(a, space_of(a), a->is_six ? TOOL_IPT6 : TOOL_IPT4, "*mangle\n-I %s -d %s -j MARK --set-xmark 0x10/0x10",
		    ONE_OF(a, "PREROUTING", "OUTPUT"), some_prefix(a));
	}
	if (!pick(a, 4)) {
		add(a, space_of(a), TOOL_IP, "%srule add %s %s priority %u", a->six, what,
		    ONE_OF(a, "blackhole", "unreachable", "prohibit"), priority);
		return;
	}
	add(a, space_of(a), TOOL_IP, "%srule add %s lookup 100 priority %u", a->six, what, priority);
	add(a, space_of(a), TOOL_IP, "%sroute replace %s %s table 100", a->six, pick(a, 2) ? "default" : some_prefix(a),
	    pick(a, 4) ? some_hop(a) : "dev lo");
}

/* ---- settings ---- */

static void sysctl4(struct about *a)
{
	const char *dev = pick(a, 3) ? node_dev(a) : "all";
	int space = space_of(a);

	switch (pick(a, 9)) {
	case 0:
		add(a, space, TOOL_SYSCTL, "net/ipv4/ip_forward 0");
		break;
	case 1:
		add(a, space, TOOL_SYSCTL, "net/ipv4/conf/%s/forwarding 0", dev);
		break;
	case 2:
	case 3:
		add(a, space, TOOL_SYSCTL, "net/ipv4/conf/%s/rp_filter %s", dev, ONE_OF(a, "0", "1", "2"));
		break;
	case 4:
		add(a, space, TOOL_SYSCTL, "net/ipv4/conf/%s/arp_ignore %s", dev, ONE_OF(a, "1", "2", "8"));
		break;
	case 5:
		add(a, space, TOOL_SYSCTL, "net/ipv4/conf/%s/proxy_arp 1", dev);
		break;
	case 6:
		add(a, space, TOOL_SYSCTL, "net/ipv4/conf/%s/route_localnet 1", dev);
		break;
	default:
		add(a, space, TOOL_SYSCTL, "net/bridge/bridge-nf-call-iptables %s", ONE_OF(a, "0", "1"));
	}
}

static void sysctl6(struct about *a)
{
	int space = space_of(a);

	switch (pick(a, 4)) {
	case 0:
		add(a, space, TOOL_SYSCTL, "net/ipv6/conf/all/forwarding 0");
		break;
	case 1:
		add(a, space, TOOL_SYSCTL, "net/ipv6/conf/%s/forwarding 0", node_dev(a));
		break;
	case 2:
		add(a, space, TOOL_SYSCTL, "net/ipv6/conf/%s/disable_ipv6 1", node_dev(a));
		break;
	default:
		add(a, space, TOOL_SYSCTL, "net/bridge/bridge-nf-call-ip6tables %s", ONE_OF(a, "0", "1"));
	}
}

static void sysctl(struct about *a)
{
	if (a->is_six)
		sysctl6(a);
	else
		sysctl4(a);
}

/* ---- devices ---- */

static void link_change(struct about *a)
{
	bool is_flannel = a->lab->nodes[a->node].is_flannel;

	a->m->is_slow = true;
	switch (pick(a, 5)) {
	case 0:
		add(a, pod_space(a), TOOL_IP, "link set eth0 down");
		break;
	case 1:
		add(a, space_of(a), TOOL_IP, "link set %s down", node_dev(a));
		break;
	case 2:
		if (is_flannel)
			add(a, space_of(a), TOOL_IP, "link set v%d nomaster", a->pod);
		else
			add(a, space_of(a), TOOL_IP, "link set v%d down", a->pod);
		break;
	default:
		if (is_flannel)
			add(a, space_of(a), TOOL_IP, "link set v%d type bridge_slave hairpin off", a->pod);
		else
			add(a, space_of(a), TOOL_IP, "link del v%d", a->pod);
	}
}

static void neighbour(struct about *a)
{
	add(a, space_of(a), TOOL_IP, "neigh replace %s lladdr 02:00:00:00:00:99 dev %s nud permanent",
	    pick(a, 2) ? node_text(a->lab, a->other, a->is_six, 0) : pod_text(a->lab, a->pod, a->is_six), node_dev(a));
}

/* ---- the tunnel ---- */

static void tunnel_entry(struct about *a)
{
	bool is_six = a->is_six && !a->lab->is_six_in_four;
	const char *dev = is_six ? "flannel-v6.1" : "flannel.1";
	int n = a->other, v = is_six ? 6 : 4, space = space_of(a);
	const char *hop = nd_arena_printf(&a->lab->arena, a->is_six ? "fd44:%d::" : "10.244.%d.0", n + 1);

	switch (pick(a, 5)) {
	case 0:
		add(a, space, TOOL_BRIDGE, "fdb del 02:00:00:0%d:0f:0%d dev %s", v, n + 1, dev);
		break;
	case 1:
		add(a, space, TOOL_BRIDGE, "fdb replace 02:00:00:0%d:0f:0%d dev %s dst %s self permanent", v, n + 1, dev,
		    is_six ? "fd30::99" : "172.30.0.99");
		break;
	case 2:
		add(a, space, TOOL_BRIDGE, "fdb replace 02:00:00:0%d:0f:0%d dev %s dst %s self permanent", v, n + 1, dev,
		    node_text(a->lab, (int)pick(a, (uint32_t)a->lab->nnodes), is_six, 0));
		break;
	case 3:
		add(a, space, TOOL_IP, "neigh del %s dev %s", hop, dev);
		break;
	default:
		add(a, space, TOOL_IP, "neigh replace %s lladdr 02:00:00:00:00:99 dev %s nud permanent", hop, dev);
	}
}

static void tunnel_other(struct about *a)
{
	bool is_six = a->is_six && !a->lab->is_six_in_four;
	nd_auto_buf struct nd_buf ip = {0}, bridge = {0};
	uint32_t what = pick(a, 3);

	add(a, space_of(a), TOOL_IP, "link del %s", is_six ? "flannel-v6.1" : "flannel.1");
	gen_tunnel(a->lab, a->node, is_six, what == 0 ? 7 : 1, what == 1 ? 4789 : 8472, what == 2 ? a->other : a->node,
		   &ip, &bridge);
	add(a, space_of(a), TOOL_IP, "%s", ip.data);
	if (bridge.len)
		add(a, space_of(a), TOOL_BRIDGE, "%s", bridge.data);
	a->m->is_slow = true;
}

static void tunnel(struct about *a)
{
	if (!a->lab->nodes[a->node].is_flannel)
		route_elsewhere(a);
	else if (pick(a, 3))
		tunnel_entry(a);
	else
		tunnel_other(a);
}

/* ---- rules ---- */

static const char *matches(struct about *a, bool has_in, bool has_out)
{
	const char *text = "";
	struct nd_arena *arena = &a->lab->arena;

	if (has_in && !pick(a, 4))
		text = nd_arena_printf(arena, "%s -i %s", text, node_dev(a));
	if (has_out && !pick(a, 4))
		text = nd_arena_printf(arena, "%s -o %s", text, node_dev(a));
	if (!pick(a, 2))
		text = nd_arena_printf(arena, "%s %s-s %s", text, pick(a, 4) ? "" : "! ", some_prefix(a));
	if (!pick(a, 2))
		text = nd_arena_printf(arena, "%s %s-d %s", text, pick(a, 4) ? "" : "! ", some_prefix(a));
	switch (pick(a, 6)) {
	case 0:
		return nd_arena_printf(arena, "%s -p tcp -m tcp --dport %d", text, OPEN_PORT);
	case 1:
		return nd_arena_printf(arena, "%s -p udp", text);
	case 2:
		return nd_arena_printf(arena, "%s -p udp -m udp --dport %d", text, pick(a, 2) ? 8472 : OPEN_PORT);
	case 3:
		return nd_arena_printf(arena, "%s -p %s", text, a->is_six ? "ipv6-icmp -m icmp6 --icmpv6-type 128" : "icmp");
	default:
		return text;
	}
}

static const char *state_match(struct about *a)
{
	return pick(a, 3) ? "" : ONE_OF(a, " -m conntrack --ctstate NEW", " -m conntrack --ctstate ESTABLISHED",
					" -m conntrack --ctstate INVALID", " -m mark --mark 0x4000/0x4000");
}

static const char *filter_target(struct about *a, bool can_reject)
{
	if (!can_reject || pick(a, 2))
		return pick(a, 5) ? "DROP" : "ACCEPT";
	return a->is_six ? ONE_OF(a, "REJECT", "REJECT --reject-with icmp6-adm-prohibited",
				  "REJECT --reject-with icmp6-no-route")
			 : ONE_OF(a, "REJECT", "REJECT --reject-with icmp-host-prohibited",
				  "REJECT --reject-with icmp-net-unreachable");
}

/* One rule for iptables, either backend. */
static void iptables(struct about *a)
{
	enum tool tool = a->is_six ? TOOL_IPT6 : pick(a, 4) ? TOOL_IPT4 : TOOL_LEGACY;
	int space = space_of(a);
	uint32_t what = pick(a, 8);
	const char *chain;

	if (what < 4) {
		chain = ONE_OF(a, "FORWARD", "FORWARD", "INPUT", "OUTPUT");
		add(a, space, tool, "*filter\n-I %s%s%s -j %s", chain, matches(a, *chain != 'O', *chain != 'I'),
		    state_match(a), filter_target(a, true));
	} else if (what == 4) {
		add(a, space, tool, "*filter\n:%s DROP [0:0]", ONE_OF(a, "FORWARD", "INPUT", "OUTPUT"));
	} else if (what == 5) {
		chain = ONE_OF(a, "PREROUTING", "POSTROUTING", "FORWARD");
		add(a, space, tool, "*mangle\n-I %s%s -j DROP", chain, matches(a, *chain == 'P' && chain[1] == 'R', 0));
	} else if (what == 6) {
		add(a, space, tool, "*raw\n-I %s%s -j %s", ONE_OF(a, "PREROUTING", "OUTPUT"), matches(a, 0, 0),
		    ONE_OF(a, "DROP", "CT --notrack"));
	} else if (pick(a, 2)) {
		add(a, space, tool, "*nat\n-I POSTROUTING%s -j MASQUERADE", matches(a, 0, 1));
	} else {
		add(a, space, tool, "*nat\n-I %s%s -j DNAT --to-destination %s", ONE_OF(a, "PREROUTING", "OUTPUT"),
		    matches(a, 0, 0), pod_text(a->lab, pick(a, 2) ? a->pod : a->far, a->is_six));
	}
}

static void nft(struct about *a)
{
	const char *hook = ONE_OF(a, "prerouting", "input", "forward", "output", "postrouting");
	const char *what = ONE_OF(a, "tcp dport 8080", "meta l4proto udp", "ct state new", "ct state established",
				  "meta l4proto { tcp, udp }", "udp dport 8472");
	const char *family = ONE_OF(a, "inet", a->is_six ? "ip6" : "ip");
	const char *address = pick(a, 2) ? ""
					 : nd_arena_printf(&a->lab->arena, "%s %saddr %s ", a->is_six ? "ip6" : "ip",
							   ONE_OF(a, "s", "d"), some_prefix(a));

	add(a, space_of(a), TOOL_NFT,
	    "table %s other%u {\nchain c {\ntype filter hook %s priority %s; policy %s;\n%s%s counter %s\n}\n}", family,
	    pick(a, 1000), hook, ONE_OF(a, "-310", "-150", "-10", "0", "10"), pick(a, 8) ? "accept" : "drop", address,
	    what, ONE_OF(a, "drop", "drop", "accept"));
}

static void deaf(struct about *a)
{
	add(a, pick(a, 3) ? pod_space(a) : space_of(a), TOOL_DEAF, "%s", "");
}

void lab_mutate(struct lab *lab)
{
	static void (*const all[])(struct about *) = {
		route_del,  route_refuse, route_elsewhere, route_specific, route_many, route_of_pod, addr_del, addr_add,
		policy,	    policy,	  sysctl,	   sysctl,	   sysctl,     link_change,  link_change,
		neighbour,  tunnel,	  tunnel,	   tunnel,	   iptables,   iptables,     iptables, nft,
		nft,	    deaf};

	lab->nmutations = rng_pick(&lab->rng, MAX_MUTATIONS + 1);
	for (size_t i = 0; i < lab->nmutations; i++) {
		struct about a = {.lab = lab, .m = &lab->mutations[i]};

		a.node = (int)rng_pick(&lab->rng, (uint32_t)lab->nnodes);
		a.other = (a.node + 1 + (int)rng_pick(&lab->rng, (uint32_t)lab->nnodes - 1)) % lab->nnodes;
		a.pod = pod_of(lab, a.node);
		a.far = pod_of(lab, a.other);
		a.is_six = lab->has[1] && (!lab->has[0] || rng_chance(&lab->rng, 50));
		a.six = a.is_six ? "-6 " : "";
		all[rng_pick(&lab->rng, ND_ARRAY_LEN(all))](&a);
	}
}
