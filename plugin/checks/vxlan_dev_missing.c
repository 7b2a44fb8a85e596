#include "common/base.h"
#include "plugin/checks/facts.h"

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		struct nd_vtep vtep;
		if (!nd_host_has(host, ND_SECTION_links) || !host->nlinks ||
		    !nd_fact_vtep(nd_look_node(run->cluster, host->node), &vtep) ||
		    run->cluster->nnodes < 2)
			continue;
		const struct nd_link *dev = nd_look_link(host, vtep.dev);
		if (dev && dev->is_up)
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(
			run, "Pods on %s can't reach other nodes: the tunnel device %s is %s",
			host->node, vtep.dev, dev ? "down" : "missing");
		nd_prove(run, f, nd_fact_where(run, host, "links"), "%s %s (wanted up)", vtep.dev,
			 dev ? "is down" : "does not exist");
		nd_prove(run, f, nd_check_text(run, "node/%s", host->node),
			 "annotation flannel.alpha.coreos.com/backend-type is vxlan");
	}
}

const struct nd_check nd_check_vxlan_dev_missing = {
	.id = "vxlan-dev-missing",
	.layer = ND_LAYER_CNI,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The vxlan device of the node is missing or down",
	.why = "flannel carries packets between nodes in this tunnel. Without it, or with it down, "
	       "pods of the node and pods of other nodes don't reach each other in either "
	       "direction; the routes into it are gone as well and don't come back when it is set "
	       "up by hand.",
	.fix = "delete the kube-flannel pod of NODE: the new one makes the device, routes, "
	       "neighbours and FDB entries",
	.source = "flannel: pkg/backend/vxlan/vxlan_network.go",
	.explains = {{"route-pod-cidr-missing", ND_SAME_NODE},
		     {"vxlan-fdb-wrong", ND_SAME_NODE},
		     {"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
