#include "common/base.h"
#include "plugin/probe/allow.h"

/* A kubelet runs 110 pods unless told otherwise; what comes behind is no candidate. */
#define MAX_PODS_A_NODE 1024

struct nd_ip nd_pick_pod_ip(const struct nd_pod *pod, int family)
{
	return family ? pod->ip6 : pod->ip;
}

struct nd_ip nd_pick_node_ip(const struct nd_node *node, int family)
{
	return family ? node->internal_ip6 : node->internal_ip;
}

static int by_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static bool is_any(struct nd_ip ip)
{
	static const uint8_t zero[16];

	return memcmp(ip.bytes, zero, sizeof(zero)) == 0;
}

/* ::ffff:a.b.c.d is how a socket of both families names an IPv4 address. */
static bool is_mapped(struct nd_ip six, struct nd_ip four)
{
	static const uint8_t head[12] = {[10] = 0xff, [11] = 0xff};

	return six.family == 6 && four.family == 4 && memcmp(six.bytes, head, 12) == 0 &&
	       memcmp(six.bytes + 12, four.bytes, 4) == 0;
}

/* "::" also takes IPv4, as most programs leave IPV6_V6ONLY off. */
bool nd_pick_listens(const struct nd_socket *sockets, size_t n, bool is_udp, struct nd_ip ip,
		     uint16_t port)
{
	for (size_t i = 0; i < n; i++) {
		const struct nd_socket *s = &sockets[i];
		bool is_wide = is_any(s->ip) && (s->ip.family == 6 || ip.family == 4);

		if (s->is_udp == is_udp && s->port == port &&
		    (is_wide || nd_ip_eq(s->ip, ip) || is_mapped(s->ip, ip)))
			return true;
	}
	return false;
}

/* A declared TCP port that is listened on; 53 only when may_be_dns. */
static uint16_t declared_port(const struct nd_pod *pod, const struct nd_podns *podns,
			      struct nd_ip ip, bool may_be_dns)
{
	for (size_t i = 0; i < pod->ncontainers; i++)
		for (size_t j = 0; j < pod->containers[i].nports; j++) {
			const struct nd_container_port *port = &pod->containers[i].ports[j];

			if ((!port->protocol || nd_eq(port->protocol, "TCP")) && port->port &&
			    (port->port != 53 || may_be_dns) &&
			    nd_pick_listens(podns->sockets, podns->nsockets, false, ip, port->port))
				return port->port;
		}
	return 0;
}

/*
 * A declared port, else the lowest that is listened on: the order of sockets is chance. 53 comes
 * last of the declared: a rule against DNS would look like a pod that can't be reached.
 */
static uint16_t tcp_port(const struct nd_pod *pod, const struct nd_podns *podns, struct nd_ip ip)
{
	uint16_t low = 0;

	if (!ip.family || !podns)
		return 0;
	for (int may_be_dns = 0; may_be_dns < 2 && !low; may_be_dns++)
		low = declared_port(pod, podns, ip, may_be_dns);
	if (low)
		return low;
	for (size_t i = 0; i < podns->nsockets; i++) {
		uint16_t port = podns->sockets[i].port;

		if (!podns->sockets[i].is_udp && port && (!low || port < low) &&
		    nd_pick_listens(podns->sockets, podns->nsockets, false, ip, port))
			low = port;
	}
	return low;
}

/* ---- policies ---- */

/* The first pod whose namespace is not before ns: pods are sorted by namespace. */
static size_t first_pod(const struct nd_cluster *cluster, const char *ns)
{
	size_t low = 0, high = cluster->npods;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_text(cluster->pods[middle].meta.ns, ns) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Also when it cannot be known. */
static void mark_isolated(struct nd_pick *pick)
{
	const struct nd_cluster *c = pick->cluster;

	pick->no_egress = nd_arena_array(pick->arena, c->npods + 1, sizeof(bool));
	pick->no_ingress = nd_arena_array(pick->arena, c->npods + 1, sizeof(bool));
	for (size_t i = 0; i < c->npods; i++) {
		pick->no_egress[i] = nd_netpol_isolates(c, &c->pods[i], false);
		pick->no_ingress[i] = nd_netpol_isolates(c, &c->pods[i], true);
	}
}

static bool is_dns_open(const struct nd_pick *pick)
{
	const struct nd_cluster *c = pick->cluster;

	if (!pick->dns || !nd_look_has_list(c, "networkpolicies"))
		return false;
	for (size_t i = first_pod(c, "kube-system");
	     i < c->npods && nd_eq(c->pods[i].meta.ns, "kube-system"); i++)
		if (pick->no_ingress[i] && pick->dns->has_selector &&
		    nd_labels_match(&pick->dns->selector, &c->pods[i].meta.labels))
			return false;
	return true;
}

/* ---- pods ---- */

static bool is_candidate(const struct nd_pod *pod)
{
	return nd_eq(pod->phase, "Running") && pod->is_ready && !pod->meta.is_deleting &&
	       !pod->is_host_network && (pod->ip.family || pod->ip6.family);
}

static bool is_wanted(const struct nd_pick *pick, const struct nd_pod *pod)
{
	return !pick->only_ns || nd_eq(pod->meta.ns, pick->only_ns);
}

static bool is_dns_server(const struct nd_pick *pick, const struct nd_pod *pod)
{
	return pick->dns && pick->dns->selector.n && nd_eq(pod->meta.ns, "kube-system") &&
	       nd_labels_match(&pick->dns->selector, &pod->meta.labels);
}

static struct nd_pick_pod *new_pod(struct nd_pick *pick, const struct nd_pick_node *on,
				   size_t index)
{
	const struct nd_pod *pod = &pick->cluster->pods[index];
	const struct nd_podns *podns = nd_look_podns(on->host, pod->meta.uid);
	struct nd_pick_pod *p = nd_arena_alloc(pick->arena, sizeof(*p));

	/* One that could not be entered, or that the kernel says is the node's own, tells nothing.
	 */
	if (podns && (podns->error || podns->is_host_network || !podns->inode))
		podns = NULL;
	p->pod = pod;
	p->podns = podns;
	p->is_dns = is_dns_server(pick, pod);
	p->is_isolated_out = pick->no_egress[index];
	p->is_isolated_in = pick->no_ingress[index];
	for (int f = 0; f < ND_FAMILIES; f++)
		p->ports[f] = tcp_port(pod, podns, nd_pick_pod_ip(pod, f));
	return p;
}

static void add_pod(struct nd_pick *pick, struct nd_pick_node *on, size_t index)
{
	struct nd_pick_pod *p = new_pod(pick, on, index);

	if (p->podns && (!p->is_isolated_out || pick->is_exact))
		ND_ARENA_PUSH(pick->arena, on->sources, on->nsources) = p;
	for (int f = 0; f < ND_FAMILIES && on->is_target; f++)
		if (nd_pick_pod_ip(p->pod, f).family && (!p->is_isolated_in || pick->is_exact))
			ND_ARENA_PUSH(pick->arena, on->targets[f], on->ntargets[f]) = p;
}

/* Those with the wanted answer first; the order is kept otherwise. */
static void put_first(struct nd_arena *arena, struct nd_pick_pod **pods, size_t n,
		      bool (*is_first)(const struct nd_pick_pod *pod, int family), int family)
{
	struct nd_pick_pod **rest = nd_arena_array(arena, n + 1, sizeof(*rest));
	size_t nfirst = 0, nrest = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_first(pods[i], family))
			pods[nfirst++] = pods[i];
		else
			rest[nrest++] = pods[i];
	}
	if (nrest)
		memcpy(pods + nfirst, rest, nrest * sizeof(*rest));
}

static bool is_dns(const struct nd_pick_pod *pod, int family)
{
	(void)family;
	return pod->is_dns;
}
static bool is_not_dns(const struct nd_pick_pod *pod, int family)
{
	(void)family;
	return !pod->is_dns;
}
static bool has_tcp(const struct nd_pick_pod *pod, int family)
{
	return pod->ports[family] != 0;
}
static bool is_open_out(const struct nd_pick_pod *pod, int family)
{
	(void)family;
	return !pod->is_isolated_out;
}
static bool is_open_in(const struct nd_pick_pod *pod, int family)
{
	(void)family;
	return !pod->is_isolated_in;
}

/* Of those side by side that are isolated alike: only the ones with a TCP port, if there are any.
 */
static size_t keep_tcp(struct nd_pick_pod **pods, size_t n, int family)
{
	size_t ntcp = 0;

	while (ntcp < n && pods[ntcp]->ports[family])
		ntcp++;
	return ntcp ? ntcp : n;
}

static void settle_targets(struct nd_pick *pick, struct nd_pick_node *node, int f)
{
	struct nd_pick_pod **pods = node->targets[f];
	size_t n = node->ntargets[f], nopen = 0, nkept, nmore;

	put_first(pick->arena, pods, n, is_dns, f);
	put_first(pick->arena, pods, n, has_tcp, f);
	put_first(pick->arena, pods, n, is_open_in, f);
	while (nopen < n && !pods[nopen]->is_isolated_in)
		nopen++;
	nkept = keep_tcp(pods, nopen, f);
	nmore = keep_tcp(pods + nopen, n - nopen, f);
	if (nmore && nkept < nopen)
		memmove(pods + nkept, pods + nopen, nmore * sizeof(*pods));
	node->nopen_targets[f] = nkept;
	node->ntargets[f] = nkept + nmore;
}

static void settle_node(struct nd_pick *pick, struct nd_pick_node *node)
{
	put_first(pick->arena, node->sources, node->nsources, is_not_dns, 0);
	put_first(pick->arena, node->sources, node->nsources, is_open_out, 0);
	while (node->nopen_sources < node->nsources &&
	       !node->sources[node->nopen_sources]->is_isolated_out)
		node->nopen_sources++;
	for (int f = 0; f < ND_FAMILIES; f++)
		if (node->ntargets[f])
			settle_targets(pick, node, f);
}

/* A Windows host answers no echo request unless its firewall was told to. */
static bool is_windows(const struct nd_node *node)
{
	return nd_eq(nd_labels_get(&node->meta.labels, "kubernetes.io/os"), "windows");
}

static void add_nodes(struct nd_pick *pick)
{
	const struct nd_cluster *c = pick->cluster;

	pick->nnodes = c->nnodes;
	pick->nodes = nd_arena_array(pick->arena, c->nnodes + 1, sizeof(*pick->nodes));
	for (size_t i = 0; i < c->nnodes; i++) {
		const struct nd_host *host = nd_look_host(c, c->nodes[i].meta.name);

		pick->nodes[i].node = &c->nodes[i];
		pick->nodes[i].host = nd_host_has(host, ND_SECTION_pods) ? host : NULL;
		pick->nodes[i].is_target = c->nodes[i].is_ready && !is_windows(&c->nodes[i]);
	}
}

void nd_pick_build(struct nd_arena *arena, const struct nd_cluster *cluster,
		   const struct nd_probe_options *options, struct nd_pick *out)
{
	size_t *nseen = nd_arena_array(arena, cluster->nnodes + 1, sizeof(*nseen));

	*out = (struct nd_pick){.arena = arena, .cluster = cluster, .only_ns = options->only_ns};
	out->dns = nd_look_service(cluster, "kube-system", "kube-dns");
	out->api = nd_look_service(cluster, "default", "kubernetes");
	mark_isolated(out);
	nd_allow_prepare(out);
	out->is_dns_open = is_dns_open(out);
	add_nodes(out);
	for (size_t i = 0; i < cluster->npods; i++) {
		const struct nd_pod *pod = &cluster->pods[i];
		const struct nd_node *node = is_candidate(pod) && is_wanted(out, pod) && pod->node
						     ? nd_look_node(cluster, pod->node)
						     : NULL;

		if (node && nseen[node - cluster->nodes]++ < MAX_PODS_A_NODE)
			add_pod(out, &out->nodes[node - cluster->nodes], i);
	}
	for (size_t i = 0; i < out->nnodes; i++)
		settle_node(out, &out->nodes[i]);
	nd_pick_services(out);
}
