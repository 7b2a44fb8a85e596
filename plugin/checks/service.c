#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/service.h"

bool nd_service_wants_pods(const struct nd_service *service)
{
	return service->has_selector && service->selector.n && !service->meta.is_deleting &&
	       !nd_eq(service->type, "ExternalName");
}

bool nd_service_is_dns(const struct nd_service *service)
{
	return nd_eq(service->meta.ns, "kube-system") && nd_eq(service->meta.name, "kube-dns");
}

bool nd_service_can_tell(const struct nd_cluster *cluster)
{
	return nd_look_has_list(cluster, "pods") && nd_look_has_list(cluster, "services") &&
	       nd_look_has_list(cluster, "endpointslices") &&
	       nd_look_has_list(cluster, "deployments") && nd_look_has_list(cluster, "daemonsets");
}

void nd_service_backends(const struct nd_cluster *cluster, const struct nd_service *service,
			 struct nd_backends *out)
{
	bool same_node = true;
	size_t nleaving = 0; /* ready, but about to end */
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < cluster->npods; i++) {
		const struct nd_pod *pod = &cluster->pods[i];
		if (!nd_eq(pod->meta.ns, service->meta.ns) || nd_fact_pod_ended(pod) ||
		    !nd_labels_match(&service->selector, &pod->meta.labels))
			continue;
		out->npods++;
		if (pod->is_ready) {
			out->nready++;
			nleaving += pod->meta.is_deleting;
			continue;
		}
		if (!out->first) {
			out->first = pod;
			out->node = pod->node;
		}
		same_node = same_node && nd_eq(out->node, pod->node);
	}
	if (!same_node)
		out->node = NULL;
	for (size_t i = 0; i < cluster->nworkloads; i++) {
		const struct nd_workload *w = &cluster->workloads[i];
		if (nd_eq(w->meta.ns, service->meta.ns) &&
		    nd_labels_match(&service->selector, &w->template_labels))
			out->workload = w;
	}
	/* In a rollout the leaving ones still serve; scaled to zero, nobody follows them. */
	if (out->workload && out->workload->wanted == 0)
		out->nready -= nleaving;
}

/* Insertions, deletions, changes; over 63 characters (no label value is longer) it counts as far.
 */
static size_t distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), row[64];
	if (na >= ND_ARRAY_LEN(row) || nb >= ND_ARRAY_LEN(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			size_t shift = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
			row[j] = change < shift ? change : shift;
		}
	}
	return row[nb];
}

static bool is_near(const char *a, const char *b)
{
	size_t n = distance(a, b), longest = strlen(a) > strlen(b) ? strlen(a) : strlen(b);
	return n != SIZE_MAX && n <= 3 && n * 3 <= longest;
}

/* All labels of the selector but one match, and that one differs by a slip, or others hold it in
 * place. */
bool nd_labels_near_miss(const struct nd_labels *selector, const struct nd_labels *labels,
			 struct nd_near_miss *out)
{
	const struct nd_label *wrong = NULL;
	for (size_t i = 0; i < selector->n; i++) {
		if (nd_eq(nd_labels_get(labels, selector->items[i].key), selector->items[i].value))
			continue;
		if (wrong)
			return false;
		wrong = &selector->items[i];
	}
	if (!wrong || !wrong->value)
		return false;
	const char *has = nd_labels_get(labels, wrong->key);
	for (size_t i = 0; !has && i < labels->n; i++) /* the key may be the slip */
		if (nd_eq(labels->items[i].value, wrong->value) &&
		    is_near(labels->items[i].key, wrong->key))
			has = labels->items[i].value;
	if (!has || (selector->n == 1 && !is_near(has, wrong->value)))
		return false;
	out->key = wrong->key;
	out->wanted = wrong->value;
	out->has = has;
	return true;
}

bool nd_service_near_miss(const struct nd_cluster *cluster, const struct nd_service *service,
			  struct nd_near_miss *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < cluster->nworkloads; i++) {
		const struct nd_workload *w = &cluster->workloads[i];
		out->who = w->meta.name;
		if (nd_eq(w->meta.ns, service->meta.ns) &&
		    nd_labels_near_miss(&service->selector, &w->template_labels, out))
			return true;
	}
	for (size_t i = 0; i < cluster->npods; i++) {
		const struct nd_pod *pod = &cluster->pods[i];
		out->who = pod->meta.name;
		if (nd_eq(pod->meta.ns, service->meta.ns) && !nd_fact_pod_ended(pod) &&
		    nd_labels_near_miss(&service->selector, &pod->meta.labels, out))
			return true;
	}
	out->who = NULL;
	return false;
}
