#include "common/base.h"

#include "common/text.h"
#include "plugin/walk/eval_run.h"

/* ---- chains of a table by name ---- */
struct names {
	struct nd_rtable *table;
	uint32_t *slots; /* nslots: chain + 1 */
	size_t nslots;
};

static size_t name_slot(const struct names *names, const char *name)
{
	size_t at = nd_bytes_hash(name, strlen(name)) & (names->nslots - 1);

	while (names->slots[at] && !nd_eq(names->table->chains[names->slots[at] - 1].name, name))
		at = (at + 1) & (names->nslots - 1);
	return at;
}

static void names_build(struct nd_arena *arena, struct nd_rtable *table, struct names *out)
{
	size_t n = 16;

	while (n < table->nchains * 2)
		n *= 2;
	*out = (struct names){table, nd_arena_array(arena, n, sizeof(*out->slots)), n};
	for (size_t i = 0; i < table->nchains && i < UINT32_MAX - 1; i++) {
		size_t at;

		if (!table->chains[i].name)
			continue;
		at = name_slot(out, table->chains[i].name);
		if (!out->slots[at])
			out->slots[at] = (uint32_t)i + 1;
	}
}

static void verdict_link(const struct names *names, struct nd_verdict *verdict)
{
	size_t at;

	if ((verdict->kind != ND_V_JUMP && verdict->kind != ND_V_GOTO) || verdict->to ||
	    !verdict->chain)
		return;
	at = name_slot(names, verdict->chain);
	if (names->slots[at])
		verdict->to = &names->table->chains[names->slots[at] - 1];
}

/* ---- rules ---- */

/*
 * Verdicts and sets hang in programs as const, so that nobody changes them while packets go
 * through; until nd_rules_build() returns they are still being made.
 */
static void set_link(struct nd_arena *arena, const struct names *names, const struct nd_rset *made)
{
	struct nd_rset *set = (struct nd_rset *)(uintptr_t)made;

	if (!set || set->is_ready)
		return;
	nd_rset_prepare(arena, set);
	for (size_t i = 0; i < set->nitems; i++)
		if (set->items[i].verdict)
			verdict_link(names, (struct nd_verdict *)(uintptr_t)set->items[i].verdict);
	if (set->fallback)
		verdict_link(names, (struct nd_verdict *)(uintptr_t)set->fallback);
}

static bool is_nat(const struct nd_rstep *step)
{
	return step->kind == ND_DO_DNAT || step->kind == ND_DO_SNAT ||
	       step->kind == ND_DO_MASQUERADE || step->kind == ND_DO_REDIRECT;
}

/* Kernel: what calls nf_ct_netns_get(). NOTRACK does not. */
static bool needs_conntrack(const struct nd_rstep *step)
{
	if (is_nat(step))
		return true;
	switch (step->kind) {
	case ND_DO_CT_MARK:
	case ND_DO_CT_SAVE:
	case ND_DO_CT_RESTORE:
		return true;
	case ND_DO_UNKNOWN: /* ct helper, ct count, connlimit, CONNSECMARK ... */
		return step->unknown &&
		       (strstr(step->unknown, "ct") || strstr(step->unknown, "conn"));
	default:
		for (size_t i = 0; i < step->nloads && step->nloads <= ND_MAX_LOADS; i++)
			if (step->loads[i].field >= ND_F_CT_STATE &&
			    step->loads[i].field <= ND_F_CT_PROTO)
				return true;
		return false;
	}
}

/* True: it needs connection tracking. */
static bool rule_link(struct nd_arena *arena, const struct names *names, struct nd_rrule *rule)
{
	bool needs = false;

	for (size_t i = 0; i < rule->nsteps; i++) {
		struct nd_rstep *step = &rule->steps[i];

		if (step->kind == ND_DO_VERDICT)
			verdict_link(names, &step->verdict);
		if (step->kind == ND_DO_VMAP ||
		    (step->kind == ND_DO_TEST && step->op < ND_IN_IPSET))
			set_link(arena, names, step->set);
		if (is_nat(step))
			set_link(arena, names, step->nat.map);
		needs = needs || needs_conntrack(step);
	}
	return needs;
}

static bool table_link(struct nd_arena *arena, struct nd_rtable *table)
{
	struct names names;
	bool needs = false;

	names_build(arena, table, &names);
	for (size_t i = 0; i < table->nsets; i++)
		set_link(arena, &names, table->sets[i]);
	for (size_t i = 0; i < table->nchains; i++) {
		struct nd_rchain *chain = &table->chains[i];

		for (size_t k = 0; k < chain->nrules; k++)
			needs |= rule_link(arena, &names, &chain->rules[k]);
		nd_rule_index_build(arena, chain);
	}
	return needs;
}

/* ---- base chains ---- */

int32_t nd_base_priority(const struct nd_base *base)
{
	if (base->chain->type != ND_CHAIN_NAT)
		return base->chain->priority;
	return nd_nat_is_dst(base->chain->hook) ? ND_PRIO_DST_NAT : ND_PRIO_SRC_NAT;
}

static int cmp(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/*
 * nf_hook_entries_grow() puts a new hook before those of the same priority: the chain that was made
 * last is called first (seen on 6.18, with filter and with NAT chains). nft lists its tables and
 * chains in the order in which they were made. When the legacy tables were made nobody says: they
 * are taken for the oldest, so they come last; then those of iptables-nft.
 * NAT chains are called by the NAT core, one hook at its own priority, in the order of theirs. It
 * is there from the first NAT rule on, so a filter chain of the same priority is taken for newer.
 */
static int base_order(const void *a, const void *b)
{
	const struct nd_base *x = a, *y = b;
	bool x_nat = x->chain->type == ND_CHAIN_NAT, y_nat = y->chain->type == ND_CHAIN_NAT;
	bool x_old = x->table->backend == ND_RULES_IPT_LEGACY;
	bool y_old = y->table->backend == ND_RULES_IPT_LEGACY;
	int order = cmp(nd_base_priority(x), nd_base_priority(y));

	if (order == 0)
		order = cmp(x_nat, y_nat);
	if (order == 0)
		order = cmp(x->chain->priority, y->chain->priority);
	if (order == 0)
		order = cmp(x_old, y_old);
	if (order == 0)
		order = cmp(y->table->position, x->table->position);
	if (order == 0)
		order = cmp(y->table->backend, x->table->backend);
	/* Chains of one table lie in one array, tables in another. */
	if (order == 0 && x->table == y->table)
		order = cmp((intptr_t)y->chain, (intptr_t)x->chain);
	if (order == 0)
		order = cmp((intptr_t)y->table, (intptr_t)x->table);
	return order;
}

static void bases_add(struct nd_arena *arena, const struct nd_rtable *table, size_t family,
		      struct nd_rules *out)
{
	for (size_t i = 0; i < table->nchains; i++) {
		const struct nd_rchain *chain = &table->chains[i];

		if (!chain->is_base || (unsigned)chain->hook >= ND_HOOKS)
			continue;
		/* The kernel has no NAT hook in FORWARD. */
		if (chain->type == ND_CHAIN_NAT && chain->hook == ND_FORWARD)
			continue;
		ND_ARENA_PUSH(arena, out->bases[chain->hook][family],
			      out->nbases[chain->hook][family]) = (struct nd_base){table, chain};
	}
}

void nd_rules_build(struct nd_arena *arena, struct nd_rtable *tables, size_t ntables,
		    struct nd_rules *out)
{
	*out = (struct nd_rules){0};
	for (size_t i = 0; i < ntables; i++) {
		bool has[2] = {nd_eq(tables[i].family, "ip"), nd_eq(tables[i].family, "ip6")};
		bool needs;

		if (nd_eq(tables[i].family, "inet"))
			has[0] = has[1] = true;
		if (!has[0] && !has[1]) /* bridge, netdev, arp: not of these hooks */
			continue;
		needs = table_link(arena, &tables[i]);
		for (size_t f = 0; f < 2; f++) {
			if (!has[f])
				continue;
			bases_add(arena, &tables[i], f, out);
			out->has_conntrack[f] |= needs;
		}
	}
	for (size_t hook = 0; hook < ND_HOOKS; hook++)
		for (size_t f = 0; f < 2; f++)
			if (out->nbases[hook][f])
				qsort(out->bases[hook][f], out->nbases[hook][f],
				      sizeof(struct nd_base), base_order);
}
