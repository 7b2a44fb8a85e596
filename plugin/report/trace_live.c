#include "common/base.h"
#include "plugin/report/trace_live.h"

static const struct nd_probe_result *find_result(const struct nd_walk_ask *ask)
{
	const struct nd_probe_result *found = NULL;
	for (size_t i = 0; i < ask->host->nprobes; i++) {
		const struct nd_probe_result *r = &ask->host->probes[i];
		if (r->netns_inode == ask->netns_inode && nd_ip_eq(r->ip, ask->dst) &&
		    r->port == ask->dport)
			found = r;
	}
	return found;
}

static bool is_icmp_refusal(const char *error)
{
	return error && (strstr(error, "port-unreach") || nd_eq(error, "tcp-reset"));
}

/*
 * A request over a connection that is made. An answer may be shorter than the data back that was
 * walked, and bring what a lost ACK did not.
 */
static uint32_t ok_or_later(const struct nd_walk_path *path)
{
	uint32_t lost = 1u << ND_OUTCOME_stall, ok = 1u << ND_OUTCOME_ok;
	const struct nd_walk_turn *bad = nd_walk_bad_turn(path);

	if (!bad)
		return path->nturns ? ok : 0;
	if (bad->verdict == ND_WALK_UNKNOWN || bad->verdict == ND_WALK_OUTSIDE)
		return 0;
	if (bad->verdict != ND_WALK_DROPPED)
		lost |= 1u << ND_OUTCOME_reset | 1u << ND_OUTCOME_refused |
			1u << ND_OUTCOME_nohost | 1u << ND_OUTCOME_nonet | 1u << ND_OUTCOME_eacces;
	for (size_t i = 0; i < path->nturns; i++)
		if (path->turns[i].kind == ND_TURN_DATA &&
		    path->turns[i].verdict != ND_WALK_DELIVERED)
			return lost;
	return lost | ok;
}

/* The outcomes that fit a path, as bits. */
static uint32_t outcomes_of(const struct nd_walk_path *path, enum nd_probe_kind kind)
{
	const uint32_t ok = 1u << ND_OUTCOME_ok, timeout = 1u << ND_OUTCOME_timeout,
		       refused = 1u << ND_OUTCOME_refused, nohost = 1u << ND_OUTCOME_nohost,
		       nonet = 1u << ND_OUTCOME_nonet, einval = 1u << ND_OUTCOME_einval,
		       eacces = 1u << ND_OUTCOME_eacces, noaddr = 1u << ND_OUTCOME_noaddr;
	if (path->nback && path->back_verdict == ND_WALK_UNKNOWN)
		return 0;
	switch (path->verdict) {
	case ND_WALK_DELIVERED:
		if (path->nback && path->back_verdict != ND_WALK_DELIVERED)
			return timeout;
		return kind == ND_PROBE_http ? ok_or_later(path) : ok;
	case ND_WALK_REFUSED:
		return path->nback && path->back_verdict != ND_WALK_DELIVERED ? timeout : refused;
	case ND_WALK_REJECTED:
		if (path->nback && path->back_verdict != ND_WALK_DELIVERED)
			return timeout | eacces;
		return is_icmp_refusal(path->error) ? refused | eacces
						    : nohost | nonet | refused | eacces;
	case ND_WALK_DROPPED:
		return timeout | einval | eacces;
	case ND_WALK_LOST:
		return timeout | nohost | nonet | noaddr;
	case ND_WALK_OUTSIDE:
	case ND_WALK_UNKNOWN:
		break;
	}
	return 0; /* no expectation */
}

static void expect(struct nd_arena *arena, const struct nd_walk *walk, struct nd_trace_live *out)
{
	enum nd_probe_kind kind = out->result ? out->result->kind : ND_PROBE_tcp;
	uint32_t all = 0;
	const char *text = "";
	bool is_sure = true;
	for (size_t i = 0; i < walk->npaths; i++) {
		uint32_t some = outcomes_of(&walk->paths[i], kind);
		is_sure &= some != 0;
		all |= some;
	}
	for (int i = 0; i < ND_OUTCOMES; i++)
		if (all & 1u << i)
			text = nd_arena_printf(arena, "%s%s%s", text, *text ? " or " : "",
					       nd_probe_outcome_name((enum nd_probe_outcome)i));
	out->expected = is_sure && *text ? text : "nothing in particular";
	out->is_same = out->result && (!is_sure || (all & 1u << out->result->outcome));
}

/* The same rule in the newer report, by table, chain and number, with the same text. */
static bool counter_after(const struct nd_cluster *after, const char *node,
			  const struct nd_rule_event *e, uint64_t *packets)
{
	const struct nd_host *host = nd_look_host(after, node);
	bool is_legacy = e->table->backend == ND_RULES_IPT_LEGACY;
	const struct nd_ipt *ipt = !host ? NULL
				   : nd_eq(e->table->family, "ip6")
					   ? &host->ipt6[is_legacy ? ND_IPT_LEGACY : ND_IPT_NFT]
					   : &host->ipt[is_legacy ? ND_IPT_LEGACY : ND_IPT_NFT];
	if (!host)
		return false;
	if (e->table->backend == ND_RULES_NFT) {
		const struct nd_nft_table *table =
			nd_look_nft_table(host, e->table->family, e->table->name);
		const struct nd_nft_chain *chain = nd_look_nft_chain(table, e->chain->name);
		if (!chain || e->rule->number > chain->nrules || !e->rule->has_counter)
			return false;
		*packets = chain->rules[e->rule->number - 1].packets;
		return true;
	}
	const struct nd_ipt_chain *chain = nd_look_ipt_chain(ipt, e->table->name, e->chain->name);
	if (!chain || e->rule->number == 0 || e->rule->number > chain->nrules ||
	    !nd_eq(chain->rules[e->rule->number - 1].text, e->rule->text))
		return false;
	*packets = chain->rules[e->rule->number - 1].packets;
	return true;
}

static void compare_way(struct nd_arena *arena, const struct nd_way *way,
			const struct nd_cluster *after, struct nd_trace_live *out)
{
	for (size_t i = 0; i < way->nevents; i++) {
		const struct nd_rule_event *e = &way->events[i];
		uint64_t now;
		if (e->kind != ND_EV_RULE || !e->rule || !way->node ||
		    !counter_after(after, way->node, e, &now))
			continue;
		const char *text = nd_arena_printf(arena, "%s: %s %s rule %u", way->node,
						   e->table->name, e->chain->name, e->rule->number);
		if (now > e->rule->packets)
			ND_ARENA_PUSH(arena, out->moved, out->nmoved) = text;
		else
			ND_ARENA_PUSH(arena, out->still, out->nstill) = text;
	}
}

/* Of data: whose rule ended it. What it passed was met by the first packets, too, or not told. */
static void compare_turns(struct nd_arena *arena, const struct nd_walk_path *path,
			  const struct nd_cluster *after, struct nd_trace_live *out)
{
	const struct nd_walk_turn *bad = nd_walk_bad_turn(path);
	struct nd_way last;

	if (!bad || !bad->end || bad->end->kind != ND_WAY_HOOK || !bad->end->nevents)
		return;
	last = *bad->end;
	last.events += last.nevents - 1;
	last.nevents = 1;
	compare_way(arena, &last, after, out);
}

void nd_trace_live_find(struct nd_arena *arena, const struct nd_walk_ask *ask,
			const struct nd_walk *walk, const struct nd_cluster *after,
			struct nd_trace_live *out)
{
	*out = (struct nd_trace_live){.result = find_result(ask)};
	expect(arena, walk, out);
	if (walk->npaths != 1)
		return; /* which way it took is chance */
	for (size_t i = 0; i < walk->paths[0].nways; i++)
		compare_way(arena, &walk->paths[0].ways[i], after, out);
	if (out->result && out->result->kind == ND_PROBE_http)
		compare_turns(arena, &walk->paths[0], after, out);
}
