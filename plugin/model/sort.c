#include "common/base.h"

#include "plugin/model/decode.h"

static int by_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	/* Most texts are kept once: the same address is the same text. */
	return a == b ? 0 : strcmp(a, b);
}

static int by_meta(const struct nd_meta *a, const struct nd_meta *b)
{
	int order = by_text(a->ns, b->ns);

	return order ? order : by_text(a->name, b->name);
}

static int by_node(const void *a, const void *b)
{
	const struct nd_node *na = a, *nb = b;

	return by_text(na->meta.name, nb->meta.name);
}
static int by_pod(const void *a, const void *b)
{
	const struct nd_pod *pa = a, *pb = b;

	return by_meta(&pa->meta, &pb->meta);
}
static int by_service(const void *a, const void *b)
{
	const struct nd_service *sa = a, *sb = b;

	return by_meta(&sa->meta, &sb->meta);
}
static int by_slice(const void *a, const void *b)
{
	const struct nd_slice *sa = a, *sb = b;
	int order = by_text(sa->meta.ns, sb->meta.ns);

	if (!order)
		order = by_text(sa->service, sb->service);
	return order ? order : by_text(sa->meta.name, sb->meta.name);
}
static int by_workload(const void *a, const void *b)
{
	const struct nd_workload *wa = a, *wb = b;
	int order = by_text(wa->kind, wb->kind);

	return order ? order : by_meta(&wa->meta, &wb->meta);
}
static int by_policy(const void *a, const void *b)
{
	const struct nd_policy *pa = a, *pb = b;

	return by_meta(&pa->meta, &pb->meta);
}
static int by_namespace(const void *a, const void *b)
{
	const struct nd_namespace *na = a, *nb = b;

	return by_text(na->meta.name, nb->meta.name);
}
static int by_configmap(const void *a, const void *b)
{
	const struct nd_configmap *ca = a, *cb = b;

	return by_meta(&ca->meta, &cb->meta);
}
static int by_host(const void *a, const void *b)
{
	const struct nd_host *ha = a, *hb = b;

	return by_text(ha->node, hb->node);
}
static int by_container(const void *a, const void *b)
{
	const struct nd_node_container *ca = a, *cb = b;

	return by_text(ca->name, cb->name);
}

static int by_ip(const void *a, const void *b)
{
	const struct nd_pod_ip *pa = a, *pb = b;
	int order = pa->ip.family - pb->ip.family;

	if (!order)
		order = memcmp(pa->ip.bytes, pb->ip.bytes, sizeof(pa->ip.bytes));
	/* One address, two pods: the order of the pods decides. */
	return order ? order : (pa->pod > pb->pod) - (pa->pod < pb->pod);
}

static void add_ip(struct nd_cluster *c, const struct nd_pod *pod, struct nd_ip ip)
{
	if (ip.family)
		c->pod_ips[c->npod_ips++] = (struct nd_pod_ip){ip, pod};
}

static void index_ips(struct nd_cluster *c)
{
	c->npod_ips = 0;
	c->pod_ips = nd_arena_array(&c->arena, c->npods * 2 + 1, sizeof(*c->pod_ips));
	for (size_t i = 0; i < c->npods; i++) {
		const struct nd_pod *pod = &c->pods[i];

		if (pod->is_host_network)
			continue;
		add_ip(c, pod, pod->ip);
		add_ip(c, pod, pod->ip6);
	}
	qsort(c->pod_ips, c->npod_ips, sizeof(*c->pod_ips), by_ip);
}

/*
 * Sort, and keep one of what has the same name: after a 410 a list starts again, and objects that
 * had come before come a second time.
 */
static size_t settle(void *items, size_t n, size_t size_bytes,
		     int (*order)(const void *, const void *))
{
	char *p = items;
	size_t kept = n > 0;

	if (n > 1)
		qsort(items, n, size_bytes, order);
	for (size_t i = 1; i < n; i++)
		if (order(p + (kept - 1) * size_bytes, p + i * size_bytes) != 0)
			memmove(p + kept++ * size_bytes, p + i * size_bytes, size_bytes);
	return kept;
}

/* Sorting moved the hosts: what comes later finds them by their new places. */
static void index_hosts(struct nd_model *m)
{
	m->hosts = (struct nd_index){0};
	for (size_t i = 0; i < m->cluster.nhosts; i++)
		nd_index_put(&m->hosts, &m->cluster.arena, nd_str(m->cluster.hosts[i].node),
			     (uint32_t)i);
}

#define SETTLE(items, n, order) ((n) = settle((items), (n), sizeof(*(items)), (order)))

void nd_model_sort(struct nd_model *m)
{
	struct nd_cluster *c = &m->cluster;

	SETTLE(c->nodes, c->nnodes, by_node);
	SETTLE(c->pods, c->npods, by_pod);
	SETTLE(c->services, c->nservices, by_service);
	SETTLE(c->slices, c->nslices, by_slice);
	SETTLE(c->workloads, c->nworkloads, by_workload);
	SETTLE(c->policies, c->npolicies, by_policy);
	SETTLE(c->namespaces, c->nnamespaces, by_namespace);
	SETTLE(c->configmaps, c->nconfigmaps, by_configmap);
	SETTLE(c->hosts, c->nhosts, by_host);
	SETTLE(c->containers, c->ncontainers, by_container);
	index_ips(c);
	index_hosts(m);
}
