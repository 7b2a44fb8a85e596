#include "common/base.h"
#include "plugin/checks/failures.h"

static bool is_mine(ND_UNUSED const struct nd_cluster *cluster, const struct nd_failure *f)
{
	return !nd_failure_asks_outside(f);
}

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "Cluster DNS does not answer on %s (%s)", f->host->node, how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_DNS_VIP | 1u << ND_FLOW_DNS_POD,
		.key = ND_BY_SOURCE,
		.is_mine = is_mine,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_dns_cluster_fail = {
	.id = "eff-dns-cluster-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "Cluster DNS does not answer",
	.why = "A question for kubernetes.default.svc, sent from inside a pod to the kube-dns "
	       "service and to each CoreDNS pod, got no good answer.",
	.fix = "look at CoreDNS, then at the way from NODE to it",
	.source = "probe: DNS over UDP and TCP from the pod's network namespace",
	.run = run,
};
