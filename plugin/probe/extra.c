#include "common/base.h"
#include "plugin/probe/allow.h"
#include "plugin/probe/extra.h"

#define METRICS_PORT 9153 /* CoreDNS, plugin prometheus; of some ten kilobytes */
#define MAX_BULK 8	  /* transfers a node */
#define MAX_NAMES 4	  /* of services, asked from a node */
#define API_NAME "kubernetes.default"
#define MAX_SENDERS 8 /* pods of a node that are tried for a flow across namespaces */
#define MAX_DENIED 64 /* targets that policies forbid one of them, and no more are tried */

struct nd_extra {
	const struct nd_pick *pick; /* of the plan */
	const struct nd_pick *all;  /* of all namespaces, also when the plan is of one */
	struct nd_emit *emit;
	const struct nd_probe_options *options;
};

struct nd_extra *nd_extra_new(const struct nd_pick *pick, struct nd_emit *emit,
			      const struct nd_probe_options *options)
{
	struct nd_probe_options everywhere = *options;
	struct nd_extra *extra;
	struct nd_pick *all;

	if (!options->has_extra && !options->has_bulk && !options->outside_name && !options->ngets)
		return NULL;
	extra = nd_arena_alloc(pick->arena, sizeof(*extra));
	*extra = (struct nd_extra){pick, pick, emit, options};
	if (!options->only_ns)
		return extra;
	everywhere.only_ns = NULL;
	all = nd_arena_alloc(pick->arena, sizeof(*all));
	nd_pick_build(pick->arena, pick->cluster, &everywhere, all);
	extra->all = all;
	return extra;
}

static bool send(struct nd_extra *x, const struct nd_pick_pod *from, struct nd_probe probe)
{
	probe.netns_inode = from->podns->inode;
	return nd_pick_pod_ip(from->pod, probe.ip.family == 6).family &&
	       nd_emit_add(x->emit, probe);
}

static bool is_same_pod(const struct nd_pick_pod *a, const struct nd_pick_pod *b)
{
	return a->pod == b->pod || (a->podns && b->podns && a->podns->inode == b->podns->inode &&
				    nd_eq(a->pod->node, b->pod->node));
}

static bool may_reach(const struct nd_extra *x, const struct nd_pick_pod *from, struct nd_ip ip,
		      uint8_t proto, uint16_t port)
{
	struct nd_allow_from who = {from->pod, NULL};

	return nd_allow_ip(x->pick, &who, ip, proto, port);
}

/* ---- echo requests ---- */

/* To one pod of a node; the first source that is not that pod itself. */
static bool ping(struct nd_extra *x, size_t node, const struct nd_pick_pod *to, int family)
{
	const struct nd_pick_node *n = &x->pick->nodes[node];

	for (size_t i = 0; i < n->nsources && i < MAX_SENDERS; i++)
		if (!is_same_pod(n->sources[i], to) &&
		    nd_pick_pod_ip(n->sources[i]->pod, family).family &&
		    may_reach(x, n->sources[i], nd_pick_pod_ip(to->pod, family), family ? 58 : 1,
			      0))
			return send(x, n->sources[i],
				    (struct nd_probe){.kind = ND_PROBE_icmp,
						      .ip = nd_pick_pod_ip(to->pod, family)});
	return false;
}

/* The node itself first, then the ring: the k-th node before a target asks its k-th pod. */
static void plan_pings(struct nd_extra *x, size_t node, int family)
{
	size_t max = x->options->max_pairs ? x->options->max_pairs : ND_PROBE_MAX_PAIRS, done = 0;

	for (size_t i = 0; i < x->pick->nodes[node].ntargets[family]; i++)
		if (ping(x, node, x->pick->nodes[node].targets[family][i], family))
			break;
	for (size_t k = 1; k < x->pick->nnodes && done < max; k++) {
		const struct nd_pick_node *to = &x->pick->nodes[(node + k) % x->pick->nnodes];
		size_t n = to->nopen_targets[family] ? to->nopen_targets[family]
						     : to->ntargets[family];

		if (n == 0)
			continue;
		ping(x, node, to->targets[family][(k - 1) % n], family);
		done++;
	}
}

/* ---- across namespaces ---- */

static bool is_foreign(const struct nd_pick_pod *from, const struct nd_meta *to)
{
	return from->pod->meta.ns && to->ns && strcmp(from->pod->meta.ns, to->ns) != 0;
}

/* A pod of another namespace, on another node if there is one. */
static bool cross_to_pod(struct nd_extra *x, size_t node, const struct nd_pick_pod *from,
			 int family)
{
	size_t ndenied = 0;

	for (size_t k = 1; k <= x->all->nnodes; k++) {
		const struct nd_pick_node *to = &x->all->nodes[(node + k) % x->all->nnodes];

		for (size_t i = 0; i < to->ntargets[family]; i++) {
			const struct nd_pick_pod *pod = to->targets[family][i];

			if (!is_foreign(from, &pod->pod->meta) || !pod->ports[family])
				continue;
			if (!may_reach(x, from, nd_pick_pod_ip(pod->pod, family), 6,
				       pod->ports[family])) {
				if (++ndenied == MAX_DENIED)
					return false;
				continue;
			}
			send(x, from,
			     (struct nd_probe){.kind = ND_PROBE_tcp,
					       .ip = nd_pick_pod_ip(pod->pod, family),
					       .port = pod->ports[family]});
			return true; /* also when the plan had it already */
		}
	}
	return false;
}

/* A service of another namespace, another one from each node. */
static void cross_to_service(struct nd_extra *x, size_t node, const struct nd_pick_pod *from,
			     int family)
{
	size_t n = x->all->nservices[family], ndenied = 0;
	struct nd_allow_from who = {from->pod, NULL};

	for (size_t i = 0; i < n; i++) {
		const struct nd_pick_service *s = &x->all->services[family][(node + i) % n];

		if (!is_foreign(from, &s->service->meta) || s->is_deaf ||
		    nd_eq(s->service->internal_policy, "Local"))
			continue;
		if (!nd_allow_service(x->pick, &who, s->service, s->port, family)) {
			if (++ndenied == MAX_DENIED)
				return;
			continue;
		}
		send(x, from,
		     (struct nd_probe){.kind = ND_PROBE_tcp,
				       .ip = nd_pick_service_ip(s->service, family),
				       .port = s->port->port});
		return;
	}
}

static void plan_cross(struct nd_extra *x, size_t node, int family)
{
	const struct nd_pick_node *n = &x->pick->nodes[node];

	for (size_t i = 0; i < n->nsources && i < MAX_SENDERS; i++) {
		if (!nd_pick_pod_ip(n->sources[i]->pod, family).family ||
		    !cross_to_pod(x, node, n->sources[i], family))
			continue;
		cross_to_service(x, node, n->sources[i], family);
		return;
	}
}

/* ---- what the user asked for ---- */

/* One that no policy isolates: where the address leads to is not known. */
static const struct nd_pick_pod *sender(const struct nd_extra *x, size_t node, int family)
{
	const struct nd_pick_node *n = &x->pick->nodes[node];

	for (size_t i = 0; i < n->nopen_sources; i++)
		if (nd_pick_pod_ip(n->sources[i]->pod, family).family)
			return n->sources[i];
	return NULL;
}

static void plan_gets(struct nd_extra *x, size_t node)
{
	for (size_t i = 0; i < x->options->ngets; i++) {
		const struct nd_probe_get *get = &x->options->gets[i];
		const struct nd_pick_pod *from = sender(x, node, get->ip.family == 6);

		if (from)
			send(x, from,
			     (struct nd_probe){.kind = ND_PROBE_http,
					       .ip = get->ip,
					       .port = get->port,
					       .name = get->path});
	}
}

static void plan_outside(struct nd_extra *x, size_t node)
{
	for (int f = 0; f < ND_FAMILIES; f++) {
		const struct nd_pick_pod *from = sender(x, node, f);

		if (from && x->pick->is_dns_open)
			send(x, from,
			     (struct nd_probe){.kind = ND_PROBE_dns_udp,
					       .ip = nd_pick_service_ip(x->pick->dns, f),
					       .port = 53,
					       .name = x->options->outside_name});
	}
}

/* What every cluster has that says more than a packet holds. */
static void plan_bulk(struct nd_extra *x, size_t node, int family)
{
	const struct nd_pick_pod *from = sender(x, node, family);
	size_t nsent = 0;

	for (size_t i = 0; from && i < x->all->nnodes; i++)
		for (size_t j = 0; j < x->all->nodes[i].ntargets[family]; j++) {
			const struct nd_pick_pod *to = x->all->nodes[i].targets[family][j];
			struct nd_ip ip = nd_pick_pod_ip(to->pod, family);

			if (!to->is_dns || !to->podns || is_same_pod(from, to) ||
			    !nd_pick_listens(to->podns->sockets, to->podns->nsockets, false, ip,
					     METRICS_PORT) ||
			    !may_reach(x, from, ip, 6, METRICS_PORT))
				continue;
			if (nsent++ == MAX_BULK)
				return;
			send(x, from,
			     (struct nd_probe){.kind = ND_PROBE_bulk,
					       .ip = ip,
					       .port = METRICS_PORT,
					       .name = "/metrics"});
		}
}

/* Names of a namespace that was asked for: other ones from each node, when there are many. */
static void plan_names(struct nd_extra *x, size_t node, int family, const char *suffix)
{
	const struct nd_pick_pod *from = sender(x, node, family);
	size_t n = x->pick->nservices[family];

	for (size_t i = 0; i < n && i < MAX_NAMES && from && x->pick->is_dns_open; i++) {
		const struct nd_meta *meta =
			&x->pick->services[family][n > MAX_NAMES ? (node + i) % n : i]
				 .service->meta;
		const char *name =
			nd_arena_printf(x->pick->arena, "%s.%s%s", meta->name, meta->ns, suffix);

		if (nd_probe_name_is_ok(name))
			send(x, from,
			     (struct nd_probe){.kind = ND_PROBE_dns_udp,
					       .ip = nd_pick_service_ip(x->pick->dns, family),
					       .port = 53,
					       .name = name,
					       .is_aaaa = family == 1});
	}
}

void nd_extra_plan(struct nd_extra *x, size_t node, const char *dns_name)
{
	if (!x)
		return;
	plan_gets(x, node);
	if (x->options->outside_name)
		plan_outside(x, node);
	for (int f = 0; f < ND_FAMILIES && x->options->has_bulk; f++)
		plan_bulk(x, node, f);
	for (int f = 0; f < ND_FAMILIES && x->options->has_extra; f++) {
		if (x->options->only_ns && nd_starts(dns_name, API_NAME))
			plan_names(x, node, f, dns_name + strlen(API_NAME));
		plan_pings(x, node, f);
		plan_cross(x, node, f);
	}
}
