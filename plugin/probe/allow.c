#include "common/base.h"
#include "plugin/probe/allow.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

/* Does the destination see who asks a service? Not when kube-proxy masquerades all of it. */
static bool keeps_source(const struct nd_cluster *c)
{
	const struct nd_configmap *map = nd_look_configmap(c, "kube-system", "kube-proxy");
	const char *config = map ? nd_labels_get(&map->data, "config.conf") : NULL;
	enum nd_proxy_mode mode = nd_look_proxy_mode(c);

	return (mode == ND_PROXY_IPTABLES || mode == ND_PROXY_NFTABLES) && config &&
	       !strstr(config, "masqueradeAll: true");
}

void nd_allow_prepare(struct nd_pick *pick)
{
	const struct nd_cluster *c = pick->cluster;
	enum nd_cni_kind cni = nd_look_cni(c);

	pick->is_exact = (cni == ND_CNI_KINDNET || cni == ND_CNI_FLANNEL || cni == ND_CNI_CALICO) &&
			 nd_look_has_list(c, "networkpolicies") && nd_look_has_list(c, "pods") &&
			 nd_look_has_list(c, "namespaces");
	pick->keeps_source = pick->is_exact && keeps_source(c);
}

static bool is_open_out(const struct nd_pick *pick, const struct nd_allow_from *from)
{
	return !from->pod || !pick->no_egress[from->pod - pick->cluster->pods];
}

static bool is_open_in(const struct nd_pick *pick, const struct nd_pod *to)
{
	return !to || !pick->no_ingress[to - pick->cluster->pods];
}

/*
 * As a policy engine in the way of packets sees it: what the API excepts between a pod and its own
 * node is not planned on, engines differ in it.
 */
static bool passes(const struct nd_pick *pick, struct nd_ip src, struct nd_ip dst, uint8_t proto,
		   uint16_t port)
{
	struct nd_netpol_flow flow = {
		.src = src, .dst = dst, .proto = proto, .dport = port, .is_queued = true};
	struct nd_netpol_answer answer;

	nd_netpol_check(NULL, pick->cluster, &flow, &answer);
	return answer.is_allowed;
}

/*
 * Its own node reaches every pod: kubelet must. For the others' pods, all addresses that a node
 * may send from must be allowed.
 */
static bool node_passes(const struct nd_pick *pick, const struct nd_node *from,
			const struct nd_pod *to, struct nd_ip ip, uint8_t proto, uint16_t port)
{
	const struct nd_host *host = nd_look_host(pick->cluster, from->meta.name);

	if (nd_eq(to->node, from->meta.name))
		return true;
	if (!nd_host_has(host, ND_SECTION_addrs))
		return false;
	for (size_t i = 0; i < host->naddrs; i++) {
		const struct nd_address *a = &host->addrs[i];

		if (a->prefix.ip.family == ip.family && !nd_eq(a->scope, "host") &&
		    !nd_eq(a->scope, "link") && !passes(pick, a->prefix.ip, ip, proto, port))
			return false;
	}
	return true;
}

bool nd_allow_ip(const struct nd_pick *pick, const struct nd_allow_from *from, struct nd_ip ip,
		 uint8_t proto, uint16_t port)
{
	const struct nd_pod *to = nd_look_pod_by_ip(pick->cluster, ip);

	if (is_open_out(pick, from) && is_open_in(pick, to))
		return true;
	if (!pick->is_exact)
		return false;
	if (!from->pod)
		return node_passes(pick, from->node, to, ip, proto, port);
	return passes(pick, nd_pick_pod_ip(from->pod, ip.family == 6), ip, proto, port);
}

bool nd_allow_pod(const struct nd_pick *pick, const struct nd_allow_from *from,
		  const struct nd_pick_pod *to, int family, size_t *left)
{
	uint16_t port = to->ports[family];
	bool is_allowed;

	if (is_open_out(pick, from) && !to->is_isolated_in)
		return true;
	if (!*left)
		return false;
	is_allowed = nd_allow_ip(pick, from, nd_pick_pod_ip(to->pod, family),
				 port	  ? TCP
				 : family ? ICMP6
					  : ICMP,
				 port);
	*left -= !is_allowed;
	return is_allowed;
}

const struct nd_pick_pod *nd_allow_target(const struct nd_pick *pick,
					  const struct nd_allow_from *from,
					  const struct nd_pick_node *on, size_t turn, int family,
					  size_t *left)
{
	size_t n = on->ntargets[family], nopen = on->nopen_targets[family];

	for (size_t i = 0; i < n && i < ND_ALLOW_MAX_TRIES; i++) {
		size_t at = i < nopen ? (turn + i) % nopen : i;

		if (nd_allow_pod(pick, from, on->targets[family][at], family, left))
			return on->targets[family][at];
	}
	return NULL;
}

/* Are all ready endpoints of the port allowed? *n: how many there are. */
static bool allows_endpoints(const struct nd_pick *pick, const struct nd_allow_from *from,
			     const struct nd_service *service, const struct nd_service_port *port,
			     int family, size_t *n)
{
	uint8_t proto = nd_service_port_is(port, "UDP") ? UDP : TCP;
	size_t nslices;
	const struct nd_slice *slices = nd_look_slices(pick->cluster, service, &nslices);

	*n = 0;
	for (size_t i = 0; i < nslices; i++) {
		const struct nd_slice_port *to = nd_slice_port_of(&slices[i], port);

		for (size_t j = 0; j < slices[i].nendpoints && to; j++) {
			const struct nd_endpoint *ep = &slices[i].endpoints[j];

			if (!ep->is_ready || ep->ip.family != (family ? 6 : 4))
				continue;
			(*n)++;
			if (from->pod && !pick->keeps_source &&
			    !is_open_in(pick, nd_look_pod_by_ip(pick->cluster, ep->ip)))
				return false;
			if (!nd_allow_ip(pick, from, ep->ip, proto, to->port))
				return false;
		}
	}
	return true;
}

bool nd_allow_service(const struct nd_pick *pick, const struct nd_allow_from *from,
		      const struct nd_service *service, const struct nd_service_port *port,
		      int family)
{
	size_t n;

	return allows_endpoints(pick, from, service, port, family, &n) &&
	       (n > 0 || is_open_out(pick, from));
}

bool nd_allow_dns(const struct nd_pick *pick, const struct nd_allow_from *from,
		  const struct nd_service_port *port, int family)
{
	size_t n;

	if (!pick->dns)
		return false;
	if (pick->is_dns_open && is_open_out(pick, from))
		return true;
	return pick->is_exact && allows_endpoints(pick, from, pick->dns, port, family, &n) && n > 0;
}
