#include "common/base.h"
#include "plugin/checks/facts.h"

static size_t count_ports(const struct nd_host *host, const char *bridge)
{
	size_t n = 0;
	for (size_t i = 0; i < host->nlinks; i++)
		n += nd_eq(host->links[i].master, bridge);
	return n;
}

static bool has_ipv4(const struct nd_host *host, const char *dev)
{
	for (size_t i = 0; i < host->naddrs; i++)
		if (nd_eq(host->addrs[i].dev, dev) && host->addrs[i].prefix.ip.family == 4)
			return true;
	return false;
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		const struct nd_link *cni0 = nd_look_link(host, "cni0");
		if (!nd_host_has(host, ND_SECTION_links) || !cni0)
			continue;
		size_t nports = count_ports(host, "cni0");
		bool no_address = nports && nd_look_cni(run->cluster) == ND_CNI_FLANNEL &&
				  nd_host_has(host, ND_SECTION_addrs) && host->naddrs &&
				  nd_fact_has_family(nd_look_node(run->cluster, host->node), 4) &&
				  !has_ipv4(host, "cni0");
		/* Without ports a bridge has no carrier, which is fine; IFF_UP is what someone took
		 * away. */
		if (cni0->is_up && !no_address)
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(run, "Pods on %s are cut off: the bridge cni0 %s",
					 host->node, cni0->is_up ? "has no address" : "is down");
		if (!cni0->is_up)
			nd_prove(run, f, nd_fact_where(run, host, "links"),
				 "cni0 is not UP; %zu pod ports on it", nports);
		else
			nd_prove(run, f, nd_fact_where(run, host, "addresses"),
				 "cni0 has no IPv4 address; %zu pod ports on it", nports);
	}
}

const struct nd_check nd_check_cni0_down = {
	.id = "cni0-down",
	.layer = ND_LAYER_CNI,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The pod bridge of the node is down",
	.why = "All pods of the node hang on this bridge and its address is their gateway: while "
	       "it is down nobody reaches them and they reach nobody. A person or a network "
	       "manager took it down.",
	.fix = "on NODE: ip link set cni0 up (and ip addr add GATEWAY/24 dev cni0 if the address "
	       "is gone)",
	.source = "CNI plugins: bridge.go; measured on kind with flannel",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     {"cni0-wrong-ip", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
