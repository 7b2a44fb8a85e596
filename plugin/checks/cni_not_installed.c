#include "common/base.h"
#include "plugin/checks/facts.h"

static void run(struct nd_check_run *run)
{
	const struct nd_cluster *cluster = run->cluster;
	if (!nd_look_has_list(cluster, "daemonsets") || nd_fact_cni_daemonset(cluster))
		return;
	/* A node may be configured by hand; then its file is there and the kubelet content. */
	struct nd_finding *f = NULL;
	for (size_t i = 0; i < cluster->nnodes; i++) {
		const struct nd_node *node = &cluster->nodes[i];
		const struct nd_host *host = nd_look_host(cluster, node->meta.name);
		if (!nd_fact_says_no_cni(node) ||
		    (nd_host_has(host, ND_SECTION_cni) && nd_fact_cni_file(host, 0)))
			continue;
		if (!f) {
			f = nd_find(run, "cluster");
			nd_prove(run, f, "daemonsets", "none of them is a CNI (%zu workloads read)",
				 cluster->nworkloads);
		}
		nd_prove(run, f, nd_check_text(run, "node/%s", node->meta.name), "%s",
			 node->ready_message);
	}
}

const struct nd_check nd_check_cni_not_installed = {
	.id = "cni-not-installed",
	.layer = ND_LAYER_CNI,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The cluster has no CNI: nothing gives its pods a network",
	.why = "No DaemonSet of a network plugin exists, and nodes have no configuration of one. "
	       "They stay NotReady, CoreDNS stays Pending, nothing can start. It was never "
	       "installed (kind with disableDefaultCNI) or it was deleted.",
	.fix = "install the CNI (apply its manifest); it must fit the cluster's pod range",
	.source = "kind docs: disableDefaultCNI; kubelet: NetworkPluginNotReady",
	.explains = {{"cni-conf-missing", ND_ANYWHERE},
		     {"cni-conf-invalid", ND_ANYWHERE},
		     {"cni-bin-missing", ND_ANYWHERE},
		     {"vxlan-dev-missing", ND_ANYWHERE},
		     {"vxlan-fdb-wrong", ND_ANYWHERE},
		     {"route-pod-cidr-missing", ND_ANYWHERE},
		     {"masq-missing", ND_ANYWHERE},
		     {"svc-pods-not-ready", ND_ANYWHERE},
		     {"dns-no-replicas", ND_ANYWHERE},
		     {"kp-not-running", ND_ANYWHERE},
		     {"eff-node-notready", ND_ANYWHERE},
		     {"eff-pod-sandbox-fail", ND_ANYWHERE}},
	.run = run,
};
