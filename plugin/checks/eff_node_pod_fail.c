#include "common/base.h"
#include "plugin/checks/failures.h"

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "Node %s can't reach pods on %s (%s)", f->host->node,
			     f->flow.target_node ? f->flow.target_node : "another node", how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_NODE_POD_LOCAL | 1u << ND_FLOW_NODE_POD_REMOTE,
		.key = ND_BY_PAIR,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_node_pod_fail = {
	.id = "eff-node-pod-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "A node can't reach pods",
	.why = "The kubelet probes pods from the node, so readiness and liveness probes fail with "
	       "it.",
	.fix = "look at the route to the pod and at the firewall of NODE",
	.source = "probe: tcp or icmp from the node's network namespace",
	.run = run,
};
