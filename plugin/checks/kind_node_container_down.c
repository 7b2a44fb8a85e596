#include "common/base.h"
#include "plugin/checks/facts.h"

static bool is_node(const struct nd_cluster *cluster, const struct nd_node_container *c)
{
	if (cluster->nnodes)
		return nd_look_node(cluster, c->name) != NULL;
	return nd_eq(c->role, "control-plane") || nd_eq(c->role, "worker");
}

static void run(struct nd_check_run *run)
{
	const struct nd_cluster *cluster = run->cluster;
	for (size_t i = 0; i < cluster->ncontainers; i++) {
		const struct nd_node_container *c = &cluster->containers[i];
		if (!c->name || !c->state || nd_eq(c->state, "running") || !is_node(cluster, c))
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", c->name);
		f->title = nd_check_text(run, "%s is down: its container is %s", c->name, c->state);
		nd_prove(run, f, nd_check_text(run, "%s: container", c->name),
			 "state %s%s%s%s (wanted running)", c->state, c->status ? " (" : "",
			 c->status ? c->status : "", c->status ? ")" : "");
		const struct nd_node *node = nd_look_node(cluster, c->name);
		if (node && !node->is_ready)
			nd_prove(run, f, nd_check_text(run, "node/%s", c->name), "Ready is %s: %s",
				 node->ready_status ? node->ready_status : "unknown",
				 node->ready_message ? node->ready_message : "no message");
	}
}

const struct nd_check nd_check_kind_node_container_down = {
	.id = "kind-node-container-down",
	.layer = ND_LAYER_HOST,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The node's container is not running",
	.why = "A kind node is a container. While it is stopped or paused, its kubelet, its pods "
	       "and everything they serve are away; connections to them hang until they time out.",
	.fix = "docker start NODE (docker unpause NODE when it is paused)",
	.source = "kind: pkg/cluster/internal/providers/docker/provision.go; docs: Known Issues",
	.explains = {{"kubelet-down", ND_SAME_NODE},
		     {"containerd-down", ND_SAME_NODE},
		     {"kp-not-running", ND_SAME_NODE},
		     {"cni-conf-missing", ND_SAME_NODE},
		     {"cni-conf-invalid", ND_SAME_NODE},
		     {"cni-bin-missing", ND_SAME_NODE},
		     {"cni-not-installed", ND_SAME_NODE},
		     {"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     {"kp-stale-rules", ND_SAME_NODE},
		     ND_EXPLAINS_NODE(ND_SAME_NODE)},
	.run = run,
};
