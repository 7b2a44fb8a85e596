#include "common/base.h"

#include "plugin/walk/ipt_rule.h"

/* ---- base chains: include/uapi/linux/netfilter_ipv4.h, enum nf_ip_hook_priorities ---- */
enum { PRIORITY_RAW = -300, PRIORITY_MANGLE = -150, PRIORITY_SECURITY = 50 };

static const struct base {
	const char *table, *chain;
	enum nd_hook hook;
	int32_t priority;
	enum nd_chain_type type;
} bases[] = {
	{"raw", "PREROUTING", ND_PREROUTING, PRIORITY_RAW, ND_CHAIN_FILTER},
	{"raw", "OUTPUT", ND_OUTPUT, PRIORITY_RAW, ND_CHAIN_FILTER},
	{"mangle", "PREROUTING", ND_PREROUTING, PRIORITY_MANGLE, ND_CHAIN_FILTER},
	{"mangle", "INPUT", ND_INPUT, PRIORITY_MANGLE, ND_CHAIN_FILTER},
	{"mangle", "FORWARD", ND_FORWARD, PRIORITY_MANGLE, ND_CHAIN_FILTER},
	{"mangle", "OUTPUT", ND_OUTPUT, PRIORITY_MANGLE, ND_CHAIN_ROUTE},
	{"mangle", "POSTROUTING", ND_POSTROUTING, PRIORITY_MANGLE, ND_CHAIN_FILTER},
	{"nat", "PREROUTING", ND_PREROUTING, -100, ND_CHAIN_NAT},
	{"nat", "OUTPUT", ND_OUTPUT, -100, ND_CHAIN_NAT},
	{"nat", "INPUT", ND_INPUT, 100, ND_CHAIN_NAT},
	{"nat", "POSTROUTING", ND_POSTROUTING, 100, ND_CHAIN_NAT},
	{"filter", "INPUT", ND_INPUT, 0, ND_CHAIN_FILTER},
	{"filter", "FORWARD", ND_FORWARD, 0, ND_CHAIN_FILTER},
	{"filter", "OUTPUT", ND_OUTPUT, 0, ND_CHAIN_FILTER},
	{"security", "INPUT", ND_INPUT, PRIORITY_SECURITY, ND_CHAIN_FILTER},
	{"security", "FORWARD", ND_FORWARD, PRIORITY_SECURITY, ND_CHAIN_FILTER},
	{"security", "OUTPUT", ND_OUTPUT, PRIORITY_SECURITY, ND_CHAIN_FILTER},
};

/* Only built-in chains have a policy; a user's chain may have the name of one in another table. */
static void set_base(const struct nd_ipt_table *table, const struct nd_ipt_chain *from,
		     struct nd_rchain *to)
{
	if (!from->policy)
		return;
	for (size_t i = 0; i < ND_ARRAY_LEN(bases); i++) {
		if (!nd_eq(bases[i].chain, from->name) || !nd_eq(bases[i].table, table->name))
			continue;
		to->is_base = true;
		to->type = bases[i].type;
		to->hook = bases[i].hook;
		to->priority = bases[i].priority;
		to->is_drop = nd_eq(from->policy, "DROP");
		to->policy_packets = from->packets;
	}
}

static void compile_chain(struct nd_ipt_work *work, const struct nd_ipt_chain *from,
			  struct nd_rchain *to)
{
	to->name = from->name;
	set_base(work->table, from, to);
	to->nrules = from->nrules;
	to->rules = nd_arena_array(work->arena, from->nrules, sizeof(*to->rules));
	for (size_t i = 0; i < from->nrules; i++) {
		struct nd_rrule *rule = &to->rules[i];

		rule->text = from->rules[i].text;
		rule->number = from->rules[i].number;
		rule->packets = from->rules[i].packets;
		rule->has_counter = true;
		nd_ipt_work_rule(work, rule->text, rule);
	}
}

static void compile_table(struct nd_ipt_work *work, struct nd_rtable *to)
{
	const struct nd_ipt_table *from = work->table;

	to->family = work->family == 6 ? "ip6" : "ip";
	to->name = from->name;
	to->nchains = from->nchains;
	to->chains = nd_arena_array(work->arena, from->nchains, sizeof(*to->chains));
	for (size_t i = 0; i < from->nchains; i++)
		compile_chain(work, &from->chains[i], &to->chains[i]);
}

struct nd_rtable *nd_ipt_compile(struct nd_arena *arena, const struct nd_ipt *ipt,
				 enum nd_rules_backend backend, uint8_t family,
				 struct nd_ipset_book *ipsets, size_t *n)
{
	struct nd_ipt_work work;
	struct nd_rtable *tables;

	*n = ipt->ntables;
	if (ipt->ntables == 0)
		return NULL;
	nd_ipt_work_init(&work, arena, family);
	work.ipt = ipt;
	work.ipsets = ipsets;
	tables = nd_arena_array(arena, ipt->ntables, sizeof(*tables));
	for (size_t i = 0; i < ipt->ntables; i++) {
		work.table = &ipt->tables[i];
		tables[i].backend = backend;
		compile_table(&work, &tables[i]);
	}
	return tables;
}

void nd_ipt_compile_rule(struct nd_arena *arena, const char *text, uint8_t family,
			 struct nd_rrule *out)
{
	struct nd_ipt_work work;

	nd_ipt_work_init(&work, arena, family);
	*out = (struct nd_rrule){.text = nd_arena_strdup(arena, text, strlen(text))};
	nd_ipt_work_rule(&work, text, out);
}
