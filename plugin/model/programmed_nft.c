#include "common/base.h"

#include "plugin/model/programmed_parts.h"

/* The key of a map: address . protocol . port, or protocol . port; as bytes side by side. */
static bool key_of(const struct nd_set_item *item, enum nd_programmed_kind kind, uint8_t family,
		   struct nd_entry *out)
{
	uint8_t naddr = kind == ND_PROGRAMMED_NODE_PORT ? 0 : family == 4 ? 4 : 16;
	const uint8_t *rest = item->lo.bytes + naddr;

	*out = (struct nd_entry){.kind = kind};
	if (item->lo.n != naddr + 3 || item->hi.n != item->lo.n ||
	    memcmp(item->lo.bytes, item->hi.bytes, item->lo.n) != 0)
		return false;
	if (naddr) {
		out->vip.family = family;
		memcpy(out->vip.bytes, item->lo.bytes, naddr);
	}
	out->proto = rest[0];
	out->number = (uint16_t)(rest[1] << 8 | rest[2]);
	return true;
}

static const struct nd_rset *find_map(const struct nd_entries *entries, const char *name)
{
	for (size_t i = 0; i < entries->table->nsets; i++)
		if (nd_eq(entries->table->sets[i]->name, name))
			return entries->table->sets[i];
	return NULL;
}

/* False: not all of its elements are known. */
static bool add_map(struct nd_entries *entries, const char *name, enum nd_programmed_kind kind,
		    uint8_t family, bool is_shut)
{
	const struct nd_rset *set = find_map(entries, name);

	for (size_t i = 0; set && i < set->nitems; i++) {
		const struct nd_verdict *verdict = set->items[i].verdict;
		struct nd_entry like;

		if (!verdict || !key_of(&set->items[i], kind, family, &like))
			continue;
		struct nd_entry *entry = nd_entries_get(entries, &like);

		entry->is_rejected = entry->is_rejected || is_shut;
		if (is_shut || entry->chain || !verdict->chain)
			continue;
		entry->chain = verdict->chain;
		entry->is_service = nd_starts(verdict->chain, "service-") ||
				    nd_starts(verdict->chain, "local-") ||
				    (kind == ND_PROGRAMMED_CLUSTER_IP &&
				     nd_starts(verdict->chain, "external-"));
	}
	return !set || !set->unknown;
}

/* ---- firewalls of load balancer addresses: "ip saddr != { ... } drop" ---- */
static struct nd_ip ip_of(const struct nd_value *value, uint8_t family)
{
	struct nd_ip ip = {.family = family};

	memcpy(ip.bytes, value->bytes, family == 4 ? 4 : 16);
	return ip;
}

static bool add_value(struct nd_entries *entries, struct nd_senders *out, uint8_t family,
		      const struct nd_value *lo, const struct nd_value *hi)
{
	uint8_t n = family == 4 ? 4 : 16;

	if (lo->n != n || hi->n != n)
		return false;
	nd_senders_add(entries->arena, out, ip_of(lo, family), ip_of(hi, family));
	return true;
}

/* An nft of another version may write a set of one as a value, a range or a mask. */
static bool read_senders(struct nd_entries *entries, const struct nd_rstep *step, uint8_t family,
			 struct nd_senders *out)
{
	if (step->kind != ND_DO_TEST || step->nloads != 1 || step->loads[0].field != ND_F_SADDR)
		return false;
	if (step->op == ND_NOT_RANGE && !step->loads[0].has_mask)
		return add_value(entries, out, family, &step->lo, &step->hi);
	if (step->op == ND_NE && !step->loads[0].has_mask)
		return add_value(entries, out, family, &step->lo, &step->lo);
	if (step->op != ND_NOT_IN || !step->set || step->set->unknown ||
	    !nd_entries_may_look(entries, step->set->nitems))
		return false;
	for (size_t i = 0; i < step->set->nitems; i++)
		if (!add_value(entries, out, family, &step->set->items[i].lo,
			       &step->set->items[i].hi))
			return false;
	return true;
}

static void add_firewall(struct nd_entries *entries, const struct nd_entry *like, const char *name,
			 uint8_t family)
{
	struct nd_entry *entry = nd_entries_get(entries, like);
	struct nd_senders *senders = nd_arena_alloc(entries->arena, sizeof(*senders));
	const struct nd_rchain *chain = NULL;
	uint32_t at;

	if (name && nd_index_find(&entries->chains, nd_str(name), &at))
		chain = &entries->table->chains[at];
	senders->is_unknown = !chain || chain->nrules != 1;
	for (size_t i = 0; chain && i < chain->nrules; i++) {
		const struct nd_rrule *rule = &chain->rules[i];

		if (!nd_entries_may_look(entries, rule->nsteps + 1))
			return;
		for (size_t k = 0; k < rule->nsteps; k++)
			if (rule->steps[k].kind == ND_DO_TEST)
				senders->is_unknown |=
					!read_senders(entries, &rule->steps[k], family, senders);
			else
				senders->is_unknown |= rule->steps[k].kind == ND_DO_UNKNOWN;
	}
	entry->senders = senders;
	entry->is_guarded = true;
}

static bool add_firewalls(struct nd_entries *entries, uint8_t family)
{
	const struct nd_rset *set = find_map(entries, "firewall-ips");
	struct nd_entry like;

	for (size_t i = 0; set && i < set->nitems; i++)
		if (set->items[i].verdict &&
		    key_of(&set->items[i], ND_PROGRAMMED_CLUSTER_IP, family, &like))
			add_firewall(entries, &like, set->items[i].verdict->chain, family);
	return !set || !set->unknown;
}

bool nd_entries_of_nft(struct nd_entries *entries, const struct nd_host *host, uint8_t family)
{
	const struct nd_nft_table *table =
		nd_look_nft_table(host, family == 4 ? "ip" : "ip6", "kube-proxy");

	if (!table)
		return true;
	if (!table->program)
		return false;
	entries->table = table->program;
	for (size_t i = 0; i < table->program->nchains; i++) {
		struct nd_str name = nd_str(table->program->chains[i].name);

		if (name.p && !nd_index_slot(&entries->chains, name))
			nd_index_put(&entries->chains, entries->arena, name, (uint32_t)i);
	}
	return add_map(entries, "service-ips", ND_PROGRAMMED_CLUSTER_IP, family, false) &&
	       add_map(entries, "no-endpoint-services", ND_PROGRAMMED_CLUSTER_IP, family, true) &&
	       add_map(entries, "service-nodeports", ND_PROGRAMMED_NODE_PORT, family, false) &&
	       add_map(entries, "no-endpoint-nodeports", ND_PROGRAMMED_NODE_PORT, family, true) &&
	       add_firewalls(entries, family);
}

static bool is_for_some_senders(const struct nd_rstep *step)
{
	for (uint8_t i = 0; step->kind == ND_DO_TEST && i < step->nloads; i++)
		if (step->loads[i].field == ND_F_SADDR ||
		    step->loads[i].field == ND_F_FIB_SADDR_TYPE)
			return true;
	return false;
}

static void follow(struct nd_entries *entries, const char *name, unsigned depth,
		   struct nd_backends_list *list);

static void follow_vmap(struct nd_entries *entries, const struct nd_rset *set, unsigned depth,
			struct nd_backends_list *list)
{
	for (size_t i = 0; set && i < set->nitems && entries->nsteps; i++) {
		entries->nsteps--;
		if (set->items[i].verdict)
			follow(entries, set->items[i].verdict->chain, depth, list);
	}
}

static void follow_rule(struct nd_entries *entries, const struct nd_rrule *rule, unsigned depth,
			struct nd_backends_list *list)
{
	for (size_t i = 0; i < rule->nsteps; i++) {
		const struct nd_rstep *step = &rule->steps[i];

		if (is_for_some_senders(step))
			return;
		if (step->kind == ND_DO_VERDICT)
			follow(entries, step->verdict.chain, depth, list);
		else if (step->kind == ND_DO_VMAP)
			follow_vmap(entries, step->set, depth, list);
		else if (step->kind == ND_DO_DNAT && step->nat.lo.family)
			nd_entries_add_backend(entries, list, step->nat.lo, step->nat.port_lo);
	}
}

static void follow(struct nd_entries *entries, const char *name, unsigned depth,
		   struct nd_backends_list *list)
{
	uint32_t at;

	if (!name || depth > ND_ENTRIES_MAX_DEPTH ||
	    !nd_index_find(&entries->chains, nd_str(name), &at))
		return;
	const struct nd_rchain *chain = &entries->table->chains[at];

	for (size_t i = 0; i < chain->nrules && entries->nsteps; i++) {
		entries->nsteps--;
		follow_rule(entries, &chain->rules[i], depth + 1, list);
	}
}

void nd_entries_follow_nft(struct nd_entries *entries, const char *chain,
			   struct nd_backends_list *list)
{
	follow(entries, chain, 0, list);
}
