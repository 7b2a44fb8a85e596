#include "common/base.h"
#include "plugin/checks/check.h"

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nnodes; i++) {
		const struct nd_node *node = &run->cluster->nodes[i];
		if (node->is_ready || !node->ready_status)
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", node->meta.name);
		f->title = nd_check_text(run, "Node %s is not ready", node->meta.name);
		nd_prove(run, f, "API: node", "condition Ready is %s%s%s: %s", node->ready_status,
			 node->ready_reason ? ", " : "",
			 node->ready_reason ? node->ready_reason : "",
			 node->ready_message ? node->ready_message : "no message");
	}
}

const struct nd_check nd_check_eff_node_notready = {
	.id = "eff-node-notready",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "A node is not ready",
	.why = "The kubelet says so, or says nothing any more. New pods are not started there, and "
	       "after five minutes those that are there are moved away.",
	.fix = "kubectl describe node NODE; systemctl status kubelet on it",
	.source = "Kubernetes: Node conditions",
	.run = run,
};
