#include "common/base.h"
#include "plugin/checks/service.h"

/* What the pod's network namespace shows; the namespace may be unreadable, and gVisor's is empty.
 */
enum hears { UNKNOWN, LISTENS, ONLY_LOOPBACK, OTHER_PORT };

static bool is_loopback(struct nd_ip ip)
{
	static const uint8_t one[16] = {[15] = 1};
	return ip.family == 4 ? ip.bytes[0] == 127
			      : ip.family == 6 && memcmp(ip.bytes, one, 16) == 0;
}

static enum hears hears(const struct nd_socket *sockets, size_t n, bool is_udp, uint16_t port,
			uint16_t *other)
{
	enum hears got = UNKNOWN;
	for (size_t i = 0; i < n; i++) {
		if (sockets[i].is_udp != is_udp)
			continue;
		if (sockets[i].port == port && !is_loopback(sockets[i].ip))
			return LISTENS;
		if (sockets[i].port == port) {
			got = ONLY_LOOPBACK;
		} else if (!is_loopback(sockets[i].ip) && got != ONLY_LOOPBACK) {
			got = OTHER_PORT;
			*other = sockets[i].port;
		}
	}
	return got;
}

static enum hears ask_pod(const struct nd_cluster *cluster, const struct nd_endpoint *e,
			  bool is_udp, uint16_t port, uint16_t *other)
{
	const struct nd_pod *pod =
		e->pod_name ? nd_look_pod(cluster, e->pod_ns, e->pod_name) : NULL;
	const struct nd_host *host = pod && pod->node ? nd_look_host(cluster, pod->node) : NULL;
	/* hostNetwork pods share the node's sockets, where "another port" proves nothing. */
	if (!nd_host_has(host, ND_SECTION_pods) || pod->is_host_network)
		return UNKNOWN;
	const struct nd_podns *ns = nd_look_podns(host, pod->meta.uid);
	return ns && !ns->error && !ns->is_host_network
		       ? hears(ns->sockets, ns->nsockets, is_udp, port, other)
		       : UNKNOWN;
}

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
	const struct nd_slice *slices = nd_service_slices(cluster, s, &n);
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
				if (ask_pod(cluster, end, nd_eq(p->protocol, "UDP"), sp->port,
					    &t->other) != OTHER_PORT)
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
	.run = run,
};
