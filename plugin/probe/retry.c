#include "common/base.h"
#include "plugin/probe/allow.h"
#include "plugin/probe/emit.h"
#include "plugin/probe/flow.h"
#include "plugin/probe/pick.h"

/* The rest of ND_PROBE_MAX_RETRY_A_NODE is for the ring. */
#define MAX_SAME_A_NODE 40
#define MAX_SUSPECTS 256 /* in the cluster */

/* A result under what was asked; sorted, so that one probe's results are side by side. */
struct sent {
	struct nd_probe probe;
	const struct nd_probe_result *result;
};
/* A pod that did not answer, and what it was asked: is it still there, does it answer itself? */
struct suspect {
	const struct nd_pod *pod;
	struct nd_probe probe;
};
struct retry {
	struct nd_pick pick;
	struct nd_emit emit;
	const struct nd_host *host;
	struct sent *sent; /* nsent */
	size_t nsent;
	struct suspect *suspects; /* nsuspects */
	size_t nsuspects;
};

static int compare_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_probe(const struct nd_probe *a, const struct nd_probe *b)
{
	int order = compare_number(a->netns_inode, b->netns_inode);

	if (!order)
		order = compare_number(a->kind, b->kind);
	if (!order)
		order = compare_number(a->ip.family, b->ip.family);
	if (!order)
		order = memcmp(a->ip.bytes, b->ip.bytes, sizeof(a->ip.bytes));
	if (!order)
		order = compare_number(a->port, b->port);
	if (!order)
		order = compare_number(a->is_aaaa, b->is_aaaa);
	return order ? order : strcmp(a->name ? a->name : "", b->name ? b->name : "");
}

static int by_probe(const void *pa, const void *pb)
{
	const struct sent *a = pa, *b = pb;
	int order = compare_probe(&a->probe, &b->probe);

	/* In the order they were sent: results are one array. */
	return order ? order : (a->result > b->result) - (a->result < b->result);
}

static void read_results(struct retry *r)
{
	r->nsent = r->host->nprobes;
	r->sent = nd_arena_array(r->emit.arena, r->nsent + 1, sizeof(*r->sent));
	for (size_t i = 0; i < r->nsent; i++) {
		const struct nd_probe_result *result = &r->host->probes[i];

		r->sent[i].result = result;
		r->sent[i].probe = (struct nd_probe){.netns_inode = result->netns_inode,
						     .kind = result->kind,
						     .ip = result->ip,
						     .port = result->port,
						     .name = result->name,
						     .is_aaaa = result->is_aaaa};
	}
	qsort(r->sent, r->nsent, sizeof(*r->sent), by_probe);
}

/* The last result of a probe; NULL: none. */
static const struct nd_probe_result *result_of(const struct retry *r, const struct nd_probe *probe)
{
	size_t low = 0, high = r->nsent;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_probe(&r->sent[middle].probe, probe) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && compare_probe(&r->sent[low - 1].probe, probe) == 0 ? r->sent[low - 1].result
									 : NULL;
}

static const struct nd_probe_result *failure_of(const struct retry *r, const struct nd_probe *probe)
{
	const struct nd_probe_result *result = result_of(r, probe);

	return result && result->outcome != ND_OUTCOME_ok && result->outcome != ND_OUTCOME_gone
		       ? result
		       : NULL;
}

/* Only what nobody has sent yet. */
static void send(struct retry *r, struct nd_probe probe)
{
	if (!result_of(r, &probe))
		nd_emit_add(&r->emit, probe);
}

static int family_of(const struct nd_probe *probe)
{
	return probe->ip.family == 6;
}

static struct nd_allow_from sender(const struct retry *r, const struct nd_flow *flow)
{
	return (struct nd_allow_from){flow->source_pod,
				      nd_look_node(r->pick.cluster, flow->source_node)};
}

static bool may_reach(const struct retry *r, const struct nd_allow_from *from,
		      const struct nd_probe *to)
{
	bool is_udp = to->kind == ND_PROBE_udp || to->kind == ND_PROBE_dns_udp;
	uint8_t proto = is_udp ? 17 : to->port ? 6 : to->ip.family == 6 ? 58 : 1;

	return (from->pod || from->node) && nd_allow_ip(&r->pick, from, to->ip, proto, to->port);
}

/* The endpoints behind a service one by one; DNS servers are asked, others only connected to. */
static void ring_service(struct retry *r, const struct nd_probe *probe, const struct nd_flow *flow)
{
	bool is_dns = flow->kind == ND_FLOW_DNS_VIP;
	bool is_udp = probe->kind == ND_PROBE_udp || probe->kind == ND_PROBE_dns_udp;
	size_t n;
	const struct nd_slice *slices = nd_look_slices(r->pick.cluster, flow->service, &n);
	struct nd_allow_from from = sender(r, flow);

	for (size_t i = 0; i < n && flow->service_port; i++) {
		const struct nd_slice_port *port = nd_slice_port_of(&slices[i], flow->service_port);

		if (slices[i].family != probe->ip.family || !port)
			continue;
		for (size_t j = 0; j < slices[i].nendpoints; j++) {
			const struct nd_endpoint *ep = &slices[i].endpoints[j];
			struct nd_probe to = *probe;

			if (!ep->is_ready ||
			    (flow->kind != ND_FLOW_API_VIP &&
			     !nd_pick_endpoint_answers(&r->pick, ep, is_udp, port->port)))
				continue;
			to.kind = is_dns ? probe->kind : ND_PROBE_tcp;
			to.name = is_dns ? probe->name : NULL;
			to.ip = ep->ip;
			to.port = port->port;
			if (may_reach(r, &from, &to))
				send(r, to);
		}
	}
}

/* Another source with the same target, and another target on the same node. */
static void ring_pods(struct retry *r, const struct nd_probe *probe, const struct nd_flow *flow)
{
	const struct nd_cluster *c = r->pick.cluster;
	const struct nd_node *from = nd_look_node(c, flow->source_node);
	const struct nd_node *to = nd_look_node(c, flow->target_node);
	struct nd_allow_from source = sender(r, flow);
	int f = family_of(probe);

	for (size_t i = 0; from && probe->netns_inode; i++) {
		const struct nd_pick_node *n = &r->pick.nodes[from - c->nodes];
		struct nd_probe other = *probe;

		if (i == n->nsources)
			break;
		if (n->sources[i]->pod == flow->source_pod ||
		    n->sources[i]->pod == flow->target_pod ||
		    !nd_pick_pod_ip(n->sources[i]->pod, f).family)
			continue;
		other.netns_inode = n->sources[i]->podns->inode;
		struct nd_allow_from who = {n->sources[i]->pod, from};

		if (!may_reach(r, &who, &other))
			continue;
		send(r, other);
		break;
	}
	for (size_t i = 0; to; i++) {
		const struct nd_pick_node *n = &r->pick.nodes[to - c->nodes];
		struct nd_probe other = *probe;

		if (i == n->ntargets[f])
			break;
		if (n->targets[f][i]->pod == flow->target_pod ||
		    n->targets[f][i]->pod == flow->source_pod)
			continue;
		other.port = n->targets[f][i]->ports[f];
		other.kind = other.port ? ND_PROBE_tcp : ND_PROBE_icmp;
		other.name = NULL; /* these kinds ask for nothing */
		other.ip = nd_pick_pod_ip(n->targets[f][i]->pod, f);
		if (!may_reach(r, &source, &other))
			continue;
		send(r, other);
		break;
	}
}

static void suspect_add(struct retry *r, const struct nd_pod *pod, const struct nd_probe *asked,
			uint16_t port)
{
	struct suspect suspect = {.pod = pod, .probe = *asked};

	if (!pod || !pod->node || !port || r->nsuspects == MAX_SUSPECTS)
		return;
	if (suspect.probe.kind != ND_PROBE_dns_udp && suspect.probe.kind != ND_PROBE_dns_tcp) {
		suspect.probe.kind = ND_PROBE_tcp;
		suspect.probe.name = NULL;
	}
	suspect.probe.ip = asked->ip.family == 6 ? pod->ip6 : pod->ip;
	suspect.probe.port = port;
	for (size_t i = 0; i < r->nsuspects; i++)
		if (r->suspects[i].pod == pod &&
		    compare_probe(&r->suspects[i].probe, &suspect.probe) == 0)
			return;
	ND_ARENA_PUSH(r->emit.arena, r->suspects, r->nsuspects) = suspect;
}

/* The pods that a failed probe may have got to. */
static void suspect_of(struct retry *r, const struct nd_probe *probe,
		       const struct nd_probe_result *result)
{
	const struct nd_cluster *c = r->pick.cluster;
	struct nd_probe asked = *probe;
	struct nd_flow flow;
	size_t n = 0;

	nd_flow_of(c, r->host, result, &flow);
	asked.netns_inode = 0;
	suspect_add(r, flow.target_pod, &asked, probe->port);
	const struct nd_slice *slices =
		flow.service && flow.service_port ? nd_look_slices(c, flow.service, &n) : NULL;
	for (size_t i = 0; i < n; i++) {
		const struct nd_slice_port *port = nd_slice_port_of(&slices[i], flow.service_port);

		for (size_t j = 0; port && j < slices[i].nendpoints; j++) {
			const struct nd_endpoint *ep = &slices[i].endpoints[j];

			/* One that was seen not to listen need not be asked. */
			if (ep->is_ready && nd_eq(port->protocol, "TCP") &&
			    nd_pick_endpoint_answers(&r->pick, ep, false, port->port))
				suspect_add(r, nd_look_pod_by_ip(c, ep->ip), &asked, port->port);
		}
	}
}

/* Those of this node, from inside. */
static void ask_suspects(struct retry *r)
{
	for (size_t i = 0; i < r->nsuspects; i++) {
		const struct nd_pod *pod = r->suspects[i].pod;
		const struct nd_podns *podns = nd_look_podns(r->host, pod->meta.uid);
		struct nd_probe probe = r->suspects[i].probe;

		if (!podns || podns->error || !nd_eq(pod->node, r->host->node))
			continue;
		probe.netns_inode = podns->inode;
		send(r, probe);
	}
}

static void ring(struct retry *r, const struct nd_probe *probe,
		 const struct nd_probe_result *result)
{
	struct nd_flow flow;

	nd_flow_of(r->pick.cluster, r->host, result, &flow);
	switch (flow.kind) {
	case ND_FLOW_CLUSTERIP:
	case ND_FLOW_API_VIP:
	case ND_FLOW_DNS_VIP:
	case ND_FLOW_NODEPORT:
	case ND_FLOW_SERVICE_OUTSIDE:
		ring_service(r, probe, &flow);
		break;
	case ND_FLOW_POD_SAME_NODE:
	case ND_FLOW_POD_CROSS_NODE:
	case ND_FLOW_NODE_POD_LOCAL:
	case ND_FLOW_NODE_POD_REMOTE:
		ring_pods(r, probe, &flow);
		break;
	default: /* nothing stands beside it */
		break;
	}
}

/* probes: the n of one node. */
static void retry_node(struct retry *r, const struct nd_probe *probes, size_t n)
{
	size_t nsame = 0;

	r->host = nd_look_host(r->pick.cluster, probes->node);
	if (!r->host || !r->host->nprobes)
		return;
	read_results(r);
	nd_emit_node(&r->emit, probes->node, ND_PROBE_MAX_RETRY_A_NODE);
	for (size_t i = 0; i < n && nsame < MAX_SAME_A_NODE; i++)
		nsame += failure_of(r, &probes[i]) && nd_emit_add(&r->emit, probes[i]);
	ask_suspects(r);
	for (size_t i = 0; i < n && !nd_emit_is_full(&r->emit); i++) {
		const struct nd_probe_result *result = failure_of(r, &probes[i]);

		if (result)
			ring(r, &probes[i], result);
	}
}

static void suspect_node(struct retry *r, const struct nd_probe *probes, size_t n)
{
	r->host = nd_look_host(r->pick.cluster, probes->node);
	if (!r->host || !r->host->nprobes)
		return;
	read_results(r);
	for (size_t i = 0; i < n; i++) {
		const struct nd_probe_result *result = failure_of(r, &probes[i]);

		if (result)
			suspect_of(r, &probes[i], result);
	}
}

/* Each node's probes stand side by side. */
static void each_node(struct retry *r, const struct nd_probe_plan *plan,
		      void (*visit)(struct retry *r, const struct nd_probe *probes, size_t n))
{
	for (size_t i = 0, n; i < plan->nprobes; i += n) {
		for (n = 1; i + n < plan->nprobes; n++)
			if (!nd_eq(plan->probes[i + n].node, plan->probes[i].node))
				break;
		visit(r, &plan->probes[i], n);
	}
}

void nd_probe_plan_retry(struct nd_arena *arena, const struct nd_cluster *cluster,
			 const struct nd_probe_plan *plan, struct nd_probe_plan *out)
{
	struct retry *r = nd_arena_alloc(arena, sizeof(*r));

	*out = (struct nd_probe_plan){.options = plan->options};
	r->emit.arena = arena;
	r->emit.out = out;
	nd_pick_build(arena, cluster, &plan->options, &r->pick);
	each_node(r, plan, suspect_node);
	each_node(r, plan, retry_node);
}
