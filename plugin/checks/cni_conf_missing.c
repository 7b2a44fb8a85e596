#include "common/base.h"
#include "plugin/checks/facts.h"

/*
 * Some distributions keep these files elsewhere. Missing is what the kubelet complains about, or
 * what a node of the same CNI has in the same place.
 */
static const char *proof(struct nd_check_run *run, const struct nd_host *host)
{
	const struct nd_cluster *cluster = run->cluster;
	const struct nd_node *node = nd_look_node(cluster, host->node);
	if (nd_fact_says_no_cni(node))
		return node->ready_message;
	enum nd_cni_kind cni = nd_look_cni(cluster);
	for (size_t i = 0; i < cluster->nhosts && (cni == ND_CNI_KINDNET || cni == ND_CNI_FLANNEL);
	     i++) {
		const struct nd_host *peer = &cluster->hosts[i];
		const struct nd_cni_file *file =
			nd_host_has(peer, ND_SECTION_cni) ? nd_fact_cni_file(peer, 0) : NULL;
		if (peer != host && file && node && !node->is_ready)
			return nd_check_text(run, "%s has %s there", peer->node, file->name);
	}
	return NULL;
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		if (!nd_host_has(host, ND_SECTION_cni) || nd_fact_cni_file(host, 0))
			continue;
		const char *why = proof(run, host);
		if (!why)
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(run, "%s can't start pods: it has no CNI configuration",
					 host->node);
		nd_prove(run, f, nd_fact_where(run, host, "cni"),
			 "no .conf, .conflist or .json in %s%s",
			 host->cni.conf_dir ? host->cni.conf_dir : "/etc/cni/net.d",
			 host->cni.conf_dir_exists ? "" : ", which does not exist");
		nd_prove(run, f, nd_check_text(run, "node/%s", host->node), "%s", why);
	}
}

const struct nd_check nd_check_cni_conf_missing = {
	.id = "cni-conf-missing",
	.layer = ND_LAYER_CNI,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The node has no CNI configuration",
	.why = "Without a file in the configuration directory the runtime has no network plugin: "
	       "the node is NotReady and no pod starts; those that run go on. kindnet and flannel "
	       "write the file when their pod starts, not later.",
	.fix = "delete the CNI pod (kindnet, kube-flannel) of NODE: the new one writes the file",
	.source = "containerd/go-cni: opts.go; kindnetd: cni.go",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     {"eff-node-notready", ND_SAME_NODE},
		     {"eff-pod-sandbox-fail", ND_SAME_NODE}},
	.run = run,
};
