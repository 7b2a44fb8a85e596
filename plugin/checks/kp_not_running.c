#include "common/base.h"
#include "plugin/checks/facts.h"

static bool is_linux(const struct nd_node *node)
{
	const char *os = nd_labels_get(&node->meta.labels, "kubernetes.io/os");
	return !os || nd_eq(os, "linux");
}

static void absent(struct nd_check_run *run, const struct nd_workload *ds,
		   const struct nd_node *node)
{
	struct nd_finding *f = nd_find(run, "node/%s", node->meta.name);
	f->title = nd_check_text(
		run, "Services don't work on %s, or are out of date: kube-proxy does not run there",
		node->meta.name);
	nd_prove(run, f, "pods", "no kube-proxy pod on %s; the DaemonSet wants %d in the cluster",
		 node->meta.name, ds->wanted);
	for (size_t i = 0; i < ds->node_selector.n; i++)
		if (!nd_eq(ds->node_selector.items[i].key, "kubernetes.io/os"))
			nd_prove(run, f, "daemonset/kube-system/kube-proxy", "nodeSelector %s=%s%s",
				 ds->node_selector.items[i].key, ds->node_selector.items[i].value,
				 nd_labels_get(&node->meta.labels, ds->node_selector.items[i].key)
					 ? ""
					 : ", a label the node does not have");
}

static void failing(struct nd_check_run *run, const struct nd_pod *pod, const char *why)
{
	struct nd_finding *f = nd_find(run, "node/%s", pod->node);
	f->title = nd_check_text(
		run, "Services on %s are out of date: kube-proxy does not run there (%s)",
		pod->node, why);
	for (size_t i = 0; i < pod->ncontainers; i++) {
		const struct nd_container *c = &pod->containers[i];
		const char *message =
			c->waiting_message ? c->waiting_message : c->terminated_message;
		nd_prove(run, f, nd_check_text(run, "pod/%s/%s", pod->meta.ns, pod->meta.name),
			 "container %s: %s, restarts %d%s%s", c->name ? c->name : "?", why,
			 c->restarts, message ? ": " : "", message ? message : "");
	}
}

/* Cleaned away with its rules, though the cluster was set up with it and nothing took its place. */
static void look_for_daemonset(struct nd_check_run *run)
{
	const struct nd_cluster *cluster = run->cluster;
	enum nd_cni_kind cni = nd_look_cni(cluster);
	if ((cni != ND_CNI_KINDNET && cni != ND_CNI_FLANNEL) ||
	    !nd_look_configmap(cluster, "kube-system", "kube-proxy"))
		return;
	for (size_t i = 0; i < cluster->nnodes; i++)
		if (nd_fact_kube_proxy_pod(cluster, cluster->nodes[i].meta.name))
			return;
	struct nd_finding *f = nd_find(run, "cluster");
	f->title = "Services don't work: the cluster has no kube-proxy";
	nd_prove(run, f, "daemonsets",
		 "no DaemonSet kube-system/kube-proxy and no kube-proxy pod, but its ConfigMap "
		 "exists");
}

static void run(struct nd_check_run *run)
{
	const struct nd_cluster *cluster = run->cluster;
	if (!nd_look_has_list(cluster, "pods") || !nd_look_has_list(cluster, "daemonsets"))
		return;
	const struct nd_workload *ds =
		nd_look_workload(cluster, "DaemonSet", "kube-system", "kube-proxy");
	if (!ds) {
		look_for_daemonset(run);
		return;
	}
	for (size_t i = 0; i < cluster->nnodes; i++) {
		const struct nd_node *node = &cluster->nodes[i];
		const struct nd_pod *pod = nd_fact_kube_proxy_pod(cluster, node->meta.name);
		if (!is_linux(node))
			continue;
		if (!pod)
			absent(run, ds, node);
		else if (node->is_ready && !pod->meta.is_deleting && nd_fact_not_running(pod))
			failing(run, pod, nd_fact_not_running(pod));
	}
}

const struct nd_check nd_check_kp_not_running = {
	.id = "kp-not-running",
	.layer = ND_LAYER_PROXY,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "kube-proxy does not run on the node",
	.why = "kube-proxy writes the rules that make service addresses work. Where it is absent, "
	       "new and changed services time out or reach dead pods; after a restart of the node "
	       "there are no rules at all. A nodeSelector, a taint, or a mistake in its "
	       "configuration keeps it away.",
	.fix = "restore the kube-proxy DaemonSet (nodeSelector, tolerations, ConfigMap); its pods "
	       "write all rules at start",
	.source = "kube-proxy: cmd/kube-proxy/app/server.go; kubeadm: phases/addons/proxy",
	.explains = {{"kp-stale-rules", ND_SAME_NODE},
		     {"ipt-kube-chains-flushed", ND_SAME_NODE},
		     {"ipt-kube-jumps-missing", ND_SAME_NODE},
		     {"masq-missing", ND_SAME_NODE},
		     {"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_SERVICES(ND_SAME_NODE)},
	.run = run,
};
