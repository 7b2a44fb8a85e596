#include "common/base.h"
#include "plugin/checks/failures.h"

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "The pod behind service %s/%s can't reach itself through it (%s)",
			     f->flow.service->meta.ns, f->flow.service->meta.name, how);
}

static const char *self_title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "Pod %s/%s does not answer on port %u, not even itself (%s)",
			     f->flow.target_pod->meta.ns, f->flow.target_pod->meta.name,
			     f->result->port, how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec hairpin = {
		.flows = 1u << ND_FLOW_HAIRPIN,
		.key = ND_BY_SERVICE,
		.title = title,
	};
	static const struct nd_effect_spec self = {
		.flows = 1u << ND_FLOW_SELF,
		.key = ND_BY_POD,
		.title = self_title,
	};
	nd_effects_find(run, &hairpin);
	nd_effects_find(run, &self);
}

const struct nd_check nd_check_eff_app_fail = {
	.id = "eff-app-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "A pod does not answer itself",
	.why = "Through its own service: the connection leaves the pod and is sent back to it, "
	       "which a "
	       "bridge port without hairpin mode drops. Directly: the application is gone or "
	       "hangs, "
	       "and no network is at fault.",
	.fix = "turn hairpin mode on for the ports of the pod bridge; look at the pod's logs",
	.source = "probe: tcp from the only pod behind the service to the service; kubernetes: "
		  "Debug Services, hairpin",
	.run = run,
};
