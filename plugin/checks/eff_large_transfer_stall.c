#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/failures.h"

/* What the pod may send at once: the MTU of its interface; 0: not known. */
static uint32_t pod_mtu(const struct nd_cluster *cluster, const struct nd_pod *pod)
{
	const struct nd_podns *ns =
		pod ? nd_look_podns(nd_look_host(cluster, pod->node), pod->meta.uid) : NULL;
	uint32_t mtu = 0;
	for (size_t i = 0; ns && i < ns->nlinks; i++)
		if (!nd_eq(ns->links[i].name, "lo") && ns->links[i].mtu_bytes > mtu)
			mtu = ns->links[i].mtu_bytes;
	return mtu;
}

/* Both sides may send more than gets through, and nobody tells them. */
static bool is_black_hole(const struct nd_cluster *cluster, const struct nd_flow *flow,
			  const struct nd_probe_result *r, uint32_t *wanted)
{
	uint32_t from = pod_mtu(cluster, flow->source_pod), to = pod_mtu(cluster, flow->target_pod);
	*wanted = from < to ? from : to;
	return r->kind == ND_PROBE_pmtu && r->outcome == ND_OUTCOME_ok && from && to &&
	       r->mtu_bytes < *wanted && !r->hop.family;
}

static bool is_stall(const struct nd_probe_result *r)
{
	return r->kind == ND_PROBE_bulk && r->outcome == ND_OUTCOME_stall;
}

static void look_at(struct nd_check_run *run, const struct nd_host *host,
		    const struct nd_probe_result *r)
{
	struct nd_flow flow;
	char ip[ND_IP_TEXT];
	uint32_t wanted;
	if (r->kind != ND_PROBE_pmtu && r->kind != ND_PROBE_bulk)
		return;
	nd_flow_of(run->cluster, host, r, &flow);
	bool is_hole = is_black_hole(run->cluster, &flow, r, &wanted);
	if (!is_hole && !is_stall(r))
		return;
	struct nd_finding *f = nd_find(run, "node/%s", host->node);
	f->title = nd_check_text(run, "Large packets from %s to %s get lost", host->node,
				 flow.target_node ? flow.target_node : "another node");
	ND_ARENA_PUSH(run->arena, f->nodes, f->nnodes) = host->node;
	if (flow.target_node)
		ND_ARENA_PUSH(run->arena, f->nodes, f->nnodes) = flow.target_node;
	nd_ip_text(r->ip, ip);
	if (is_hole)
		nd_prove(
			run, f, nd_fact_where(run, host, "probe"),
			"to %s packets of %u bytes get through, the pods' interfaces allow %u, and "
			"no \"fragmentation needed\" comes back",
			ip, r->mtu_bytes, wanted);
	else
		nd_prove(run, f, nd_fact_where(run, host, "probe"),
			 "transfer from %s stopped after %lld bytes", ip, (long long)r->bytes);
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++)
		for (size_t k = 0; k < run->cluster->hosts[i].nprobes; k++)
			look_at(run, &run->cluster->hosts[i], &run->cluster->hosts[i].probes[k]);
}

const struct nd_check nd_check_eff_large_transfer_stall = {
	.id = "eff-large-transfer-stall",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "Large packets get lost",
	.why = "Connections are made and small answers come, but transfers hang: somewhere on the "
	       "way "
	       "the MTU is smaller than both ends believe, and nobody says so.",
	.fix = "compare the MTU of the pods' interfaces, the tunnel and the uplink on both nodes",
	.source = "probe: echo requests that may not be fragmented; RFC 4821",
	.run = run,
};
