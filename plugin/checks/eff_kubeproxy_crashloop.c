#include "common/base.h"
#include "plugin/checks/crashloop.h"

static bool is_mine(ND_UNUSED const struct nd_cluster *cluster, const struct nd_pod *pod)
{
	return nd_eq(pod->meta.ns, "kube-system") &&
	       nd_eq(nd_labels_get(&pod->meta.labels, "k8s-app"), "kube-proxy");
}

static void run(struct nd_check_run *run)
{
	nd_crashloop_find(run, is_mine, "kube-proxy");
}

const struct nd_check nd_check_eff_kubeproxy_crashloop = {
	.id = "eff-kubeproxy-crashloop",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "kube-proxy crashes again and again",
	.why = "The rules of services on that node are not kept up to date while kube-proxy is "
	       "down.",
	.fix = "kubectl logs --previous of the pod tells its last words",
	.source = "Kubernetes: container state waiting, reason CrashLoopBackOff",
	.run = run,
};
