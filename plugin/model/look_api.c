#include "common/base.h"

#include "plugin/model/look.h"

static int by_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

struct name_key {
	const char *ns, *name;
};

static int compare_meta(const struct name_key *key, const struct nd_meta *meta)
{
	int order = by_text(key->ns, meta->ns);

	return order ? order : by_text(key->name, meta->name);
}

static int compare_node(const void *key, const void *item)
{
	return compare_meta(key, &((const struct nd_node *)item)->meta);
}
static int compare_pod(const void *key, const void *item)
{
	return compare_meta(key, &((const struct nd_pod *)item)->meta);
}
static int compare_service(const void *key, const void *item)
{
	return compare_meta(key, &((const struct nd_service *)item)->meta);
}
static int compare_configmap(const void *key, const void *item)
{
	return compare_meta(key, &((const struct nd_configmap *)item)->meta);
}

/* bsearch may not be given NULL. */
static const void *find(const void *key, const void *items, size_t n, size_t size_bytes,
			int (*compare)(const void *key, const void *item))
{
	return n ? bsearch(key, items, n, size_bytes, compare) : NULL;
}

const struct nd_node *nd_look_node(const struct nd_cluster *cluster, const char *name)
{
	struct name_key key = {NULL, name};

	return find(&key, cluster->nodes, cluster->nnodes, sizeof(*cluster->nodes), compare_node);
}

const struct nd_pod *nd_look_pod(const struct nd_cluster *cluster, const char *ns, const char *name)
{
	struct name_key key = {ns, name};

	return find(&key, cluster->pods, cluster->npods, sizeof(*cluster->pods), compare_pod);
}

const struct nd_service *nd_look_service(const struct nd_cluster *cluster, const char *ns,
					 const char *name)
{
	struct name_key key = {ns, name};

	return find(&key, cluster->services, cluster->nservices, sizeof(*cluster->services),
		    compare_service);
}

const struct nd_configmap *nd_look_configmap(const struct nd_cluster *cluster, const char *ns,
					     const char *name)
{
	struct name_key key = {ns, name};

	return find(&key, cluster->configmaps, cluster->nconfigmaps, sizeof(*cluster->configmaps),
		    compare_configmap);
}

const struct nd_workload *nd_look_workload(const struct nd_cluster *cluster, const char *kind,
					   const char *ns, const char *name)
{
	for (size_t i = 0; i < cluster->nworkloads; i++) {
		const struct nd_workload *w = &cluster->workloads[i];

		if (nd_eq(w->kind, kind) && nd_eq(w->meta.ns, ns) && nd_eq(w->meta.name, name))
			return w;
	}
	return NULL;
}

static int compare_ip(const struct nd_ip *a, const struct nd_ip *b)
{
	return a->family != b->family ? a->family - b->family
				      : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* A finished pod may still name the address that another one got: one that runs is preferred. */
const struct nd_pod *nd_look_pod_by_ip(const struct nd_cluster *cluster, struct nd_ip ip)
{
	const struct nd_pod_ip *ips = cluster->pod_ips;
	size_t low = 0, high = cluster->npod_ips;
	const struct nd_pod *found = NULL;

	if (!ip.family)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_ip(&ips[middle].ip, &ip) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < cluster->npod_ips && compare_ip(&ips[low].ip, &ip) == 0; low++) {
		if (nd_eq(ips[low].pod->phase, "Running"))
			return ips[low].pod;
		if (!found)
			found = ips[low].pod;
	}
	return found;
}

const char *nd_labels_get(const struct nd_labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->n; i++)
		if (nd_eq(labels->items[i].key, key))
			return labels->items[i].value;
	return NULL;
}

bool nd_labels_match(const struct nd_labels *selector, const struct nd_labels *labels)
{
	for (size_t i = 0; i < selector->n; i++) {
		const char *value = nd_labels_get(labels, selector->items[i].key);

		if (!nd_eq(value, selector->items[i].value))
			return false;
	}
	return true;
}

bool nd_look_has_list(const struct nd_cluster *cluster, const char *resource)
{
	static const char *const rows[] = {
#define ND_RESOURCE(name, path, query, who) name,
#include "plugin/kube/resources.def"
#undef ND_RESOURCE
	};

	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++)
		if (nd_eq(rows[i], resource))
			return cluster->have_resources & (1u << i);
	return false;
}

static int compare_slice(const struct nd_slice *slice, const struct nd_service *service)
{
	int order = by_text(slice->meta.ns, service->meta.ns);

	return order ? order : by_text(slice->service, service->meta.name);
}

/* They are sorted by namespace, service, name. */
const struct nd_slice *nd_look_slices(const struct nd_cluster *cluster,
				      const struct nd_service *service, size_t *n)
{
	size_t low = 0, high = cluster->nslices;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_slice(&cluster->slices[middle], service) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < cluster->nslices &&
		     compare_slice(&cluster->slices[low + *n], service) == 0;)
		(*n)++;
	return *n ? &cluster->slices[low] : NULL;
}

size_t nd_look_ready_endpoints(const struct nd_cluster *cluster, const struct nd_service *service,
			       size_t *ntotal)
{
	size_t nready = 0, nall = 0, n;
	const struct nd_slice *slices = nd_look_slices(cluster, service, &n);

	for (size_t i = 0; i < n; i++) {
		nall += slices[i].nendpoints;
		for (size_t j = 0; j < slices[i].nendpoints; j++)
			nready += slices[i].endpoints[j].is_ready;
	}
	if (ntotal)
		*ntotal = nall;
	return nready;
}
