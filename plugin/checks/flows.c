#include "common/base.h"
#include "plugin/checks/flows.h"
#include "plugin/checks/facts.h"

enum role { POD_HERE, POD_THERE, SELF, PEER, SERVICE };

/* Who talks to whom at which hook. ICMP is what the node says about packets that are too big. */
static const struct pair {
	enum nd_hook hook;
	enum role src, dst;
	const char *what;
} pairs[] = {
	{ND_FORWARD, POD_HERE, POD_THERE, "from its pods to pods on other nodes"},
	{ND_FORWARD, POD_THERE, POD_HERE, "from pods on other nodes to its pods"},
	{ND_FORWARD, POD_HERE, PEER, "from its pods to other nodes"},
	{ND_FORWARD, PEER, POD_HERE, "from other nodes to its pods"},
	{ND_INPUT, PEER, SELF, "from other nodes to this one"},
	{ND_INPUT, POD_HERE, SELF, "from its pods to the node itself"},
	{ND_OUTPUT, SELF, POD_HERE, "from the node to its pods"},
	{ND_OUTPUT, SELF, PEER, "from the node to other nodes"},
	{ND_OUTPUT, SELF, POD_THERE, "from the node to pods on other nodes"},
	{ND_OUTPUT, SELF, SERVICE, "from the node to services"},
	{ND_PREROUTING, POD_HERE, POD_THERE, "from its pods to pods on other nodes"},
	{ND_PREROUTING, POD_HERE, SERVICE, "from its pods to services"},
	{ND_PREROUTING, POD_HERE, PEER, "from its pods to other nodes"},
	{ND_PREROUTING, POD_HERE, SELF, "from its pods to the node itself"},
	{ND_PREROUTING, POD_THERE, POD_HERE, "from pods on other nodes to its pods"},
	{ND_PREROUTING, PEER, SELF, "from other nodes to this one"},
	{ND_POSTROUTING, POD_HERE, POD_THERE, "from its pods to pods on other nodes"},
	{ND_POSTROUTING, POD_THERE, POD_HERE, "from pods on other nodes to its pods"},
	{ND_POSTROUTING, SELF, POD_HERE, "from the node to its pods"},
	{ND_POSTROUTING, SELF, PEER, "from the node to other nodes"},
};

struct picking {
	const struct nd_cluster *cluster;
	const struct nd_host *host;
	const struct nd_node *self;
	const struct nd_flow_wish *wish;
};

static bool fits(struct nd_prefix want, bool is_not, struct nd_ip ip)
{
	return ip.family == 4 && (!want.ip.family || nd_prefix_has(want, ip) != is_not);
}

/* A pod the wish fits; where no pod is known, an address that one would get. */
static struct nd_ip pick_pod(const struct picking *p, bool here, struct nd_prefix want, bool is_not)
{
	bool is_any = false;
	for (size_t i = 0; i < p->cluster->npods; i++) {
		const struct nd_pod *pod = &p->cluster->pods[i];
		if (pod->is_host_network || !pod->node || nd_fact_pod_ended(pod) ||
		    nd_eq(pod->node, p->host->node) != here)
			continue;
		is_any = true;
		if (fits(want, is_not, pod->ip))
			return pod->ip;
	}
	for (size_t i = 0; i < p->cluster->nnodes && !is_any; i++) {
		const struct nd_node *node = &p->cluster->nodes[i];
		const struct nd_prefix *cidr = nd_fact_pod_cidr(node, 4);
		if (cidr && nd_eq(node->meta.name, p->host->node) == here &&
		    fits(want, is_not, nd_prefix_at(*cidr, 2)))
			return nd_prefix_at(*cidr, 2);
	}
	return (struct nd_ip){0};
}

static struct nd_ip pick_node(const struct picking *p, bool self, struct nd_prefix want,
			      bool is_not)
{
	for (size_t i = 0; i < p->cluster->nnodes; i++) {
		const struct nd_node *node = &p->cluster->nodes[i];
		if ((node == p->self) == self && fits(want, is_not, node->internal_ip))
			return node->internal_ip;
	}
	return (struct nd_ip){0};
}

bool nd_flow_in_ports(const char *list, uint16_t port)
{
	while (list && *list) {
		char *end;
		unsigned long min = strtoul(list, &end, 10), max = min;
		if (end == list)
			return false;
		if (*end == ':')
			max = strtoul(end + 1, &end, 10);
		if (port >= min && port <= max)
			return true;
		if (*end != ',')
			return false;
		list = end + 1;
	}
	return false;
}

static bool port_fits(const struct nd_flow_wish *wish, const char *proto, uint16_t port)
{
	if (!port || (wish->proto && !nd_eq(wish->proto, proto)))
		return false;
	if (wish->dports)
		return nd_flow_in_ports(wish->dports, port);
	return !wish->dport_max || (port >= wish->dport_min && port <= wish->dport_max);
}

static const char *lower(const char *protocol)
{
	return nd_eq(protocol, "TCP") ? "tcp" : nd_eq(protocol, "UDP") ? "udp" : NULL;
}

/* A port in use behind pod addresses: what slices send to; containers need not declare theirs. */
static bool pod_port(const struct picking *p, bool is_host_network, const char *node,
		     struct nd_packet *flow)
{
	for (size_t i = 0; i < p->cluster->npods; i++) {
		const struct nd_pod *pod = &p->cluster->pods[i];
		if (pod->is_host_network != is_host_network || (node && !nd_eq(pod->node, node)))
			continue;
		for (size_t c = 0; c < pod->ncontainers; c++)
			for (size_t k = 0; k < pod->containers[c].nports; k++) {
				const struct nd_container_port *port = &pod->containers[c].ports[k];
				if (lower(port->protocol) &&
				    port_fits(p->wish, lower(port->protocol), port->port)) {
					flow->proto = lower(port->protocol);
					flow->dport = port->port;
					return true;
				}
			}
	}
	for (size_t i = 0; i < p->cluster->nslices && !is_host_network; i++) {
		const struct nd_slice *slice = &p->cluster->slices[i];
		/* Not default/kubernetes and its like, whose endpoints are nodes. */
		if (!slice->nendpoints || !nd_look_is_pod_ip(p->cluster, slice->endpoints[0].ip))
			continue;
		for (size_t k = 0; k < slice->nports; k++) {
			const struct nd_slice_port *port = &slice->ports[k];
			if (lower(port->protocol) &&
			    port_fits(p->wish, lower(port->protocol), port->port)) {
				flow->proto = lower(port->protocol);
				flow->dport = port->port;
				return true;
			}
		}
	}
	return false;
}

/* Ports that a node serves to others: kubelet, API server, tunnel, then what its hostNetwork pods
 * declare. */
static bool node_port(const struct picking *p, struct nd_ip ip, struct nd_packet *flow)
{
	const struct nd_node *node = NULL;
	struct nd_vtep vtep;
	for (size_t i = 0; i < p->cluster->nnodes && !node; i++)
		if (nd_ip_eq(p->cluster->nodes[i].internal_ip, ip))
			node = &p->cluster->nodes[i];
	bool is_tunnel = node && nd_fact_vtep(node, &vtep);
	const struct {
		bool is_used;
		const char *proto;
		uint16_t port;
	} ports[] = {{true, "tcp", 10250},
		     {node && node->is_control_plane, "tcp", 6443},
		     {is_tunnel, "udp", 8472}};
	for (size_t i = 0; i < ND_ARRAY_LEN(ports); i++)
		if (ports[i].is_used && port_fits(p->wish, ports[i].proto, ports[i].port)) {
			flow->proto = ports[i].proto;
			flow->dport = ports[i].port;
			return true;
		}
	return node && pod_port(p, true, node->meta.name, flow);
}

static bool service_port(const struct picking *p, struct nd_packet *flow)
{
	for (size_t i = 0; i < p->cluster->nservices; i++) {
		const struct nd_service *s = &p->cluster->services[i];
		if (!fits(p->wish->dst, p->wish->dst_not, s->cluster_ip))
			continue;
		for (size_t k = 0; k < s->nports; k++)
			if (lower(s->ports[k].protocol) &&
			    port_fits(p->wish, lower(s->ports[k].protocol), s->ports[k].port)) {
				flow->dst = s->cluster_ip;
				flow->proto = lower(s->ports[k].protocol);
				flow->dport = s->ports[k].port;
				return true;
			}
	}
	return false;
}

static struct nd_ip pick(const struct picking *p, enum role role, bool is_src)
{
	struct nd_prefix want = is_src ? p->wish->src : p->wish->dst;
	bool is_not = is_src ? p->wish->src_not : p->wish->dst_not;
	if (role == POD_HERE || role == POD_THERE)
		return pick_pod(p, role == POD_HERE, want, is_not);
	if (role != SERVICE)
		return pick_node(p, role == SELF, want, is_not);
	return (struct nd_ip){0};
}

static const char *device_to(const struct picking *p, struct nd_ip ip)
{
	const struct nd_route *r =
		nd_host_has(p->host, ND_SECTION_routes) ? nd_look_route(p->host, ip) : NULL;
	return r && r->dev ? r->dev : "?";
}

/* "Packet too big" goes from a router back to the sender; what else ICMP carries does not matter
 * here. */
static bool set_port(const struct picking *p, const struct pair *pair, struct nd_packet *flow)
{
	if (nd_eq(p->wish->proto, "icmp")) {
		flow->proto = "icmp";
		return (pair->hook == ND_OUTPUT || pair->hook == ND_FORWARD) &&
		       pair->dst != SERVICE;
	}
	if (pair->dst == SERVICE)
		return service_port(p, flow);
	if (pair->dst == SELF || pair->dst == PEER)
		return node_port(p, flow->dst, flow);
	if (pod_port(p, false, NULL, flow))
		return true;
	/* Any port will do when the rule does not ask for one. */
	flow->proto = p->wish->proto ? p->wish->proto : "tcp";
	flow->dport = nd_eq(flow->proto, "udp") ? 53 : 8080;
	return !p->wish->dport_max && !p->wish->dports &&
	       (nd_eq(flow->proto, "tcp") || nd_eq(flow->proto, "udp"));
}

void nd_flows_pick(const struct nd_cluster *cluster, const struct nd_host *host, enum nd_hook hook,
		   bool is_before_nat, const struct nd_flow_wish *wish, struct nd_flows *out)
{
	struct picking p = {cluster, host, nd_look_node(cluster, host->node), wish};
	out->n = 0;
	for (size_t i = 0; i < ND_ARRAY_LEN(pairs) && out->n < ND_FLOWS_MAX && p.self; i++) {
		const struct pair *pair = &pairs[i];
		struct nd_packet flow = {.what = pair->what, .is_new = !wish->wants_established};
		if (pair->hook != hook || (pair->dst == SERVICE && !is_before_nat))
			continue;
		flow.src = pick(&p, pair->src, true);
		flow.dst = pick(&p, pair->dst, false);
		if (!flow.src.family || (pair->dst != SERVICE && !flow.dst.family) ||
		    !set_port(&p, pair, &flow))
			continue;
		if (hook != ND_OUTPUT && hook != ND_POSTROUTING)
			flow.in = device_to(&p, flow.src);
		if (hook == ND_FORWARD || hook == ND_OUTPUT || hook == ND_POSTROUTING)
			flow.out = device_to(&p, flow.dst);
		out->items[out->n++] = flow;
	}
}
