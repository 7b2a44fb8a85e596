#include "common/base.h"
#include "plugin/checks/facts.h"

static bool jumps_to(const struct nd_ipt *ipt, const char *base, const char *chain)
{
	const struct nd_ipt_chain *c = nd_look_ipt_chain(ipt, "nat", base);
	for (size_t i = 0; c && i < c->nrules; i++)
		if (nd_eq(c->rules[i].target, chain))
			return true;
	return false;
}

static const struct jump {
	const char *base, *chain, *hurts;
} jumps[] = {
	{"PREROUTING", "KUBE-SERVICES", "pods can't reach services"},
	{"OUTPUT", "KUBE-SERVICES", "the node and its hostNetwork pods can't reach services"},
	{"POSTROUTING", "KUBE-POSTROUTING", "service traffic that must change its source does not"},
};

static void look_at(struct nd_check_run *run, const struct nd_host *host)
{
	enum nd_ipt_backend backend = nd_fact_kube_backend(host);
	const struct nd_ipt *ipt = &host->ipt[backend];
	struct nd_finding *f = NULL;
	for (size_t i = 0; i < ND_ARRAY_LEN(jumps); i++) {
		const struct jump *j = &jumps[i];
		const struct nd_ipt_chain *c = nd_look_ipt_chain(ipt, "nat", j->chain);
		/* Before its first sync kube-proxy has neither; then the rules are there as well as
		 * the jump. */
		if (!c || !c->nrules || jumps_to(ipt, j->base, j->chain))
			continue;
		if (!f) {
			f = nd_find(run, "node/%s", host->node);
			f->title = nd_check_text(
				run, "On %s %s: the jump into kube-proxy's rules is gone",
				host->node, j->hurts);
		}
		nd_prove(run, f,
			 nd_check_text(run, "%s: iptables-%s nat %s", host->node,
				       backend == ND_IPT_NFT ? "nft" : "legacy", j->base),
			 "no jump to %s, which has %zu rules: %s", j->chain, c->nrules, j->hurts);
	}
}

static void run(struct nd_check_run *run)
{
	enum nd_proxy_mode mode = nd_look_proxy_mode(run->cluster);
	if (mode == ND_PROXY_NFTABLES || mode == ND_PROXY_NONE)
		return;
	for (size_t i = 0; i < run->cluster->nhosts; i++)
		if (nd_host_has(&run->cluster->hosts[i], ND_SECTION_iptables))
			look_at(run, &run->cluster->hosts[i]);
}

const struct nd_check nd_check_ipt_kube_jumps_missing = {
	.id = "ipt-kube-jumps-missing",
	.layer = ND_LAYER_IPTABLES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The jump into kube-proxy's rules is missing",
	.why = "kube-proxy's chains are there, but nothing leads into them: service addresses are "
	       "not translated. A person or a firewall script that rewrote the built-in chains "
	       "removed the jump; kube-proxy notices only at its next full sync, up to an hour "
	       "later.",
	.fix = "delete the kube-proxy pod of NODE: the new one writes the jumps again",
	.source = "kube-proxy: pkg/proxy/iptables/proxier.go (iptablesJumpChains)",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_SERVICES(ND_SAME_NODE)},
	.run = run,
};
