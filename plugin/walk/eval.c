#include "common/base.h"

#include "common/text.h"
#include "plugin/walk/eval_run.h"

/* ---- one base chain ---- */

struct frame {
	struct nd_cursor cursor;
	unsigned depth; /* jumps and gotos that led here */
};

static struct frame frame_enter(struct nd_eval_run *run, const struct nd_rchain *chain,
				unsigned depth)
{
	run->chain = chain;
	run->rule = NULL;
	return (struct frame){nd_cursor_start(run, chain), depth};
}

static enum nd_hook_result queue_run(struct nd_eval_run *run, const struct nd_verdict *verdict)
{
	struct nd_eval *eval = run->eval;

	eval->queue = verdict->queue;
	eval->has_queue_bypass = verdict->has_bypass;
	if (!eval->queue_ask)
		return ND_HOOK_QUEUE;
	return eval->queue_ask(eval->queue_ctx, eval, run->packet, verdict);
}

static enum nd_hook_result policy_run(struct nd_eval_run *run)
{
	bool is_drop = run->base->chain->is_drop;

	run->chain = run->base->chain;
	run->rule = NULL;
	nd_event_add(run, ND_EV_POLICY, is_drop ? "policy drop" : "policy accept");
	return is_drop ? ND_HOOK_DROP : ND_HOOK_PASS;
}

/* nft_do_chain() and ipt_do_table(): a goto leaves no way back to its own chain. */
static enum nd_hook_result chain_run(struct nd_eval_run *run)
{
	struct frame stack[ND_EVAL_MAX_DEPTH], at = frame_enter(run, run->base->chain, 0);
	size_t nstack = 0;

	for (;;) {
		const struct nd_rrule *rule = nd_cursor_next(&at.cursor);
		const struct nd_verdict *verdict = NULL;
		enum nd_flow flow = rule ? ND_FLOW_NEXT : ND_FLOW_RETURN;

		if (rule && ++run->nrules > ND_EVAL_MAX_RULES)
			return nd_unknown_set(run, "more rules than are gone through");
		if (rule)
			flow = nd_rule_run(run, rule, &verdict);
		switch (flow) {
		case ND_FLOW_NEXT:
			break;
		case ND_FLOW_RETURN:
			if (nstack == 0)
				return policy_run(run);
			at = stack[--nstack];
			run->chain = at.cursor.chain;
			break;
		case ND_FLOW_JUMP:
		case ND_FLOW_GOTO:
			if (at.depth >= ND_EVAL_MAX_DEPTH)
				return nd_unknown_set(run, "jumps deeper than 64");
			if (flow == ND_FLOW_JUMP)
				stack[nstack++] = at; /* as deep as at.depth, at most */
			at = frame_enter(run, verdict->to, at.depth + 1);
			break;
		case ND_FLOW_ACCEPT:
			return ND_HOOK_PASS;
		case ND_FLOW_DROP:
			return ND_HOOK_DROP;
		case ND_FLOW_REJECT:
			return ND_HOOK_REJECT;
		case ND_FLOW_QUEUE:
			return queue_run(run, verdict);
		case ND_FLOW_UNKNOWN:
			return ND_HOOK_UNKNOWN;
		}
	}
}

static bool wants_new_route(const struct nd_pkt *was, const struct nd_pkt *now)
{
	return was->mark != now->mark || was->dscp != now->dscp ||
	       !nd_ip_eq(was->t.src, now->t.src) || !nd_ip_eq(was->t.dst, now->t.dst);
}

static bool is_route_chain(const struct nd_base *base)
{
	if (base->chain->type == ND_CHAIN_ROUTE)
		return true;
	/* iptable_mangle_hook() does it without a type. */
	return base->table->backend == ND_RULES_IPT_LEGACY && nd_eq(base->table->name, "mangle");
}

static enum nd_hook_result base_run(struct nd_eval_run *run, const struct nd_base *base)
{
	bool is_route = run->hook == ND_OUTPUT && is_route_chain(base);
	struct nd_pkt was;
	enum nd_hook_result result;

	if (is_route)
		was = *run->packet;
	run->base = base;
	run->chain = base->chain;
	run->rule = NULL;
	run->share = 1;
	nd_event_add(run, ND_EV_HOOK, base->chain->name);
	result = chain_run(run);
	if (is_route && result == ND_HOOK_PASS && wants_new_route(&was, run->packet))
		run->eval->needs_route = true;
	return result;
}

/* ---- one hook ---- */

/* nf_conntrack_in(), at its priority or where the packet comes with a connection. */
static void conntrack_enter(struct nd_eval_run *run)
{
	struct nd_pkt *packet = run->packet;
	struct nd_ct *ct = &packet->ct;

	run->has_ct = false;
	if (!run->eval->rules->has_conntrack[packet->family == 6])
		return;
	if (ct->state == ND_CT_UNTRACKED || ct->state == ND_CT_INVALID)
		return;
	if (ct->state == 0)
		ct->state = ND_CT_NEW;
	if (ct->orig.src.family == 0) {
		ct->orig = ct->is_reply ? nd_tuple_invert(&packet->t, packet->proto) : packet->t;
		ct->reply = nd_tuple_invert(&ct->orig, packet->proto);
	}
	run->has_ct = true;
}

/* nf_nat_oif_changed(): routes have changed since the connection was masqueraded. */
static bool has_strayed(const struct nd_eval_run *run)
{
	const struct nd_ct *ct = &run->packet->ct;

	return run->hook == ND_POSTROUTING && !ct->is_reply && ct->masquerade_dev &&
	       !nd_eq(ct->masquerade_dev, run->packet->oif);
}

/*
 * nf_nat_inet_fn(): the NAT chains of the hook, until one has set the translation of a new
 * connection; then the translation. Sets *next behind the chains.
 */
static enum nd_hook_result nat_enter(struct nd_eval_run *run, const struct nd_base *bases, size_t n)
{
	struct nd_ct *ct = &run->packet->ct;
	bool *is_done = nd_nat_is_dst(run->hook) ? &ct->has_dst_nat : &ct->has_src_nat;
	bool is_first = (ct->state == ND_CT_NEW || ct->state == ND_CT_RELATED) && !ct->is_reply;
	struct nd_ip dst = run->packet->t.dst;

	if (!run->has_ct)
		return ND_HOOK_PASS;
	for (size_t i = 0; i < n && is_first && !*is_done; i++) {
		enum nd_hook_result result = base_run(run, &bases[i]);

		if (result != ND_HOOK_PASS)
			return result;
	}
	*is_done = true;
	run->chain = NULL;
	run->rule = NULL;
	if (has_strayed(run)) {
		run->base = NULL;
		nd_event_add(run, ND_EV_CHANGE,
			     "the connection is masqueraded for another device than it leaves by");
		return ND_HOOK_DROP;
	}
	if (!nd_nat_apply(run))
		return ND_HOOK_PASS;
	if (n == 0)
		run->base = NULL;
	nd_event_add(run, ND_EV_CHANGE,
		     ct->is_reply ? "translation undone" : "translated as its connection");
	if (run->hook == ND_OUTPUT && !nd_ip_eq(dst, run->packet->t.dst))
		run->eval->needs_route = true;
	return ND_HOOK_PASS;
}

/* ip_route_me_harder() fails: the packet goes no further. */
static bool is_lost(const struct nd_eval_run *run)
{
	const struct nd_eval *eval = run->eval;

	return eval->needs_route && eval->has_route &&
	       !eval->has_route(eval->route_ctx, run->packet);
}

/* How many NAT chains follow each other from here; they are one hook. */
static size_t count_nat(const struct nd_base *bases, size_t n)
{
	size_t i = 0;

	while (i < n && bases[i].chain->type == ND_CHAIN_NAT)
		i++;
	return i;
}

static enum nd_hook_result bases_run(struct nd_eval_run *run, const struct nd_base *bases, size_t n)
{
	bool is_dst = nd_nat_is_dst(run->hook);
	bool needs_ct = is_dst && !(run->hook == ND_PREROUTING && nd_eq(run->packet->iif, "lo"));
	bool needs_nat = run->hook != ND_FORWARD;
	int32_t nat_at = is_dst ? ND_PRIO_DST_NAT : ND_PRIO_SRC_NAT;

	if (!needs_ct) /* skbs keep their connection from hook to hook and over lo */
		conntrack_enter(run);
	for (size_t i = 0; i <= n;) {
		const struct nd_base *at = n ? bases + i : NULL;
		size_t nnat = count_nat(at, n - i);
		enum nd_hook_result result = ND_HOOK_PASS;
		bool is_end = i == n;

		run->is_ct_unsure = needs_ct && !is_end &&
				    nd_base_priority(at) == ND_PRIO_CONNTRACK &&
				    run->eval->rules->has_conntrack[run->packet->family == 6];
		if (needs_ct && (is_end || nd_base_priority(at) > ND_PRIO_CONNTRACK)) {
			conntrack_enter(run);
			needs_ct = false;
		}
		if (needs_nat && (is_end || nnat || nd_base_priority(at) > nat_at)) {
			needs_nat = false;
			result = nat_enter(run, at, nnat);
			i += nnat;
		} else if (is_end) {
			break;
		} else {
			result = base_run(run, at);
			i++;
		}
		if (result != ND_HOOK_PASS || is_lost(run))
			return result;
	}
	return ND_HOOK_PASS;
}

enum nd_hook_result nd_eval_hook(struct nd_eval *eval, enum nd_hook hook, struct nd_pkt *packet)
{
	size_t family = packet->family == 6;
	struct nd_eval_run run = {.eval = eval, .hook = hook, .packet = packet, .share = 1};
	enum nd_hook_result result;

	eval->needs_route = false;
	result = bases_run(&run, eval->rules->bases[hook][family],
			   eval->rules->nbases[hook][family]);
	eval->nrules += run.nrules;
	/* nf_confirm(): behind all others; from here on its NAT stays. */
	if (result == ND_HOOK_PASS && run.has_ct && (hook == ND_INPUT || hook == ND_POSTROUTING))
		packet->ct.status |= ND_CTS_CONFIRMED;
	return result;
}
