#include "common/base.h"
#include "plugin/checks/hearing.h"
#include "plugin/checks/service.h"

struct tally {
	size_t nready, nother;
	uint16_t port, other;
	const struct nd_endpoint *first;
	bool same_node;
};

/* False: some endpoint listens, or can't be looked at. */
static bool all_elsewhere(const struct nd_cluster *cluster, const struct nd_service *s,
			  const struct nd_service_port *p, struct tally *t)
{
	size_t n;
	const struct nd_slice *slices = nd_look_slices(cluster, s, &n);
	for (size_t i = 0; i < n; i++) {
		const struct nd_slice *slice = &slices[i];
		for (size_t k = 0; k < slice->nports; k++) {
			const struct nd_slice_port *sp = &slice->ports[k];
			if (!nd_eq(sp->name ? sp->name : "", p->name ? p->name : "") ||
			    !nd_eq(sp->protocol, p->protocol))
				continue;
			for (size_t e = 0; e < slice->nendpoints; e++) {
				const struct nd_endpoint *end = &slice->endpoints[e];
				if (!end->is_ready || end->is_terminating)
					continue;
				if (nd_hearing_of(cluster, end, nd_eq(p->protocol, "UDP"), sp->port,
						  &t->other) != ND_HEARS_OTHER_PORT)
					return false;
				t->port = sp->port;
				t->same_node = !t->nready ||
					       (t->same_node && nd_eq(t->first->node, end->node));
				t->first = t->first ? t->first : end;
				t->nready++;
			}
		}
	}
	return t->nready > 0;
}

static void look_at(struct nd_check_run *run, const struct nd_service *s)
{
	for (size_t i = 0; i < s->nports; i++) {
		const struct nd_service_port *p = &s->ports[i];
		struct tally t = {0};
		if ((!nd_eq(p->protocol, "TCP") && !nd_eq(p->protocol, "UDP")) ||
		    !all_elsewhere(run->cluster, s, p, &t))
			continue;
		struct nd_finding *f = nd_find(run, "service/%s/%s", s->meta.ns, s->meta.name);
		f->node = t.same_node ? t.first->node : NULL;
		f->title = nd_check_text(run,
					 "Connections to service %s/%s are refused: its pods don't "
					 "listen on port %u",
					 s->meta.ns, s->meta.name, t.port);
		nd_prove(run, f, nd_check_text(run, "service/%s/%s", s->meta.ns, s->meta.name),
			 "port %u goes to target port %u/%s of %zu ready pods", p->port, t.port,
			 p->protocol, t.nready);
		nd_prove(run, f,
			 nd_check_text(run, "pod/%s/%s: sockets", t.first->pod_ns,
				       t.first->pod_name),
			 "nothing listens on %u, but on %u", t.port, t.other);
		return;
	}
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nservices; i++)
		if (run->cluster->services[i].has_selector)
			look_at(run, &run->cluster->services[i]);
}

const struct nd_check nd_check_svc_targetport_mismatch = {
	.id = "svc-targetport-mismatch",
	.layer = ND_LAYER_SERVICE,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The service's target port is not the one its pods listen on",
	.why = "The service hands connections to a port where no program of the pods listens, so "
	       "they are refused, by the service address and by the pod address alike. targetPort "
	       "has a wrong number, or the program was configured to another port.",
	.fix = "set targetPort to the port the pods listen on (or its name)",
	.source = "Kubernetes: Service .spec.ports[].targetPort; /proc/net/tcp of the pod",
	.explains = {{"eff-clusterip-fail", ND_SAME_SUBJECT},
		     {"eff-conn-refused", ND_SAME_SUBJECT},
		     {"eff-external-access-fail", ND_SAME_SUBJECT}},
	.run = run,
};
