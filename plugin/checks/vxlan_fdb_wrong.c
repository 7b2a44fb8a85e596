#include "common/base.h"
#include "plugin/checks/facts.h"

#include <strings.h>

/* Only traffic that goes through the tunnel needs the entry (flannel's DirectRouting goes past it).
 */
static bool is_tunnelled(const struct nd_host *host, const struct nd_node *peer, const char *dev)
{
	const struct nd_prefix *cidr = nd_fact_pod_cidr(peer, 4);
	const struct nd_route *r = cidr ? nd_look_route(host, nd_prefix_at(*cidr, 1)) : NULL;
	return r && nd_eq(r->dev, dev);
}

/* 1: right, 0: no entry, -1: an entry with another address, which is in *other. */
static int look_up(const struct nd_host *host, const struct nd_vtep *peer, const char *dev,
		   struct nd_ip *other)
{
	int found = 0;
	for (size_t i = 0; i < host->nfdb; i++) {
		const struct nd_fdb *e = &host->fdb[i];
		if (!nd_eq(e->dev, dev) || !e->mac || strcasecmp(e->mac, peer->mac) != 0 ||
		    !e->dst.family)
			continue;
		if (nd_ip_eq(e->dst, peer->public_ip))
			return 1;
		*other = e->dst;
		found = -1;
	}
	return found;
}

static void look_at(struct nd_check_run *run, const struct nd_host *host, const struct nd_vtep *own)
{
	struct nd_finding *f = NULL;
	for (size_t i = 0; i < run->cluster->nnodes; i++) {
		const struct nd_node *node = &run->cluster->nodes[i];
		struct nd_vtep peer;
		struct nd_ip other = {0};
		if (nd_eq(node->meta.name, host->node) || !nd_fact_vtep(node, &peer) ||
		    !peer.mac[0] || peer.public_ip.family != 4 ||
		    !is_tunnelled(host, node, own->dev))
			continue;
		int found = look_up(host, &peer, own->dev, &other);
		if (found == 1 || (found == 0 && !node->is_ready))
			continue;
		if (!f) {
			f = nd_find(run, "node/%s", host->node);
			f->title = nd_check_text(
				run,
				"Packets from %s to pods on %s go astray: the tunnel has %s for it",
				host->node, node->meta.name,
				found ? "the wrong address" : "no entry");
		}
		char want[ND_IP_TEXT], is[ND_IP_TEXT];
		nd_ip_text(peer.public_ip, want);
		if (found)
			nd_prove(run, f, nd_fact_where(run, host, "fdb"),
				 "%s dev %s dst %s (wanted %s, the address of %s)", peer.mac,
				 own->dev, nd_ip_text(other, is), want, node->meta.name);
		else
			nd_prove(run, f, nd_fact_where(run, host, "fdb"),
				 "no entry for %s on %s (wanted dst %s, %s)", peer.mac, own->dev,
				 want, node->meta.name);
	}
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		struct nd_vtep own;
		if (!nd_host_has(host, ND_SECTION_fdb) || !nd_host_has(host, ND_SECTION_routes) ||
		    !host->nfdb || !nd_fact_vtep(nd_look_node(run->cluster, host->node), &own))
			continue;
		const struct nd_link *dev = nd_look_link(host, own.dev);
		if (dev && dev->is_up)
			look_at(run, host, &own);
	}
}

const struct nd_check nd_check_vxlan_fdb_wrong = {
	.id = "vxlan-fdb-wrong",
	.layer = ND_LAYER_CNI,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The tunnel's forwarding entry for another node is wrong or missing",
	.why = "The forwarding database says to which node a tunnel packet goes. With a wrong or "
	       "missing entry, packets to one node's pods get lost; all else works. flannel writes "
	       "it when nodes come and go, not regularly.",
	.fix = "on NODE: bridge fdb replace MAC dev flannel.1 dst ADDRESS self permanent, or "
	       "delete its kube-flannel pod",
	.source = "flannel: pkg/backend/vxlan/vxlan_network.go; node annotations backend-data and "
		  "public-ip",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
