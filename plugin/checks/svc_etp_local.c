#include "common/base.h"
#include "plugin/checks/shut.h"

/*
 * Whoever is outside may know which nodes to ask, and health checks of a load balancer ask all: it
 * is an error only when somebody who is with us asked and got nothing.
 */
static void report(struct nd_check_run *run, const struct nd_shut *shuts, size_t n)
{
	const struct nd_meta *meta = &shuts[0].service->meta;
	struct nd_shut_sum sum;

	nd_shuts_sum(run, shuts, n, &sum);
	if (!sum.is_probed && nd_shut_is_by_node(run->cluster, shuts[0].service))
		return;
	struct nd_finding *f = nd_find(run, "service/%s/%s", meta->ns, meta->name);

	f->kind = sum.is_probed || sum.packets ? ND_CAUSE : ND_HAZARD;
	f->severity = sum.is_probed ? ND_ERROR : ND_WARNING;
	f->node = sum.node;
	f->title = nd_check_text(run,
				 "Service %s/%s does not answer from outside on %s: its "
				 "externalTrafficPolicy is Local and no endpoint is there",
				 meta->ns, meta->name, sum.nodes);
	nd_prove(run, f, nd_check_text(run, "service/%s/%s", meta->ns, meta->name),
		 "externalTrafficPolicy: Local; ready endpoints on %s",
		 nd_shut_endpoint_nodes(run, shuts[0].service));
	nd_shuts_prove(run, f, shuts, n);
}

static void run(struct nd_check_run *run)
{
	nd_shuts_each(run, ND_SHUT_EXTERNAL, report);
}

const struct nd_check nd_check_svc_etp_local = {
	.id = "svc-etp-local",
	.layer = ND_LAYER_SERVICE,
	.kind = ND_CAUSE,
	.severity = ND_WARNING,
	.title = "A NodePort that is Local has no endpoint on a node",
	.why = "With externalTrafficPolicy Local a node sends what comes from outside to its own "
	       "endpoints only, so that they see the client's address, and drops it when it has "
	       "none. A load balancer's health check leaves such nodes out; somebody who asks the "
	       "node itself times out.",
	.fix = "ask a node that has an endpoint, run one on every node (DaemonSet), or set "
	       "externalTrafficPolicy: Cluster (pods then don't see the client's address)",
	.source = "Kubernetes: Service .spec.externalTrafficPolicy; kube-proxy: "
		  "iptables/proxier.go, \"has no local endpoints\"",
	.explains = {{"eff-external-access-fail", ND_SAME_SUBJECT}},
	.run = run,
};
