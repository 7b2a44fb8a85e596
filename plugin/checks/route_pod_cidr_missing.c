#include "common/base.h"
#include "plugin/checks/facts.h"

/* Should there be a route to it by now? A node that joins is neither Ready nor known to flannel
 * yet. */
static bool is_settled(enum nd_cni_kind cni, const struct nd_node *peer)
{
	return peer->is_ready &&
	       (cni != ND_CNI_FLANNEL ||
		nd_labels_get(&peer->annotations, "flannel.alpha.coreos.com/public-ip"));
}

/* Nothing but a default route, or nothing at all. */
static bool is_missing(const struct nd_host *host, struct nd_prefix cidr)
{
	const struct nd_route *r = nd_look_route(host, nd_prefix_at(cidr, 1));
	return !r || r->dst.len == 0;
}

static void look_at(struct nd_check_run *run, const struct nd_host *host, enum nd_cni_kind cni)
{
	struct nd_finding *f = NULL;
	for (size_t i = 0; i < run->cluster->nnodes; i++) {
		const struct nd_node *peer = &run->cluster->nodes[i];
		if (nd_eq(peer->meta.name, host->node) || !is_settled(cni, peer))
			continue;
		for (size_t k = 0; k < peer->npod_cidrs; k++) {
			char text[ND_PREFIX_TEXT];
			if (peer->pod_cidrs[k].ip.family != 4 ||
			    !is_missing(host, peer->pod_cidrs[k]))
				continue;
			if (!f) {
				f = nd_find(run, "node/%s", host->node);
				f->title = nd_check_text(run,
							 "%s and its pods can't reach pods on %s: "
							 "the route is missing",
							 host->node, peer->meta.name);
			}
			nd_prove(run, f, nd_fact_where(run, host, "routes"),
				 "no route to %s, the pods of %s",
				 nd_prefix_text(peer->pod_cidrs[k], text), peer->meta.name);
		}
	}
}

static void run(struct nd_check_run *run)
{
	/* These two route by spec.podCIDR, others by blocks of their own. */
	enum nd_cni_kind cni = nd_look_cni(run->cluster);
	if (cni != ND_CNI_KINDNET && cni != ND_CNI_FLANNEL)
		return;
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		/* Without its address the node is cut off, and this is the least of it. */
		if (nd_host_has(host, ND_SECTION_routes) && host->nroutes &&
		    nd_fact_uplink(run->cluster, host))
			look_at(run, host, cni);
	}
}

const struct nd_check nd_check_route_pod_cidr_missing = {
	.id = "route-pod-cidr-missing",
	.layer = ND_LAYER_ROUTES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A route to the pods of another node is missing",
	.why = "Packets to those pods leave by the default route and die there, and the answers to "
	       "what those pods send do too. kindnetd writes the routes again every 10 s while it "
	       "runs; flannel's vxlan only at its start.",
	.fix = "restart the CNI pod of NODE (kindnet or kube-flannel): it writes its routes again",
	.source = "kindnetd: routes.go; flannel: vxlan_network.go; measured on kind",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
