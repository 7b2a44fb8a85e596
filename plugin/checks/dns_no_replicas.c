#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/service.h"

static void prove_pods(struct nd_check_run *run, struct nd_finding *f, const struct nd_service *dns)
{
	for (size_t i = 0; i < run->cluster->npods; i++) {
		const struct nd_pod *pod = &run->cluster->pods[i];
		if (!nd_eq(pod->meta.ns, dns->meta.ns) || nd_fact_pod_ended(pod) ||
		    !nd_labels_match(&dns->selector, &pod->meta.labels))
			continue;
		const char *why = nd_fact_not_running(pod);
		nd_prove(run, f, nd_check_text(run, "pod/%s/%s", pod->meta.ns, pod->meta.name),
			 "on %s: %s", pod->node ? pod->node : "no node",
			 why			  ? why
			 : pod->not_ready_message ? pod->not_ready_message
						  : "not ready");
	}
}

static void run(struct nd_check_run *run)
{
	const struct nd_cluster *cluster = run->cluster;
	const struct nd_service *dns = nd_look_service(cluster, "kube-system", "kube-dns");
	struct nd_backends b;
	size_t total;
	if (!nd_service_can_tell(cluster) || !dns || !nd_service_wants_pods(dns) ||
	    nd_look_ready_endpoints(cluster, dns, &total))
		return;
	nd_service_backends(cluster, dns, &b);
	if (b.nready || (!b.npods && !b.workload))
		return; /* endpoints that lag; a selector that matches nothing is dns-service-broken
			 */
	struct nd_finding *f = nd_find(run, "cluster");
	f->node = b.node;
	f->title = b.npods ? nd_check_text(run,
					   "Names don't resolve: none of the %zu DNS pods is ready",
					   b.npods)
			   : "Names don't resolve: there are no DNS pods";
	nd_prove(run, f, "service/kube-system/kube-dns", "%zu endpoints, none ready", total);
	if (b.workload)
		nd_prove(run, f,
			 nd_check_text(run, "%s/kube-system/%s", b.workload->kind,
				       b.workload->meta.name),
			 "%d wanted, %d ready", b.workload->wanted, b.workload->ready);
	prove_pods(run, f, dns);
}

const struct nd_check nd_check_dns_no_replicas = {
	.id = "dns-no-replicas",
	.layer = ND_LAYER_DNS,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The cluster's DNS has no ready pod",
	.why = "All names of the cluster, and for pods all others, are resolved by CoreDNS. "
	       "Without a ready pod behind the kube-dns service, lookups are refused or time out, "
	       "and most applications fail with them.",
	.fix = "kubectl -n kube-system scale deployment coredns --replicas=2; if pods exist, look "
	       "why they are not ready",
	.source = "kubeadm: phases/addons/dns; kube-proxy: no endpoints are REJECTed",
	.explains = {{"svc-pods-not-ready", ND_ANYWHERE}, {"eff-dns-cluster-fail", ND_ANYWHERE}},
	.run = run,
};
