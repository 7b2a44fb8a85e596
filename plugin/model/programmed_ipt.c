#include "common/base.h"

#include "plugin/model/programmed_parts.h"

/* Is the rule for one address, one port and one protocol? Its key into *out. */
static bool key_of(const struct nd_ipt_rule *rule, enum nd_programmed_kind kind, uint8_t family,
		   struct nd_entry *out)
{
	bool has_dst = rule->dst.ip.family != 0;

	*out = (struct nd_entry){.kind = kind, .number = rule->dport_min};
	out->proto = nd_entries_proto(rule->proto);
	if (!out->proto || rule->proto_not || rule->dst_not || !out->number ||
	    rule->dport_min != rule->dport_max)
		return false;
	if (kind == ND_PROGRAMMED_NODE_PORT)
		return !has_dst;
	out->vip = rule->dst.ip;
	return rule->dst.ip.family == family && rule->dst.len == (family == 4 ? 32 : 128);
}

static bool is_service_chain(const char *name)
{
	return nd_starts(name, "KUBE-SVC-") || nd_starts(name, "KUBE-SVL-") ||
	       nd_starts(name, "KUBE-EXT-") || nd_starts(name, "KUBE-FW-");
}

/* A firewall chain leads those on that it lets in; a rule without -s is for 0.0.0.0/0. */
static void look_through(struct nd_entries *entries, struct nd_entry *entry, uint8_t family)
{
	const struct nd_ipt_chain *chain = nd_look_ipt_chain(entries->ipt, "nat", entry->chain);
	struct nd_senders *senders = nd_arena_alloc(entries->arena, sizeof(*senders));

	for (size_t i = 0; chain && i < chain->nrules && nd_entries_may_look(entries, 1); i++) {
		const struct nd_ipt_rule *rule = &chain->rules[i];
		struct nd_prefix from = rule->src;

		if (!rule->target)
			continue;
		from.ip.family = family;
		senders->is_unknown |= rule->src_not;
		nd_senders_add_prefix(entries->arena, senders, from);
		entry->chain = rule->target;
	}
	entry->senders = senders;
}

static void add_rule(struct nd_entries *entries, const struct nd_ipt_rule *rule,
		     const struct nd_entry *like, bool is_nat, uint8_t family)
{
	bool is_shut = nd_eq(rule->target, "REJECT") || nd_eq(rule->target, "DROP");

	if (!is_nat && !is_shut)
		return;
	struct nd_entry *entry = nd_entries_get(entries, like);

	entry->is_rejected = entry->is_rejected || is_shut;
	if (is_shut || entry->chain)
		return;
	entry->chain = rule->target;
	entry->is_service =
		like->kind == ND_PROGRAMMED_CLUSTER_IP && is_service_chain(rule->target);
	if (nd_starts(rule->target, "KUBE-FW-"))
		look_through(entries, entry, family);
}

static void add_chain(struct nd_entries *entries, const char *table, const char *name,
		      enum nd_programmed_kind kind, uint8_t family)
{
	const struct nd_ipt_chain *chain = nd_look_ipt_chain(entries->ipt, table, name);
	struct nd_entry like;

	for (size_t i = 0; chain && i < chain->nrules; i++)
		if (chain->rules[i].target && key_of(&chain->rules[i], kind, family, &like))
			add_rule(entries, &chain->rules[i], &like, nd_eq(table, "nat"), family);
}

static void add_guards(struct nd_entries *entries, uint8_t family)
{
	const struct nd_ipt_chain *chain =
		nd_look_ipt_chain(entries->ipt, "filter", "KUBE-PROXY-FIREWALL");
	struct nd_entry like;

	for (size_t i = 0; chain && i < chain->nrules; i++)
		if (nd_eq(chain->rules[i].target, "DROP") &&
		    key_of(&chain->rules[i], ND_PROGRAMMED_CLUSTER_IP, family, &like))
			nd_entries_get(entries, &like)->is_guarded = true;
}

bool nd_entries_of_ipt(struct nd_entries *entries, const struct nd_ipt *ipt, uint8_t family)
{
	/* A table that could not be read says nothing; one that can has its built-in chains. */
	if (!ipt->is_present || ipt->error || !nd_look_ipt_chain(ipt, "nat", "PREROUTING"))
		return false;
	entries->ipt = ipt;
	add_chain(entries, "nat", "KUBE-SERVICES", ND_PROGRAMMED_CLUSTER_IP, family);
	add_chain(entries, "filter", "KUBE-SERVICES", ND_PROGRAMMED_CLUSTER_IP, family);
	add_chain(entries, "nat", "KUBE-NODEPORTS", ND_PROGRAMMED_NODE_PORT, family);
	add_chain(entries, "filter", "KUBE-EXTERNAL-SERVICES", ND_PROGRAMMED_NODE_PORT, family);
	add_chain(entries, "filter", "KUBE-EXTERNAL-SERVICES", ND_PROGRAMMED_CLUSTER_IP, family);
	add_guards(entries, family);
	return true;
}

static bool is_for_some_senders(const struct nd_ipt_rule *rule)
{
	return rule->src.ip.family ||
	       (rule->has_other_match && rule->text && strstr(rule->text, "--src-type"));
}

static void follow(struct nd_entries *entries, const char *name, unsigned depth,
		   struct nd_backends_list *list)
{
	const struct nd_ipt_chain *chain = nd_look_ipt_chain(entries->ipt, "nat", name);

	for (size_t i = 0; chain && i < chain->nrules && entries->nsteps; i++) {
		const struct nd_ipt_rule *rule = &chain->rules[i];

		entries->nsteps--;
		if (!rule->target || is_for_some_senders(rule))
			continue;
		if (nd_eq(rule->target, "DNAT")) {
			if (rule->to_ip.family)
				nd_entries_add_backend(entries, list, rule->to_ip, rule->to_port);
		} else if (depth < ND_ENTRIES_MAX_DEPTH) {
			follow(entries, rule->target, depth + 1, list);
		}
	}
}

void nd_entries_follow_ipt(struct nd_entries *entries, const char *chain,
			   struct nd_backends_list *list)
{
	follow(entries, chain, 0, list);
}
