#include "common/base.h"
#include "plugin/checks/facts.h"

static bool jumps_to(const struct nd_ipt *ipt, const char *chain)
{
	const struct nd_ipt_chain *c = nd_look_ipt_chain(ipt, "nat", "POSTROUTING");
	for (size_t i = 0; c && i < c->nrules; i++)
		if (nd_eq(c->rules[i].target, chain))
			return true;
	return false;
}

static bool masquerades(const struct nd_ipt_chain *c)
{
	for (size_t i = 0; c && i < c->nrules; i++)
		if (nd_eq(c->rules[i].target, "MASQUERADE") || nd_eq(c->rules[i].target, "SNAT"))
			return true;
	return false;
}

/* What is wrong with the CNI's chain, or NULL. */
static const char *trouble(const struct nd_ipt *ipt, const char *chain)
{
	const struct nd_ipt_chain *c = nd_look_ipt_chain(ipt, "nat", chain);
	if (!c)
		return "does not exist";
	if (!masquerades(c))
		return "has no MASQUERADE rule";
	return jumps_to(ipt, chain) ? NULL : "is not jumped to from POSTROUTING";
}

/* Does the CNI keep its source NAT in a native nftables table? */
static bool uses_nft(const struct nd_host *host, const char *prefix)
{
	if (!nd_host_has(host, ND_SECTION_nft))
		return true; /* can't tell, so nothing is missing */
	for (size_t i = 0; i < host->nnft; i++) {
		const struct nd_nft_table *t = &host->nft[i];
		for (size_t c = 0; c < t->nchains && nd_starts(t->name, prefix) && !t->is_iptables;
		     c++)
			for (size_t r = 0; r < t->chains[c].nrules; r++)
				if (t->chains[c].rules[r].text &&
				    strstr(t->chains[c].rules[r].text, "masquerade"))
					return true;
	}
	return false;
}

/* flannel does it only when told to. */
static bool flannel_should(const struct nd_cluster *cluster, const struct nd_host *host)
{
	const char *env = nd_look_file(host, "/run/flannel/subnet.env");
	if (env && strstr(env, "FLANNEL_IPMASQ=true"))
		return true;
	for (size_t i = 0; i < cluster->npods; i++) {
		const struct nd_pod *pod = &cluster->pods[i];
		if (!pod->meta.name || !strstr(pod->meta.name, "flannel"))
			continue;
		for (size_t c = 0; c < pod->ncontainers; c++)
			if (pod->containers[c].args &&
			    strstr(pod->containers[c].args, "--ip-masq") &&
			    !strstr(pod->containers[c].args, "--ip-masq=false"))
				return true;
	}
	return false;
}

static const char *cni_chain(const struct nd_cluster *cluster, const struct nd_host *host)
{
	enum nd_cni_kind cni = nd_look_cni(cluster);
	if (cni == ND_CNI_KINDNET && !uses_nft(host, "kindnet"))
		return "KIND-MASQ-AGENT";
	if (cni == ND_CNI_FLANNEL && flannel_should(cluster, host) && !uses_nft(host, "flannel-"))
		return "FLANNEL-POSTRTG";
	return NULL;
}

ND_PRINTF(4, 0)
static struct nd_finding *begin(struct nd_check_run *run, const struct nd_host *host,
				struct nd_finding *f, const char *title)
{
	if (f)
		return f;
	f = nd_find(run, "node/%s", host->node);
	f->title = nd_check_text(run, title, host->node);
	return f;
}

static void look_at(struct nd_check_run *run, const struct nd_host *host)
{
	const struct nd_ipt *ipt = &host->ipt[nd_fact_kube_backend(host)];
	const struct nd_ipt_chain *kube = nd_look_ipt_chain(ipt, "nat", "KUBE-POSTROUTING");
	const char *chain = cni_chain(run->cluster, host), *why;
	struct nd_finding *f = NULL;
	if (!ipt->is_present || ipt->error || !nd_look_ipt_chain(ipt, "nat", "POSTROUTING"))
		return;
	if (chain && (why = trouble(ipt, chain))) {
		f = begin(run, host, f,
			  "Pods on %s can't reach anything outside the cluster: their source "
			  "address is not translated");
		nd_prove(run, f, nd_fact_where(run, host, "iptables nat"), "%s %s", chain, why);
	}
	/* Without the jump into it the chain does not matter: that is ipt-kube-jumps-missing. */
	if (nd_look_proxy_mode(run->cluster) == ND_PROXY_IPTABLES && kube &&
	    jumps_to(ipt, "KUBE-POSTROUTING") && !masquerades(kube)) {
		f = begin(run, host, f,
			  "Some service traffic on %s gets no answer: its source address is not "
			  "translated");
		nd_prove(run, f, nd_fact_where(run, host, "iptables nat"),
			 "KUBE-POSTROUTING has no MASQUERADE rule (%zu rules)", kube->nrules);
	}
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		const struct nd_node *node = nd_look_node(run->cluster, host->node);
		/* A node that joins gets these with its first CNI pod. */
		if (nd_host_has(host, ND_SECTION_iptables) && node && node->is_ready &&
		    nd_fact_has_family(node, 4))
			look_at(run, host);
	}
}

const struct nd_check nd_check_masq_missing = {
	.id = "masq-missing",
	.layer = ND_LAYER_IPTABLES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "Source addresses are not translated",
	.why = "Pod addresses mean nothing outside the cluster, so the CNI translates the source "
	       "of what leaves it; kube-proxy does for NodePorts and for pods that reach "
	       "themselves through a service. Without these rules the answers never come back.",
	.fix = "restart the CNI pod (KIND-MASQ-AGENT, FLANNEL-POSTRTG) or the kube-proxy pod "
	       "(KUBE-POSTROUTING) of NODE",
	.source = "kindnetd: masq.go; flannel: pkg/trafficmngr; kube-proxy: "
		  "pkg/proxy/iptables/proxier.go",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     {"eff-egress-fail", ND_SAME_NODE},
		     {"eff-dns-external-fail", ND_SAME_NODE},
		     {"eff-external-access-fail", ND_SAME_NODE},
		     {"eff-clusterip-fail", ND_SAME_NODE},
		     {"eff-api-vip-unreachable", ND_SAME_NODE},
		     {"eff-app-fail", ND_SAME_NODE}},
	.run = run,
};
