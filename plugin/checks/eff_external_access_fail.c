#include "common/base.h"
#include "plugin/checks/failures.h"

/* A service whose pods do not listen on its target port is eff-conn-refused. */
static bool is_mine(const struct nd_cluster *cluster, const struct nd_failure *f)
{
	return !nd_failure_is_refusal(cluster, f);
}

static const char *title(struct nd_check_run *run, const struct nd_failure *f, const char *how)
{
	char ip[ND_IP_TEXT];

	if (f->flow.kind == ND_FLOW_SERVICE_OUTSIDE)
		return nd_check_text(run, "Service %s/%s can't be reached by its address %s (%s)",
				     f->flow.service->meta.ns, f->flow.service->meta.name,
				     nd_ip_text(f->result->ip, ip), how);
	return nd_check_text(run, "NodePort service %s/%s can't be reached from another node (%s)",
			     f->flow.service->meta.ns, f->flow.service->meta.name, how);
}

static void run(struct nd_check_run *run)
{
	static const struct nd_effect_spec spec = {
		.flows = 1u << ND_FLOW_NODEPORT | 1u << ND_FLOW_SERVICE_OUTSIDE,
		.key = ND_BY_SERVICE,
		.is_mine = is_mine,
		.title = title,
	};
	nd_effects_find(run, &spec);
}

const struct nd_check nd_check_eff_external_access_fail = {
	.id = "eff-external-access-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "A NodePort or outside address can't be reached",
	.why = "Each node must answer on the node port of a service, wherever its pods run, and "
	       "send what is for an external or load balancer address of a service to its pods.",
	.fix = "look at kube-proxy's rules and at the firewall of the nodes",
	.source = "probe: tcp from a node to another node's address and the node port, or to the "
		  "address",
	.run = run,
};
