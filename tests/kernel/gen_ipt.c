/* gen_ipt.c: random tables of iptables: chains, and the targets of rules. */
#include "common/base.h"

#include "plugin/walk/ipt_rule.h"
#include "tests/kernel/kernel.h"
#include "tests/kernel/gen_ipt.h"

enum { RAW = 1, MANGLE = 2, NAT = 4, FILTER = 8, ANY = 15 };
#define PRE HOOK(ND_PREROUTING)
#define IN HOOK(ND_INPUT)
#define FWD HOOK(ND_FORWARD)
#define OUT HOOK(ND_OUTPUT)
#define POST HOOK(ND_POSTROUTING)

static const struct {
	const char *name;
	uint32_t bit, hooks;
} tables[] = {{"raw", RAW, PRE | OUT},
	      {"mangle", MANGLE, ALL_HOOKS},
	      {"nat", NAT, PRE | IN | OUT | POST},
	      {"filter", FILTER, IN | FWD | OUT}};
static const char *const hook_names[] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};

/* ---- targets ---- */
static const char *fixed(struct gen *gen, const char *text)
{
	(void)gen;
	return text;
}

static const char *make_reject(struct gen *gen, const char *text)
{
	static const char *const four[] = {"icmp-port-unreachable", "icmp-net-unreachable",
					   "icmp-host-unreachable", "icmp-proto-unreachable",
					   "icmp-net-prohibited",   "icmp-host-prohibited",
					   "icmp-admin-prohibited", "tcp-reset"};
	static const char *const six[] = {"icmp6-port-unreachable",
					  "icmp6-no-route",
					  "icmp6-adm-prohibited",
					  "icmp6-addr-unreachable",
					  "icmp6-policy-fail",
					  "icmp6-reject-route",
					  "tcp-reset"};
	uint32_t n = rng_pick(&gen->rng, gen->ip == 6 ? 7 : 8);
	const char *with = gen->ip == 6 ? six[n] : four[n];

	if (nd_eq(with, "tcp-reset") && gen->proto != ND_PROTO_TCP)
		with = gen->ip == 6 ? six[0] : four[0];
	return nd_arena_printf(gen->arena, "%s --reject-with %s", text, with);
}

static const char *make_mark(struct gen *gen, const char *text)
{
	static const char *const ways[] = {"--set-xmark", "--set-mark", "--and-mark", "--or-mark",
					   "--xor-mark"};
	uint32_t n = rng_pick(&gen->rng, 5), a = gen_mark(gen), b = gen_mark(gen);

	if (n < 2 && rng_chance(&gen->rng, 50))
		return nd_arena_printf(gen->arena, "%s %s 0x%x/0x%x", text, ways[n], a, b);
	return nd_arena_printf(gen->arena, "%s %s 0x%x", text, ways[n], a);
}

static const char *make_connmark(struct gen *gen, const char *text)
{
	const char *way = rng_chance(&gen->rng, 50) ? "--save-mark" : "--restore-mark";
	uint32_t n = rng_pick(&gen->rng, 4);

	if (n == 0)
		return make_mark(gen, text);
	if (n == 1)
		return nd_arena_printf(gen->arena, "%s %s", text, way);
	if (n == 2)
		return nd_arena_printf(gen->arena, "%s %s --mask 0x%x", text, way, gen_mark(gen));
	return nd_arena_printf(gen->arena, "%s %s --nfmask 0x%x --ctmask 0x%x", text, way,
			       gen_mark(gen), gen_mark(gen));
}

/* ":80", ":8000-8003", or nothing: ports only where the rule says TCP or UDP. */
static const char *ports(struct gen *gen, const char *before, bool is_src)
{
	if (gen->proto != ND_PROTO_TCP && gen->proto != ND_PROTO_UDP)
		return "";
	switch (rng_pick(&gen->rng, 4)) {
	case 0:
		return nd_arena_printf(gen->arena, "%s8000-8003", before);
	case 1:
		return is_src ? nd_arena_printf(gen->arena, "%s40000-40009", before) : "";
	case 2:
		return nd_arena_printf(gen->arena, "%s%u", before, is_src ? 41000 : gen_port(gen));
	default:
		return "";
	}
}

static const char *make_nat(struct gen *gen, const char *text)
{
	bool is_src = strstr(text, "SNAT") != NULL;
	const char *ip = gen_nat_ip(gen, is_src), *port = ports(gen, ":", is_src);
	bool may_be_random = is_src && (gen->proto == ND_PROTO_TCP || gen->proto == ND_PROTO_UDP);
	const char *extra = may_be_random && rng_chance(&gen->rng, 10) ? " --random"
			    : rng_chance(&gen->rng, 10)		       ? " --persistent"
								       : "";

	if (gen->ip == 6 && *port)
		ip = nd_arena_printf(gen->arena, "[%s]", ip);
	return nd_arena_printf(gen->arena, "%s %s%s%s", text, ip, port, extra);
}

static const char *make_device_nat(struct gen *gen, const char *text)
{
	return nd_arena_printf(
		gen->arena, "%s%s%s", text,
		ports(gen, " --to-ports ", strstr(text, "MASQ") != NULL),
		gen->proto && strstr(text, "MASQ") && rng_chance(&gen->rng, 10) ? " --random" : "");
}

static const struct target {
	const char *name, *text;
	uint32_t tables, hooks, weight;
	uint8_t family, proto;
	const char *(*make)(struct gen *gen, const char *text);
} targets[] = {
	{"ACCEPT", "-j ACCEPT", ANY, ALL_HOOKS, 12, 0, 0, fixed},
	{"DROP", "-j DROP", RAW | MANGLE | FILTER, ALL_HOOKS, 4, 0, 0, fixed},
	{"RETURN", "-j RETURN", ANY, ALL_HOOKS, 8, 0, 0, fixed},
	{"REJECT", "-j REJECT", FILTER, IN | FWD | OUT, 8, 0, 0, make_reject},
	{"MARK", "-j MARK", MANGLE | RAW | FILTER | NAT, ALL_HOOKS, 14, 0, 0, make_mark},
	{"CONNMARK", "-j CONNMARK", MANGLE | NAT | FILTER, ALL_HOOKS, 8, 0, 0, make_connmark},
	{"DNAT", "-j DNAT --to-destination", NAT, PRE | OUT, 40, 0, 0, make_nat},
	{"SNAT", "-j SNAT --to-source", NAT, POST | IN, 40, 0, 0, make_nat},
	{"MASQUERADE", "-j MASQUERADE", NAT, POST, 20, 0, 0, make_device_nat},
	{"REDIRECT", "-j REDIRECT", NAT, PRE | OUT, 20, 0, 0, make_device_nat},
	{"NOTRACK", "-j NOTRACK", RAW, PRE | OUT, 2, 0, 0, fixed},
	{"CT", "-j CT --notrack", RAW, PRE | OUT, 2, 0, 0, fixed},
	{"CLASSIFY", "-j CLASSIFY --set-class 1:2", MANGLE, OUT | FWD | POST, 1, 0, 0, fixed},
	{"DSCP", "-j DSCP --set-dscp 0x0a", MANGLE, ALL_HOOKS, 2, 0, 0, fixed},
	{"TOS", "-j TOS --set-tos 0x28/0xff", MANGLE, ALL_HOOKS, 2, 0, 0, fixed},
	{"TOS", "-j TOS --set-tos 0x50/0x30", MANGLE, ALL_HOOKS, 1, 0, 0, fixed},
	{"TTL", "-j TTL --ttl-set 33", MANGLE, ALL_HOOKS, 1, 4, 0, fixed},
	{"TTL", "-j TTL --ttl-dec 2", MANGLE, ALL_HOOKS, 1, 4, 0, fixed},
	{"TTL", "-j TTL --ttl-inc 7", MANGLE, ALL_HOOKS, 1, 4, 0, fixed},
	{"HL", "-j HL --hl-set 33", MANGLE, ALL_HOOKS, 1, 6, 0, fixed},
	{"HL", "-j HL --hl-dec 2", MANGLE, ALL_HOOKS, 1, 6, 0, fixed},
	{"HL", "-j HL --hl-inc 7", MANGLE, ALL_HOOKS, 1, 6, 0, fixed},
	{"CHECKSUM", "-j CHECKSUM --checksum-fill", MANGLE, ALL_HOOKS, 1, 0, ND_PROTO_UDP, fixed},
	{"TCPMSS", "-j TCPMSS --clamp-mss-to-pmtu", MANGLE, FWD | OUT | POST, 0, 0, ND_PROTO_TCP,
	 fixed},
	{"TCPOPTSTRIP", "-j TCPOPTSTRIP --strip-options timestamp", MANGLE, ALL_HOOKS, 1, 0,
	 ND_PROTO_TCP, fixed},
	{"ECN", "-j ECN --ecn-tcp-remove", MANGLE, ALL_HOOKS, 1, 4, ND_PROTO_TCP, fixed},
	{"LOG", "-j LOG --log-prefix \"a b\"", ANY, ALL_HOOKS, 2, 0, 0, fixed},
	{"NFLOG", "-j NFLOG --nflog-group 5", ANY, ALL_HOOKS, 2, 0, 0, fixed},
	{"TRACE", "-j TRACE", RAW, PRE | OUT, 1, 0, 0, fixed},
	{"SET", "-j SET --add-set", ANY, ALL_HOOKS, 3, 0, 0, gen_set_target},
	{"SET", "-j SET --del-set", ANY, ALL_HOOKS, 1, 0, 0, gen_set_target},
	{"AUDIT", "-j AUDIT --type accept", ANY, ALL_HOOKS, 1, 0, 0, fixed},
	{"", "", ANY, ALL_HOOKS, 12, 0, 0, fixed},
};

bool gen_ipt_has_target(const char *name)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(targets); i++)
		if (nd_eq(targets[i].name, name) && targets[i].weight)
			return true;
	return false;
}

static bool is_allowed(const struct gen *gen, const struct target *t, uint32_t table)
{
	if (nd_eq(t->name, "SET") && !gen_has_sets())
		return false;
	return (t->tables & table) && (gen->hooks & ~t->hooks) == 0 &&
	       (!t->family || t->family == gen->ip) && (!t->proto || t->proto == gen->proto);
}

static const char *make_target(struct gen *gen, uint32_t table)
{
	uint32_t total = 0, n;

	for (size_t i = 0; i < ND_ARRAY_LEN(targets); i++)
		total += is_allowed(gen, &targets[i], table) ? targets[i].weight : 0;
	n = rng_pick(&gen->rng, total);
	for (size_t i = 0; i < ND_ARRAY_LEN(targets); i++) {
		if (!is_allowed(gen, &targets[i], table))
			continue;
		if (n < targets[i].weight)
			return targets[i].make(gen, targets[i].text);
		n -= targets[i].weight;
	}
	return "";
}

/* ---- chains ---- */
#define MAX_USER 4
struct user_chain {
	const char *name;
	uint32_t hooks;
};

/* A jump to a later chain that may be reached from here; or NULL. */
static const char *make_jump(struct gen *gen, const struct user_chain *users, size_t from, size_t n)
{
	for (size_t i = from; i < n; i++)
		if ((gen->hooks & ~users[i].hooks) == 0 && rng_chance(&gen->rng, 60))
			return nd_arena_printf(gen->arena, "-%c %s",
					       rng_chance(&gen->rng, 25) ? 'g' : 'j',
					       users[i].name);
	return NULL;
}

static void make_rules(struct gen *gen, uint32_t table, const struct user_chain *users, size_t from,
		       size_t n, uint32_t nrules)
{
	for (uint32_t i = 0; i < nrules; i++) {
		struct test_rule *rule = gen_rule(gen);
		const char *jump = NULL;

		gen->focus = &gen->s->packets[rng_pick(&gen->rng, (uint32_t)gen->s->npackets)];
		while (gen->focus->follows >= 0)
			gen->focus = &gen->s->packets[gen->focus->follows];
		gen_ipt_matches(gen, rule);
		if (rng_chance(&gen->rng, 35))
			jump = make_jump(gen, users, from, n);
		rule->target = jump ? jump : make_target(gen, table);
	}
}

static void make_table(struct gen *gen, size_t t)
{
	struct user_chain users[MAX_USER];
	size_t nusers = rng_pick(&gen->rng, MAX_USER + 1);

	gen->table = tables[t].name;
	for (size_t h = 0; h < ND_HOOKS; h++)
		if (tables[t].hooks & HOOK(h))
			gen_decl(gen, ":%s %s", hook_names[h],
				 tables[t].bit != NAT && rng_chance(&gen->rng, 4) ? "DROP"
										  : "ACCEPT");
	for (size_t i = 0; i < nusers; i++) {
		uint32_t one = HOOK(rng_pick(&gen->rng, ND_HOOKS));

		users[i].name = nd_arena_printf(gen->arena, "U%zu", i);
		users[i].hooks =
			one & tables[t].hooks && rng_chance(&gen->rng, 50) ? one : tables[t].hooks;
		gen_decl(gen, ":%s -", users[i].name);
	}
	for (size_t h = 0; h < ND_HOOKS; h++) {
		gen->chain = hook_names[h];
		gen->hooks = HOOK(h);
		if (tables[t].hooks & HOOK(h) && rng_chance(&gen->rng, 75))
			make_rules(gen, tables[t].bit, users, 0, nusers,
				   1 + rng_pick(&gen->rng, 4));
	}
	for (size_t i = 0; i < nusers; i++) {
		gen->chain = users[i].name;
		gen->hooks = users[i].hooks;
		make_rules(gen, tables[t].bit, users, i + 1, nusers, 1 + rng_pick(&gen->rng, 3));
	}
}

void gen_iptables(struct gen *gen, enum layer layer)
{
	gen->layer = layer;
	gen->family = gen->ip == 6 ? "ip6" : "ip";
	gen->s->has[layer] = true;
	for (size_t t = 0; t < ND_ARRAY_LEN(tables); t++)
		if (rng_chance(&gen->rng, 70))
			make_table(gen, t);
}
