#include "common/base.h"
#include "plugin/checks/crashloop.h"

static bool is_mine(ND_UNUSED const struct nd_cluster *cluster, const struct nd_pod *pod)
{
	return nd_eq(pod->meta.ns, "kube-system") &&
	       nd_eq(nd_labels_get(&pod->meta.labels, "k8s-app"), "kube-dns");
}

static void run(struct nd_check_run *run)
{
	nd_crashloop_find(run, is_mine, "CoreDNS");
}

const struct nd_check nd_check_eff_coredns_crashloop = {
	.id = "eff-coredns-crashloop",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "CoreDNS crashes again and again",
	.why = "CoreDNS ends at once when it finds a loop in its forwarding, a mistake in its "
	       "Corefile, or no API server. Names are not resolved meanwhile.",
	.fix = "kubectl logs --previous of the pod tells its last words",
	.source = "Kubernetes: container state waiting, reason CrashLoopBackOff",
	.run = run,
};
