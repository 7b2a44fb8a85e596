#include "common/base.h"
#include "plugin/probe/pick.h"

struct nd_ip nd_pick_service_ip(const struct nd_service *service, int family)
{
	return family ? service->cluster_ip6 : service->cluster_ip;
}

bool nd_service_port_is(const struct nd_service_port *port, const char *protocol)
{
	return nd_eq(port->protocol ? port->protocol : "TCP", protocol);
}

const struct nd_slice_port *nd_slice_port_of(const struct nd_slice *slice,
					     const struct nd_service_port *port)
{
	for (size_t i = 0; i < slice->nports; i++) {
		const struct nd_slice_port *p = &slice->ports[i];

		/* No name and an empty one are the same: discovery/v1, EndpointPort.name. */
		if (strcmp(p->name ? p->name : "", port->name ? port->name : "") == 0 && p->port &&
		    nd_service_port_is(port, p->protocol ? p->protocol : "TCP"))
			return p;
	}
	return NULL;
}

static const struct nd_node *node_by_ip(const struct nd_cluster *cluster, struct nd_ip ip)
{
	for (size_t i = 0; i < cluster->nnodes; i++)
		if (nd_ip_eq(cluster->nodes[i].internal_ip, ip) ||
		    nd_ip_eq(cluster->nodes[i].internal_ip6, ip))
			return &cluster->nodes[i];
	return NULL;
}

static bool node_answers(const struct nd_pick *pick, const struct nd_node *node, bool is_udp,
			 struct nd_ip ip, uint16_t port)
{
	const struct nd_host *host = node ? nd_look_host(pick->cluster, node->meta.name) : NULL;

	if (!node || !node->is_ready)
		return false;
	return !nd_host_has(host, ND_SECTION_sockets) ||
	       nd_pick_listens(host->sockets, host->nsockets, is_udp, ip, port);
}

static bool pod_answers(const struct nd_pick *pick, const struct nd_pod *pod, bool is_udp,
			struct nd_ip ip, uint16_t port)
{
	const struct nd_cluster *c = pick->cluster;
	const struct nd_node *node = pod->node ? nd_look_node(c, pod->node) : NULL;
	const struct nd_podns *podns;

	if (!node || !node->is_ready || !nd_eq(pod->phase, "Running") || !pod->is_ready ||
	    pod->meta.is_deleting || (!nd_ip_eq(pod->ip, ip) && !nd_ip_eq(pod->ip6, ip)))
		return false;
	if (pod->is_host_network)
		return node_answers(pick, node, is_udp, ip, port);
	podns = nd_look_podns(nd_look_host(c, pod->node), pod->meta.uid);
	return !podns || podns->error ||
	       nd_pick_listens(podns->sockets, podns->nsockets, is_udp, ip, port);
}

bool nd_pick_endpoint_answers(const struct nd_pick *pick, const struct nd_endpoint *ep, bool is_udp,
			      uint16_t port)
{
	const struct nd_pod *pod = ep->pod_name
					   ? nd_look_pod(pick->cluster, ep->pod_ns, ep->pod_name)
					   : nd_look_pod_by_ip(pick->cluster, ep->ip);

	if (pod)
		return pod_answers(pick, pod, is_udp, ep->ip, port);
	return !ep->pod_name &&
	       node_answers(pick, node_by_ip(pick->cluster, ep->ip), is_udp, ep->ip, port);
}

/* The pod's namespace shows TCP listeners, but none for that port: it will refuse. */
static bool is_deaf(const struct nd_pick *pick, const struct nd_endpoint *ep, uint16_t port)
{
	const struct nd_cluster *c = pick->cluster;
	const struct nd_pod *pod = ep->pod_name ? nd_look_pod(c, ep->pod_ns, ep->pod_name) : NULL;
	const struct nd_podns *podns =
		pod ? nd_look_podns(nd_look_host(c, pod->node), pod->meta.uid) : NULL;
	bool is_other = false;

	if (!podns || podns->error || pod->is_host_network || pick->no_ingress[pod - c->pods])
		return false;
	for (size_t i = 0; i < podns->nsockets; i++) {
		if (podns->sockets[i].is_udp)
			continue;
		if (podns->sockets[i].port == port)
			return false;
		is_other = true;
	}
	return is_other;
}

static bool is_guarded(const struct nd_pick *pick, const struct nd_endpoint *ep)
{
	const struct nd_pod *pod = nd_look_pod_by_ip(pick->cluster, ep->ip);

	return pod && pick->no_ingress[pod - pick->cluster->pods];
}

/*
 * Every ready endpoint must answer: which one kube-proxy takes is chance. Or none of them can.
 */
static bool all_answer(const struct nd_pick *pick, struct nd_pick_service *s, int family)
{
	size_t n, ndeaf = 0, nanswer = 0;
	const struct nd_slice *slices = nd_look_slices(pick->cluster, s->service, &n);

	for (size_t i = 0; i < n; i++) {
		const struct nd_slice_port *port = nd_slice_port_of(&slices[i], s->port);

		if (slices[i].family != (family ? 6 : 4) || !port)
			continue;
		for (size_t j = 0; j < slices[i].nendpoints; j++) {
			const struct nd_endpoint *ep = &slices[i].endpoints[j];

			if (!ep->is_ready)
				continue;
			nanswer += nd_pick_endpoint_answers(pick, ep, false, port->port);
			s->is_guarded |= is_guarded(pick, ep);
			ndeaf += is_deaf(pick, ep, port->port);
			if (s->nready++ == 0)
				s->ep = ep;
		}
	}
	s->is_deaf = ndeaf > 0 && ndeaf == s->nready;
	return s->nready > 0 && (nanswer == s->nready || s->is_deaf) &&
	       (!s->is_guarded || pick->is_exact);
}

static bool is_wanted(const struct nd_pick *pick, const struct nd_service *service)
{
	return !service->proxy_name && !service->meta.is_deleting && !service->is_headless &&
	       service != pick->api && !nd_eq(service->type, "ExternalName") &&
	       (!pick->only_ns || nd_eq(pick->only_ns, service->meta.ns));
}

static void add_service(struct nd_pick *pick, struct nd_pick_service s, int family)
{
	/* The DNS port is asked in its own language. */
	if (!nd_pick_service_ip(s.service, family).family || !s.port->port ||
	    !nd_service_port_is(s.port, "TCP") || (s.service == pick->dns && s.port->port == 53) ||
	    !all_answer(pick, &s, family))
		return;
	ND_ARENA_PUSH(pick->arena, pick->services[family], pick->nservices[family]) = s;
}

/* The node of the one endpoint, when that is a pod which may send; its first such service. */
static void set_hairpin(struct nd_pick *pick, const struct nd_pick_service *s, int family)
{
	const struct nd_pod *pod =
		s->nready == 1 ? nd_look_pod_by_ip(pick->cluster, s->ep->ip) : NULL;
	const struct nd_node *node = pod ? nd_look_node(pick->cluster, pod->node) : NULL;
	struct nd_pick_node *on = node ? &pick->nodes[node - pick->cluster->nodes] : NULL;

	/* What engines see of a pod's way to itself differs: only where no policy is in it. */
	for (size_t i = 0;
	     on && !s->is_deaf && !s->is_guarded && i < on->nopen_sources && !on->hairpin[family];
	     i++)
		if (on->sources[i]->pod == pod) {
			on->hairpin[family] = on->sources[i];
			on->own[family] = s;
		}
}

static void add_servers(struct nd_pick *pick, const struct nd_service_port *port)
{
	size_t n;
	const struct nd_slice *slices = nd_look_slices(pick->cluster, pick->dns, &n);

	for (size_t i = 0; i < n; i++) {
		const struct nd_slice_port *to = nd_slice_port_of(&slices[i], port);
		int f = slices[i].family == 6;

		for (size_t j = 0; j < slices[i].nendpoints && to && slices[i].family; j++) {
			const struct nd_endpoint *ep = &slices[i].endpoints[j];
			struct nd_pick_server server = {ep->ip, to->port};

			if (ep->is_ready && nd_pick_endpoint_answers(pick, ep, true, to->port))
				ND_ARENA_PUSH(pick->arena, pick->servers[f], pick->nservers[f]) =
					server;
		}
	}
}

void nd_pick_services(struct nd_pick *pick)
{
	const struct nd_cluster *c = pick->cluster;

	for (size_t i = 0; i < c->nservices; i++) {
		const struct nd_service *service = &c->services[i];

		for (size_t j = 0; j < service->nports && is_wanted(pick, service); j++)
			for (int f = 0; f < ND_FAMILIES; f++)
				add_service(pick,
					    (struct nd_pick_service){.service = service,
								     .port = &service->ports[j]},
					    f);
	}
	for (int f = 0; f < ND_FAMILIES; f++)
		for (size_t i = 0; i < pick->nservices[f]; i++)
			set_hairpin(pick, &pick->services[f][i], f);
	for (size_t i = 0; pick->dns && i < pick->dns->nports; i++)
		if (pick->dns->ports[i].port == 53 &&
		    nd_service_port_is(&pick->dns->ports[i], "UDP"))
			add_servers(pick, &pick->dns->ports[i]);
}
