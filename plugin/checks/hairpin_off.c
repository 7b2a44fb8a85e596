#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/failures.h"

/* The bridge port of the pod's veth on its node, or NULL: the CNI uses no bridge. */
static const struct nd_link *bridge_port(const struct nd_cluster *cluster, const struct nd_pod *pod)
{
	const struct nd_host *host = nd_look_host(cluster, pod->node);
	const struct nd_podns *ns = nd_look_podns(host, pod->meta.uid);
	for (size_t i = 0; ns && i < ns->nlinks; i++) {
		if (!nd_eq(ns->links[i].kind, "veth"))
			continue;
		for (size_t k = 0; k < host->nlinks; k++)
			if (host->links[k].ifindex == ns->links[i].link_ifindex &&
			    host->links[k].has_hairpin)
				return &host->links[k];
	}
	return NULL;
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->failures->n; i++) {
		const struct nd_failure *failure = &run->failures->items[i];
		const struct nd_pod *pod = failure->flow.source_pod;
		if (failure->flow.kind != ND_FLOW_HAIRPIN || !pod)
			continue;
		const struct nd_link *port = bridge_port(run->cluster, pod);
		if (!port || port->is_hairpin)
			continue;
		const struct nd_service *s = failure->flow.service;
		struct nd_finding *f = nd_find(run, "pod/%s/%s", pod->meta.ns, pod->meta.name);
		f->node = pod->node;
		f->title =
			nd_check_text(run,
				      "Pod %s/%s can't reach itself through a service: its bridge "
				      "port sends nothing back where it came from",
				      pod->meta.ns, pod->meta.name);
		nd_prove(run, f, nd_fact_where(run, failure->host, "links"),
			 "%s, port of %s: hairpin off (wanted on)", port->name,
			 port->master ? port->master : "a bridge");
		nd_prove(run, f, nd_fact_where(run, failure->host, "probe"),
			 "tcp from the pod to its own service %s/%s: %s", s->meta.ns, s->meta.name,
			 nd_probe_outcome_name(failure->result->outcome));
	}
}

const struct nd_check nd_check_hairpin_off = {
	.id = "hairpin-off",
	.layer = ND_LAYER_CNI,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A pod can't reach itself through its service",
	.why = "A pod that asks a service may be sent back to itself. A bridge does not send a "
	       "frame out "
	       "of the port it came in by, unless hairpin mode is on for that port. The CNI plugin "
	       "sets it when the pod starts (hairpinMode), so restarted pods are well again.",
	.fix = "on NODE: bridge link set dev PORT hairpin on; set hairpinMode in the CNI "
	       "configuration",
	.source = "Kubernetes: Debug Services, edge case; CNI plugins: bridge, hairpinMode",
	.explains = {{"eff-app-fail", ND_ANYWHERE}, {"eff-clusterip-fail", ND_SAME_NODE}},
	.run = run,
};
