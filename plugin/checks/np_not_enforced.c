#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/policies.h"

#define MAX_PAIRS 256 /* looked at */

/*
 * Only where all that could stop the packet is rules that the walk knows: not with engines whose
 * programs (eBPF) are not in the evidence, or whose rules were never compared with what they do.
 */
static bool is_readable(const struct nd_cluster *c)
{
	static const char *const engines[] = {"calico", "canal", "cilium", "antrea", "kube-router",
					      "weave",	"ovn",	 "romana", "policy", "policies"};
	enum nd_cni_kind cni = nd_look_cni(c);

	if ((cni != ND_CNI_KINDNET && cni != ND_CNI_FLANNEL) || !nd_look_has_list(c, "daemonsets"))
		return false;
	for (size_t i = 0; i < c->nworkloads; i++)
		for (size_t k = 0; k < ND_ARRAY_LEN(engines); k++)
			if (nd_eq(c->workloads[i].kind, "DaemonSet") && c->workloads[i].meta.name &&
			    strstr(c->workloads[i].meta.name, engines[k]))
				return false;
	return true;
}

/* An endpoint that some policy isolates; what is ready listens. */
static bool look_at(struct nd_check_run *run, const struct nd_service *service, size_t *npairs)
{
	const struct nd_cluster *c = run->cluster;
	struct nd_policy_end ends[16];
	size_t n = nd_policy_ends(c, service, ends, ND_ARRAY_LEN(ends));

	for (size_t i = 0; i < n; i++) {
		const struct nd_policy_end *end = &ends[i];

		if (!end->pod || end->proto != 6 || end->ip.family != 4 ||
		    !nd_netpol_isolates(c, end->pod, true))
			continue;
		for (size_t k = 0; k < c->npods && *npairs < MAX_PAIRS; k++) {
			const struct nd_pod *from = &c->pods[k];
			struct nd_denial d = {0};

			if (from == end->pod || !nd_policy_is_about(from) || !from->ip.family ||
			    !nd_policy_netns(c, from))
				continue;
			(*npairs)++;
			if (!nd_policy_is_ignored(run, from, end->ip, end->number, &d))
				continue;
			struct nd_finding *f = nd_find(run, "cluster");

			nd_prove(run, f, nd_policy_name(run, d.answer.policy), "%s", d.answer.why);
			nd_prove(run, f, nd_fact_where(run, nd_look_host(c, from->node), "rules"),
				 "%s is delivered: no rule on its way asks a policy engine",
				 d.flow);
			return true;
		}
	}
	return false;
}

static void run(struct nd_check_run *run)
{
	const struct nd_cluster *c = run->cluster;
	size_t npairs = 0;

	if (!nd_policies_can_tell(c) || !is_readable(c))
		return;
	for (size_t i = 0; i < c->nservices && npairs < MAX_PAIRS; i++)
		if (look_at(run, &c->services[i], &npairs))
			return;
}

const struct nd_check nd_check_np_not_enforced = {
	.id = "np-not-enforced",
	.layer = ND_LAYER_POLICY,
	.kind = ND_HAZARD,
	.severity = ND_WARNING,
	.title = "NetworkPolicies are not enforced",
	.why = "There are policies that deny, and yet their packets meet no policy engine: flannel "
	       "has none, and kindnet only from kind v0.24 on and on kernels with "
	       "CONFIG_NFT_QUEUE. What they should keep out gets in. Nothing fails because of "
	       "that.",
	.fix = "install a CNI plugin or an engine that enforces NetworkPolicy (kindnet of a newer "
	       "kind, Calico, Cilium, kube-network-policies)",
	.source = "Kubernetes: Network Policies, prerequisites; kindnetd: queue 101",
	.run = run,
};
