#include "common/base.h"
#include "plugin/checks/service.h"
#include "plugin/model/look.h"
#include "plugin/status/status.h"

static bool is_shown(const struct nd_status *s, const struct nd_meta *meta)
{
	return !s->only_ns || nd_eq(meta->ns, s->only_ns);
}

const char *nd_status_why(const struct nd_status *s, const char *list)
{
	const struct nd_cluster *c = s->cluster;
	for (size_t i = 0; i < c->ngaps; i++)
		if (nd_eq(c->gaps[i].what, list) || nd_eq(c->gaps[i].what, "api"))
			return c->gaps[i].why ? c->gaps[i].why : "not read";
	return "not read";
}

static void count_nodes(struct nd_status *s)
{
	for (size_t i = 0; i < s->cluster->nnodes; i++) {
		const struct nd_node *node = &s->cluster->nodes[i];
		struct nd_ready *role = node->is_control_plane ? &s->control_planes : &s->workers;
		role->n++;
		role->nready += node->is_ready;
	}
}

/* ---- namespaces ---- */

static int by_name(const void *pa, const void *pb)
{
	const struct nd_status_ns *a = pa, *b = pb;
	return strcmp(a->name, b->name);
}

static size_t trouble(const struct nd_pod_counts *pods)
{
	return pods->nfailed + pods->npending + pods->nunready;
}

static int by_trouble(const void *pa, const void *pb)
{
	const struct nd_status_ns *a = pa, *b = pb;
	size_t bad_a = trouble(&a->pods), bad_b = trouble(&b->pods);
	if (bad_a != bad_b)
		return bad_a > bad_b ? -1 : 1;
	if (a->pods.nrunning != b->pods.nrunning)
		return a->pods.nrunning > b->pods.nrunning ? -1 : 1;
	return by_name(a, b);
}

/* Pods stand by namespace: one that is like the one before is not put in again. */
static void add_ns(struct nd_arena *arena, struct nd_status *s, const struct nd_meta *meta)
{
	struct nd_status_ns ns = {.name = meta->ns ? meta->ns : ""};
	if (!is_shown(s, meta) ||
	    (s->nnamespaces && nd_eq(s->namespaces[s->nnamespaces - 1].name, ns.name)))
		return;
	ND_ARENA_PUSH(arena, s->namespaces, s->nnamespaces) = ns;
}

static void find_namespaces(struct nd_arena *arena, struct nd_status *s)
{
	const struct nd_cluster *c = s->cluster;
	size_t kept = 0;
	for (size_t i = 0; i < c->npods; i++)
		add_ns(arena, s, &c->pods[i].meta);
	for (size_t i = 0; i < c->npolicies; i++)
		add_ns(arena, s, &c->policies[i].meta);
	if (s->nnamespaces)
		qsort(s->namespaces, s->nnamespaces, sizeof(*s->namespaces), by_name);
	for (size_t i = 0; i < s->nnamespaces; i++)
		if (!kept || !nd_eq(s->namespaces[kept - 1].name, s->namespaces[i].name))
			s->namespaces[kept++] = s->namespaces[i];
	s->nnamespaces = kept;
}

static struct nd_status_ns *ns_of(struct nd_status *s, const struct nd_meta *meta)
{
	struct nd_status_ns key = {.name = meta->ns ? meta->ns : ""};
	if (!is_shown(s, meta) || !s->nnamespaces)
		return NULL;
	return bsearch(&key, s->namespaces, s->nnamespaces, sizeof(key), by_name);
}

static void count_pod(struct nd_pod_counts *counts, const struct nd_pod *pod)
{
	if (nd_eq(pod->phase, "Running")) {
		counts->nrunning++;
		counts->nunready += !pod->is_ready;
	} else if (nd_eq(pod->phase, "Pending")) {
		counts->npending++;
	} else if (nd_eq(pod->phase, "Succeeded")) {
		counts->ndone++;
	} else {
		counts->nfailed++;
	}
}

static void count_namespaces(struct nd_arena *arena, struct nd_status *s)
{
	const struct nd_cluster *c = s->cluster;
	find_namespaces(arena, s);
	for (size_t i = 0; i < c->npods; i++) {
		struct nd_status_ns *ns = ns_of(s, &c->pods[i].meta);
		if (!ns)
			continue;
		count_pod(&ns->pods, &c->pods[i]);
		count_pod(&s->pods, &c->pods[i]);
	}
	for (size_t i = 0; i < c->npolicies; i++) {
		struct nd_status_ns *ns = ns_of(s, &c->policies[i].meta);
		if (!ns)
			continue;
		ns->npolicies++;
		s->npolicies++;
	}
	if (s->nnamespaces)
		qsort(s->namespaces, s->nnamespaces, sizeof(*s->namespaces), by_trouble);
}

static void count_services(struct nd_status *s)
{
	for (size_t i = 0; i < s->cluster->nservices; i++) {
		const struct nd_service *service = &s->cluster->services[i];
		struct nd_tally tally = s->matrix.by_service[i];
		if (!is_shown(s, &service->meta))
			continue;
		s->nservices++;
		s->nservices_probed += tally.nok + tally.nfailed > 0;
		s->nanswering += tally.nok > 0 && !tally.nfailed;
		if (!nd_service_wants_pods(service))
			continue;
		s->endpoints.n++;
		s->endpoints.nready += nd_look_ready_endpoints(s->cluster, service, NULL) > 0;
	}
}

/* ---- addresses ---- */

/* "10.96.0.0/16" or "10.96.0.0/16,fd00:10:96::/112", as text begins; NULL: it is none. */
static const char *prefixes(struct nd_arena *arena, const char *text)
{
	size_t n = strcspn(text, " \t\n\"'");
	char one[ND_PREFIX_TEXT];
	struct nd_prefix prefix;
	for (size_t i = 0; i < n;) {
		size_t length = strcspn(text + i, " \t\n\"',");
		if (length >= sizeof(one))
			return NULL;
		memcpy(one, text + i, length);
		one[length] = '\0';
		if (!nd_prefix_parse(one, &prefix))
			return NULL;
		i += length + 1;
	}
	return n && n < 2 * ND_PREFIX_TEXT ? nd_arena_strdup(arena, text, n) : NULL;
}

/* As the API server or the controller manager was told, where they are pods (kubeadm, kind). */
static const char *service_cidr(struct nd_arena *arena, const struct nd_cluster *c)
{
	static const char flag[] = "--service-cluster-ip-range";
	for (size_t i = 0; i < c->npods; i++) {
		const struct nd_pod *pod = &c->pods[i];
		if (!nd_eq(pod->meta.ns, "kube-system") ||
		    (!nd_starts(pod->meta.name, "kube-apiserver") &&
		     !nd_starts(pod->meta.name, "kube-controller-manager")))
			continue;
		for (size_t k = 0; k < pod->ncontainers; k++) {
			const char *args = pod->containers[k].args;
			const char *at = args ? strstr(args, flag) : NULL;
			const char *text =
				at && (at[sizeof(flag) - 1] == '=' || at[sizeof(flag) - 1] == ' ')
					? prefixes(arena, at + sizeof(flag))
					: NULL;
			if (text)
				return text;
		}
	}
	return NULL;
}

static void add_subnet(struct nd_arena *arena, struct nd_status *s, struct nd_prefix prefix)
{
	prefix.ip = nd_prefix_at(prefix, 0);
	for (size_t i = 0; i < s->nsubnets; i++)
		if (nd_prefix_eq(s->subnets[i], prefix))
			return;
	ND_ARENA_PUSH(arena, s->subnets, s->nsubnets) = prefix;
}

static void find_subnets(struct nd_arena *arena, struct nd_status *s)
{
	for (size_t i = 0; i < s->cluster->nhosts; i++) {
		const struct nd_host *host = &s->cluster->hosts[i];
		const struct nd_node *node = nd_look_node(s->cluster, host->node);
		for (size_t k = 0; node && k < host->naddrs; k++)
			if (nd_ip_eq(host->addrs[k].prefix.ip, node->internal_ip) ||
			    nd_ip_eq(host->addrs[k].prefix.ip, node->internal_ip6))
				add_subnet(arena, s, host->addrs[k].prefix);
	}
}

static void name_parts(struct nd_status *s)
{
	static const char *const cnis[] = {
		[ND_CNI_UNKNOWN] = "unknown", [ND_CNI_NONE] = "none",
		[ND_CNI_KINDNET] = "kindnet", [ND_CNI_FLANNEL] = "flannel",
		[ND_CNI_CALICO] = "calico",   [ND_CNI_CILIUM] = "cilium",
		[ND_CNI_OTHER] = "other"};
	static const char *const modes[] = {[ND_PROXY_UNKNOWN] = "unknown",
					    [ND_PROXY_IPTABLES] = "iptables",
					    [ND_PROXY_NFTABLES] = "nftables",
					    [ND_PROXY_IPVS] = "ipvs",
					    [ND_PROXY_NONE] = "none"};
	s->cni = cnis[nd_look_cni(s->cluster)];
	s->proxy = modes[nd_look_proxy_mode(s->cluster)];
}

struct nd_status *nd_status_build(struct nd_arena *arena, const struct nd_cluster *cluster,
				  const char *only_ns)
{
	struct nd_status *s = nd_arena_alloc(arena, sizeof(*s));
	s->cluster = cluster;
	s->only_ns = only_ns;
	s->has_nodes = nd_look_has_list(cluster, "nodes");
	s->has_pods = nd_look_has_list(cluster, "pods");
	s->has_services = nd_look_has_list(cluster, "services");
	s->has_endpoints = s->has_services && nd_look_has_list(cluster, "endpointslices");
	s->has_policies = nd_look_has_list(cluster, "networkpolicies");
	nd_matrix_build(arena, cluster, &s->matrix);
	count_nodes(s);
	count_namespaces(arena, s);
	count_services(s);
	s->pod_cidr = nd_look_cluster_cidr(cluster);
	s->service_cidr = service_cidr(arena, cluster);
	find_subnets(arena, s);
	name_parts(s);
	nd_status_judge(arena, s);
	return s;
}
