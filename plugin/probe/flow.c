#include "common/base.h"
#include "plugin/probe/flow.h"
#include "plugin/probe/pick.h"

static const char *protocol_of(enum nd_probe_kind kind)
{
	return kind == ND_PROBE_udp || kind == ND_PROBE_dns_udp ? "UDP" : "TCP";
}

static bool is_dns_kind(enum nd_probe_kind kind)
{
	return kind == ND_PROBE_dns_udp || kind == ND_PROBE_dns_tcp;
}

static bool has_uid(const struct nd_podns *podns, const struct nd_pod *pod)
{
	for (size_t i = 0; i < podns->nuids; i++)
		if (nd_eq(podns->uids[i], pod->meta.uid))
			return true;
	return false;
}

/* By an address of the namespace, as there are many pods; by uid where that fails. */
static const struct nd_pod *source_pod(const struct nd_cluster *cluster, const struct nd_host *host,
				       uint64_t inode)
{
	for (size_t i = 0; i < host->npodns; i++) {
		const struct nd_podns *podns = &host->podns[i];

		for (size_t j = 0; podns->inode == inode && j < podns->naddrs; j++) {
			const struct nd_pod *pod =
				nd_look_pod_by_ip(cluster, podns->addrs[j].prefix.ip);

			if (pod && has_uid(podns, pod))
				return pod;
		}
	}
	return nd_look_pod_by_netns(cluster, host, inode);
}

/* An index without tables stands for the cluster alone: what few results ask is looked up there. */
static const struct nd_service *service_by_ip(const struct nd_flow_index *index, struct nd_ip ip)
{
	const struct nd_cluster *cluster = index->cluster;

	if (index->services) {
		int64_t at = nd_flow_address_find(index->services, index->nservices, ip);

		return at < 0 ? NULL : &cluster->services[at];
	}
	for (size_t i = 0; i < cluster->nservices; i++)
		if (nd_ip_eq(cluster->services[i].cluster_ip, ip) ||
		    nd_ip_eq(cluster->services[i].cluster_ip6, ip))
			return &cluster->services[i];
	return NULL;
}

static const struct nd_service_port *port_of(const struct nd_service *service,
					     const struct nd_probe_result *result)
{
	for (size_t i = 0; i < service->nports; i++)
		if (service->ports[i].port == result->port && result->port &&
		    nd_service_port_is(&service->ports[i], protocol_of(result->kind)))
			return &service->ports[i];
	return NULL;
}

static const char *node_by_ip(const struct nd_flow_index *index, struct nd_ip ip)
{
	const struct nd_cluster *cluster = index->cluster;

	if (index->nodes) {
		int64_t at = nd_flow_address_find(index->nodes, index->nnodes, ip);

		return at < 0 ? NULL : cluster->nodes[at].meta.name;
	}
	for (size_t i = 0; i < cluster->nnodes; i++)
		if (nd_ip_eq(cluster->nodes[i].internal_ip, ip) ||
		    nd_ip_eq(cluster->nodes[i].internal_ip6, ip))
			return cluster->nodes[i].meta.name;
	return NULL;
}

/* Is ip among the endpoints of the service? *nready: its ready endpoints of that family. */
static bool is_behind(const struct nd_cluster *cluster, const struct nd_service *service,
		      const struct nd_service_port *port, struct nd_ip ip, size_t *nready)
{
	size_t n;
	const struct nd_slice *slices = nd_look_slices(cluster, service, &n);
	bool is_found = false;

	*nready = 0;
	for (size_t i = 0; i < n; i++) {
		if (slices[i].family != ip.family || (port && !nd_slice_port_of(&slices[i], port)))
			continue;
		for (size_t j = 0; j < slices[i].nendpoints; j++) {
			const struct nd_endpoint *ep = &slices[i].endpoints[j];

			*nready += ep->is_ready;
			is_found |= nd_ip_eq(ep->ip, ip);
		}
	}
	return is_found;
}

static bool is_hairpin(const struct nd_cluster *cluster, const struct nd_flow *flow, int family)
{
	size_t nready;
	struct nd_ip own;

	if (!flow->source_pod || flow->source_pod->is_host_network)
		return false;
	own = family == 6 ? flow->source_pod->ip6 : flow->source_pod->ip;
	return own.family && is_behind(cluster, flow->service, flow->service_port, own, &nready) &&
	       nready == 1;
}

static void to_service(const struct nd_cluster *cluster, const struct nd_probe_result *result,
		       struct nd_flow *out)
{
	const struct nd_meta *meta = &out->service->meta;

	out->service_port = port_of(out->service, result);
	out->kind = ND_FLOW_CLUSTERIP;
	if (nd_eq(meta->ns, "default") && nd_eq(meta->name, "kubernetes"))
		out->kind = ND_FLOW_API_VIP;
	else if (nd_eq(meta->ns, "kube-system") && nd_eq(meta->name, "kube-dns") &&
		 (is_dns_kind(result->kind) || result->port == 53))
		out->kind = ND_FLOW_DNS_VIP;
	else if (is_hairpin(cluster, out, result->ip.family))
		out->kind = ND_FLOW_HAIRPIN;
}

static bool to_api_endpoint(const struct nd_cluster *cluster, const struct nd_probe_result *result,
			    struct nd_flow *out)
{
	const struct nd_service *api = nd_look_service(cluster, "default", "kubernetes");

	for (size_t p = 0; api && p < api->nports; p++) {
		size_t n;
		const struct nd_slice *slices = nd_look_slices(cluster, api, &n);

		for (size_t i = 0; i < n; i++) {
			const struct nd_slice_port *port =
				nd_slice_port_of(&slices[i], &api->ports[p]);

			if (!port || port->port != result->port)
				continue;
			for (size_t j = 0; j < slices[i].nendpoints; j++)
				if (nd_ip_eq(slices[i].endpoints[j].ip, result->ip)) {
					out->kind = ND_FLOW_API_ENDPOINT;
					out->service = api;
					out->service_port = &api->ports[p];
					return true;
				}
		}
	}
	return false;
}

static void to_pod(const struct nd_cluster *cluster, const struct nd_probe_result *result,
		   struct nd_flow *out)
{
	bool is_here = nd_eq(out->target_pod->node, out->source_node);
	const struct nd_service *dns = nd_look_service(cluster, "kube-system", "kube-dns");
	size_t nready;

	out->target_node = out->target_pod->node;
	if (out->source_pod == out->target_pod) {
		out->kind = ND_FLOW_SELF;
		return;
	}
	if (result->netns_inode)
		out->kind = is_here ? ND_FLOW_POD_SAME_NODE : ND_FLOW_POD_CROSS_NODE;
	else
		out->kind = is_here ? ND_FLOW_NODE_POD_LOCAL : ND_FLOW_NODE_POD_REMOTE;
	if (dns && is_dns_kind(result->kind) &&
	    is_behind(cluster, dns, NULL, result->ip, &nready)) {
		out->kind = ND_FLOW_DNS_POD;
		out->service = dns;
	}
}

static bool is_node_port(const struct nd_service *service, size_t port,
			 const struct nd_probe_result *result, struct nd_flow *out)
{
	const struct nd_service_port *p = &service->ports[port];

	if (p->node_port != result->port || !nd_service_port_is(p, protocol_of(result->kind)))
		return false;
	out->kind = ND_FLOW_NODEPORT;
	out->service = service;
	out->service_port = p;
	return true;
}

/* An address of a node: a NodePort, or something else that listens there. */
static void to_node(const struct nd_flow_index *index, const struct nd_probe_result *result,
		    struct nd_flow *out)
{
	const struct nd_cluster *cluster = index->cluster;

	if (!result->port)
		return;
	for (size_t i = nd_flow_port_find(index, result->port);
	     i < index->nports && index->ports[i].node_port == result->port; i++)
		if (is_node_port(&cluster->services[index->ports[i].service], index->ports[i].port,
				 result, out))
			return;
	for (size_t i = 0; !index->services && i < cluster->nservices; i++)
		for (size_t j = 0; j < cluster->services[i].nports; j++)
			if (is_node_port(&cluster->services[i], j, result, out))
				return;
}

/* Loopback, unspecified and link-local addresses never leave the machine or its wire. */
static bool is_own(struct nd_ip ip)
{
	static const char *const own[] = {"127.0.0.0/8", "0.0.0.0/32", "169.254.0.0/16", "::/127",
					  "fe80::/10"};
	struct nd_prefix prefix;

	for (size_t i = 0; i < ND_ARRAY_LEN(own); i++)
		if (nd_prefix_parse(own[i], &prefix) && nd_prefix_has(prefix, ip))
			return true;
	return !ip.family;
}

/* Some load balancers have the nodes' addresses: there it must be a port of the service. */
static bool to_outside(const struct nd_flow_index *index, const struct nd_probe_result *result,
		       struct nd_flow *out)
{
	const struct nd_service *s = nd_flow_outside_find(index, result->ip, result->port);
	const struct nd_service_port *port = s ? port_of(s, result) : NULL;

	if (!s || (out->target_node && !port))
		return false;
	out->kind = ND_FLOW_SERVICE_OUTSIDE;
	out->service = s;
	out->service_port = port;
	return true;
}

void nd_flow_find(const struct nd_flow_index *index, const struct nd_host *host,
		  const struct nd_probe_result *result, struct nd_flow *out)
{
	const struct nd_cluster *cluster = index->cluster;

	*out = (struct nd_flow){.kind = ND_FLOW_OTHER, .source_node = host->node};
	if (result->netns_inode)
		out->source_pod = source_pod(cluster, host, result->netns_inode);
	out->target_pod = nd_look_pod_by_ip(cluster, result->ip);
	if (out->target_pod) {
		to_pod(cluster, result, out);
		return;
	}
	out->target_node = node_by_ip(index, result->ip);
	if (to_api_endpoint(cluster, result, out))
		return;
	if (out->target_node) {
		to_node(index, result, out);
		if (out->kind == ND_FLOW_OTHER)
			to_outside(index, result, out);
		return;
	}
	out->service = service_by_ip(index, result->ip);
	if (out->service)
		to_service(cluster, result, out);
	else if (!to_outside(index, result, out) && !is_own(result->ip) &&
		 !nd_look_is_pod_ip(cluster, result->ip))
		out->kind = ND_FLOW_EXTERNAL;
}

int nd_probe_result_order(const struct nd_probe_result *a, const struct nd_probe_result *b)
{
	int order;

	if (a->netns_inode != b->netns_inode)
		return a->netns_inode < b->netns_inode ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	order = memcmp(a->ip.bytes, b->ip.bytes, sizeof(a->ip.bytes));
	if (order)
		return order;
	if (a->ip.family != b->ip.family)
		return a->ip.family - b->ip.family;
	if (a->port != b->port)
		return a->port - b->port;
	if (a->is_aaaa != b->is_aaaa)
		return a->is_aaaa - b->is_aaaa;
	return strcmp(a->name ? a->name : "", b->name ? b->name : "");
}

void nd_flow_of(const struct nd_cluster *cluster, const struct nd_host *host,
		const struct nd_probe_result *result, struct nd_flow *out)
{
	struct nd_flow_index none = {.cluster = cluster};

	nd_flow_find(&none, host, result, out);
}
