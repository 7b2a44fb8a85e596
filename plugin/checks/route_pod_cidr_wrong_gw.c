#include "common/base.h"
#include "plugin/checks/facts.h"

/* The peer itself, by any of its addresses, or the far end of a tunnel inside its range (flannel's
 * vxlan). */
static bool is_right(const struct nd_node *peer, struct nd_prefix cidr, struct nd_ip gateway)
{
	struct nd_ip public_ip;
	const char *text = nd_labels_get(&peer->annotations, "flannel.alpha.coreos.com/public-ip");
	return nd_ip_eq(gateway, peer->internal_ip) || nd_ip_eq(gateway, peer->internal_ip6) ||
	       (text && nd_ip_parse(text, &public_ip) && nd_ip_eq(gateway, public_ip)) ||
	       nd_prefix_has(cidr, gateway);
}

static void look_at(struct nd_check_run *run, const struct nd_host *host)
{
	struct nd_finding *f = NULL;
	for (size_t i = 0; i < run->cluster->nnodes; i++) {
		const struct nd_node *peer = &run->cluster->nodes[i];
		for (size_t k = 0; k < peer->npod_cidrs && !nd_eq(peer->meta.name, host->node);
		     k++) {
			struct nd_prefix cidr = peer->pod_cidrs[k];
			const struct nd_route *r = nd_look_route(host, nd_prefix_at(cidr, 1));
			char dst[ND_PREFIX_TEXT], gw[ND_IP_TEXT], want[ND_IP_TEXT];
			if (!r || !nd_prefix_eq(r->dst, cidr) || !r->gateway.family ||
			    !peer->internal_ip.family || r->gateway.family != cidr.ip.family ||
			    is_right(peer, cidr, r->gateway))
				continue;
			if (!f) {
				f = nd_find(run, "node/%s", host->node);
				f->title = nd_check_text(
					run, "%s sends packets for pods on %s to the wrong address",
					host->node, peer->meta.name);
			}
			nd_prove(run, f, nd_fact_where(run, host, "routes"),
				 "%s via %s dev %s, but %s is %s", nd_prefix_text(cidr, dst),
				 nd_ip_text(r->gateway, gw), r->dev ? r->dev : "?", peer->meta.name,
				 nd_ip_text(peer->internal_ip, want));
		}
	}
}

static void run(struct nd_check_run *run)
{
	enum nd_cni_kind cni = nd_look_cni(run->cluster);
	if (cni != ND_CNI_KINDNET && cni != ND_CNI_FLANNEL)
		return;
	for (size_t i = 0; i < run->cluster->nhosts; i++)
		if (nd_host_has(&run->cluster->hosts[i], ND_SECTION_routes))
			look_at(run, &run->cluster->hosts[i]);
}

const struct nd_check nd_check_route_pod_cidr_wrong_gw = {
	.id = "route-pod-cidr-wrong-gw",
	.layer = ND_LAYER_ROUTES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A route to the pods of another node has the wrong gateway",
	.why = "The route names an address that is not the node that owns the pods, often one it "
	       "had before a restart. The packets go nowhere, or to a node that has no such pods.",
	.fix = "on NODE: ip route replace PODCIDR via ADDRESS-OF-ITS-NODE, or restart the CNI pod "
	       "of NODE",
	.source = "kindnetd: routes.go (\"Removing invalid route\"); flannel: route_network.go",
	.explains = {{"rp-filter-drop", ND_SAME_NODE},
		     {"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
