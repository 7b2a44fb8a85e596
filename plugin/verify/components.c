#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/verify/test.h"

static bool is_dns(const struct nd_workload *w)
{
	return nd_eq(w->meta.ns, "kube-system") &&
	       nd_eq(nd_labels_get(&w->template_labels, "k8s-app"), "kube-dns");
}

static bool is_kube_proxy(const struct nd_workload *w)
{
	return nd_eq(w->meta.ns, "kube-system") && nd_eq(w->kind, "DaemonSet") &&
	       (nd_eq(nd_labels_get(&w->template_labels, "k8s-app"), "kube-proxy") ||
		nd_eq(w->meta.name, "kube-proxy"));
}

static void take_workload(struct nd_verify_run *run, const struct nd_workload *w)
{
	if (w->wanted > 0 && w->ready >= w->wanted)
		nd_verify_pass(run);
	else
		nd_verify_fail(run, "%s %s/%s: %d of %d ready", w->kind, w->meta.ns, w->meta.name,
			       (int)w->ready, (int)w->wanted);
}

static void take_pod(struct nd_verify_run *run, const struct nd_pod *pod)
{
	for (size_t i = 0; i < pod->ncontainers; i++) {
		const struct nd_container *c = &pod->containers[i];
		if (!nd_eq(c->waiting_reason, "CrashLoopBackOff"))
			continue;
		nd_verify_fail(run,
			       "pod %s/%s on %s: container %s is in CrashLoopBackOff, %d restarts",
			       pod->meta.ns, pod->meta.name, pod->node ? pod->node : "no node",
			       c->name ? c->name : "?", (int)c->restarts);
		return;
	}
	nd_verify_pass(run);
}

static void run(struct nd_verify_run *run)
{
	static const char *const lists[] = {"pods", "daemonsets", "deployments"};
	const struct nd_cluster *c = run->cluster;
	const struct nd_workload *cni = nd_fact_cni_daemonset(c);
	if (!nd_verify_has_lists(run, lists, ND_ARRAY_LEN(lists)))
		return;
	for (size_t i = 0; i < c->nworkloads; i++) {
		const struct nd_workload *w = &c->workloads[i];
		if (w == cni || is_dns(w) || is_kube_proxy(w))
			take_workload(run, w);
	}
	for (size_t i = 0; i < c->npods; i++) {
		const struct nd_pod *pod = &c->pods[i];
		if (pod->meta.is_deleting || nd_fact_pod_ended(pod))
			continue;
		if (nd_eq(pod->meta.ns, "kube-system") ||
		    (cni && nd_eq(pod->meta.ns, cni->meta.ns)))
			take_pod(run, pod);
	}
}

const struct nd_verify_test nd_verify_test_components = {
	.id = "components",
	.title = "Component health",
	.what = "CoreDNS, kube-proxy and the CNI's DaemonSet have all their pods ready; no "
		"container of kube-system or of the CNI's namespace is in CrashLoopBackOff",
	.run = run,
	.nothing = "no CoreDNS, kube-proxy or CNI is run by the cluster",
};
