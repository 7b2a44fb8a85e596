#include "common/base.h"
#include "plugin/checks/facts.h"

static bool is_hole(const struct nd_route *r)
{
	return r && r->dst.len > 0 &&
	       (nd_eq(r->type, "blackhole") || nd_eq(r->type, "unreachable") ||
		nd_eq(r->type, "prohibit"));
}

/* The address in both, where the shorter prefix does not say more than the longer. */
static struct nd_ip common_ip(struct nd_prefix a, struct nd_prefix b)
{
	struct nd_prefix narrow = a.len > b.len ? a : b;
	return nd_prefix_at(narrow, narrow.len >= 31 ? 0 : 2);
}

/*
 * What this route takes away, or NULL: only what the routing decision really gives it. A wide hole
 * below the nodes' own routes is good practice, and one for the node's own range is Calico's and
 * flannel's.
 */
static const char *victim(struct nd_check_run *run, const struct nd_host *host,
			  const struct nd_route *hole)
{
	const struct nd_cluster *cluster = run->cluster;
	char text[ND_PREFIX_TEXT];
	for (size_t i = 0; i < cluster->nnodes; i++) {
		const struct nd_node *node = &cluster->nodes[i];
		for (size_t k = 0; k < node->npod_cidrs && !nd_eq(node->meta.name, host->node); k++)
			if (nd_prefix_overlaps(node->pod_cidrs[k], hole->dst) &&
			    nd_look_route(host, common_ip(node->pod_cidrs[k], hole->dst)) == hole)
				return nd_check_text(run, "pods of %s (%s)", node->meta.name,
						     nd_prefix_text(node->pod_cidrs[k], text));
	}
	for (size_t i = 0; i < cluster->nservices; i++) {
		const struct nd_service *s = &cluster->services[i];
		if (s->cluster_ip.family && nd_prefix_has(hole->dst, s->cluster_ip) &&
		    nd_look_route(host, s->cluster_ip) == hole)
			return nd_check_text(run, "services, such as %s/%s (%s)", s->meta.ns,
					     s->meta.name, nd_ip_text(s->cluster_ip, text));
	}
	return NULL;
}

static void run(struct nd_check_run *run)
{
	enum nd_cni_kind cni = nd_look_cni(run->cluster);
	if (cni == ND_CNI_CALICO || cni == ND_CNI_CILIUM)
		return; /* they use such routes themselves */
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		struct nd_finding *f = NULL;
		for (size_t k = 0; nd_host_has(host, ND_SECTION_routes) && k < host->nroutes; k++) {
			const struct nd_route *r = &host->routes[k];
			const char *lost = is_hole(r) && !nd_eq(r->protocol, "bird")
						   ? victim(run, host, r)
						   : NULL;
			char dst[ND_PREFIX_TEXT];
			if (!lost)
				continue;
			if (!f) {
				f = nd_find(run, "node/%s", host->node);
				f->title = nd_check_text(run,
							 "%s throws away packets to %s: a %s route",
							 host->node, lost, r->type);
			}
			nd_prove(run, f, nd_fact_where(run, host, "routes"),
				 "%s %s takes the packets to %s", r->type,
				 nd_prefix_text(r->dst, dst), lost);
		}
	}
}

const struct nd_check nd_check_route_blackhole = {
	.id = "route-blackhole",
	.layer = ND_LAYER_ROUTES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A route throws away packets to pods or services",
	.why = "A blackhole, unreachable or prohibit route is more specific than the route to the "
	       "pods or services it covers, so the kernel takes it: pods time out or get no route "
	       "to host, the node gets an error at once.",
	.fix = "on NODE: ip route del TYPE PREFIX, as printed in the proof",
	.source = "ip-route(8), route types",
	.explains = {{"route-pod-cidr-missing", ND_SAME_NODE},
		     {"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
