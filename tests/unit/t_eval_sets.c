#include "common/base.h"

#include "tests/unit/eval_world.h"

/* ---- sets and maps ---- */

static struct nd_rset *set_new(size_t nparts, const uint8_t *widths)
{
	struct nd_rset *set = nd_arena_alloc(&arena, sizeof(*set));

	set->nparts = (uint8_t)nparts;
	for (size_t i = 0; i < nparts; i++)
		set->widths[i] = widths[i];
	return set;
}

static struct nd_set_item *item_add(struct nd_rset *set, struct nd_value lo, struct nd_value hi)
{
	ND_ARENA_PUSH(&arena, set->items, set->nitems) = (struct nd_set_item){.lo = lo, .hi = hi};
	return &set->items[set->nitems - 1];
}

static const struct nd_verdict *verdict_to(const char *name)
{
	struct nd_verdict *v = nd_arena_alloc(&arena, sizeof(*v));

	*v = (struct nd_verdict){.kind = name ? ND_V_GOTO : ND_V_DROP, .chain = name};
	return v;
}

static struct nd_rstep in_set(enum nd_field field, uint8_t family, enum nd_test_op op, const struct nd_rset *set)
{
	struct nd_rstep s = test(field, family, op, (struct nd_value){0});

	s.set = set;
	return s;
}

static uint32_t mark_after(struct nd_pkt p)
{
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	return p.mark;
}

static void hash_and_intervals(void **state)
{
	struct nd_rchain *b = base(table("ip", "a"), "b", ND_FORWARD, 0);
	static const uint8_t two = 2, four = 4;
	struct nd_rset *values = set_new(1, &two), *spans = set_new(1, &four), *nested = set_new(1, &four);
	struct nd_rset *empty = set_new(1, &two);

	(void)state;
	for (uint32_t i = 0; i < 500; i++)
		item_add(values, v_num(i * 7 + 1, 2), v_num(i * 7 + 1, 2));
	/* Not sorted: nd_rules_build sorts. */
	for (uint32_t i = 200; i-- > 0;)
		item_add(spans, v_num(0x0a000000 + i * 16, 4), v_num(0x0a000000 + i * 16 + 3, 4));
	item_add(nested, v_ip("10.0.0.0"), v_ip("10.255.255.255"));
	item_add(nested, v_ip("10.0.0.0"), v_ip("10.0.0.3"));
	rule(b, in_set(ND_F_DPORT, 0, ND_IN, values), mark(1, 1));
	rule(b, in_set(ND_F_DADDR, 4, ND_IN, spans), mark(2, 2));
	rule(b, in_set(ND_F_DADDR, 4, ND_IN, nested), mark(4, 4));
	rule(b, in_set(ND_F_DPORT, 0, ND_NOT_IN, values), mark(8, 8));
	rule(b, in_set(ND_F_DADDR, 6, ND_NOT_IN, spans), mark(16, 16)); /* no such field */
	rule(b, in_set(ND_F_DPORT, 0, ND_IN, empty), mark(32, 32));
	assert_int_equal(mark_after(tcp("1.1.1.1", 1, "10.0.0.0", 8)), 7);
	assert_true(values->has_hash && !values->has_order);
	assert_true(spans->has_order && !spans->has_hash);
	assert_false(nested->has_order);
	for (uint32_t i = 0; i < 4000; i++) {
		struct nd_pkt p = tcp("1.1.1.1", 1, "10.0.0.0", (uint16_t)i);
		uint32_t want = i % 16 < 4 && i / 16 < 200 ? 2 : 0;

		p.t.dst.bytes[2] = (uint8_t)(i >> 8);
		p.t.dst.bytes[3] = (uint8_t)i;
		want |= i % 7 == 1 && i / 7 < 500 ? 1 : 8;
		assert_int_equal(mark_after(p), want | 4);
	}
	assert_int_equal(mark_after(tcp("1.1.1.1", 1, "11.0.0.0", 9)), 8);
	assert_int_equal(mark_after(tcp("1.1.1.1", 1, "9.255.255.255", 9)), 8);
}

/* nft: ip daddr . tcp dport vmap { 10.0.0.0/24 . 80-90 : goto web, 10.0.1.1 . 443 : drop } */
static void verdict_map(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *b = base(t, "b", ND_FORWARD, 0);
	static const uint8_t widths[] = {4, 2};
	static struct nd_load loads[2];
	struct nd_rset *map = set_new(2, widths);
	struct nd_rstep vmap = {.kind = ND_DO_VMAP, .nloads = 2, .loads = loads};
	struct nd_pkt p = tcp("1.1.1.1", 1, "10.0.1.1", 443);

	(void)state;
	loads[0] = (struct nd_load){.field = ND_F_DADDR, .family = 4};
	loads[1] = (struct nd_load){.field = ND_F_DPORT};
	vmap.set = map;
	item_add(map, v_cat(v_ip("10.0.0.0"), v_num(80, 2)), v_cat(v_ip("10.0.0.255"), v_num(90, 2)))->verdict =
		verdict_to("web");
	item_add(map, v_cat(v_ip("10.0.1.1"), v_num(443, 2)), v_cat(v_ip("10.0.1.1"), v_num(443, 2)))->verdict =
		verdict_to(NULL);
	rule(b, vmap, mark(1, 1)); /* no element: the rule ends */
	rule(b, mark(2, 2));
	rule(chain(t, "web"), mark(4, 4));
	assert_int_equal(mark_after(tcp("1.1.1.1", 1, "10.0.0.7", 85)), 4);
	assert_non_null(said("goto web"));
	assert_int_equal(mark_after(tcp("1.1.1.1", 1, "10.0.0.7", 91)), 2);
	assert_int_equal(mark_after(tcp("1.1.1.1", 1, "10.0.1.0", 85)), 2);
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_DROP);
	map->fallback = verdict_to("web"); /* "*" */
	is_built = false;
	map->is_ready = false;
	assert_int_equal(mark_after(tcp("1.1.1.1", 1, "10.0.1.0", 85)), 4);
}

/* dnat to ip daddr . tcp dport map { 10.96.0.1 . 443 : 172.18.0.2 . 6443 } */
static void nat_map(void **state)
{
	struct nd_rchain *b = nat_base(table("ip", "a"), "b", ND_PREROUTING);
	static const uint8_t widths[] = {4, 2};
	static struct nd_load loads[2];
	struct nd_rset *map = set_new(2, widths);
	struct nd_rstep dnat = {.kind = ND_DO_DNAT, .nloads = 2, .loads = loads};
	struct nd_pkt p = tcp("1.1.1.1", 1, "10.96.0.1", 443), q = tcp("1.1.1.1", 1, "10.96.0.1", 444);
	struct nd_value key = v_cat(v_ip("10.96.0.1"), v_num(443, 2));

	(void)state;
	loads[0] = (struct nd_load){.field = ND_F_DADDR, .family = 4};
	loads[1] = (struct nd_load){.field = ND_F_DPORT};
	item_add(map, key, key)->data = v_cat(v_ip("172.18.0.2"), v_num(6443, 2));
	dnat.nat = (struct nd_nat){.map = map, .map_addr_n = 4, .map_port_n = 2};
	rule(b, dnat);
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_end(p.t.dst, p.t.dport, "172.18.0.2", 6443);
	assert_int_equal(run(ND_PREROUTING, &q), ND_HOOK_PASS);
	assert_end(q.t.dst, q.t.dport, "10.96.0.1", 444);
}

/* What is in a set that is known in part is in it; what is not may be. */
static void sets_known_in_part(void **state)
{
	struct nd_rchain *b = base(table("ip", "a"), "b", ND_FORWARD, 0);
	static const uint8_t two = 2;
	struct nd_rset *set = set_new(1, &two);
	struct nd_pkt p = tcp("1.1.1.1", 1, "10.0.0.1", 81);

	(void)state;
	item_add(set, v_num(80, 2), v_num(80, 2));
	set->unknown = "a set whose elements time out";
	rule(b, in_set(ND_F_DPORT, 0, ND_IN, set), test(ND_F_SPORT, 0, ND_EQ, v_num(1, 2)), mark(1, 1));
	assert_int_equal(mark_after(tcp("1.1.1.1", 1, "10.0.0.1", 80)), 1);
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
	assert_string_equal(eval.unknown, "a set whose elements time out at a b rule 1");
	p.t.sport = 2; /* another test of the rule fails: it does not match either way */
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
}

static void set_from_nowhere(void **state)
{
	struct nd_rchain *b = base(table("ip", "a"), "b", ND_FORWARD, 0);
	struct nd_pkt p = tcp("1.1.1.1", 1, "10.0.0.1", 81);

	(void)state;
	rule(b, in_set(ND_F_DPORT, 0, ND_IN, NULL), verdict(ND_V_DROP));
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
	b->rules[0].steps[0] = test(ND_F_DPORT, 0, ND_EQ, v_num(81, 4)); /* another width */
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
	b->rules[0].steps[0].nloads = 0;
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
	b->rules[0].steps[0].nloads = 200;
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
}

/* ---- chance ---- */

/* numgen random mod 5 offset 10 vmap { 10-11 : goto two, 12 : goto one }, none for 13 and 14 */
static void numgen_map(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *b = base(t, "b", ND_FORWARD, 0);
	static const uint8_t four = 4;
	struct nd_rset *map = set_new(1, &four);
	struct nd_rstep vmap = {.kind = ND_DO_VMAP, .nloads = 1};
	static struct nd_load load;
	double by_mark[3] = {0}, sum = 0;

	(void)state;
	load = (struct nd_load){.field = ND_F_RANDOM, .arg = 5, .arg2 = 10};
	vmap.loads = &load;
	vmap.set = map;
	item_add(map, v_num(10, 4), v_num(11, 4))->verdict = verdict_to("two");
	item_add(map, v_num(12, 4), v_num(12, 4))->verdict = verdict_to("one");
	rule(b, vmap);
	rule(chain(t, "one"), mark(1, 1));
	rule(chain(t, "two"), mark(2, 2));
	do {
		uint32_t m;

		nd_choices_rewind(&choices);
		m = mark_after(tcp("1.1.1.1", 1, "10.0.0.1", 81));
		assert_true(m <= 2);
		by_mark[m] += nd_choices_share(&choices);
		sum += nd_choices_share(&choices);
	} while (nd_choices_next(&choices));
	assert_true(by_mark[0] > 0.3999 && by_mark[0] < 0.4001);
	assert_true(by_mark[1] > 0.1999 && by_mark[1] < 0.2001);
	assert_true(by_mark[2] > 0.3999 && by_mark[2] < 0.4001);
	assert_true(sum > 1 - 1e-12 && sum < 1 + 1e-12);
}

/* Trees of chance of any shape: what was gone through sums up to 1. */
static void shares_sum_up(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *b = base(t, "b", ND_FORWARD, 0), *c = chain(t, "c");
	double sum = 0;
	size_t n = 0;

	(void)state;
	rule(b, chance(10, 3), to_chain(ND_V_JUMP, "c"));
	rule(b, chance(10, 10), mark(1, 1)); /* always: no choice */
	rule(b, chance(10, 0), mark(2, 2));  /* never */
	rule(b, chance(1000, 1), verdict(ND_V_ACCEPT));
	rule(b, chance(7, 2), to_chain(ND_V_GOTO, "c"));
	rule(c, chance(3, 1), verdict(ND_V_ACCEPT));
	rule(c, chance(3, 2), mark(4, 4));
	do {
		nd_choices_rewind(&choices);
		assert_int_equal(mark_after(tcp("1.1.1.1", 1, "10.0.0.1", 81)) & 2, 0);
		sum += nd_choices_share(&choices);
		n++;
	} while (nd_choices_next(&choices));
	/* not c: accept, no c, c (3); c: accepts (1), twice (2) the three of b, where c has 3 */
	assert_int_equal(n, (2 + 3) + 1 + 2 * (2 + 3));
	assert_true(sum > 1 - 1e-12 && sum < 1 + 1e-12);
}

static void too_much_chance(void **state)
{
	struct nd_rchain *b = base(table("ip", "a"), "b", ND_FORWARD, 0);
	struct nd_pkt p = tcp("1.1.1.1", 1, "10.0.0.1", 81);

	(void)state;
	for (size_t i = 0; i < ND_CHOICES_MAX; i++)
		rule(b, chance(2, 1), mark(1, 1));
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	assert_false(choices.is_over);
	rule(b, chance(2, 1), mark(1, 1));
	nd_choices_rewind(&choices);
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
	assert_true(choices.is_over);
}

/* ---- the index by destination ---- */

static uint32_t seed = 12345;
static uint32_t pick(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static struct nd_rstep random_test(void)
{
	char text[32];

	switch (pick(8)) {
	case 0:
		return test(ND_F_DADDR, 4, ND_NE, v_ip("10.0.0.1"));
	case 1:
		return dport((uint16_t)pick(3));
	case 2:
		return test(ND_F_SADDR, 4, ND_EQ, v_ip(pick(2) ? "10.1.0.1" : "10.1.0.2"));
	case 3:
		return is_marked(pick(4));
	default:
		snprintf(text, sizeof(text), "10.0.0.%u", pick(9));
		return daddr(text);
	}
}

static struct nd_rstep random_act(void)
{
	switch (pick(40)) {
	case 0:
		return verdict(ND_V_RETURN);
	case 1:
		return verdict(ND_V_ACCEPT);
	case 2:
		return doing(ND_DO_UNKNOWN);
	default:
		return mark(pick(4), 3);
	}
}

static void index_is_scan(void **state)
{
	(void)state;
	for (size_t round = 0; round < 60; round++) {
		struct nd_rtable *t;
		struct nd_rchain *b;
		struct nd_rule_index *made;

		world_start(state);
		t = table("ip", "a");
		b = base(t, "b", ND_FORWARD, 0);
		rule(b, to_chain(ND_V_JUMP, "big"));
		b = chain(t, "big");
		for (size_t i = 0; i < 200; i++) {
			if (pick(10) == 0)
				rule(b, random_act());
			else if (pick(2))
				rule(b, random_test(), random_act());
			else
				rule(b, random_test(), random_test(), random_act());
		}
		nd_rules_build(&arena, tables, ntables, &rules);
		is_built = true;
		made = b->index;
		assert_non_null(made);
		for (size_t i = 0; i < 50; i++) {
			struct nd_pkt p = tcp("10.1.0.1", 1, "10.0.0.0", (uint16_t)pick(3)), q;
			enum nd_hook_result with, without;
			struct nd_rule_event events[512];
			size_t n;

			p.t.dst.bytes[3] = (uint8_t)pick(10);
			p.t.src.bytes[3] = (uint8_t)pick(3);
			q = p;
			b->index = made;
			with = run(ND_FORWARD, &p);
			n = eval.nevents;
			assert_true(n < 512);
			memcpy(events, eval.events, n * sizeof(*events));
			b->index = NULL;
			without = run(ND_FORWARD, &q);
			assert_int_equal(with, without);
			assert_int_equal(p.mark, q.mark);
			assert_int_equal(n, eval.nevents);
			for (size_t k = 0; k < n; k++)
				assert_ptr_equal(events[k].rule, eval.events[k].rule);
		}
	}
}

/* 10,000 services: a packet does not meet the rules of the others. */
static void big_chains_are_not_scanned(void **state)
{
	struct nd_rtable *t = table("ip", "nat");
	struct nd_rchain *b = nat_base(t, "PREROUTING", ND_PREROUTING), *services;
	char text[32];

	(void)state;
	rule(b, to_chain(ND_V_JUMP, "KUBE-SERVICES"));
	services = chain(t, "KUBE-SERVICES");
	for (uint32_t i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "10.96.%u.%u", i >> 8, i & 255);
		rule(services, daddr(text), dport(80), nat_step(ND_DO_DNAT, text, (uint16_t)(1000 + i)));
	}
	rule(services, mark(1, 1));
	for (uint32_t i = 0; i < 20000; i++) { /* seconds when it scans */
		struct nd_pkt p = tcp("1.1.1.1", 1, "10.96.0.0", 80);

		p.t.dst.bytes[2] = (uint8_t)(i % 10000 >> 8);
		p.t.dst.bytes[3] = (uint8_t)(i % 10000);
		if (i < 50)
			p.t.dport = 81;
		assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
		assert_true(i < 50 ? p.mark == 1 : p.t.dport >= 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(hash_and_intervals),
		WORLD_TEST(verdict_map),
		WORLD_TEST(nat_map),
		WORLD_TEST(sets_known_in_part),
		WORLD_TEST(set_from_nowhere),
		WORLD_TEST(numgen_map),
		WORLD_TEST(shares_sum_up),
		WORLD_TEST(too_much_chance),
		WORLD_TEST(index_is_scan),
		WORLD_TEST(big_chains_are_not_scanned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
