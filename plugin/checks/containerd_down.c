#include "common/base.h"
#include "plugin/checks/facts.h"

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		const struct nd_unit *unit = nd_look_unit(host, "containerd"),
				     *crio = nd_look_unit(host, "crio");
		if (!nd_host_has(host, ND_SECTION_units) || !unit || !unit->is_installed ||
		    unit->is_running || (crio && crio->is_running))
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(run, "%s can't start pods: containerd is not running",
					 host->node);
		nd_prove(run, f, nd_fact_where(run, host, "processes"),
			 "containerd is installed, no process of it runs");
		const struct nd_node *node = nd_look_node(run->cluster, host->node);
		if (node && !node->is_ready && node->ready_message)
			nd_prove(run, f, nd_check_text(run, "node/%s", host->node),
				 "Ready is %s: %s",
				 node->ready_status ? node->ready_status : "unknown",
				 node->ready_message);
	}
}

const struct nd_check nd_check_containerd_down = {
	.id = "containerd-down",
	.layer = ND_LAYER_NODE,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The container runtime is not running",
	.why = "Without containerd the kubelet can neither start nor probe containers; the node "
	       "becomes NotReady and its pods leave the services. Pods that run already keep their "
	       "network.",
	.fix = "on NODE: systemctl start containerd",
	.source = "kubelet: PLEG and runtime status (pkg/kubelet/runtime.go)",
	.explains = {{"kubelet-down", ND_SAME_NODE},
		     {"kp-not-running", ND_SAME_NODE},
		     {"cni-conf-missing", ND_SAME_NODE},
		     {"cni-conf-invalid", ND_SAME_NODE},
		     {"cni-bin-missing", ND_SAME_NODE},
		     {"cni-not-installed", ND_SAME_NODE},
		     {"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     {"eff-node-notready", ND_SAME_NODE},
		     {"eff-pod-sandbox-fail", ND_SAME_NODE}},
	.run = run,
};
