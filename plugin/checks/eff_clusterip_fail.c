#include "common/base.h"
#include "plugin/checks/failures.h"

/* A service whose pods do not listen on its target port is eff-conn-refused. */
static bool is_mine(const struct nd_cluster *cluster, const struct nd_failure *f)
{
	return !nd_failure_is_refusal(cluster, f);
}

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "Service %s/%s can't be reached (%s)", f->flow.service->meta.ns,
			     f->flow.service->meta.name, how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_CLUSTERIP,
		.key = ND_BY_SERVICE,
		.is_mine = is_mine,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_clusterip_fail = {
	.id = "eff-clusterip-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "A service can't be reached by its ClusterIP",
	.why = "The service has ready endpoints, and yet a connection to its ClusterIP fails. "
	       "Either the address is not translated on the sender's node, or the way to an "
	       "endpoint is broken.",
	.fix = "look at kube-proxy's rules for the service, then at the way to its endpoints",
	.source = "probe: tcp to the ClusterIP from the pods' network namespaces",
	.run = run,
};
