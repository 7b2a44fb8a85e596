#include "common/base.h"
#include "plugin/checks/failures.h"

static bool is_mine(ND_UNUSED const struct nd_cluster *cluster, const struct nd_failure *f)
{
	return !f->result->netns_inode;
}

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "%s can't reach the API server on %s (%s)",
			     nd_failure_source(run, f),
			     f->flow.target_node ? f->flow.target_node : "another node", how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_API_ENDPOINT,
		.key = ND_BY_PAIR,
		.is_mine = is_mine,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_node_node_fail = {
	.id = "eff-node-node-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "A node can't reach another node's address",
	.why = "The API server answers on the address of its node. From here nothing comes back, "
	       "so the network between the nodes is cut, or this node drops what it sends there.",
	.fix = "look at the network between the nodes and at the firewalls of both",
	.source = "probe: tcp to the endpoint of default/kubernetes",
	.run = run,
};
