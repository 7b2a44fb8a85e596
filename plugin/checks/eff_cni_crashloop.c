#include "common/base.h"
#include "plugin/checks/crashloop.h"
#include "plugin/checks/facts.h"

static bool is_mine(const struct nd_cluster *cluster, const struct nd_pod *pod)
{
	const struct nd_workload *ds = nd_fact_cni_daemonset(cluster);
	return ds && nd_eq(pod->meta.owner_kind, "DaemonSet") &&
	       nd_eq(pod->meta.owner_name, ds->meta.name) && nd_eq(pod->meta.ns, ds->meta.ns);
}

static void run(struct nd_check_run *run)
{
	nd_crashloop_find(run, is_mine, "The CNI's pod");
}

const struct nd_check nd_check_eff_cni_crashloop = {
	.id = "eff-cni-crashloop",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "The CNI's pod crashes again and again",
	.why = "The CNI's DaemonSet keeps routes, tunnels and masquerading of the node in order; "
	       "while it is down new nodes and pods stay unknown.",
	.fix = "kubectl logs --previous of the pod tells its last words",
	.source = "Kubernetes: container state waiting, reason CrashLoopBackOff",
	.run = run,
};
