#include "common/base.h"
#include "plugin/checks/failures.h"

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "The API server's service address can't be reached from %s (%s)",
			     f->host->node, how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_API_VIP,
		.key = ND_BY_SOURCE,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_api_vip_unreachable = {
	.id = "eff-api-vip-unreachable",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "The service address of the API server can't be reached",
	.why = "CoreDNS, the CNI's pods and every controller in a pod use the service "
	       "default/kubernetes. Without it they wait, then crash.",
	.fix = "look at kube-proxy's rules and at the way from NODE to the control plane",
	.source = "probe: tcp to the ClusterIP of default/kubernetes",
	.run = run,
};
