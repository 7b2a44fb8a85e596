#include "common/base.h"
#include "plugin/checks/failures.h"

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "Pods on %s can't reach pods on %s (%s)", f->host->node,
			     f->flow.target_node ? f->flow.target_node : "another node", how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_POD_CROSS_NODE,
		.key = ND_BY_PAIR,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_pod_pod_cross_node_fail = {
	.id = "eff-pod-pod-cross-node-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "Pods can't reach pods on another node",
	.why = "Sent from inside a pod to a pod of another node, on a port that it listens on. The "
	       "way leads through both nodes and the network between them.",
	.fix = "look at routes, tunnel and FORWARD rules of both nodes",
	.source = "probe: tcp or icmp from the pod's network namespace",
	.run = run,
};
