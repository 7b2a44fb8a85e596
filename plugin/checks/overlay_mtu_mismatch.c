#include "common/base.h"
#include "plugin/checks/drops.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/mtu.h"

static const struct nd_pod *owner_of(const struct nd_cluster *cluster, const struct nd_podns *ns)
{
	for (size_t i = 0; i < cluster->npods; i++)
		for (size_t k = 0; k < ns->nuids; k++)
			if (nd_eq(cluster->pods[i].meta.uid, ns->uids[k]))
				return &cluster->pods[i];
	return NULL;
}

bool nd_mtu_gap_find(const struct nd_cluster *cluster, const struct nd_host *host,
		     struct nd_mtu_gap *out)
{
	struct nd_vtep vtep;
	if (!nd_host_has(host, ND_SECTION_links) || !nd_host_has(host, ND_SECTION_pods) ||
	    !nd_fact_vtep(nd_look_node(cluster, host->node), &vtep))
		return false;
	const struct nd_link *tunnel = nd_look_link(host, vtep.dev);
	for (size_t i = 0; tunnel && tunnel->mtu_bytes && i < host->npodns; i++) {
		const struct nd_podns *ns = &host->podns[i];
		for (size_t k = 0; !ns->is_host_network && k < ns->nlinks; k++) {
			const struct nd_pod *pod;
			if (!nd_eq(ns->links[k].name, "eth0") ||
			    ns->links[k].mtu_bytes <= tunnel->mtu_bytes ||
			    !(pod = owner_of(cluster, ns)) || pod->is_host_network)
				continue;
			*out = (struct nd_mtu_gap){tunnel->name, pod->meta.ns, pod->meta.name,
						   tunnel->mtu_bytes, ns->links[k].mtu_bytes};
			return true;
		}
	}
	return false;
}

bool nd_mtu_gap_matters(const struct nd_cluster *cluster, const struct nd_host *host,
			struct nd_mtu_gap *out)
{
	struct nd_mtu_gap other;
	if (!nd_mtu_gap_find(cluster, host, out))
		return false;
	for (size_t i = 0; i < cluster->nhosts; i++)
		if (&cluster->hosts[i] != host &&
		    nd_mtu_gap_find(cluster, &cluster->hosts[i], &other))
			return true;
	return false;
}

/* The rule that keeps the node from saying that a packet was too big, or NULL. */
static const struct nd_drop *silencer(const struct nd_drops *drops)
{
	for (size_t i = 0; i < drops->n; i++)
		if (drops->items[i].is_too_big)
			return &drops->items[i];
	return NULL;
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		struct nd_mtu_gap gap;
		struct nd_drops drops;
		if (!nd_mtu_gap_matters(run->cluster, host, &gap))
			continue;
		nd_drops_ipt(run, host, nd_fact_kube_backend(host), &drops);
		const struct nd_drop *silent = silencer(&drops);
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		/* While the node may say "too big", senders learn the smaller size and only waste a
		 * packet. */
		f->kind = silent ? ND_CAUSE : ND_HAZARD;
		f->severity = silent ? ND_ERROR : ND_WARNING;
		f->title =
			silent ? nd_check_text(run,
					       "Large transfers between pods of %s and other nodes "
					       "stall: their packets are too big for the tunnel",
					       host->node)
			       : nd_check_text(run,
					       "Pods on %s send packets too big for the tunnel",
					       host->node);
		nd_prove(run, f, nd_check_text(run, "pod/%s/%s: links", gap.pod_ns, gap.pod_name),
			 "eth0 has mtu %u, %s only %u", gap.pod_mtu_bytes, gap.tunnel,
			 gap.tunnel_mtu_bytes);
		if (silent)
			nd_prove(run, f,
				 nd_check_text(run, "%s: iptables %s %s rule %u", host->node,
					       silent->table, silent->chain, silent->number),
				 "%s keeps the node from telling the sender", silent->text);
	}
}

const struct nd_check nd_check_overlay_mtu_mismatch = {
	.id = "overlay-mtu-mismatch",
	.layer = ND_LAYER_CNI,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "Pods send packets that are too big for the tunnel",
	.why = "A vxlan tunnel needs 50 bytes of each packet for itself. Pods with the MTU of the "
	       "wire send packets that don't fit; if the sender is not told, connections open and "
	       "small answers arrive, but large ones stall.",
	.fix = "set the MTU of pods and cni0 to the tunnel's (flannel: Backend.MTU in "
	       "net-conf.json), recreate the pods",
	.source = "RFC 7348 section 5; flannel: pkg/backend/vxlan/device.go (MTU - 50)",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE}, ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
