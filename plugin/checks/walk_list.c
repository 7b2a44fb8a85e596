/* walk_list.c: which packets are walked. */
#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/shut.h"
#include "plugin/checks/walks.h"
#include "plugin/probe/plan.h"

#define MAX_OWN 8     /* pods that a node asks on itself, ready or not, as its kubelet does */
#define MAX_TRIES 256 /* pods of a node looked at for these */
#define MAX_PORTS 4   /* of one such pod */
#define MAX_API_NODES 3
#define KUBELET_PORT 10250
#define MAX_PROBES_A_PAIR 8 /* about: both ways, from pods and nodes, IPv4 and IPv6 */

enum { FRAG_NEEDED = 3, FRAG_NEEDED_CODE = 4, TOO_BIG6 = 2 };

struct own {
	const struct nd_host *host;
	const struct nd_node *node;
	struct {
		const struct nd_pod *pod;
		const struct nd_podns *podns;
	} pods[MAX_OWN]; /* npods; the first is a source, so DNS servers come last */
	size_t npods, ntries;
};
struct build {
	struct nd_arena *arena;
	const struct nd_cluster *cluster;
	struct own *owns; /* as cluster->hosts */
	struct nd_walk_list *list;
};

bool nd_walk_ask_is_too_big(const struct nd_walk_ask *ask)
{
	return (ask->proto == ND_PROTO_ICMP && ask->icmp_type == FRAG_NEEDED) ||
	       (ask->proto == ND_PROTO_ICMP6 && ask->icmp_type == TOO_BIG6);
}

static void push(struct build *b, struct nd_walk_ask ask)
{
	if (ask.host && ask.dst.family)
		ND_ARENA_PUSH(b->arena, b->list->items, b->list->n) = ask;
}

/* inode 0: from the node itself. port 0: an echo request. */
static void ask(struct build *b, const struct own *from, uint64_t inode, uint8_t proto,
		struct nd_ip ip, uint16_t port)
{
	if (!port)
		proto = ip.family == 6 ? ND_PROTO_ICMP6 : ND_PROTO_ICMP;
	push(b, (struct nd_walk_ask){.host = from->host,
				     .netns_inode = inode,
				     .dst = ip,
				     .proto = proto,
				     .dport = port});
}

/* What a router says to a sender whose packets do not fit. */
static void say_too_big(struct build *b, const struct own *from, struct nd_ip ip)
{
	bool is_v6 = ip.family == 6;

	push(b, (struct nd_walk_ask){.host = from->host,
				     .dst = ip,
				     .proto = is_v6 ? ND_PROTO_ICMP6 : ND_PROTO_ICMP,
				     .icmp_type = is_v6 ? TOO_BIG6 : FRAG_NEEDED,
				     .icmp_code = is_v6 ? 0 : FRAG_NEEDED_CODE,
				     .ct_state = ND_CT_RELATED});
}

/* ---- pods, ready or not: what makes them not ready may be what we look for ---- */

static bool is_any(struct nd_ip ip)
{
	static const uint8_t zero[16];

	return memcmp(ip.bytes, zero, sizeof(zero)) == 0;
}

static size_t tcp_ports(const struct nd_podns *podns, struct nd_ip ip, uint16_t ports[MAX_PORTS])
{
	size_t n = 0;

	for (size_t i = 0; i < podns->nsockets && n < MAX_PORTS; i++) {
		const struct nd_socket *s = &podns->sockets[i];
		bool is_known = s->is_udp || !s->port || (!is_any(s->ip) && !nd_ip_eq(s->ip, ip));

		for (size_t k = 0; k < n; k++)
			is_known = is_known || ports[k] == s->port;
		if (!is_known)
			ports[n++] = s->port;
	}
	return n;
}

static void ask_pod(struct build *b, const struct own *from, uint64_t inode, const struct own *to,
		    size_t which, size_t max_ports)
{
	const struct nd_ip ips[] = {to->pods[which].pod->ip, to->pods[which].pod->ip6};

	for (size_t i = 0; i < ND_ARRAY_LEN(ips); i++) {
		uint16_t ports[MAX_PORTS];
		size_t n = tcp_ports(to->pods[which].podns, ips[i], ports);

		for (size_t k = 0; k < n && k < max_ports; k++)
			ask(b, from, inode, ND_PROTO_TCP, ips[i], ports[k]);
		if (n == 0)
			ask(b, from, inode, 0, ips[i], 0);
		if (inode == 0 && which == 0)
			say_too_big(b, from, ips[i]);
	}
}

static void find_pods(struct build *b)
{
	const struct nd_cluster *c = b->cluster;

	for (int is_system = 0; is_system < 2; is_system++)
		for (size_t i = 0; i < c->npods; i++) {
			const struct nd_pod *pod = &c->pods[i];
			const struct nd_host *host = pod->node ? nd_look_host(c, pod->node) : NULL;
			struct own *own = host ? &b->owns[host - c->hosts] : NULL;
			const struct nd_podns *podns;

			if (!own || nd_eq(pod->meta.ns, "kube-system") != is_system ||
			    pod->is_host_network || pod->meta.is_deleting ||
			    nd_fact_pod_ended(pod) || own->npods == MAX_OWN ||
			    own->ntries++ > MAX_TRIES)
				continue;
			podns = nd_look_podns(host, pod->meta.uid);
			if (!podns || podns->error || podns->is_host_network || !podns->inode)
				continue;
			own->pods[own->npods].pod = pod;
			own->pods[own->npods++].podns = podns;
		}
}

/* ---- for each node ---- */

static void ask_service(struct build *b, const struct own *from, uint64_t inode, const char *ns,
			const char *name)
{
	const struct nd_service *s = nd_look_service(b->cluster, ns, name);

	for (size_t i = 0; s && i < s->nports; i++) {
		bool is_udp = nd_eq(s->ports[i].protocol, "UDP");

		if (!is_udp && s->ports[i].protocol && !nd_eq(s->ports[i].protocol, "TCP"))
			continue;
		if (!s->ports[i].port)
			continue;
		ask(b, from, inode, is_udp ? ND_PROTO_UDP : ND_PROTO_TCP, s->cluster_ip,
		    s->ports[i].port);
		ask(b, from, inode, is_udp ? ND_PROTO_UDP : ND_PROTO_TCP, s->cluster_ip6,
		    s->ports[i].port);
	}
}

static void ask_kubelet(struct build *b, const struct own *from, uint64_t inode,
			const struct own *of)
{
	if (!of->node)
		return;
	ask(b, from, inode, ND_PROTO_TCP, of->node->internal_ip, KUBELET_PORT);
	ask(b, from, inode, ND_PROTO_TCP, of->node->internal_ip6, KUBELET_PORT);
}

/* The API server asks kubelets for logs; metrics-server, a pod, asks all of them. */
static void ask_kubelets(struct build *b, size_t at, uint64_t source)
{
	const struct own *own = &b->owns[at];
	size_t napi = 0, n = b->cluster->nhosts;

	for (size_t i = 0; i < n && napi < MAX_API_NODES; i++)
		if (i != at && b->owns[i].node && b->owns[i].node->is_control_plane && ++napi)
			ask_kubelet(b, &b->owns[i], 0, own);
	if (!source)
		return;
	ask_kubelet(b, own, source, own);
	ask_kubelet(b, own, source, &b->owns[(at + 1) % n]);
}

static void ask_from(struct build *b, size_t at, size_t max_pairs)
{
	const struct own *own = &b->owns[at];
	uint64_t source = own->npods ? own->pods[0].podns->inode : 0;
	size_t n = b->cluster->nhosts;

	for (size_t i = 0; i < own->npods; i++)
		ask_pod(b, own, 0, own, i, MAX_PORTS);
	for (size_t k = 1; k < n && k <= max_pairs; k++) {
		const struct own *to = &b->owns[(at + k) % n];

		if (to->npods == 0)
			continue;
		ask_pod(b, own, 0, to, 0, 1);
		if (source)
			ask_pod(b, own, source, to, 0, 1);
	}
	if (source) {
		ask_service(b, own, source, "default", "kubernetes");
		ask_service(b, own, source, "kube-system", "kube-dns");
	}
	ask_kubelets(b, at, source);
}

/* ---- the probe plan ---- */

static void add_plan(struct build *b, size_t max_pairs)
{
	static const uint8_t protos[ND_PROBE_KINDS] = {
		[ND_PROBE_tcp] = ND_PROTO_TCP,	   [ND_PROBE_udp] = ND_PROTO_UDP,
		[ND_PROBE_dns_udp] = ND_PROTO_UDP, [ND_PROBE_dns_tcp] = ND_PROTO_TCP,
		[ND_PROBE_icmp] = ND_PROTO_ICMP,   [ND_PROBE_http] = ND_PROTO_TCP,
		[ND_PROBE_bulk] = ND_PROTO_TCP};
	struct nd_probe_options options = {.max_pairs = max_pairs};
	struct nd_probe_plan plan = {0};

	nd_probe_plan_build(b->arena, b->cluster, &options, &plan);
	for (size_t i = 0; i < plan.nprobes; i++) {
		const struct nd_probe *p = &plan.probes[i];
		struct own from = {.host = nd_look_host(b->cluster, p->node)};

		if (protos[p->kind])
			ask(b, &from, p->netns_inode, protos[p->kind], p->ip,
			    p->kind == ND_PROBE_icmp ? 0 : p->port);
	}
}

static int order(const void *a, const void *b)
{
	const struct nd_walk_ask *x = a, *y = b;

	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	if (x->netns_inode != y->netns_inode)
		return x->netns_inode < y->netns_inode ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto - y->proto;
	if (x->dport != y->dport)
		return x->dport - y->dport;
	if (x->icmp_type != y->icmp_type)
		return x->icmp_type - y->icmp_type;
	if (x->dst.family != y->dst.family)
		return x->dst.family - y->dst.family;
	return memcmp(x->dst.bytes, y->dst.bytes, sizeof(x->dst.bytes));
}

/* Each once, by node, and evenly fewer when there are too many. */
static void settle(struct nd_walk_list *list)
{
	size_t n = 0;

	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), order);
	for (size_t i = 0; i < list->n; i++)
		if (n == 0 || order(&list->items[n - 1], &list->items[i]) != 0)
			list->items[n++] = list->items[i];
	list->n = n < ND_WALKS_MAX ? n : ND_WALKS_MAX;
	for (size_t i = 0; i < list->n; i++)
		list->items[i] = list->items[(uint64_t)i * n / list->n];
}

void nd_walk_list_build(struct nd_arena *arena, const struct nd_cluster *cluster,
			struct nd_walk_list *out)
{
	struct build b = {.arena = arena, .cluster = cluster, .list = out};
	size_t pairs;

	if (cluster->nhosts == 0)
		return;
	pairs = ND_WALKS_MAX / MAX_PROBES_A_PAIR / cluster->nhosts;
	pairs = pairs < 1 ? 1 : pairs > ND_PROBE_MAX_PAIRS ? ND_PROBE_MAX_PAIRS : pairs;
	b.owns = nd_arena_array(arena, cluster->nhosts, sizeof(*b.owns));
	for (size_t i = 0; i < cluster->nhosts; i++) {
		b.owns[i].host = &cluster->hosts[i];
		b.owns[i].node = nd_look_node(cluster, cluster->hosts[i].node);
	}
	find_pods(&b);
	for (size_t i = 0; i < cluster->nhosts; i++)
		ask_from(&b, i, pairs);
	add_plan(&b, pairs);
	nd_shut_walks(arena, cluster, out);
	settle(out);
}
