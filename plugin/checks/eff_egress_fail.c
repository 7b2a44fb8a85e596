#include "common/base.h"
#include "plugin/checks/failures.h"

/* The API server's own address is outside the pod network: nodes have eff-node-node-fail. */
static bool is_mine(ND_UNUSED const struct nd_cluster *cluster, const struct nd_failure *f)
{
	return f->result->netns_inode != 0;
}

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "Pods on %s can't reach addresses outside the pod network (%s)",
			     f->host->node, how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_EXTERNAL | 1u << ND_FLOW_API_ENDPOINT,
		.key = ND_BY_SOURCE,
		.is_mine = is_mine,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_egress_fail = {
	.id = "eff-egress-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "Pods can't reach addresses outside the pod network",
	.why = "Packets to the outside must be masqueraded and forwarded by the node.",
	.fix = "look at the default route and the masquerading of NODE",
	.source = "probe: tcp from the pod's network namespace",
	.run = run,
};
