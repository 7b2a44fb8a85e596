#include "common/base.h"
#include "plugin/checks/facts.h"

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		const struct nd_unit *unit = nd_look_unit(host, "kubelet");
		const struct nd_node *node = nd_look_node(run->cluster, host->node);
		if (!nd_host_has(host, ND_SECTION_units) || !unit || !unit->is_installed ||
		    unit->is_running)
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		/* The API server takes 40 s to notice; a kubelet that is just restarting has no
		 * process either, hence only likely until then. */
		f->is_likely = node && node->is_ready;
		f->title = nd_check_text(run, "The kubelet of %s is not running%s", host->node,
					 f->is_likely ? "; the API server has not noticed yet"
						      : ", so the node is not ready");
		nd_prove(run, f, nd_fact_where(run, host, "processes"),
			 "the kubelet is installed, no process of it runs");
		if (node)
			nd_prove(run, f, nd_check_text(run, "node/%s", host->node),
				 "Ready is %s: %s",
				 node->ready_status ? node->ready_status : "unknown",
				 node->ready_message ? node->ready_message : "no message");
	}
}

const struct nd_check nd_check_kubelet_down = {
	.id = "kubelet-down",
	.layer = ND_LAYER_NODE,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The kubelet is not running",
	.why = "Nobody reports for the node: after 40 s it is NotReady and its pods leave the "
	       "services, though they still run; after 5 minutes they are evicted. No pod starts "
	       "there, logs and exec fail.",
	.fix = "on NODE: systemctl start kubelet (after a crash loop: systemctl reset-failed "
	       "kubelet first)",
	.source = "kube-controller-manager: node-monitor-grace-period; kubelet journal",
	.explains = {{"kp-not-running", ND_SAME_NODE},
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
