#include "common/base.h"
#include "plugin/checks/failures.h"

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "Pods on %s can't reach each other (%s)", f->host->node, how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_POD_SAME_NODE,
		.key = ND_BY_SOURCE,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_pod_pod_same_node_fail = {
	.id = "eff-pod-pod-same-node-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "Pods on one node can't reach each other",
	.why = "Sent from inside a pod to a pod beside it, on a port that the other listens on. "
	       "Such packets pass only the bridge or the routes of that node.",
	.fix = "look at the bridge, the routes and the FORWARD rules of NODE",
	.source = "probe: tcp or icmp from the pod's network namespace",
	.run = run,
};
