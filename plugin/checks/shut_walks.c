/* shut_walks.c: packets that meet kube-proxy's rules against some senders, to be walked. */
#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/shut.h"
#include "plugin/probe/flow.h"
#include "plugin/probe/pick.h"

#define MAX_NODES 64  /* of a service */
#define MAX_ASKS 4000 /* of all */
/* Nodes, endpoints and pods looked at for all of them: below a second. The rest is not walked. */
#define MAX_WORK 5000000

struct build {
	struct nd_arena *arena;
	const struct nd_cluster *cluster;
	struct nd_walk_list *list;
	size_t nasks, nwork;
	/* As cluster->hosts: */
	const struct nd_pod **any; /* a pod that may ask, of any namespace; or NULL */
	const struct nd_pod **own; /* of the namespace of the service that is looked at */
	bool *has_endpoint;	   /* of the port that is looked at */
};

static bool is_enough(const struct build *b)
{
	return b->nasks >= MAX_ASKS || b->nwork >= MAX_WORK;
}

static void ask(struct build *b, const struct nd_host *host, const struct nd_pod *pod,
		const struct nd_service_port *port, struct nd_ip ip, uint16_t number)
{
	const struct nd_podns *podns = pod ? nd_look_podns(host, pod->meta.uid) : NULL;
	uint8_t proto = nd_service_port_is(port, "UDP") ? ND_PROTO_UDP : ND_PROTO_TCP;

	if (!ip.family || !number || nd_service_port_is(port, "SCTP") || b->nasks >= MAX_ASKS ||
	    (pod && (!podns || podns->error || podns->is_host_network || !podns->inode)))
		return;
	b->nasks++;
	ND_ARENA_PUSH(b->arena, b->list->items, b->list->n) =
		(struct nd_walk_ask){.host = host,
				     .netns_inode = podns ? podns->inode : 0,
				     .dst = ip,
				     .proto = proto,
				     .dport = number};
}

static bool is_ready(const struct build *b, const struct nd_host *host)
{
	const struct nd_node *node = nd_look_node(b->cluster, host->node);

	return node && node->is_ready;
}

/* A pod of each node; ns NULL: of any, kube-system's only where there is no other. */
static void find_sources(struct build *b, const char *ns, const struct nd_pod **out)
{
	const struct nd_cluster *c = b->cluster;

	memset(out, 0, c->nhosts * sizeof(const struct nd_pod *));
	for (size_t i = ns ? nd_fact_first_pod_of(c, ns) : 0; i < c->npods; i++) {
		const struct nd_pod *pod = &c->pods[i];
		const struct nd_host *host = pod->node ? nd_look_host(c, pod->node) : NULL;
		const struct nd_pod **one = host ? &out[host - c->hosts] : NULL;

		if (ns && !nd_eq(pod->meta.ns, ns))
			return;
		b->nwork++;
		if (one && !pod->is_host_network && !pod->meta.is_deleting &&
		    nd_eq(pod->phase, "Running") &&
		    (!*one || nd_eq((*one)->meta.ns, "kube-system")))
			*one = pod;
	}
}

/* False: no node has one. */
static bool find_endpoints(struct build *b, const struct nd_service *s,
			   const struct nd_service_port *port, uint8_t family)
{
	const struct nd_cluster *c = b->cluster;
	bool is_some = false;
	size_t n;
	const struct nd_slice *slices = nd_look_slices(c, s, &n);

	memset(b->has_endpoint, 0, c->nhosts * sizeof(bool));
	b->nwork += c->nhosts;
	for (size_t i = 0; i < n; i++) {
		if (slices[i].family != family || !nd_slice_port_of(&slices[i], port))
			continue;
		b->nwork += slices[i].nendpoints;
		for (size_t k = 0; k < slices[i].nendpoints; k++) {
			const struct nd_endpoint *e = &slices[i].endpoints[k];
			const struct nd_host *host = e->node ? nd_look_host(c, e->node) : NULL;

			if (!nd_shut_is_usable(e))
				continue;
			is_some = true;
			if (host)
				b->has_endpoint[host - c->hosts] = true;
		}
	}
	return is_some;
}

/* ---- internalTrafficPolicy Local: pods of nodes without an endpoint ---- */

static void ask_inside(struct build *b, const struct nd_service *s,
		       const struct nd_service_port *port, struct nd_ip vip)
{
	const struct nd_cluster *c = b->cluster;
	size_t n = 0;

	if (!vip.family || is_enough(b) || !find_endpoints(b, s, port, vip.family))
		return;
	for (size_t i = 0; i < c->nhosts && n < MAX_NODES; i++) {
		const struct nd_pod *pod = b->own[i] ? b->own[i] : b->any[i];

		if (b->has_endpoint[i] || !pod || !is_ready(b, &c->hosts[i]))
			continue;
		ask(b, &c->hosts[i], pod, port, vip, port->port);
		n++;
	}
}

/* ---- externalTrafficPolicy Local: a worker without an endpoint, asked from another node ---- */

/* Where a load balancer stands before it, that one knows the nodes that answer. */
static bool is_asked_by_node(const struct nd_service *s)
{
	return nd_eq(s->type, "NodePort") || (nd_eq(s->type, "LoadBalancer") && !s->nlb_ips);
}

static void ask_outside(struct build *b, const struct nd_service *s,
			const struct nd_service_port *port, bool is_v6)
{
	const struct nd_cluster *c = b->cluster;
	size_t n = 0;

	if (!port->node_port || !is_asked_by_node(s) || is_enough(b) ||
	    !find_endpoints(b, s, port, is_v6 ? 6 : 4))
		return;
	for (size_t i = 0; i < c->nhosts && n < MAX_NODES; i++) {
		const struct nd_node *node =
			b->has_endpoint[i] ? NULL : nd_look_node(c, c->hosts[i].node);
		size_t from = (i + 1) % c->nhosts;

		if (!node || !node->is_ready || node->is_control_plane || node->is_unschedulable ||
		    from == i)
			continue;
		ask(b, &c->hosts[from], NULL, port, is_v6 ? node->internal_ip6 : node->internal_ip,
		    port->node_port);
		n++;
	}
}

/* ---- source ranges: a pod and the node itself ---- */

static void ask_balancer(struct build *b, const struct nd_service *s,
			 const struct nd_service_port *port)
{
	for (size_t i = 0; i < b->cluster->nhosts && i < MAX_NODES; i++)
		for (size_t k = 0; k < s->nlb_ips && !is_enough(b); k++) {
			b->nwork++;
			if (b->any[i])
				ask(b, &b->cluster->hosts[i], b->any[i], port, s->lb_ips[k],
				    port->port);
			ask(b, &b->cluster->hosts[i], NULL, port, s->lb_ips[k], port->port);
		}
}

/* ---- what was sent in vain ---- */

static bool is_choosy(const struct nd_service *s)
{
	return nd_eq(s->internal_policy, "Local") || nd_eq(s->external_policy, "Local") ||
	       s->nsource_ranges;
}

static void ask_again(struct build *b, const struct nd_flow_index *index,
		      const struct nd_host *host)
{
	for (size_t i = 0; i < host->nprobes; i++) {
		const struct nd_probe_result *r = &host->probes[i];
		struct nd_flow flow;

		/* A datagram that the own OUTPUT drops is refused: sendmsg() says EPERM. */
		if (r->outcome != ND_OUTCOME_timeout && r->outcome != ND_OUTCOME_eacces)
			continue;
		nd_flow_find(index, host, r, &flow);
		if (flow.service && flow.service_port && is_choosy(flow.service))
			ask(b, host, flow.source_pod, flow.service_port, r->ip, r->port);
	}
}

static void look_at(struct build *b, const struct nd_service *s)
{
	bool is_inside = nd_eq(s->internal_policy, "Local") && !s->is_headless;

	if (is_inside)
		find_sources(b, s->meta.ns ? s->meta.ns : "", b->own);
	for (size_t i = 0; i < s->nports && !is_enough(b); i++) {
		if (is_inside) {
			ask_inside(b, s, &s->ports[i], s->cluster_ip);
			ask_inside(b, s, &s->ports[i], s->cluster_ip6);
		}
		for (int is_v6 = 0; is_v6 < 2 && nd_eq(s->external_policy, "Local"); is_v6++)
			ask_outside(b, s, &s->ports[i], is_v6);
		if (s->nsource_ranges)
			ask_balancer(b, s, &s->ports[i]);
	}
}

void nd_shut_walks(struct nd_arena *arena, const struct nd_cluster *cluster,
		   struct nd_walk_list *out)
{
	struct build b = {.arena = arena, .cluster = cluster, .list = out};
	struct nd_flow_index index;
	bool is_any = false;

	for (size_t i = 0; i < cluster->nservices; i++)
		is_any |= is_choosy(&cluster->services[i]);
	if (!is_any)
		return;
	nd_flow_index_build(arena, cluster, &index);
	for (size_t i = 0; i < cluster->nhosts; i++)
		ask_again(&b, &index, &cluster->hosts[i]);
	b.any = nd_arena_array(arena, cluster->nhosts, sizeof(const struct nd_pod *));
	b.own = nd_arena_array(arena, cluster->nhosts, sizeof(const struct nd_pod *));
	b.has_endpoint = nd_arena_array(arena, cluster->nhosts, sizeof(bool));
	find_sources(&b, NULL, b.any);
	for (size_t i = 0; i < cluster->nservices && !is_enough(&b); i++)
		if (is_choosy(&cluster->services[i]) && !cluster->services[i].proxy_name)
			look_at(&b, &cluster->services[i]);
}
