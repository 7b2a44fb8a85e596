#include "common/base.h"
#include "plugin/checks/shut.h"

/* A pod of the service's namespace that is not one of its own: the likeliest to ask it. */
static bool is_neighbour(const struct nd_check_run *run, const struct nd_shut *shut)
{
	const struct nd_walk_ask *ask = &shut->loss->ask;
	const struct nd_pod *pod =
		ask->netns_inode ? nd_look_pod_by_netns(run->cluster, ask->host, ask->netns_inode)
				 : NULL;

	return pod && nd_eq(pod->meta.ns, shut->service->meta.ns) &&
	       !(shut->service->has_selector &&
		 nd_labels_match(&shut->service->selector, &pod->meta.labels));
}

static bool has_neighbour(const struct nd_check_run *run, const struct nd_shut *shuts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_neighbour(run, &shuts[i]))
			return true;
	return false;
}

/*
 * A DaemonSet that leaves a node out does so on purpose, and its clients are where it is. Others
 * are a mistake as soon as somebody else lives in their namespace, and hurt when rules count.
 */
static bool weigh(const struct nd_check_run *run, const struct nd_shut *shuts, size_t n,
		  const struct nd_shut_sum *sum, enum nd_severity *severity)
{
	bool is_by_node = nd_shut_is_by_node(run->cluster, shuts[0].service);

	*severity = sum->is_probed || (sum->packets && !is_by_node) ? ND_ERROR : ND_WARNING;
	return sum->is_probed || sum->packets || (!is_by_node && has_neighbour(run, shuts, n));
}

static void report(struct nd_check_run *run, const struct nd_shut *shuts, size_t n)
{
	const struct nd_meta *meta = &shuts[0].service->meta;
	enum nd_severity severity;
	struct nd_shut_sum sum;

	nd_shuts_sum(run, shuts, n, &sum);
	if (!weigh(run, shuts, n, &sum, &severity))
		return;
	struct nd_finding *f = nd_find(run, "service/%s/%s", meta->ns, meta->name);

	f->severity = severity;
	f->node = sum.node;
	f->title = nd_check_text(run,
				 "Service %s/%s can't be reached from %s: its "
				 "internalTrafficPolicy is Local and no endpoint is there",
				 meta->ns, meta->name, sum.nodes);
	nd_prove(run, f, nd_check_text(run, "service/%s/%s", meta->ns, meta->name),
		 "internalTrafficPolicy: Local; ready endpoints on %s",
		 nd_shut_endpoint_nodes(run, shuts[0].service));
	nd_shuts_prove(run, f, shuts, n);
}

static void run(struct nd_check_run *run)
{
	nd_shuts_each(run, ND_SHUT_INTERNAL, report);
}

const struct nd_check nd_check_svc_itp_local = {
	.id = "svc-itp-local",
	.layer = ND_LAYER_SERVICE,
	.kind = ND_CAUSE,
	.severity = ND_WARNING,
	.title = "A service that is Local has no endpoint where it is asked",
	.why = "With internalTrafficPolicy Local a node sends to its own endpoints only, and drops "
	       "what is for the ClusterIP when it has none. That suits a DaemonSet; pods of a "
	       "Deployment are on some nodes, and the clients on others time out.",
	.fix = "set internalTrafficPolicy: Cluster, or give every node that asks an endpoint "
	       "(DaemonSet, pod affinity)",
	.source = "Kubernetes: Service .spec.internalTrafficPolicy; kube-proxy: "
		  "iptables/proxier.go, \"has no local endpoints\"",
	.explains = {{"eff-clusterip-fail", ND_SAME_SUBJECT},
		     {"eff-dns-cluster-fail", ND_OF_DNS},
		     {"eff-dns-external-fail", ND_OF_DNS}},
	.run = run,
};
