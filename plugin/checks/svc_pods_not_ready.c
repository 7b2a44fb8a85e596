#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/service.h"

static void prove_pod(struct nd_check_run *run, struct nd_finding *f, const struct nd_pod *pod)
{
	const char *where = nd_check_text(run, "pod/%s/%s", pod->meta.ns, pod->meta.name);
	for (size_t i = 0; i < pod->ncontainers; i++) {
		const struct nd_container *c = &pod->containers[i];
		if (!c->is_ready && c->waiting_reason)
			nd_prove(run, f, where, "container %s waits: %s%s%s",
				 c->name ? c->name : "?", c->waiting_reason,
				 c->waiting_message ? ": " : "",
				 c->waiting_message ? c->waiting_message : "");
	}
	nd_prove(run, f, where, "%s on %s is not ready%s%s%s%s",
		 pod->phase ? pod->phase : "the pod", pod->node ? pod->node : "no node",
		 pod->not_ready_reason ? ": " : "",
		 pod->not_ready_reason ? pod->not_ready_reason : "",
		 pod->not_ready_message ? ", " : "",
		 pod->not_ready_message ? pod->not_ready_message : "");
	for (size_t i = 0; i < run->cluster->nevents; i++) {
		const struct nd_event *e = &run->cluster->events[i];
		if (nd_eq(e->uid, pod->meta.uid) && nd_eq(e->reason, "Unhealthy") && e->message) {
			nd_prove(run, f, where, "%s", e->message);
			return;
		}
	}
}

static void look_at(struct nd_check_run *run, const struct nd_service *s)
{
	struct nd_backends b;
	size_t total, nready = nd_look_ready_endpoints(run->cluster, s, &total);
	if (nready)
		return;
	nd_service_backends(run->cluster, s, &b);
	if (b.nready || (!b.npods && !b.workload))
		return; /* others' business: endpoints that lag, or a selector that matches nothing
			 */
	struct nd_finding *f = nd_find(run, "service/%s/%s", s->meta.ns, s->meta.name);
	f->node = b.node;
	if (!b.npods) {
		f->title = nd_check_text(run, "Nobody answers for service %s/%s: %s %s has no pods",
					 s->meta.ns, s->meta.name, b.workload->kind,
					 b.workload->meta.name);
		nd_prove(run, f,
			 nd_check_text(run, "%s/%s/%s", b.workload->kind, s->meta.ns,
				       b.workload->meta.name),
			 "its pods would match, %d wanted, none exist", b.workload->wanted);
		return;
	}
	f->title = nd_check_text(run,
				 "Nobody answers for service %s/%s: none of its %zu pods is ready",
				 s->meta.ns, s->meta.name, b.npods);
	nd_prove(run, f, "endpointslices", "%zu endpoints, none ready", total);
	if (b.first)
		prove_pod(run, f, b.first);
}

static void run(struct nd_check_run *run)
{
	if (!nd_service_can_tell(run->cluster))
		return;
	for (size_t i = 0; i < run->cluster->nservices; i++) {
		const struct nd_service *s = &run->cluster->services[i];
		if (nd_service_wants_pods(s) && !s->publish_not_ready && !nd_service_is_dns(s))
			look_at(run, s);
	}
}

const struct nd_check nd_check_svc_pods_not_ready = {
	.id = "svc-pods-not-ready",
	.layer = ND_LAYER_SERVICE,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "None of the service's pods is ready",
	.why = "A service sends only to ready pods; with none, connections are refused at once. "
	       "The pods fail their readiness probe, can't start, or are scaled to zero. A fault "
	       "below (network of the node, image) makes pods unready too; then it is named as the "
	       "cause.",
	.fix = "look at the readiness probe and the pod's events; scale up if there should be pods",
	.source = "Kubernetes: EndpointSlice conditions; kube-proxy: no endpoints are REJECTed",
	.explains = {{"eff-clusterip-fail", ND_SAME_SUBJECT},
		     {"eff-conn-refused", ND_SAME_SUBJECT},
		     {"eff-external-access-fail", ND_SAME_SUBJECT}},
	.run = run,
};
