#include "common/base.h"

#include "plugin/walk/netpol_queue.h"

/* DaemonSets that run the engine, and the queue it opens. */
static const struct engine {
	uint16_t queue;
	const char *name; /* of the DaemonSet */
} engines[] = {
	{101, "kindnet"},
	{100, "kube-network-policies"},
};

static const struct engine *find_engine(const struct nd_cluster *cluster, uint16_t queue)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(engines); i++)
		if (engines[i].queue == queue &&
		    nd_look_workload(cluster, "DaemonSet", "kube-system", engines[i].name))
			return &engines[i];
	return NULL;
}

static const struct nd_pod *find_pod(const struct nd_cluster *c, const struct engine *engine,
				     const char *node)
{
	for (size_t i = 0; i < c->npods; i++)
		if (nd_eq(c->pods[i].meta.ns, "kube-system") && nd_eq(c->pods[i].node, node) &&
		    nd_eq(c->pods[i].meta.owner_kind, "DaemonSet") &&
		    nd_eq(c->pods[i].meta.owner_name, engine->name))
			return &c->pods[i];
	return NULL;
}

static enum nd_hook_result unknown(struct nd_netpol_queue *q, struct nd_eval *eval, uint16_t queue,
				   const char *why)
{
	q->answer.is_unknown = true;
	eval->unknown = nd_arena_printf(eval->arena, "queue %u: %s", queue, why);
	return ND_HOOK_UNKNOWN;
}

/* nf_queue: without a listener a packet is dropped, or goes on when the rule says bypass. */
static enum nd_hook_result nobody(struct nd_netpol_queue *q, const struct nd_verdict *verdict)
{
	q->answer = (struct nd_netpol_answer){
		.is_allowed = verdict->has_bypass,
		.why = verdict->has_bypass
			       ? "no policy engine runs on the node, and its rules let all pass "
				 "then"
			       : "no policy engine runs on the node to answer its queue"};
	return verdict->has_bypass ? ND_HOOK_PASS : ND_HOOK_DROP;
}

enum nd_hook_result nd_netpol_queue_ask(void *ctx, struct nd_eval *eval, struct nd_pkt *packet,
					const struct nd_verdict *verdict)
{
	struct nd_netpol_queue *q = ctx;
	const struct engine *engine = find_engine(q->cluster, verdict->queue);
	const struct nd_pod *pod = engine ? find_pod(q->cluster, engine, q->node) : NULL;
	struct nd_netpol_flow flow = {.src = packet->t.src,
				      .dst = packet->t.dst,
				      .proto = packet->proto,
				      .dport = packet->t.dport,
				      .is_queued = true};

	q->answer = (struct nd_netpol_answer){0};
	if (!engine)
		return unknown(q, eval, verdict->queue, "which program answers it is not known");
	if (!pod && !nd_look_has_list(q->cluster, "pods"))
		return unknown(q, eval, verdict->queue, "the pods could not be read whole");
	if (!pod || (pod->phase && !nd_eq(pod->phase, "Running")))
		return nobody(q, verdict);
	if (!pod->is_ready)
		return unknown(q, eval, verdict->queue, "the policy engine is not ready");
	/* Its rules do not queue these; the connection's first packet was let through. */
	if (packet->ct.is_reply || (packet->ct.state & (ND_CT_ESTABLISHED | ND_CT_RELATED))) {
		q->answer.is_allowed = true;
		return ND_HOOK_PASS;
	}
	nd_netpol_check(eval->arena, q->cluster, &flow, &q->answer);
	if (q->answer.is_unknown)
		return unknown(q, eval, verdict->queue, q->answer.why);
	return q->answer.is_allowed ? ND_HOOK_PASS : ND_HOOK_DROP;
}
