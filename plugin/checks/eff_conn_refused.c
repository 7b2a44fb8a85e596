#include "common/base.h"
#include "plugin/checks/failures.h"

/* No pod behind it was seen listening: the refusal is the pod's own. */
static bool is_mine(const struct nd_cluster *cluster, const struct nd_failure *f)
{
	return nd_failure_is_refusal(cluster, f);
}

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	return nd_check_text(run, "Service %s/%s refuses connections (%s)",
			     f->flow.service->meta.ns, f->flow.service->meta.name, how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_CLUSTERIP | 1u << ND_FLOW_NODEPORT |
			 1u << ND_FLOW_SERVICE_OUTSIDE,
		.key = ND_BY_SERVICE,
		.is_mine = is_mine,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_conn_refused = {
	.id = "eff-conn-refused",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "A service refuses connections",
	.why = "The packets arrive: the pod answers with a reset, because nothing in it listens on "
	       "the target port of the service.",
	.fix = "compare the targetPort of the service with the port that the pods listen on",
	.source = "probe: tcp to the ClusterIP; the pods' listening sockets",
	.run = run,
};
