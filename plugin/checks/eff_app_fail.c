#include "common/base.h"
#include "plugin/checks/failures.h"

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "The pod behind service %s/%s can't reach itself through it (%s)",
			     f->flow.service->meta.ns, f->flow.service->meta.name, how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_HAIRPIN,
		.key = ND_BY_SERVICE,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_app_fail = {
	.id = "eff-app-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "A pod can't reach itself through its own service",
	.why = "The connection leaves the pod for the service address and is sent back to the same "
	       "pod. A bridge port without hairpin mode drops it, or the masquerading of such "
	       "packets is missing.",
	.fix = "turn hairpin mode on for the ports of the pod bridge",
	.source = "probe: tcp from the only pod behind the service to the service; kubernetes: "
		  "Debug Services, hairpin",
	.run = run,
};
