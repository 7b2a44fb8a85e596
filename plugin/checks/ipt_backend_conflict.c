#include "common/base.h"
#include "plugin/checks/drops.h"
#include "plugin/checks/facts.h"

static const char *const names[ND_IPT_BACKENDS] = {
	[ND_IPT_NFT] = "nft", [ND_IPT_LEGACY] = "legacy"};

/* Service rules in the half that kube-proxy does not write: they age, and still translate
 * addresses. */
static size_t count_service_rules(const struct nd_ipt *ipt)
{
	const struct nd_ipt_chain *services = nd_look_ipt_chain(ipt, "nat", "KUBE-SERVICES");
	size_t n = 0;
	for (size_t i = 0; services && i < services->nrules; i++)
		n += nd_starts(services->rules[i].target, "KUBE-SVC-");
	return n;
}

static bool is_jumped_to(const struct nd_ipt *ipt)
{
	const struct nd_ipt_chain *base = nd_look_ipt_chain(ipt, "nat", "PREROUTING");
	for (size_t i = 0; base && i < base->nrules; i++)
		if (nd_eq(base->rules[i].target, "KUBE-SERVICES"))
			return true;
	return false;
}

static void look_at(struct nd_check_run *run, const struct nd_host *host)
{
	enum nd_ipt_backend used = nd_fact_kube_backend(host),
			    other = used == ND_IPT_NFT ? ND_IPT_LEGACY : ND_IPT_NFT;
	struct nd_finding *f = NULL;
	struct nd_drops drops;
	if (!host->ipt[used].is_present || !host->ipt[other].is_present)
		return;
	nd_drops_ipt(run, host, other, &drops);
	size_t nservices = is_jumped_to(&host->ipt[other]) && count_service_rules(&host->ipt[used])
				   ? count_service_rules(&host->ipt[other])
				   : 0;
	if (drops.n || nservices) {
		f = nd_find(run, "node/%s", host->node);
		f->title =
			drops.n ? nd_check_text(
					  run,
					  "%s drops packets %s in its forgotten iptables-%s rules",
					  host->node, drops.items[0].what, names[other])
				: nd_check_text(run,
						"%s has two sets of service rules, and one of them "
						"is out of date",
						host->node);
		nd_prove(run, f, nd_fact_where(run, host, "iptables"),
			 "Kubernetes writes its rules with iptables-%s", names[used]);
	}
	for (size_t i = 0; i < drops.n; i++)
		nd_prove(run, f,
			 nd_check_text(run, "%s: %s %s %s", host->node, drops.items[i].program,
				       drops.items[i].table, drops.items[i].chain),
			 "%s (%llu packets)", drops.items[i].text,
			 (unsigned long long)drops.items[i].packets);
	if (nservices)
		nd_prove(run, f,
			 nd_check_text(run, "%s: iptables-%s nat KUBE-SERVICES", host->node,
				       names[other]),
			 "%zu service rules here as well", nservices);
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++)
		if (nd_host_has(&run->cluster->hosts[i], ND_SECTION_iptables))
			look_at(run, &run->cluster->hosts[i]);
}

const struct nd_check nd_check_ipt_backend_conflict = {
	.id = "ipt-backend-conflict",
	.layer = ND_LAYER_IPTABLES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "Rules of the other iptables backend drop or translate packets",
	.why = "iptables exists twice in the kernel, legacy and nft, and packets pass both. "
	       "Kubernetes uses one; rules left in the other don't show with the usual command, "
	       "and an accept in one does not help against a drop in the other.",
	.fix = "on NODE: iptables-legacy -P FORWARD ACCEPT, or delete the rules named in the proof "
	       "with that backend's command",
	.source = "kubernetes-sigs/iptables-wrappers README; kubernetes issue 71305",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
