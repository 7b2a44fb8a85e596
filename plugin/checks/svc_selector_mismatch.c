#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/service.h"

static const char *selector_text(struct nd_check_run *run, const struct nd_service *s)
{
	const char *text = "";
	for (size_t i = 0; i < s->selector.n && i < 8; i++)
		text = nd_check_text(run, "%s%s%s=%s", text, *text ? "," : "",
				     s->selector.items[i].key,
				     s->selector.items[i].value ? s->selector.items[i].value : "");
	return text;
}

static void look_at(struct nd_check_run *run, const struct nd_service *s)
{
	struct nd_backends b;
	struct nd_near_miss near;
	size_t total;
	nd_look_ready_endpoints(run->cluster, s, &total);
	nd_service_backends(run->cluster, s, &b);
	if (total || b.npods || b.workload)
		return;
	struct nd_finding *f = nd_find(run, "service/%s/%s", s->meta.ns, s->meta.name);
	nd_prove(run, f, nd_check_text(run, "service/%s/%s", s->meta.ns, s->meta.name),
		 "selector %s matches no pod and no workload of the namespace",
		 selector_text(run, s));
	if (nd_service_near_miss(run->cluster, s, &near)) {
		f->title = nd_check_text(run,
					 "Nobody answers for service %s/%s: its selector misses "
					 "the pods by one label",
					 s->meta.ns, s->meta.name);
		nd_prove(run, f, nd_check_text(run, "%s/%s", s->meta.ns, near.who),
			 "the selector wants %s=%s, here it is %s", near.key, near.wanted,
			 near.has);
		return;
	}
	/* A StatefulSet scaled to zero looks the same; without something it may have meant, it
	 * hurts nobody we know. */
	f->kind = ND_HAZARD;
	f->severity = ND_WARNING;
	f->title = nd_check_text(run, "Service %s/%s selects no pods", s->meta.ns, s->meta.name);
}

static void run(struct nd_check_run *run)
{
	if (!nd_service_can_tell(run->cluster))
		return;
	for (size_t i = 0; i < run->cluster->nservices; i++)
		if (nd_service_wants_pods(&run->cluster->services[i]) &&
		    !nd_service_is_dns(&run->cluster->services[i]))
			look_at(run, &run->cluster->services[i]);
}

const struct nd_check nd_check_svc_selector_mismatch = {
	.id = "svc-selector-mismatch",
	.layer = ND_LAYER_SERVICE,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The service's selector matches no pod",
	.why = "A service finds its pods by labels in its own namespace. If one label differs it "
	       "has no endpoints, and connections to it are refused at once. Usually a typo, or "
	       "labels that changed with a new release.",
	.fix = "correct the selector (kubectl edit service) or the pods' labels",
	.source = "Kubernetes: Service .spec.selector; kube-proxy: no endpoints are REJECTed",
	.explains = {{"eff-clusterip-fail", ND_SAME_SUBJECT},
		     {"eff-conn-refused", ND_SAME_SUBJECT},
		     {"eff-external-access-fail", ND_SAME_SUBJECT}},
	.run = run,
};
