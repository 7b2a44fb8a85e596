#include "common/base.h"
#include "plugin/probe/allow.h"
#include "plugin/probe/emit.h"
#include "plugin/probe/extra.h"
#include "plugin/probe/pick.h"
#include "plugin/probe/plan.h"

#define MAX_LOCAL_PODS 8 /* node to pods of its own */
#define MAX_DNS_PODS 4
#define MAX_PATHS 8 /* path MTUs measured from a node: each is a dozen packets */
#define MAX_API_ENDPOINTS 8
#define MAX_NODEPORTS 8
#define MAX_DOMAIN 200
#define NSERVICE_TYPES 3
#define MAX_DENIED 4096

struct build {
	struct nd_pick pick;
	struct nd_emit emit;
	struct nd_probe_options options;
	size_t *senders; /* nsenders: indices of nodes that have a source pod, not isolated */
	size_t nsenders;
	bool is_sampled[ND_FAMILIES]; /* not every service from every node */
	size_t *owners[ND_FAMILIES]; /* of each picked service: the node that asks it in a sample */
	size_t *types[ND_FAMILIES]
		     [NSERVICE_TYPES]; /* picked services of a type that any node may ask */
	size_t ntypes[ND_FAMILIES][NSERVICE_TYPES];
	const char *dns_name; /* of the node's kubelet */
	size_t left;	      /* of the node: pairs that policies may still forbid */
};

/* What a node sends from: its own namespace (pod NULL), or one of its pods. */
struct from {
	size_t node; /* index */
	const struct nd_pick_pod *pod;
};

static bool send(struct build *b, const struct from *from, enum nd_probe_kind kind, struct nd_ip ip,
		 uint16_t port)
{
	struct nd_probe probe = {.netns_inode = from->pod ? from->pod->podns->inode : 0,
				 .kind = kind,
				 .ip = ip,
				 .port = port};

	if (kind == ND_PROBE_dns_udp || kind == ND_PROBE_dns_tcp)
		probe.name = b->dns_name;
	return nd_emit_add(&b->emit, probe);
}

static struct nd_allow_from sender(const struct build *b, const struct from *from)
{
	return (struct nd_allow_from){from->pod ? from->pod->pod : NULL,
				      b->pick.nodes[from->node].node};
}

static bool send_to_pod(struct build *b, const struct from *from, const struct nd_pick_pod *to,
			int family)
{
	uint16_t port = to->ports[family];

	if (from->pod && (from->pod->pod == to->pod ||
			  (to->podns && to->podns->inode == from->pod->podns->inode &&
			   nd_eq(to->pod->node, from->pod->pod->node))))
		return false;
	if (from->pod && !nd_pick_pod_ip(from->pod->pod, family).family)
		return false;
	struct nd_allow_from who = sender(b, from);

	if (!nd_allow_pod(&b->pick, &who, to, family, &b->left))
		return false;
	return send(b, from, port ? ND_PROBE_tcp : ND_PROBE_icmp, nd_pick_pod_ip(to->pod, family),
		    port);
}

static bool has_family(struct build *b, const struct from *from, int family)
{
	if (from->pod)
		return nd_pick_pod_ip(from->pod->pod, family).family;
	return nd_pick_node_ip(b->pick.nodes[from->node].node, family).family;
}

/* ---- pods and nodes ---- */

/* The first source that has another pod to talk to. */
static void plan_same_node(struct build *b, size_t node, int family)
{
	const struct nd_pick_node *n = &b->pick.nodes[node];

	for (size_t i = 0; i < n->nsources; i++) {
		struct from from = {node, n->sources[i]};

		for (size_t j = 0; j < n->ntargets[family]; j++)
			if (send_to_pod(b, &from, n->targets[family][j], family))
				return;
	}
}

static void plan_local_pods(struct build *b, size_t node, int family)
{
	const struct nd_pick_node *n = &b->pick.nodes[node];
	struct from from = {node, NULL};

	for (size_t i = 0; i < n->ntargets[family] && i < MAX_LOCAL_PODS; i++)
		send_to_pod(b, &from, n->targets[family][i], family);
}

/* How large a packet gets there: between pods only, the nodes' own MTU is another. */
static void measure_path(struct build *b, const struct from *from, const struct nd_pick_pod *to,
			 int family)
{
	struct nd_allow_from who = sender(b, from);

	if (from->pod && to->podns &&
	    nd_allow_ip(&b->pick, &who, nd_pick_pod_ip(to->pod, family), family ? 58 : 1, 0))
		send(b, from, ND_PROBE_pmtu, nd_pick_pod_ip(to->pod, family), 0);
}

/* The next nodes of the ring; the k-th node before a target asks its k-th pod. */
static void plan_other_nodes(struct build *b, const struct from *from, int family)
{
	size_t max = b->options.max_pairs ? b->options.max_pairs : ND_PROBE_MAX_PAIRS, done = 0;
	struct nd_allow_from who = sender(b, from);

	for (size_t k = 1; k < b->pick.nnodes && done < max; k++) {
		const struct nd_pick_node *on = &b->pick.nodes[(from->node + k) % b->pick.nnodes];
		const struct nd_pick_pod *to =
			nd_allow_target(&b->pick, &who, on, k - 1, family, &b->left);

		if (!to)
			continue;
		if (send_to_pod(b, from, to, family) && done < MAX_PATHS)
			measure_path(b, from, to, family);
		done++;
	}
}

/* Round by round, so that a cap leaves something of every source and every node. */
static void plan_all_pairs(struct build *b, size_t node, int family)
{
	const struct nd_pick_node *n = &b->pick.nodes[node];
	size_t most = 0;

	for (size_t k = 0; k < b->pick.nnodes; k++)
		if (b->pick.nodes[k].ntargets[family] > most)
			most = b->pick.nodes[k].ntargets[family];
	for (size_t round = 0; round < most; round++)
		for (size_t k = 0; k < b->pick.nnodes; k++) {
			const struct nd_pick_node *to = &b->pick.nodes[(node + k) % b->pick.nnodes];

			for (size_t i = 0; i < n->nsources && round < to->ntargets[family]; i++) {
				struct from from = {node, n->sources[i]};

				send_to_pod(b, &from, to->targets[family][round], family);
				if (nd_emit_is_full(&b->emit) || !b->left)
					return;
			}
		}
}

/* ---- API server and DNS ---- */

static void plan_api(struct build *b, const struct from *from, int family)
{
	const struct nd_service *api = b->pick.api;
	size_t n, sent = 0;
	const struct nd_slice *slices;
	struct nd_allow_from who = sender(b, from);

	if (!api || (b->options.only_ns && !nd_eq(b->options.only_ns, "default")) ||
	    !has_family(b, from, family))
		return;
	slices = nd_look_slices(b->pick.cluster, api, &n);
	for (size_t p = 0; p < api->nports; p++) {
		if (!nd_service_port_is(&api->ports[p], "TCP") || !api->ports[p].port)
			continue;
		if (nd_allow_service(&b->pick, &who, api, &api->ports[p], family))
			send(b, from, ND_PROBE_tcp, nd_pick_service_ip(api, family),
			     api->ports[p].port);
		for (size_t i = 0; i < n; i++) {
			const struct nd_slice_port *port =
				nd_slice_port_of(&slices[i], &api->ports[p]);

			if (slices[i].family != (family ? 6 : 4) || !port)
				continue;
			for (size_t j = 0; j < slices[i].nendpoints; j++)
				if (slices[i].endpoints[j].is_ready && sent < MAX_API_ENDPOINTS &&
				    nd_allow_ip(&b->pick, &who, slices[i].endpoints[j].ip, 6,
						port->port) &&
				    ++sent)
					send(b, from, ND_PROBE_tcp, slices[i].endpoints[j].ip,
					     port->port);
		}
	}
}

/* At most MAX_DNS_PODS of the servers, other ones from each node when there are more. */
static void plan_dns_pods(struct build *b, const struct from *from, int family)
{
	size_t n = b->pick.nservers[family];
	struct nd_allow_from who = sender(b, from);

	for (size_t i = 0; i < n && i < MAX_DNS_PODS; i++) {
		const struct nd_pick_server *server =
			&b->pick.servers[family][n > MAX_DNS_PODS ? (from->node + i) % n : i];

		if (nd_allow_ip(&b->pick, &who, server->ip, 17, server->port))
			send(b, from, ND_PROBE_dns_udp, server->ip, server->port);
	}
}

static void plan_dns(struct build *b, const struct from *from, int family)
{
	const struct nd_service *dns = b->pick.dns;
	struct nd_allow_from who = sender(b, from);

	if (!dns || !has_family(b, from, family))
		return;
	for (size_t i = 0; i < dns->nports; i++) {
		const struct nd_service_port *port = &dns->ports[i];

		if (port->port != 53 || !nd_pick_service_ip(dns, family).family ||
		    !nd_allow_dns(&b->pick, &who, port, family))
			continue;
		if (nd_service_port_is(port, "UDP"))
			send(b, from, ND_PROBE_dns_udp, nd_pick_service_ip(dns, family), 53);
		if (nd_service_port_is(port, "TCP") && from->pod)
			send(b, from, ND_PROBE_dns_tcp, nd_pick_service_ip(dns, family), 53);
	}
	if (from->pod)
		plan_dns_pods(b, from, family);
}

static bool is_domain(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9') ||
		      (p[i] == '-' || (p[i] == '.' && i > 0 && p[i - 1] != '.'))))
			return false;
	return n > 0 && n <= MAX_DOMAIN;
}

/* KubeletConfiguration, clusterDomain: a plain scalar at the start of a line. */
static const char *dns_name(struct build *b, const struct nd_host *host)
{
	struct nd_str rest = nd_str(nd_look_file(host, "/var/lib/kubelet/config.yaml"));
	struct nd_str domain = ND_STR("cluster.local"), line;

	while (rest.p && nd_str_line(&rest, &line)) {
		struct nd_str text, value;

		if (!nd_str_starts(line, "clusterDomain:"))
			continue;
		text = (struct nd_str){line.p + 14, line.n - 14};
		if (!nd_str_word(&text, &value))
			continue;
		if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'') &&
		    value.p[value.n - 1] == value.p[0])
			value = (struct nd_str){value.p + 1, value.n - 2};
		if (value.n && value.p[value.n - 1] == '.')
			value.n--;
		if (is_domain(value.p, value.n))
			domain = value;
	}
	return nd_arena_printf(b->pick.arena, "kubernetes.default.svc.%.*s.", (int)domain.n,
			       domain.p);
}

/* ---- services ---- */

static bool is_local(const struct nd_pick_service *s)
{
	return nd_eq(s->service->internal_policy, "Local");
}

/* The ready endpoints of a service port: those on one node (or all, node NULL). */
static size_t count_on(const struct build *b, const struct nd_pick_service *s, int family,
		       const char *node)
{
	size_t n, count = 0;
	const struct nd_slice *slices = nd_look_slices(b->pick.cluster, s->service, &n);

	for (size_t i = 0; i < n; i++) {
		if (slices[i].family != (family ? 6 : 4) || !nd_slice_port_of(&slices[i], s->port))
			continue;
		for (size_t j = 0; j < slices[i].nendpoints; j++)
			count += slices[i].endpoints[j].is_ready &&
				 (!node || nd_eq(slices[i].endpoints[j].node, node));
	}
	return count;
}

static bool may_ask(const struct build *b, const struct nd_pick_service *s, int family, size_t node)
{
	return !is_local(s) || count_on(b, s, family, b->pick.nodes[node].node->meta.name) > 0;
}

static int type_of(const struct nd_service *service)
{
	if (nd_eq(service->type, "LoadBalancer"))
		return 2;
	return nd_eq(service->type, "NodePort") ? 1 : 0;
}

static void share_services(struct build *b, int f)
{
	const struct nd_pick *pick = &b->pick;
	size_t n = pick->nservices[f];

	b->is_sampled[f] = b->options.extent != ND_PROBE_EXTENT_ALL && b->nsenders > 0 &&
			   n > ND_PROBE_MAX_SERVICES / b->nsenders;
	b->owners[f] = nd_arena_array(pick->arena, n + 1, sizeof(size_t));
	for (size_t i = 0; i < n && b->is_sampled[f]; i++) {
		const struct nd_pick_service *s = &pick->services[f][i];
		int type = type_of(s->service);

		b->owners[f][i] = b->senders[i % b->nsenders];
		if (!is_local(s) && !s->is_guarded) {
			ND_ARENA_PUSH(pick->arena, b->types[f][type], b->ntypes[f][type]) = i;
			continue;
		}
		for (size_t k = 0; k < b->nsenders; k++)
			if (may_ask(b, s, f, b->senders[(i + k) % b->nsenders])) {
				b->owners[f][i] = b->senders[(i + k) % b->nsenders];
				break;
			}
	}
}

static void ask(struct build *b, const struct from *from, size_t index, int family)
{
	const struct nd_pick_service *s = &b->pick.services[family][index];

	struct nd_allow_from who = sender(b, from);

	if (s->is_deaf && b->nsenders && from->node != b->senders[0])
		return;
	if (may_ask(b, s, family, from->node) &&
	    (!(s->is_guarded || (from->pod && from->pod->is_isolated_out)) ||
	     nd_allow_service(&b->pick, &who, s->service, s->port, family)))
		send(b, from, ND_PROBE_tcp, nd_pick_service_ip(s->service, family), s->port->port);
}

/* rank: of the node among those that send. */
static void plan_services(struct build *b, const struct from *from, size_t rank, int family)
{
	if (!has_family(b, from, family))
		return;
	for (int type = 0; type < NSERVICE_TYPES && b->is_sampled[family]; type++)
		if (b->ntypes[family][type])
			ask(b, from, b->types[family][type][rank % b->ntypes[family][type]],
			    family);
	for (size_t i = 0; i < b->pick.nservices[family]; i++)
		if (!b->is_sampled[family] || b->owners[family][i] == from->node)
			ask(b, from, i, family);
}

/*
 * A pod that asks its own service gets itself only when it is the one endpoint. Every pod network
 * must be able to: kubelet's hairpin-mode, CNI bridge plugin "hairpinMode", ptp by its nature.
 */
static void plan_hairpin(struct build *b, size_t node, int family)
{
	const struct nd_pick_node *n = &b->pick.nodes[node];
	struct from from = {node, n->hairpin[family]};

	if (from.pod)
		send(b, &from, ND_PROBE_tcp, nd_pick_service_ip(n->own[family]->service, family),
		     n->own[family]->port->port);
}

/* The next node that must answer; its own comes last. local: one with an endpoint of it, or NULL */
static struct nd_ip node_to_ask(const struct build *b, size_t node, int family,
				const struct nd_pick_service *local)
{
	size_t n = b->pick.nnodes;
	struct nd_ip ip = {0};

	for (size_t k = 1; k <= n && !ip.family; k++) {
		const struct nd_pick_node *to = &b->pick.nodes[(node + k) % n];

		if (to->is_target &&
		    (!local || count_on(b, local, family, to->node->meta.name) > 0))
			ip = nd_pick_node_ip(to->node, family);
	}
	return ip;
}

static void plan_nodeports(struct build *b, size_t node, int family)
{
	struct nd_ip any = node_to_ask(b, node, family, NULL);
	struct from from = {node, NULL};
	size_t done = 0;

	for (size_t i = 0; i < b->pick.nservices[family] && done < MAX_NODEPORTS; i++) {
		const struct nd_pick_service *s = &b->pick.services[family][i];

		/* A NodePort hides who asks behind the node that is asked. */
		if (!s->port->node_port || s->is_deaf || s->is_guarded ||
		    type_of(s->service) == 0)
			continue;
		bool is_by_node = nd_eq(s->service->external_policy, "Local");
		struct nd_ip ip = is_by_node ? node_to_ask(b, node, family, s) : any;

		if (!ip.family)
			continue;
		send(b, &from, ND_PROBE_tcp, ip, s->port->node_port);
		done++;
	}
}

/* ---- one node after the other ---- */

static void plan_only(struct build *b, size_t node)
{
	const struct nd_pick_node *n = &b->pick.nodes[node];
	struct from self = {node, NULL}, pod = {node, n->nsources ? n->sources[0] : NULL};

	for (size_t i = 0; i < b->options.nonly; i++) {
		const struct nd_probe_get *to = &b->options.only[i];

		if (pod.pod && has_family(b, &pod, to->ip.family == 6))
			send(b, &pod, ND_PROBE_tcp, to->ip, to->port);
		if (has_family(b, &self, to->ip.family == 6))
			send(b, &self, ND_PROBE_tcp, to->ip, to->port);
	}
}

static void plan_node(struct build *b, size_t node, size_t rank, int family)
{
	const struct nd_pick_node *n = &b->pick.nodes[node];
	struct from self = {node, NULL}, pod = {node, n->nsources ? n->sources[0] : NULL};

	plan_same_node(b, node, family);
	if (pod.pod)
		plan_other_nodes(b, &pod, family);
	plan_local_pods(b, node, family);
	if (has_family(b, &self, family))
		plan_other_nodes(b, &self, family);
	if (pod.pod)
		plan_api(b, &pod, family);
	plan_api(b, &self, family);
	if (pod.pod)
		plan_dns(b, &pod, family);
	plan_dns(b, &self, family);
	if (pod.pod)
		plan_services(b, &pod, rank, family);
	plan_hairpin(b, node, family);
	if (has_family(b, &self, family))
		plan_nodeports(b, node, family);
}

void nd_probe_plan_build(struct nd_arena *arena, const struct nd_cluster *cluster,
			 const struct nd_probe_options *options, struct nd_probe_plan *out)
{
	struct build *b = nd_arena_alloc(arena, sizeof(*b));

	*out = (struct nd_probe_plan){0};
	if (options)
		out->options = *options;
	b->options = out->options;
	b->emit.arena = arena;
	b->emit.out = out;
	nd_pick_build(arena, cluster, &b->options, &b->pick);
	for (size_t i = 0; i < b->pick.nnodes; i++)
		if (b->pick.nodes[i].host && b->pick.nodes[i].nopen_sources)
			ND_ARENA_PUSH(arena, b->senders, b->nsenders) = i;
	for (int f = 0; f < ND_FAMILIES; f++)
		share_services(b, f);
	struct nd_extra *extra = nd_extra_new(&b->pick, &b->emit, &b->options);
	if (b->options.exactly) {
		nd_emit_node(&b->emit, b->options.exactly->node, ND_PROBE_MAX_A_NODE);
		nd_emit_add(&b->emit, *b->options.exactly);
		return;
	}
	for (size_t i = 0, rank = 0; i < b->pick.nnodes; i++) {
		const struct nd_pick_node *node = &b->pick.nodes[i];

		if (!node->host)
			continue;
		nd_emit_node(&b->emit, node->node->meta.name, ND_PROBE_MAX_A_NODE);
		b->dns_name = dns_name(b, node->host);
		b->left = MAX_DENIED;
		if (b->options.nonly) {
			plan_only(b, i);
			continue;
		}
		for (int f = 0; f < ND_FAMILIES; f++)
			plan_node(b, i, rank, f);
		nd_extra_plan(extra, i, b->dns_name);
		for (int f = 0; f < ND_FAMILIES && b->options.extent == ND_PROBE_EXTENT_ALL; f++)
			plan_all_pairs(b, i, f);
		rank += node->nopen_sources > 0;
	}
}
