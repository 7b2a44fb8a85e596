/*
 * eval_world.h: rules made by hand for the tests of the evaluator.
 *
 *	struct nd_rchain *c = base(table("ip", "filter"), "FORWARD", ND_FORWARD, 0);
 *	rule(c, daddr("10.0.0.1"), verdict(ND_V_DROP));
 *	assert_int_equal(run(ND_FORWARD, &packet), ND_HOOK_DROP);
 */
#ifndef ND_TESTS_UNIT_EVAL_WORLD_H
#define ND_TESTS_UNIT_EVAL_WORLD_H

#include "common/text.h"
#include "plugin/walk/eval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MAX_CHAINS 80
static struct nd_arena arena;
static struct nd_rtable tables[16];
static size_t ntables;
static struct nd_rules rules;
static bool is_built;
static struct nd_choices choices;
static struct nd_eval eval;

/* ---- what routing knows: eth0 has 172.18.0.3, veth1 10.244.1.1, those are local ---- */
static struct nd_ip ip(const char *text)
{
	struct nd_ip out = {0};

	if (text)
		assert_true(nd_ip_parse(text, &out));
	return out;
}

static uint32_t fib_type(void *ctx, struct nd_ip a, const char *dev)
{
	(void)ctx;
	(void)dev;
	return nd_ip_eq(a, ip("172.18.0.3")) || nd_ip_eq(a, ip("10.244.1.1")) ? 2 : 1;
}

static const char *fib_oif(void *ctx, struct nd_ip a, struct nd_ip src, uint32_t mark,
			   const char *dev)
{
	(void)src;
	(void)ctx;
	(void)mark;
	(void)dev;
	return a.bytes[0] == 10 ? "veth1" : "eth0";
}

static struct nd_ip fib_source(void *ctx, const char *dev, struct nd_ip dst)
{
	(void)ctx;
	if (dst.family == 6)
		return ip(strcmp(dev, "eth0") == 0 ? "fc00::3" : NULL);
	return ip(strcmp(dev, "eth0") == 0 ? "172.18.0.3" : NULL);
}

static struct nd_ip fib_address(void *ctx, const char *dev, uint8_t family)
{
	(void)ctx;
	return ip(family == 4 && strcmp(dev, "veth1") == 0 ? "10.244.1.1" : NULL);
}

static uint32_t fib_index(void *ctx, const char *dev)
{
	(void)ctx;
	return strcmp(dev, "eth0") == 0 ? 2 : 3;
}

static const struct nd_fib_ask fib = {NULL, fib_type, fib_oif, fib_source, fib_address, fib_index};

/* ---- tables ---- */
ND_UNUSED static struct nd_rtable *table_of(enum nd_rules_backend backend, const char *family, const char *name)
{
	struct nd_rtable *t = &tables[ntables++];

	assert_true(ntables <= ND_ARRAY_LEN(tables));
	*t = (struct nd_rtable){.backend = backend, .family = family, .name = name};
	t->chains = nd_arena_array(&arena, MAX_CHAINS, sizeof(*t->chains));
	return t;
}

ND_UNUSED static struct nd_rtable *table(const char *family, const char *name)
{
	return table_of(ND_RULES_NFT, family, name);
}

ND_UNUSED static struct nd_rchain *chain(struct nd_rtable *t, const char *name)
{
	struct nd_rchain *c = &t->chains[t->nchains++];

	assert_true(t->nchains <= MAX_CHAINS);
	c->name = name;
	return c;
}

ND_UNUSED static struct nd_rchain *base(struct nd_rtable *t, const char *name, enum nd_hook hook, int32_t priority)
{
	struct nd_rchain *c = chain(t, name);

	c->is_base = true;
	c->hook = hook;
	c->priority = priority;
	return c;
}

ND_UNUSED static struct nd_rchain *nat_base(struct nd_rtable *t, const char *name, enum nd_hook hook)
{
	struct nd_rchain *c = base(t, name, hook, hook == ND_PREROUTING || hook == ND_OUTPUT ? -100 : 100);

	c->type = ND_CHAIN_NAT;
	return c;
}

static struct nd_rrule *rule_add(struct nd_rchain *c, size_t n, const struct nd_rstep *steps)
{
	struct nd_rrule r = {.text = "rule", .number = (uint32_t)c->nrules + 1, .nsteps = n};

	r.steps = nd_arena_array(&arena, n, sizeof(*steps));
	memcpy(r.steps, steps, n * sizeof(*steps));
	ND_ARENA_PUSH(&arena, c->rules, c->nrules) = r;
	return &c->rules[c->nrules - 1];
}
#define rule(c, ...)                                                                                                   \
	rule_add((c), sizeof((struct nd_rstep[]){__VA_ARGS__}) / sizeof(struct nd_rstep),                              \
		 (const struct nd_rstep[]){__VA_ARGS__})

/* ---- values and steps ---- */
static struct nd_value v_bytes(const void *p, size_t n)
{
	struct nd_value v = {.n = (uint8_t)n};

	memcpy(v.bytes, p, n);
	return v;
}

static struct nd_value v_num(uint32_t number, size_t n)
{
	struct nd_value v = {.n = (uint8_t)n};

	for (size_t i = 0; i < n; i++)
		v.bytes[i] = (uint8_t)(number >> (8 * (n - 1 - i)));
	return v;
}

static struct nd_value v_ip(const char *text)
{
	struct nd_ip a = ip(text);

	return v_bytes(a.bytes, a.family == 4 ? 4 : 16);
}

ND_UNUSED static struct nd_value v_cat(struct nd_value a, struct nd_value b)
{
	memcpy(a.bytes + a.n, b.bytes, b.n);
	a.n = (uint8_t)(a.n + b.n);
	return a;
}

static const struct nd_load *load_of(enum nd_field field, uint8_t family, uint32_t arg)
{
	struct nd_load *load = nd_arena_alloc(&arena, sizeof(*load));

	*load = (struct nd_load){.field = field, .family = family, .arg = arg};
	return load;
}

static struct nd_rstep test(enum nd_field field, uint8_t family, enum nd_test_op op, struct nd_value lo)
{
	struct nd_rstep s = {.kind = ND_DO_TEST, .nloads = 1, .op = op};

	s.loads = load_of(field, family, 0);
	s.lo = lo;
	s.hi = lo;
	return s;
}

ND_UNUSED static struct nd_rstep daddr(const char *text)
{
	return test(ND_F_DADDR, ip(text).family, ND_EQ, v_ip(text));
}

ND_UNUSED static struct nd_rstep dport(uint16_t port)
{
	return test(ND_F_DPORT, 0, ND_EQ, v_num(port, 2));
}

ND_UNUSED static struct nd_rstep ct_state(uint32_t bits)
{
	return test(ND_F_CT_STATE, 0, ND_ANY_BIT, v_num(bits, 4));
}

ND_UNUSED static struct nd_rstep is_marked(uint32_t mark)
{
	return test(ND_F_MARK, 0, ND_EQ, v_num(mark, 4));
}

/* -m statistic: true in `threshold` of n. */
ND_UNUSED static struct nd_rstep chance(uint32_t n, uint32_t threshold)
{
	struct nd_rstep s = test(ND_F_RANDOM, 0, ND_LT, v_num(threshold, 4));

	s.loads = load_of(ND_F_RANDOM, 0, n);
	return s;
}

ND_UNUSED static struct nd_rstep verdict(enum nd_verdict_kind kind)
{
	struct nd_rstep s = {.kind = ND_DO_VERDICT};

	s.verdict.kind = kind;
	return s;
}

ND_UNUSED static struct nd_rstep to_chain(enum nd_verdict_kind kind, const char *name)
{
	struct nd_rstep s = verdict(kind);

	s.verdict.chain = name;
	return s;
}

ND_UNUSED static struct nd_rstep mark(uint32_t value, uint32_t mask)
{
	struct nd_rstep s = {.kind = ND_DO_MARK};

	s.value = value;
	s.mask = mask;
	return s;
}

ND_UNUSED static struct nd_rstep nat_step(enum nd_step_kind kind, const char *to, uint16_t port)
{
	struct nd_rstep s = {.kind = kind};

	s.nat = (struct nd_nat){.lo = ip(to), .hi = ip(to), .port_lo = port, .port_hi = port};
	return s;
}

ND_UNUSED static struct nd_rstep doing(enum nd_step_kind kind)
{
	struct nd_rstep s = {.kind = kind, .unknown = "-m strange"};

	return s;
}

/* ---- packets and runs ---- */
ND_UNUSED static struct nd_pkt tcp(const char *src, uint16_t sport, const char *dst, uint16_t to)
{
	struct nd_pkt p = {.family = ip(src).family, .proto = ND_PROTO_TCP, .ttl = 64, .length = 60, .tcp_flags = 2};

	p.t = (struct nd_tuple){ip(src), ip(dst), sport, to};
	return p;
}

static enum nd_hook_result run(enum nd_hook hook, struct nd_pkt *packet)
{
	if (!is_built)
		nd_rules_build(&arena, tables, ntables, &rules);
	is_built = true;
	eval.arena = &arena;
	eval.rules = &rules;
	eval.fib = &fib;
	eval.choices = &choices;
	eval.nevents = 0;
	return nd_eval_hook(&eval, hook, packet);
}

ND_UNUSED static const struct nd_rule_event *said(const char *what)
{
	for (size_t i = 0; i < eval.nevents; i++)
		if (eval.events[i].what && strcmp(eval.events[i].what, what) == 0)
			return &eval.events[i];
	return NULL;
}

ND_UNUSED static void assert_end(struct nd_ip a, uint16_t port, const char *want, uint16_t want_port)
{
	char text[ND_IP_TEXT];

	assert_string_equal(nd_ip_text(a, text), want);
	assert_int_equal(port, want_port);
}

static int world_start(void **state)
{
	(void)state;
	memset(tables, 0, sizeof(tables));
	ntables = 0;
	is_built = false;
	choices = (struct nd_choices){0};
	eval = (struct nd_eval){0};
	return 0;
}

static int world_end(void **state)
{
	(void)state;
	nd_arena_free(&arena);
	return 0;
}
#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_start, world_end)

#endif
