/* hook.c: one netfilter hook of a walk. */
#include "common/base.h"

#include "plugin/walk/netpol_queue.h"
#include "plugin/walk/run.h"

static const char *const hook_names[ND_HOOKS] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
						 "POSTROUTING"};

static const char *backend_name(enum nd_rules_backend backend)
{
	return backend == ND_RULES_IPT_NFT	? "iptables-nft"
	       : backend == ND_RULES_IPT_LEGACY ? "iptables-legacy"
						: "nft";
}

/* "w1: iptables-nft filter FORWARD" of what decided: the last event. */
static const char *where_of(const struct nd_run *run, const struct nd_eval *eval, enum nd_hook hook)
{
	const struct nd_rule_event *last = eval->nevents ? &eval->events[eval->nevents - 1] : NULL;

	if (!last || !last->table || !last->chain)
		return nd_run_where(run, hook_names[hook]);
	return nd_arena_printf(run->arena, "%s: %s %s %s", run->net->label,
			       backend_name(last->table->backend), last->table->name,
			       last->chain->name);
}

static const char *culprit(const struct nd_run *run, const struct nd_eval *eval)
{
	const struct nd_rule_event *last = eval->nevents ? &eval->events[eval->nevents - 1] : NULL;

	if (last && last->rule && last->rule->text)
		return last->rule->text;
	if (last && last->kind == ND_EV_POLICY && last->chain)
		return nd_arena_printf(run->arena, "%s has the policy drop", last->chain->name);
	return last && last->what ? last->what : "a rule";
}

static bool settle(struct nd_run *run, const struct nd_eval *eval, enum nd_hook hook,
		   enum nd_hook_result result)
{
	switch (result) {
	case ND_HOOK_PASS:
		return true;
	case ND_HOOK_DROP:
		nd_run_end(run, ND_WALK_DROPPED, where_of(run, eval, hook), "%s",
			   culprit(run, eval));
		return false;
	case ND_HOOK_REJECT:
		run->error = eval->reject_with;
		nd_run_end(run, ND_WALK_REJECTED, where_of(run, eval, hook), "%s",
			   culprit(run, eval));
		return false;
	case ND_HOOK_QUEUE:
		nd_run_end(run, ND_WALK_UNKNOWN, where_of(run, eval, hook),
			   "a program decides (queue %u)", eval->queue);
		return false;
	case ND_HOOK_UNKNOWN:
		nd_run_end(run, ND_WALK_UNKNOWN, where_of(run, eval, hook), "%s",
			   eval->unknown ? eval->unknown : "a rule is not modelled");
		return false;
	}
	return false;
}

static bool has_route(void *ctx, const struct nd_pkt *packet)
{
	const struct nd_run *run = ctx;
	struct nd_fib_key key = {.dst = packet->t.dst, .src = packet->t.src, .mark = packet->mark};
	struct nd_fib fib;

	nd_space_route(&run->net->space, &key, &fib);
	return fib.kind == ND_FIB_UNICAST || fib.kind == ND_FIB_LOCAL || fib.kind == ND_FIB_UNKNOWN;
}

/*
 * Programs of the node itself are taken for root's: kubelet, the API server and the agent that
 * sends probes are. Who runs in a pod is not known, and what the kernel itself answers or sends
 * through a tunnel has no user.
 */
static bool is_root(const struct nd_run *run)
{
	bool is_icmp = run->pkt.proto == ND_PROTO_ICMP || run->pkt.proto == ND_PROTO_ICMP6;

	return run->net->host && !run->net->inode && !run->ninner && !(run->is_answer && is_icmp);
}

bool nd_run_hook(struct nd_run *run, enum nd_hook hook)
{
	const struct nd_rules *rules = nd_net_rules(run->world, run->net);
	struct nd_netpol_queue queue = {.cluster = run->world->cluster,
					.node = run->net->host ? run->net->host->node : NULL};
	struct nd_eval eval = {.arena = run->arena,
			       .rules = rules,
			       .fib = &run->net->fib,
			       .choices = run->choices,
			       .kept = run->kept,
			       .has_route = run->net->is_known ? has_route : NULL,
			       .route_ctx = run,
			       .has_all_rules = run->ask->has_all_rules,
			       .queue_ask = nd_netpol_queue_ask,
			       .queue_ctx = &queue,
			       .is_root = is_root(run)};
	enum nd_hook_result result;
	struct nd_way *way;

	run->needs_route = false;
	if (!rules) {
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, hook_names[hook]), "%s",
			   run->net->no_rules);
		return false;
	}
	result = nd_eval_hook(&eval, hook, &run->pkt);
	run->world->nrules += eval.nrules;
	run->kept = eval.kept;
	if (eval.nevents) {
		way = nd_run_way(run, ND_WAY_HOOK, nd_run_where(run, "netfilter"), "%s",
				 hook_names[hook]);
		way->hook = hook;
		way->events = eval.events;
		way->nevents = eval.nevents;
		run->end_at = run->nways;
	}
	if (queue.answer.why)
		nd_run_way(run, ND_WAY_POLICY, nd_run_where(run, "networkpolicy"), "%s",
			   queue.answer.why);
	if (result == ND_HOOK_DROP && queue.answer.why && !queue.answer.is_allowed)
		run->end_at = run->nways;
	run->needs_route = eval.needs_route;
	/* A policy that says no is a better reason than the rule that asked it. */
	if (result == ND_HOOK_DROP && queue.answer.why && !queue.answer.is_allowed) {
		nd_run_end(run, ND_WALK_DROPPED, nd_run_where(run, "networkpolicy"), "%s",
			   queue.answer.why);
		return false;
	}
	if (result == ND_HOOK_PASS)
		run->end_at = 0;
	return settle(run, &eval, hook, result);
}
