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

static void add_chain(struct nd_entries *entries, const char *table, const char *name,
		      enum nd_programmed_kind kind, uint8_t family)
{
	const struct nd_ipt_chain *chain = nd_look_ipt_chain(entries->ipt, table, name);
	bool is_nat = nd_eq(table, "nat");

	for (size_t i = 0; chain && i < chain->nrules; i++) {
		const struct nd_ipt_rule *rule = &chain->rules[i];
		bool is_shut = nd_eq(rule->target, "REJECT") || nd_eq(rule->target, "DROP");
		struct nd_entry like;

		if ((!is_nat && !is_shut) || !rule->target || !key_of(rule, kind, family, &like))
			continue;
		struct nd_entry *entry = nd_entries_get(entries, &like);

		entry->is_rejected = entry->is_rejected || is_shut;
		if (is_shut || entry->chain)
			continue;
		entry->chain = rule->target;
		entry->is_service = nd_starts(rule->target, "KUBE-SVC-") ||
				    nd_starts(rule->target, "KUBE-SVL-");
	}
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
