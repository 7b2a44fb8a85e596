#include "common/base.h"
#include "plugin/checks/failures.h"

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "Pods on %s can't reach addresses outside the cluster (%s)",
			     f->host->node, how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_EXTERNAL,
		.key = ND_BY_SOURCE,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_egress_fail = {
	.id = "eff-egress-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "Pods can't reach addresses outside the cluster",
	.why = "Packets to the outside must be masqueraded and forwarded by the node.",
	.fix = "look at the default route and the masquerading of NODE",
	.source = "probe: tcp from the pod's network namespace",
	.run = run,
};
