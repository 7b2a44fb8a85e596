#include "common/base.h"

#include "plugin/walk/eval_run.h"

/* ---- what happened ---- */

void nd_event_add(struct nd_eval_run *run, enum nd_rule_event_kind kind, const char *what)
{
	struct nd_eval *eval = run->eval;

	eval->kept = nd_pkt_keep(eval->arena, run->packet, eval->kept);
	ND_ARENA_PUSH(eval->arena, eval->events, eval->nevents) = (struct nd_rule_event){
		.kind = kind,
		.hook = run->hook,
		.table = run->base ? run->base->table : NULL,
		.chain = run->chain,
		.rule = run->rule,
		.what = what,
		.packet = eval->kept,
		.share = run->share,
	};
	run->share = 1;
}

static void act_add(struct nd_eval_run *run, enum nd_rule_event_kind kind, const char *what)
{
	if (run->is_limited)
		what = nd_arena_printf(run->eval->arena, "%s, while below the rate", what);
	nd_event_add(run, kind, what);
}

enum nd_hook_result nd_unknown_set(struct nd_eval_run *run, const char *words)
{
	struct nd_eval *eval = run->eval;

	eval->unknown = words ? words : "something";
	if (run->base && run->rule)
		eval->unknown = nd_arena_printf(eval->arena, "%s at %s %s rule %u", eval->unknown,
						run->base->table->name, run->chain->name,
						run->rule->number);
	else if (run->base && run->chain)
		eval->unknown = nd_arena_printf(eval->arena, "%s at %s %s", eval->unknown,
						run->base->table->name, run->chain->name);
	nd_event_add(run, ND_EV_UNKNOWN, eval->unknown);
	return ND_HOOK_UNKNOWN;
}

/* ---- one rule ---- */

static enum nd_flow flow_unknown(struct nd_eval_run *run, const char *words)
{
	nd_unknown_set(run, words);
	return ND_FLOW_UNKNOWN;
}

static const char *jump_text(struct nd_eval_run *run, const char *word, const char *chain)
{
	size_t nword = strlen(word), nchain = strlen(chain);
	char *text = nd_arena_alloc(run->eval->arena, nword + nchain + 2);

	memcpy(text, word, nword);
	text[nword] = ' ';
	memcpy(text + nword + 1, chain, nchain);
	return text;
}

/* Kernel: nft_reject.c, nft_reject_icmp_code() and nft_reject_icmpv6_code(). */
static const char *reject_name(const char *name, uint8_t family)
{
	static const char *const names[][3] = {
		{"icmpx-no-route", "icmp-net-unreachable", "icmp6-no-route"},
		{"icmpx-port-unreachable", "icmp-port-unreachable", "icmp6-port-unreachable"},
		{"icmpx-host-unreachable", "icmp-host-unreachable", "icmp6-addr-unreachable"},
		{"icmpx-admin-prohibited", "icmp-admin-prohibited", "icmp6-adm-prohibited"},
	};

	for (size_t i = 0; name && i < ND_ARRAY_LEN(names); i++)
		if (strcmp(names[i][0], name) == 0)
			return names[i][family == 6 ? 2 : 1];
	return name;
}

static enum nd_flow verdict_run(struct nd_eval_run *run, const struct nd_verdict *verdict)
{
	struct nd_eval *eval = run->eval;
	bool is_jump = verdict->kind == ND_V_JUMP;

	switch (verdict->kind) {
	case ND_V_ACCEPT:
		act_add(run, ND_EV_RULE, "accept");
		return ND_FLOW_ACCEPT;
	case ND_V_DROP:
		act_add(run, ND_EV_RULE, "drop");
		return ND_FLOW_DROP;
	case ND_V_RETURN:
		act_add(run, ND_EV_RULE, "return");
		return ND_FLOW_RETURN;
	case ND_V_JUMP:
	case ND_V_GOTO:
		if (!verdict->to)
			return flow_unknown(run, "a jump to a chain that is not there");
		act_add(run, ND_EV_RULE,
			jump_text(run, is_jump ? "jump" : "goto", verdict->to->name));
		return is_jump ? ND_FLOW_JUMP : ND_FLOW_GOTO;
	case ND_V_QUEUE:
		act_add(run, ND_EV_RULE,
			nd_arena_printf(eval->arena, "queue to program %u", verdict->queue));
		return ND_FLOW_QUEUE;
	case ND_V_REJECT:
		eval->reject_with = reject_name(verdict->reject_with, run->packet->family);
		act_add(run, ND_EV_RULE,
			eval->reject_with
				? nd_arena_printf(eval->arena, "reject with %s", eval->reject_with)
				: "reject");
		return ND_FLOW_REJECT;
	case ND_V_STOLEN:
		return flow_unknown(run, "taken over by another part of the kernel");
	default: /* continue */
		return ND_FLOW_NEXT;
	}
}

static void mark_run(struct nd_eval_run *run, uint32_t *mark, uint32_t value, const char *name)
{
	bool is_new = *mark != value;

	*mark = value;
	act_add(run, is_new ? ND_EV_CHANGE : ND_EV_RULE,
		nd_arena_printf(run->eval->arena, is_new ? "%s 0x%x" : "%s stays 0x%x", name,
				value));
}

/* Kernel: xt_HL.c, xt_DSCP.c. */
static void header_run(struct nd_eval_run *run, const struct nd_rstep *step)
{
	struct nd_pkt *packet = run->packet;
	bool is_ttl = step->kind == ND_DO_TTL;
	uint8_t was = is_ttl ? packet->ttl : packet->dscp;
	int32_t now = is_ttl ? (int32_t)(was & ~step->mask) + (int32_t)step->value
			     : (int32_t)((was & ~step->mask) ^ step->value);

	if (is_ttl)
		now = packet->ttl = (uint8_t)(now < 0 ? 0 : now > UINT8_MAX ? UINT8_MAX : now);
	else
		now = packet->dscp = (uint8_t)(now & 63);
	act_add(run, now != was ? ND_EV_CHANGE : ND_EV_RULE,
		nd_arena_printf(run->eval->arena, "%s %s%d", is_ttl ? "time to live" : "DSCP",
				now != was ? "" : "stays ", now));
}

/* False: the rule ends (nft's ct expressions without a connection). */
static bool marks_run(struct nd_eval_run *run, const struct nd_rstep *step)
{
	struct nd_pkt *packet = run->packet;
	uint32_t *mark = &packet->mark, *ct_mark = &packet->ct.mark;

	if (step->kind == ND_DO_MARK) {
		mark_run(run, mark, (*mark & ~step->mask) ^ step->value, "mark");
		return true;
	}
	if (!run->has_ct) /* nft: meta mark set ct mark breaks, ct mark set goes on */
		return step->kind != ND_DO_CT_RESTORE || run->base->table->backend != ND_RULES_NFT;
	if (step->kind == ND_DO_CT_MARK)
		mark_run(run, ct_mark, (*ct_mark & ~step->mask) ^ step->value, "connection mark");
	else if (step->kind == ND_DO_CT_SAVE)
		mark_run(run, ct_mark, (*ct_mark & ~step->mask2) ^ (*mark & step->mask),
			 "connection mark");
	else
		mark_run(run, mark, (*mark & ~step->mask2) ^ (*ct_mark & step->mask), "mark");
	return true;
}

static enum nd_flow nat_run(struct nd_eval_run *run, const struct nd_rstep *step)
{
	const char *text = NULL;

	switch (nd_nat_set(run, step, &text)) {
	case ND_NAT_SET:
		act_add(run, ND_EV_RULE, text);
		return ND_FLOW_ACCEPT;
	case ND_NAT_DROP:
		act_add(run, ND_EV_RULE, "drop: the device has no address to translate to");
		return ND_FLOW_DROP;
	case ND_NAT_UNKNOWN:
		return flow_unknown(run, run->why);
	default:
		return ND_FLOW_NEXT;
	}
}

/* nf_conntrack_in() leaves packets alone that have a connection already or are untracked. */
static void notrack_run(struct nd_eval_run *run)
{
	if (run->has_ct || run->packet->ct.state == ND_CT_UNTRACKED)
		return;
	if ((run->hook != ND_PREROUTING && run->hook != ND_OUTPUT) ||
	    nd_base_priority(run->base) >= ND_PRIO_CONNTRACK)
		return;
	run->packet->ct = (struct nd_ct){.state = ND_CT_UNTRACKED};
	act_add(run, ND_EV_CHANGE, "not tracked");
}

/*
 * A test of which nobody knows whether it holds. When a later test of the rule fails, the rule
 * does not match either way.
 */
static bool fails_anyway(struct nd_eval_run *run, const struct nd_rrule *rule, size_t from)
{
	for (size_t i = from; i < rule->nsteps && rule->steps[i].kind == ND_DO_TEST; i++)
		if (nd_test_run(run, &rule->steps[i]) == ND_NO)
			return true;
	return false;
}

static enum nd_flow vmap_run(struct nd_eval_run *run, const struct nd_rstep *step,
			     const struct nd_verdict **verdict)
{
	const struct nd_set_item *item;
	enum nd_tri got = nd_lookup_run(run, step, step->set, &item);

	if (got == ND_PERHAPS)
		return flow_unknown(run, run->why);
	if (got == ND_NO)
		return ND_FLOW_NEXT;
	*verdict = item ? item->verdict : step->set->fallback;
	if (!*verdict)
		return flow_unknown(run, "a map without verdicts");
	return verdict_run(run, *verdict);
}

/* One step that is no test. *is_over: the rule ends here although it says nothing. */
static enum nd_flow step_run(struct nd_eval_run *run, const struct nd_rstep *step,
			     const struct nd_verdict **verdict, bool *is_over)
{
	if (run->is_ct_unsure && (step->kind == ND_DO_CT_MARK || step->kind == ND_DO_CT_SAVE ||
				  step->kind == ND_DO_CT_RESTORE || step->kind == ND_DO_NOTRACK))
		return flow_unknown(run, ND_CT_UNSURE);
	switch (step->kind) {
	case ND_DO_VERDICT:
		*verdict = &step->verdict;
		return verdict_run(run, &step->verdict);
	case ND_DO_VMAP: {
		enum nd_flow flow = vmap_run(run, step, verdict);

		*is_over = flow == ND_FLOW_NEXT && !*verdict;
		return flow;
	}
	case ND_DO_MARK:
	case ND_DO_CT_MARK:
	case ND_DO_CT_SAVE:
	case ND_DO_CT_RESTORE:
		*is_over = !marks_run(run, step);
		return ND_FLOW_NEXT;
	case ND_DO_DNAT:
	case ND_DO_SNAT:
	case ND_DO_MASQUERADE:
	case ND_DO_REDIRECT:
		*is_over = true;
		return nat_run(run, step);
	case ND_DO_NOTRACK:
		notrack_run(run);
		return ND_FLOW_NEXT;
	case ND_DO_TTL:
	case ND_DO_DSCP:
		header_run(run, step);
		return ND_FLOW_NEXT;
	case ND_DO_LIMIT:
		run->is_limited = true;
		*is_over = step->value == 1; /* one packet is not over a rate */
		return ND_FLOW_NEXT;
	case ND_DO_NOTHING:
		return ND_FLOW_NEXT;
	default:
		return flow_unknown(run, step->unknown);
	}
}

enum nd_flow nd_rule_run(struct nd_eval_run *run, const struct nd_rrule *rule,
			 const struct nd_verdict **verdict)
{
	size_t nevents = run->eval->nevents;

	run->rule = rule;
	run->share = 1;
	run->is_limited = false;
	*verdict = NULL;
	for (size_t i = 0; i < rule->nsteps; i++) {
		const struct nd_rstep *step = &rule->steps[i];
		bool is_over = false;
		enum nd_flow flow;

		if (step->kind == ND_DO_TEST) {
			enum nd_tri holds = nd_test_run(run, step);
			const char *why = run->why;

			if (holds == ND_YES)
				continue;
			if (holds == ND_NO || fails_anyway(run, rule, i + 1))
				return ND_FLOW_NEXT;
			return flow_unknown(run, why);
		}
		flow = step_run(run, step, verdict, &is_over);
		if (flow != ND_FLOW_NEXT)
			return flow;
		/* A rate that is not passed is a test that fails. */
		if (is_over && step->kind == ND_DO_LIMIT)
			return ND_FLOW_NEXT;
		if (is_over)
			break;
	}
	if (run->eval->has_all_rules && run->eval->nevents == nevents)
		act_add(run, ND_EV_RULE, "matched");
	return ND_FLOW_NEXT;
}
