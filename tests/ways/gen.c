/* gen.c: a cluster that works, from a seed: as kindnet and as flannel make it, side by side. */
#include "common/base.h"

#include "tests/ways/ways.h"

void lab_print(struct lab *lab, int space, enum tool tool, const char *fmt, ...)
{
	nd_auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		nd_out_of_memory(0);
	va_end(args);
	nd_buf_puts(&lab->spaces[space].text[tool], text);
	nd_buf_puts(&lab->spaces[space].text[tool], "\n");
}

const char *node_text(struct lab *lab, int node, bool is_six, int net)
{
	return nd_arena_printf(&lab->arena, is_six ? "fd3%d::1%d" : "172.3%d.0.1%d", net, node + 1);
}

const char *cidr_text(struct lab *lab, int node, bool is_six)
{
	return nd_arena_printf(&lab->arena, is_six ? "fd44:%d::/64" : "10.244.%d.0/24", node + 1);
}

const char *gateway_text(struct lab *lab, int node, bool is_six)
{
	return nd_arena_printf(&lab->arena, is_six ? "fd44:%d::1" : "10.244.%d.1", node + 1);
}

const char *pod_text(struct lab *lab, int pod, bool is_six)
{
	return nd_arena_printf(&lab->arena, is_six ? "fd44:%d::%d" : "10.244.%d.%d",
			       lab->pods[pod].node + 1, lab->pods[pod].host);
}

const char *service_text(struct lab *lab, int service, bool is_six)
{
	return nd_arena_printf(&lab->arena, is_six ? "fd96::1%d" : "10.96.0.1%d", service);
}

static const char *tunnel_of(bool is_six)
{
	return is_six ? "flannel-v6.1" : "flannel.1";
}

/* Whether this family of pods has a tunnel of its own. */
static bool has_own_tunnel(const struct lab *lab, bool is_six)
{
	return !is_six || !lab->is_six_in_four;
}

static int new_space(struct lab *lab, const char *prefix, int n)
{
	struct space *space = &lab->spaces[lab->nspaces];

	snprintf(space->name, sizeof(space->name), "%s%d", prefix, n);
	space->fd = -1;
	return lab->nspaces++;
}

/* ---- sysctls ---- */

/* A new namespace begins with what the machine has set; nothing here may answer by chance. */
static void plain_sysctls(struct lab *lab, int space)
{
	static const char *const all[] = {
		"net/ipv4/ip_forward 0",
		"net/ipv4/conf/all/rp_filter 0",
		"net/ipv4/conf/default/rp_filter 0",
		"net/ipv4/conf/all/arp_ignore 0",
		"net/ipv4/conf/default/arp_ignore 0",
		"net/ipv4/conf/all/route_localnet 0",
		"net/ipv4/conf/default/route_localnet 0",
		"net/ipv4/conf/all/send_redirects 0",
		"net/ipv4/conf/default/send_redirects 0",
		"net/ipv4/conf/all/accept_redirects 0",
		"net/ipv4/conf/default/accept_redirects 0",
		"net/ipv4/icmp_ratelimit 0",
		"net/ipv4/icmp_ratemask 0",
		"net/ipv4/icmp_msgs_per_sec 100000",
		"net/ipv4/icmp_msgs_burst 100000",
		"net/ipv4/ping_group_range 0 2147483647",
		"net/ipv6/icmp/ratelimit 0",
		"net/ipv6/conf/all/disable_ipv6 0",
		"net/ipv6/conf/default/disable_ipv6 0",
		"net/ipv6/conf/all/forwarding 0",
		"net/ipv6/conf/all/accept_ra 0",
		"net/ipv6/conf/default/accept_ra 0",
		"net/ipv6/conf/default/accept_dad 0",
		"net/ipv6/conf/all/accept_dad 0",
		"net/ipv6/conf/default/dad_transmits 0",
		"net/ipv6/conf/default/router_solicitations 0",
		"net/ipv6/conf/all/accept_redirects 0",
		"net/ipv6/conf/default/accept_redirects 0",
		"net/bridge/bridge-nf-call-iptables 0",
		"net/bridge/bridge-nf-call-ip6tables 0",
	};

	for (size_t i = 0; i < ND_ARRAY_LEN(all); i++)
		lab_print(lab, space, TOOL_SYSCTL, "%s", all[i]);
	lab_print(lab, space, TOOL_IP, "link set lo up");
}

static void node_sysctls(struct lab *lab, int space)
{
	uint32_t strict = rng_pick(&lab->rng, 4); /* half of the nodes ask for the way back */
	bool is_shown = !rng_chance(&lab->rng, 15);

	lab_print(lab, space, TOOL_SYSCTL, "net/ipv4/ip_forward 1");
	lab_print(lab, space, TOOL_SYSCTL, "net/ipv6/conf/all/forwarding 1");
	lab_print(lab, space, TOOL_SYSCTL, "net/ipv4/conf/all/rp_filter %u",
		  strict < 3 ? strict : 0);
	lab_print(lab, space, TOOL_SYSCTL, "net/ipv4/conf/default/rp_filter %u",
		  rng_pick(&lab->rng, 3) % 2);
	lab_print(lab, space, TOOL_SYSCTL, "net/bridge/bridge-nf-call-iptables %d", is_shown);
	lab_print(lab, space, TOOL_SYSCTL, "net/bridge/bridge-nf-call-ip6tables %d", is_shown);
}

/* ---- the network between the nodes ---- */

static void make_segment(struct lab *lab, int net)
{
	lab_print(lab, 0, TOOL_IP, "link add br%d type bridge", net);
	if (lab->has[0])
		lab_print(lab, 0, TOOL_IP, "addr add 172.3%d.0.1/16 dev br%d", net, net);
	if (lab->has[1])
		lab_print(lab, 0, TOOL_IP, "addr add fd3%d::1/64 dev br%d nodad", net, net);
	lab_print(lab, 0, TOOL_IP, "link set br%d up", net);
	/* It says nothing of what it has no way for: IPv6 would, also when it does not forward. */
	if (lab->has[1] && net == 0)
		lab_print(lab, 0, TOOL_IP, "-6 route add blackhole default metric 4000");
}

static void join_segment(struct lab *lab, int node, int net)
{
	int space = lab->nodes[node].space;

	/* @3: a place for the namespace of space 3, see build.c */
	lab_print(lab, 0, TOOL_IP, "link add e%dn%d type veth peer name eth%d netns @%d", net,
		  node + 1, net, space);
	lab_print(lab, 0, TOOL_IP, "link set e%dn%d master br%d up", net, node + 1, net);
	if (lab->has[0])
		lab_print(lab, space, TOOL_IP, "addr add %s/16 dev eth%d",
			  node_text(lab, node, false, net), net);
	if (lab->has[1])
		lab_print(lab, space, TOOL_IP, "addr add %s/64 dev eth%d nodad",
			  node_text(lab, node, true, net), net);
	lab_print(lab, space, TOOL_IP, "link set eth%d up", net);
	if (net)
		return;
	if (lab->has[0])
		lab_print(lab, space, TOOL_IP, "route add default via 172.30.0.1");
	if (lab->has[1])
		lab_print(lab, space, TOOL_IP, "-6 route add default via fd30::1");
}

/* ---- pods ---- */

static void ptp_pod(struct lab *lab, int pod, bool is_six)
{
	const struct lab_pod *p = &lab->pods[pod];
	int space = lab->nodes[p->node].space;
	const char *gw = gateway_text(lab, p->node, is_six), *ip = pod_text(lab, pod, is_six),
		   *six = is_six ? "-6 " : "";

	lab_print(lab, space, TOOL_IP, "addr add %s/%d dev v%d%s", gw, is_six ? 128 : 32, pod,
		  is_six ? " nodad" : "");
	lab_print(lab, space, TOOL_IP, "%sroute add %s dev v%d%s", six, ip, pod,
		  is_six ? "" : " scope host");
	lab_print(lab, p->space, TOOL_IP, "addr add %s/%d dev eth0%s", ip, is_six ? 64 : 24,
		  is_six ? " nodad noprefixroute" : " noprefixroute");
	lab_print(lab, p->space, TOOL_IP, "%sroute add %s dev eth0%s", six, gw,
		  is_six ? "" : " scope link");
	lab_print(lab, p->space, TOOL_IP, "%sroute add %s via %s", six,
		  cidr_text(lab, p->node, is_six), gw);
	lab_print(lab, p->space, TOOL_IP, "%sroute add default via %s", six, gw);
}

static void bridge_pod(struct lab *lab, int pod, bool is_six)
{
	const struct lab_pod *p = &lab->pods[pod];

	lab_print(lab, p->space, TOOL_IP, "addr add %s/%d dev eth0%s", pod_text(lab, pod, is_six),
		  is_six ? 64 : 24, is_six ? " nodad" : "");
	lab_print(lab, p->space, TOOL_IP, "%sroute add default via %s", is_six ? "-6 " : "",
		  gateway_text(lab, p->node, is_six));
}

static void make_pod(struct lab *lab, int pod)
{
	const struct lab_pod *p = &lab->pods[pod];
	const struct lab_node *node = &lab->nodes[p->node];
	int mtu = node->is_flannel ? 1400 : 1500;

	lab_print(lab, node->space, TOOL_IP,
		  "link add v%d mtu %d type veth peer name eth0 mtu %d netns @%d", pod, mtu, mtu,
		  p->space);
	lab_print(lab, p->space, TOOL_IP, "link set eth0 up");
	if (node->is_flannel) {
		lab_print(lab, node->space, TOOL_IP, "link set v%d master cni0", pod);
		lab_print(lab, node->space, TOOL_IP, "link set v%d type bridge_slave hairpin %s",
			  pod, rng_chance(&lab->rng, 80) ? "on" : "off");
	}
	lab_print(lab, node->space, TOOL_IP, "link set v%d up", pod);
	for (int six = 0; six < 2; six++) {
		if (!lab->has[six])
			continue;
		if (node->is_flannel)
			bridge_pod(lab, pod, six);
		else
			ptp_pod(lab, pod, six);
	}
}

/* ---- nodes ---- */

void gen_tunnel(struct lab *lab, int node, bool is_six, int vni, int port, int local,
		struct nd_buf *ip, struct nd_buf *bridge)
{
	const char *dev = tunnel_of(is_six);

	nd_buf_printf(ip,
		      "link add %s address 02:00:00:0%d:0f:0%d mtu 1400 type vxlan id %d dstport "
		      "%d local %s dev eth0 "
		      "nolearning\nlink set %s up\n",
		      dev, is_six ? 6 : 4, node + 1, vni, port, node_text(lab, local, is_six, 0),
		      dev);
	for (int six = 0; six < 2; six++) {
		if (!lab->has[six] || (six != (int)is_six && !(six && lab->is_six_in_four)))
			continue;
		nd_buf_printf(ip,
			      six ? "addr add fd44:%d::/128 dev %s nodad\n"
				  : "addr add 10.244.%d.0/32 dev %s\n",
			      node + 1, dev);
		for (int n = 0; n < lab->nnodes; n++) {
			if (n == node || !lab->nodes[n].is_flannel)
				continue;
			nd_buf_printf(ip,
				      six ? "neigh replace fd44:%d:: lladdr 02:00:00:0%d:0f:0%d "
					    "dev %s nud permanent\n"
					  : "neigh replace 10.244.%d.0 lladdr 02:00:00:0%d:0f:0%d "
					    "dev %s nud permanent\n",
				      n + 1, is_six ? 6 : 4, n + 1, dev);
			nd_buf_printf(ip,
				      six ? "-6 route replace %s via fd44:%d:: dev %s onlink\n"
					  : "route replace %s via 10.244.%d.0 dev %s onlink\n",
				      cidr_text(lab, n, six), n + 1, dev);
		}
	}
	for (int n = 0; n < lab->nnodes; n++)
		if (n != node && lab->nodes[n].is_flannel)
			nd_buf_printf(
				bridge,
				"fdb replace 02:00:00:0%d:0f:0%d dev %s dst %s self permanent\n",
				is_six ? 6 : 4, n + 1, dev, node_text(lab, n, is_six, 0));
}

static void flannel_node(struct lab *lab, int node)
{
	struct space *space = &lab->spaces[lab->nodes[node].space];

	nd_buf_printf(&space->text[TOOL_IP],
		      "link add cni0 address 02:00:00:00:02:0%d mtu 1400 type bridge\n", node + 1);
	for (int six = 0; six < 2; six++)
		if (lab->has[six])
			nd_buf_printf(&space->text[TOOL_IP], "addr add %s/%d dev cni0%s\n",
				      gateway_text(lab, node, six), six ? 64 : 24,
				      six ? " nodad" : "");
	nd_buf_puts(&space->text[TOOL_IP], "link set cni0 up\n");
	for (int six = 0; six < 2; six++)
		if (lab->has[six] && has_own_tunnel(lab, six))
			gen_tunnel(lab, node, six, 1, 8472, node, &space->text[TOOL_IP],
				   &space->text[TOOL_BRIDGE]);
}

/* To the pods of a node without a tunnel: by its address, sometimes over both networks. */
static void node_route(struct lab *lab, int from, int to, bool is_six)
{
	const char *six = is_six ? "-6 " : "", *cidr = cidr_text(lab, to, is_six);
	int space = lab->nodes[from].space;

	if (lab->has_second && rng_chance(&lab->rng, 60))
		lab_print(lab, space, TOOL_IP,
			  "%sroute add %s nexthop via %s dev eth0 nexthop via %s dev eth1", six,
			  cidr, node_text(lab, to, is_six, 0), node_text(lab, to, is_six, 1));
	else
		lab_print(lab, space, TOOL_IP, "%sroute add %s via %s", six, cidr,
			  node_text(lab, to, is_six, lab->has_second && rng_chance(&lab->rng, 30)));
}

static void make_node(struct lab *lab, int node)
{
	int space = lab->nodes[node].space;

	node_sysctls(lab, space);
	for (int net = 0; net <= (int)lab->has_second; net++)
		join_segment(lab, node, net);
	if (lab->nodes[node].is_flannel)
		flannel_node(lab, node);
	for (int n = 0; n < lab->nnodes; n++)
		for (int six = 0; six < 2; six++)
			if (n != node && lab->has[six] &&
			    !(lab->nodes[node].is_flannel && lab->nodes[n].is_flannel))
				node_route(lab, node, n, six);
}

static void choose_shape(struct lab *lab)
{
	uint32_t families = rng_pick(&lab->rng, 3);

	lab->has[0] = families != 1;
	lab->has[1] = families != 0;
	lab->is_six_in_four = families == 2 && rng_chance(&lab->rng, 30);
	lab->has_second = rng_chance(&lab->rng, 30);
	lab->nnodes = 2 + rng_chance(&lab->rng, 40);
	new_space(lab, "u", 0);
	for (int n = 0; n < lab->nnodes; n++)
		lab->nodes[n] = (struct lab_node){.space = new_space(lab, "n", n + 1),
						  .is_flannel = rng_chance(&lab->rng, 60)};
	for (int n = 0; n < lab->nnodes; n++)
		for (int k = 0; k < 2 && lab->npods < MAX_PODS; k++)
			if (k == 0 || rng_chance(&lab->rng, 60)) {
				lab->pods[lab->npods] =
					(struct lab_pod){.space = new_space(lab, "p", lab->npods),
							 .node = n,
							 .host = k + 2};
				lab->npods++;
			}
	lab->nservices = rng_chance(&lab->rng, 70) ? 1 + (int)rng_pick(&lab->rng, MAX_SERVICES) : 0;
	for (int s = 0; s < lab->nservices; s++) {
		struct lab_service *service = &lab->services[s];

		service->is_udp = rng_chance(&lab->rng, 30);
		service->npods = rng_chance(&lab->rng, 70) ? 1 : (int)rng_pick(&lab->rng, 3);
		for (int i = 0; i < service->npods; i++)
			service->pods[i] = (int)rng_pick(&lab->rng, (uint32_t)lab->npods);
	}
}

void lab_generate(struct lab *lab, uint64_t seed)
{
	*lab = (struct lab){.seed = seed, .rng = {seed * 0x2545f4914f6cdd1dull + 1}};
	choose_shape(lab);
	for (int s = 0; s < lab->nspaces; s++)
		plain_sysctls(lab, s);
	for (int net = 0; net <= (int)lab->has_second; net++)
		make_segment(lab, net);
	for (int n = 0; n < lab->nnodes; n++)
		make_node(lab, n);
	for (int p = 0; p < lab->npods; p++)
		make_pod(lab, p);
	gen_rules(lab);
	lab_mutate(lab);
}
