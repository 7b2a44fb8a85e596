/* gen_nft.c: random tables of native nft: base chains at any priority, sets, maps, verdict maps. */
#include "common/base.h"

#include "tests/kernel/kernel.h"
#include "tests/kernel/gen_nft.h"

#define PRE HOOK(ND_PREROUTING)
#define IN HOOK(ND_INPUT)
#define FWD HOOK(ND_FORWARD)
#define OUT HOOK(ND_OUTPUT)
#define POST HOOK(ND_POSTROUTING)

static const char *const hook_names[] = {"prerouting", "input", "forward", "output", "postrouting"};

#define MAX_CHAINS 12
struct chain {
	const char *name;
	uint32_t hooks; /* from which it may be reached */
	bool is_nat, is_user;
	int32_t priority;
};
struct table {
	struct chain chains[MAX_CHAINS]; /* nchains; later ones may be jumped to */
	size_t nchains;
};

#define TEXT(...) nd_arena_printf(gen->arena, __VA_ARGS__)

/* ---- statements ---- */
static const char *reject(struct gen *gen)
{
	static const char *const four[] = {"reject", "reject with icmp type host-unreachable",
					   "reject with icmp type admin-prohibited",
					   "reject with icmp type net-prohibited"};
	static const char *const six[] = {"reject", "reject with icmpv6 type no-route",
					  "reject with icmpv6 type admin-prohibited",
					  "reject with icmpv6 type policy-fail"};
	static const char *const both[] = {"reject", "reject with icmpx type host-unreachable",
					   "reject with icmpx type admin-prohibited",
					   "reject with icmpx type no-route"};
	uint32_t n = rng_pick(&gen->rng, 5);

	if (n == 4)
		return gen->proto == ND_PROTO_TCP ? "reject with tcp reset" : "reject";
	return nd_eq(gen->family, "inet") ? both[n] : gen->ip == 6 ? six[n] : four[n];
}

static const char *set_mark(struct gen *gen)
{
	uint32_t a = gen_mark(gen), b = gen_mark(gen);

	switch (rng_pick(&gen->rng, 7)) {
	case 0:
		return TEXT("meta mark set 0x%x", a);
	case 1:
		return TEXT("meta mark set meta mark or 0x%x", a);
	case 2:
		return TEXT("meta mark set meta mark and 0x%x", a);
	case 3:
		return TEXT("meta mark set meta mark xor 0x%x", a);
	case 4:
		return TEXT("ct mark set 0x%x", a);
	case 5:
		return "ct mark set meta mark";
	default:
		return b & 1 ? "ct state { new, established } meta mark set ct mark"
			     : TEXT("ct state { new, established } ct mark set ct mark or 0x%x", a);
	}
}

static const char *nat_end(struct gen *gen, bool is_src)
{
	bool has_ports = gen->proto == ND_PROTO_TCP || gen->proto == ND_PROTO_UDP;
	const char *ip = gen_nat_ip(gen, is_src);

	if (gen->ip == 6)
		ip = TEXT("[%s]", ip);
	if (has_ports && rng_chance(&gen->rng, 40))
		return is_src ? TEXT("%s:40000-40009", ip) : TEXT("%s:%u", ip, gen_port(gen));
	return ip;
}

static const char *nat_map(struct gen *gen)
{
	const char *dst = gen_ip(gen, false);
	const char *word = gen->ip == 6 ? "ip6" : "ip";

	if ((gen->proto == ND_PROTO_TCP || gen->proto == ND_PROTO_UDP) && rng_chance(&gen->rng, 60))
		return TEXT("dnat %s to %s daddr . %s dport map { %s . %u : %s . %u, %s . 9999 : "
			    "%s . 22 }",
			    nd_eq(gen->family, "inet") ? word : "", word,
			    gen->proto == ND_PROTO_TCP ? "tcp" : "udp", dst, gen_port(gen),
			    gen_nat_ip(gen, false), gen_port(gen),
			    gen->ip == 6 ? "fd00:50::1" : "10.50.0.1", gen_nat_ip(gen, false));
	return TEXT("dnat %s to %s daddr map { %s : %s, %s : %s }",
		    nd_eq(gen->family, "inet") ? word : "", word, dst, gen_nat_ip(gen, false),
		    gen->ip == 6 ? "fd00:50::1" : "10.50.0.1", gen_nat_ip(gen, false));
}

/* kube-proxy's way to choose an endpoint. */
static const char *random_dnat(struct gen *gen)
{
	const char *word = gen->ip == 6 ? "ip6" : "ip";

	return TEXT("dnat %s to numgen random mod 3 map { 0 : %s, 1 : %s, 2 : %s }",
		    nd_eq(gen->family, "inet") ? word : "", gen_nat_ip(gen, false),
		    gen_nat_ip(gen, false), gen_nat_ip(gen, false));
}

static const char *nat(struct gen *gen)
{
	const char *word = !nd_eq(gen->family, "inet") ? "" : gen->ip == 6 ? "ip6 " : "ip ";
	bool has_ports = gen->proto == ND_PROTO_TCP || gen->proto == ND_PROTO_UDP;
	uint32_t n = rng_pick(&gen->rng, 8);

	if (gen->hooks & ~(PRE | OUT)) {
		if (n < 4 || (gen->hooks & ~POST))
			return TEXT("snat %sto %s", word, nat_end(gen, true));
		return has_ports && n < 6 ? "masquerade to :40000-40009" : "masquerade";
	}
	if (n < 3)
		return TEXT("dnat %sto %s", word, nat_end(gen, false));
	if (n < 5)
		return nat_map(gen);
	if (n == 5)
		return random_dnat(gen);
	return has_ports ? TEXT("redirect to :%u", gen_port(gen)) : "redirect";
}

/* A later chain that can be reached from here, or NULL. */
static const struct chain *callee(struct gen *gen, const struct table *t, size_t from)
{
	for (size_t i = from; i < t->nchains; i++)
		if (t->chains[i].is_user && (gen->hooks & ~t->chains[i].hooks) == 0 &&
		    rng_chance(&gen->rng, 60))
			return &t->chains[i];
	return NULL;
}

static const char *verdict_text(struct gen *gen, const struct chain *to)
{
	uint32_t n = rng_pick(&gen->rng, 6);

	if (to && n < 4)
		return TEXT("%s %s", n < 3 ? "jump" : "goto", to->name);
	return n == 4				     ? "accept"
	       : n == 5 && rng_chance(&gen->rng, 30) ? "drop"
	       : n == 0				     ? "return"
						     : "continue";
}

static const char *vmap(struct gen *gen, const struct chain *to)
{
	const char *word = gen->ip == 6 ? "ip6" : "ip", *a = verdict_text(gen, to),
		   *b = verdict_text(gen, to);
	const char *l4 = gen->proto == ND_PROTO_TCP ? "tcp" : "udp";
	bool has_ports = gen->proto == ND_PROTO_TCP || gen->proto == ND_PROTO_UDP;

	switch (rng_pick(&gen->rng, has_ports ? 7 : 5)) {
	case 0:
		return TEXT("%s daddr vmap { %s : %s, %s : %s }", word, gen_ip(gen, false), a,
			    gen->ip == 6 ? "fd00:51::1" : "10.51.0.1", b);
	case 1:
		return TEXT("%s daddr . meta l4proto vmap { %s . tcp : %s, %s . udp : %s }", word,
			    gen_ip(gen, false), a, gen_ip(gen, false), b);
	case 2:
		return TEXT("ct state vmap { new : %s, established : %s, related : accept, invalid "
			    ": continue }",
			    a, b);
	case 3:
		return TEXT("numgen random mod 3 vmap { 0 : %s, 1 : %s }", a, b);
	case 4:
		return TEXT("iifname vmap { \"ra\" : %s, \"rb\" : %s }", a, b);
	case 5:
		return TEXT("%s daddr . %s dport vmap { %s . %u : %s, %s . 9998 : %s }", word, l4,
			    gen_ip(gen, false), gen_port(gen), a, gen_ip(gen, true), b);
	default:
		return TEXT("%s dport vmap { 1-79 : %s, 80-443 : %s, 8000-9000 : %s }", l4, a, b,
			    a);
	}
}

static const char *statement(struct gen *gen, const struct table *t, size_t at)
{
	const struct chain *c = &t->chains[at], *to = callee(gen, t, at + 1);
	uint32_t n = rng_pick(&gen->rng, 100);

	if (c->is_nat && n < 45)
		return nat(gen);
	if (n < 25)
		return set_mark(gen);
	if (to && n < 45)
		return TEXT("%s %s", rng_chance(&gen->rng, 75) ? "jump" : "goto", to->name);
	if (n < 57)
		return vmap(gen, to);
	if (n < 63 && !(gen->hooks & ~(IN | FWD | OUT)))
		return reject(gen);
	if (n < 66 && !(gen->hooks & ~(PRE | OUT)) && !c->is_user && c->priority < -200)
		return "notrack";
	if (n < 70)
		return rng_chance(&gen->rng, 50) ? "log prefix \"x y\"" : "limit rate 1000/second";
	return n < 82 ? "accept" : n < 85 ? "drop" : n < 92 ? "return" : "";
}

/* ---- tables ---- */
static void add_chain(struct gen *gen, struct table *t, struct chain chain, const char *type,
		      bool is_drop)
{
	struct chain *c = &t->chains[t->nchains++];

	*c = chain;
	c->name = TEXT("c%zu", t->nchains);
	if (c->is_user)
		gen_decl(gen, "add chain %s %s %s", gen->family, gen->table, c->name);
	else
		gen_decl(gen, "add chain %s %s %s { type %s hook %s priority %d; policy %s; }",
			 gen->family, gen->table, c->name, type,
			 hook_names[__builtin_ctz(c->hooks)], c->priority,
			 is_drop ? "drop" : "accept");
}

static void add_base(struct gen *gen, struct table *t)
{
	static const int32_t priorities[] = {-400, -300, -250, -199, -150, -100, -50, 0,
					     0,	   10,	 50,   100,  150,  225,	 300};
	uint32_t hook = rng_pick(&gen->rng, ND_HOOKS), kind = rng_pick(&gen->rng, 10);
	struct chain c = {.hooks = HOOK(hook),
			  .priority = priorities[rng_pick(&gen->rng, ND_ARRAY_LEN(priorities))]};
	const char *type = "filter";

	if (kind < 4 && hook != ND_FORWARD) {
		type = "nat";
		c.is_nat = true;
		if (c.priority <= -200)
			c.priority = -100;
	} else if (kind < 6 && hook == ND_OUTPUT) {
		type = "route";
	}
	add_chain(gen, t, c, type, rng_chance(&gen->rng, 4));
}

static void make_rules(struct gen *gen, const struct table *t, size_t at, uint32_t n)
{
	gen->chain = t->chains[at].name;
	gen->hooks = t->chains[at].hooks;
	for (uint32_t i = 0; i < n; i++) {
		struct test_rule *rule = gen_rule(gen);

		gen->focus = &gen->s->packets[rng_pick(&gen->rng, (uint32_t)gen->s->npackets)];
		while (gen->focus->follows >= 0)
			gen->focus = &gen->s->packets[gen->focus->follows];
		gen_nft_matches(gen, rule);
		rule->target = statement(gen, t, at);
	}
}

static void make_table(struct gen *gen, uint32_t number)
{
	struct table t = {0};
	uint32_t nbases = 1 + rng_pick(&gen->rng, 5), nusers = rng_pick(&gen->rng, 4);

	gen->family = rng_chance(&gen->rng, 40) ? "inet" : gen->ip == 6 ? "ip6" : "ip";
	gen->table = TEXT("t%u", number);
	gen_decl(gen, "add table %s %s", gen->family, gen->table);
	for (uint32_t i = 0; i < nbases; i++)
		add_base(gen, &t);
	for (uint32_t i = 0; i < nusers; i++) {
		bool is_nat = rng_chance(&gen->rng, 30);

		add_chain(gen, &t,
			  (struct chain){.is_user = true,
					 .is_nat = is_nat,
					 .hooks = !is_nat		      ? ALL_HOOKS
						  : rng_chance(&gen->rng, 60) ? PRE | OUT
									      : POST},
			  NULL, false);
	}
	/* A user chain with NAT may be called from NAT chains only. */
	for (size_t i = 0; i < t.nchains; i++)
		if (t.chains[i].is_user && t.chains[i].is_nat)
			for (size_t k = 0; k < t.nchains; k++)
				if (!t.chains[k].is_nat &&
				    (t.chains[k].hooks & ~t.chains[i].hooks) == 0)
					t.chains[i].is_nat = false;
	gen_nft_sets(gen);
	for (size_t i = 0; i < t.nchains; i++)
		make_rules(gen, &t, i, 1 + rng_pick(&gen->rng, 4));
}

void gen_nft(struct gen *gen)
{
	uint32_t n = 1 + rng_pick(&gen->rng, 3);

	gen->layer = LAYER_NFT;
	gen->s->has[LAYER_NFT] = true;
	for (uint32_t i = 0; i < n; i++)
		make_table(gen, i);
}
