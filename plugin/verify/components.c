#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/verify/test.h"

bool nd_verify_is_dns(const struct nd_workload *w)
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

/* What diagnose knows of a component that is not there at all. */
static void take_check(struct nd_verify_run *run, const char *id)
{
	struct nd_check_run check = {
		.cluster = run->cluster, .arena = run->arena, .check = nd_check_find(id)};
	if (!check.check)
		ND_BUG("no such check");
	check.check->run(&check);
	for (size_t i = 0; i < check.nfindings; i++)
		nd_verify_fail(run, "%s",
			       check.findings[i]->title ? check.findings[i]->title
							: check.check->title);
}

/* Nothing keeps routes and tunnels up, though they are still there. */
static void take_no_cni(struct nd_verify_run *run)
{
	static const char *const names[] = {[ND_CNI_KINDNET] = "kindnet",
					    [ND_CNI_FLANNEL] = "flannel",
					    [ND_CNI_CALICO] = "calico",
					    [ND_CNI_CILIUM] = "cilium",
					    [ND_CNI_OTHER] = NULL};
	enum nd_cni_kind cni = nd_look_cni(run->cluster);
	if (names[cni])
		nd_verify_fail(run, "the nodes are set up for %s, but it has no DaemonSet",
			       names[cni]);
	else
		take_check(run, "cni-not-installed");
}

static void run(struct nd_verify_run *run)
{
	static const char *const lists[] = {"pods", "daemonsets", "deployments"};
	const struct nd_cluster *c = run->cluster;
	const struct nd_workload *cni = nd_fact_cni_daemonset(c);
	size_t ndns = 0;
	if (!nd_verify_has_lists(run, lists, ND_ARRAY_LEN(lists)))
		return;
	for (size_t i = 0; i < c->nworkloads; i++) {
		const struct nd_workload *w = &c->workloads[i];
		if (w == cni || nd_verify_is_dns(w) || is_kube_proxy(w))
			take_workload(run, w);
		ndns += nd_verify_is_dns(w);
	}
	if (!ndns && nd_look_service(c, "kube-system", "kube-dns"))
		nd_verify_fail(run, "no workload runs CoreDNS for service kube-system/kube-dns");
	if (!cni)
		take_no_cni(run);
	take_check(run, "kp-not-running");
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
	.what = "CoreDNS, kube-proxy and the CNI's DaemonSet are there and have all their pods "
		"ready, kube-proxy on every node; no container of kube-system or of the CNI's "
		"namespace is in CrashLoopBackOff",
	.run = run,
	.nothing = "no CoreDNS, kube-proxy or CNI is run by the cluster",
};
