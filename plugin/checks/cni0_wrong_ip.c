#include "common/base.h"
#include "plugin/checks/facts.h"

/* The bridge's IPv4 address; NULL: it has none, or it has the wanted one. */
static const struct nd_address *wrong_address(const struct nd_host *host, struct nd_ip want)
{
	const struct nd_address *other = NULL;
	for (size_t i = 0; i < host->naddrs; i++) {
		const struct nd_address *a = &host->addrs[i];
		if (!nd_eq(a->dev, "cni0") || a->prefix.ip.family != 4)
			continue;
		if (nd_ip_eq(a->prefix.ip, want))
			return NULL;
		other = a;
	}
	return other;
}

static void run(struct nd_check_run *run)
{
	if (nd_look_cni(run->cluster) !=
	    ND_CNI_FLANNEL) /* others may number their bridge as they like */
		return;
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		const struct nd_prefix *cidr =
			nd_fact_pod_cidr(nd_look_node(run->cluster, host->node), 4);
		if (!nd_host_has(host, ND_SECTION_addrs) || !cidr)
			continue;
		struct nd_ip want = nd_prefix_at(*cidr, 1);
		const struct nd_address *is = wrong_address(host, want);
		char a[ND_PREFIX_TEXT], b[ND_IP_TEXT], c[ND_PREFIX_TEXT];
		if (!is)
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(run,
					 "Pods on %s have no gateway: the bridge cni0 has the "
					 "address of another range",
					 host->node);
		nd_prove(run, f, nd_fact_where(run, host, "addresses"),
			 "cni0 has %s (wanted %s of podCIDR %s)", nd_prefix_text(is->prefix, a),
			 nd_ip_text(want, b), nd_prefix_text(*cidr, c));
	}
}

const struct nd_check nd_check_cni0_wrong_ip = {
	.id = "cni0-wrong-ip",
	.layer = ND_LAYER_CNI,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The pod bridge has the address of another range",
	.why = "The bridge keeps the gateway address of an old pod range. The gateway of today's "
	       "pods does not answer, so they leave the node no more, and new pods don't start: "
	       "\"cni0\" already has an IP address different from the wanted one.",
	.fix = "on NODE: ip addr flush dev cni0; ip addr add GATEWAY/24 dev cni0",
	.source = "CNI plugins: bridge.go ensureAddr",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
