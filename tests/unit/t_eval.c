#include "common/base.h"

#include "tests/unit/eval_world.h"

/* ---- chains and verdicts ---- */

static void accept_ends_only_its_base_chain(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *first = base(t, "first", ND_FORWARD, -10), *second = base(t, "second", ND_FORWARD, 0);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(first, verdict(ND_V_ACCEPT));
	rule(first, verdict(ND_V_DROP));
	rule(second, dport(80), verdict(ND_V_DROP));
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_DROP);
	assert_ptr_equal(said("drop")->chain, second);
	assert_ptr_equal(said("accept")->chain, first);
	assert_int_equal(eval.nevents, 4); /* two chains entered, two rules */
	p.t.dport = 81;
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	assert_ptr_equal(said("policy accept")->chain, second);
	assert_int_equal(run(ND_INPUT, &p), ND_HOOK_PASS);
	assert_int_equal(eval.nevents, 0);
}

static void drop_is_final(void **state)
{
	struct nd_rtable *t = table("inet", "a");
	struct nd_rchain *first = base(t, "first", ND_INPUT, -10), *second = base(t, "second", ND_INPUT, 0);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(second, verdict(ND_V_ACCEPT));
	first->is_drop = true;
	assert_int_equal(run(ND_INPUT, &p), ND_HOOK_DROP);
	assert_non_null(said("policy drop"));
	assert_null(said("accept"));
}

/* Seen on 6.18: the chain that was made last comes first; legacy tables are taken for the oldest. */
static void same_priority(void **state)
{
	struct nd_rtable *legacy = table_of(ND_RULES_IPT_LEGACY, "ip", "filter");
	struct nd_rtable *ipt = table_of(ND_RULES_IPT_NFT, "ip", "filter");
	struct nd_rtable *native = table("inet", "native");
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	base(legacy, "FORWARD", ND_FORWARD, 0);
	base(ipt, "FORWARD", ND_FORWARD, 0);
	base(native, "c1", ND_FORWARD, 0);
	base(native, "c2", ND_FORWARD, 0);
	base(native, "early", ND_FORWARD, -1);
	ipt->position = 2;
	native->position = 1;
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	assert_int_equal(rules.nbases[ND_FORWARD][0], 5);
	assert_int_equal(rules.nbases[ND_FORWARD][1], 3);
	assert_string_equal(rules.bases[ND_FORWARD][0][0].chain->name, "early");
	assert_ptr_equal(rules.bases[ND_FORWARD][0][1].table, ipt);
	assert_string_equal(rules.bases[ND_FORWARD][0][2].chain->name, "c2");
	assert_string_equal(rules.bases[ND_FORWARD][0][3].chain->name, "c1");
	assert_ptr_equal(rules.bases[ND_FORWARD][0][4].table, legacy);
}

static void jumps_and_returns(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *b = base(t, "b", ND_FORWARD, 0), *one = chain(t, "one"), *two = chain(t, "two");
	struct nd_rchain *three = chain(t, "three");
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(b, to_chain(ND_V_JUMP, "one"));
	rule(b, mark(1, 1));
	rule(one, to_chain(ND_V_GOTO, "two"));
	rule(one, mark(2, 2)); /* goto does not come back here */
	rule(two, to_chain(ND_V_JUMP, "three"));
	rule(two, mark(4, 4));
	rule(three, dport(80), verdict(ND_V_RETURN));
	rule(three, mark(8, 8));
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	assert_int_equal(p.mark, 5);
	assert_non_null(said("jump one"));
	assert_non_null(said("goto two"));
	assert_non_null(said("mark 0x4"));
	p.t.dport = 81;
	p.mark = 0;
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	assert_int_equal(p.mark, 13);
}

/* A return at the bottom is the policy, also behind a goto out of the base chain. */
static void return_is_policy(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *b = base(t, "b", ND_FORWARD, 0), *one = chain(t, "one");
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80), q = tcp("10.0.0.1", 1000, "10.0.0.2", 81);

	(void)state;
	b->is_drop = true;
	rule(b, dport(80), verdict(ND_V_RETURN));
	rule(b, to_chain(ND_V_GOTO, "one"));
	rule(b, verdict(ND_V_ACCEPT));
	rule(one, doing(ND_DO_NOTHING));
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_DROP);
	assert_int_equal(run(ND_FORWARD, &q), ND_HOOK_DROP);
	assert_ptr_equal(said("policy drop")->chain, b);
}

static void depth_and_loops(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *b = base(t, "b", ND_FORWARD, 0), *links[66];
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(b, dport(80), to_chain(ND_V_JUMP, "c0"));
	rule(b, dport(81), to_chain(ND_V_JUMP, "c1"));
	rule(b, dport(82), to_chain(ND_V_JUMP, "loop"));
	rule(b, dport(83), to_chain(ND_V_JUMP, "nowhere"));
	for (size_t i = 0; i < 65; i++)
		links[i] = chain(t, nd_arena_printf(&arena, "c%zu", i));
	for (size_t i = 0; i + 1 < 65; i++)
		rule(links[i], to_chain(ND_V_JUMP, links[i + 1]->name));
	rule(chain(t, "loop"), to_chain(ND_V_GOTO, "loop"));
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
	assert_string_equal(eval.unknown, "jumps deeper than 64 at a c63 rule 1");
	p.t.dport = 81;
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	p.t.dport = 82;
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
	p.t.dport = 83;
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
	assert_string_equal(eval.unknown, "a jump to a chain that is not there at a b rule 4");
}

/* Two jumps to the next chain, 40 deep: the number of rules is what ends it. */
static void too_many_rules(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *c = base(t, "c0", ND_FORWARD, 0);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	for (size_t i = 1; i < 40; i++) {
		const char *name = nd_arena_printf(&arena, "c%zu", i);

		for (size_t k = 0; k < 2; k++)
			rule(c, to_chain(ND_V_JUMP, name));
		c = chain(t, name);
	}
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
	assert_int_equal(strncmp(eval.unknown, "more rules than", 15), 0);
}

static void reject_and_unknown(void **state)
{
	struct nd_rtable *t = table("ip", "filter");
	struct nd_rchain *b = base(t, "FORWARD", ND_FORWARD, 0);
	struct nd_rstep reject = verdict(ND_V_REJECT), words = doing(ND_DO_UNKNOWN);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	reject.verdict.reject_with = "icmp-port-unreachable";
	rule(b, dport(81), words);
	rule(b, dport(80), reject);
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_REJECT);
	assert_string_equal(eval.reject_with, "icmp-port-unreachable");
	p.t.dport = 81;
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
	assert_string_equal(eval.unknown, "-m strange at filter FORWARD rule 1");
	assert_int_equal(eval.events[eval.nevents - 1].kind, ND_EV_UNKNOWN);
}

static enum nd_hook_result queue_answer(void *ctx, struct nd_eval *e, struct nd_pkt *packet, const struct nd_verdict *v)
{
	(void)e;
	(void)packet;
	assert_int_equal(v->queue, 100);
	return *(enum nd_hook_result *)ctx;
}

static void queues(void **state)
{
	struct nd_rtable *t = table("inet", "kindnet");
	struct nd_rchain *b = base(t, "post", ND_POSTROUTING, -5), *later = base(t, "later", ND_POSTROUTING, 0);
	struct nd_rstep queue = verdict(ND_V_QUEUE);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);
	enum nd_hook_result answer = ND_HOOK_PASS;

	(void)state;
	queue.verdict.queue = 100;
	queue.verdict.has_bypass = true;
	rule(b, queue);
	rule(b, verdict(ND_V_DROP)); /* an accepted packet goes on behind the chain */
	rule(later, mark(7, UINT32_MAX));
	assert_int_equal(run(ND_POSTROUTING, &p), ND_HOOK_QUEUE);
	assert_int_equal(eval.queue, 100);
	assert_true(eval.has_queue_bypass);
	assert_int_equal(p.mark, 0);
	eval.queue_ask = queue_answer;
	eval.queue_ctx = &answer;
	assert_int_equal(run(ND_POSTROUTING, &p), ND_HOOK_PASS);
	assert_int_equal(p.mark, 7);
	answer = ND_HOOK_DROP;
	assert_int_equal(run(ND_POSTROUTING, &p), ND_HOOK_DROP);
}

static void families(void **state)
{
	struct nd_rtable *both = table("inet", "both"), *four = table("ip", "four"), *bridge = table("bridge", "br");
	struct nd_pkt p4 = tcp("10.0.0.1", 1000, "10.0.0.2", 80), p6 = tcp("fd00::1", 1000, "fd00::2", 80);

	(void)state;
	rule(base(both, "b", ND_FORWARD, 0), daddr("10.0.0.2"), mark(1, 1));
	rule(&both->chains[0], daddr("fd00::2"), mark(2, 2));
	/* A field of the other family fails, also negated. */
	rule(&both->chains[0], test(ND_F_DADDR, 4, ND_NE, v_ip("9.9.9.9")), mark(4, 4));
	rule(base(four, "f", ND_FORWARD, 1), mark(8, 8));
	rule(base(bridge, "f", ND_FORWARD, 1), verdict(ND_V_DROP));
	assert_int_equal(run(ND_FORWARD, &p4), ND_HOOK_PASS);
	assert_int_equal(p4.mark, 13);
	assert_int_equal(run(ND_FORWARD, &p6), ND_HOOK_PASS);
	assert_int_equal(p6.mark, 2);
}

/* ---- connection tracking ---- */

static void state_before_conntrack(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *raw = base(t, "raw", ND_PREROUTING, -300), *mangle = base(t, "mangle", ND_PREROUTING, -150);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80), lo = p;

	(void)state;
	rule(raw, ct_state(ND_CT_INVALID), mark(1, 1));
	rule(raw, ct_state(ND_CT_NEW), mark(2, 2));
	rule(raw, test(ND_F_CT_MARK, 0, ND_NE, v_num(9, 4)), mark(4, 4)); /* no connection: no mark */
	rule(mangle, ct_state(ND_CT_NEW), mark(8, 8));
	rule(mangle, test(ND_F_CT_MARK, 0, ND_EQ, v_num(0, 4)), mark(16, 16));
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_int_equal(p.mark, 25);
	assert_int_equal(p.ct.state, ND_CT_NEW);
	assert_end(p.ct.reply.dst, p.ct.reply.dport, "10.0.0.1", 1000);
	/* What comes over lo has its connection from OUTPUT. */
	lo.iif = "lo";
	assert_int_equal(run(ND_PREROUTING, &lo), ND_HOOK_PASS);
	assert_int_equal(lo.mark, 30);
}

static void established_passes(void **state)
{
	struct nd_rchain *b = base(table("ip", "a"), "b", ND_FORWARD, 0);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	b->is_drop = true;
	rule(b, ct_state(ND_CT_ESTABLISHED | ND_CT_RELATED), verdict(ND_V_ACCEPT));
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_DROP);
	p.ct = (struct nd_ct){.state = ND_CT_ESTABLISHED};
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	p.ct = (struct nd_ct){.state = ND_CT_INVALID};
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_DROP);
}

static void notrack(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *raw = base(t, "raw", ND_PREROUTING, -300), *b = base(t, "b", ND_PREROUTING, 0);
	struct nd_rchain *nat = nat_base(t, "nat", ND_PREROUTING);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(raw, doing(ND_DO_NOTRACK));
	rule(raw, ct_state(ND_CT_UNTRACKED), mark(1, 1));
	rule(nat, nat_step(ND_DO_DNAT, "10.0.0.3", 0));
	rule(b, ct_state(ND_CT_UNTRACKED), mark(2, 2));
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_int_equal(p.mark, 3);
	assert_end(p.t.dst, p.t.dport, "10.0.0.2", 80);
	assert_non_null(said("not tracked"));
}

/* At -200 itself it depends on what was made first, which nobody knows. */
static void at_conntrack_itself(void **state)
{
	struct nd_rchain *b = base(table("ip", "a"), "b", ND_PREROUTING, -200);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80), lo = p;

	(void)state;
	rule(b, dport(80), ct_state(ND_CT_NEW), mark(1, 1));
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_UNKNOWN);
	p.t.dport = 81;
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	lo.iif = "lo";
	assert_int_equal(run(ND_PREROUTING, &lo), ND_HOOK_PASS);
	assert_int_equal(lo.mark, 1);
}

/* notrack behind -200 finds a connection and leaves it alone. */
static void notrack_too_late(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *late = base(t, "late", ND_PREROUTING, -150);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(late, doing(ND_DO_NOTRACK));
	rule(late, ct_state(ND_CT_NEW), mark(1, 1));
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_int_equal(p.mark, 1);
}

static void raw_drop(void **state)
{
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(base(table_of(ND_RULES_IPT_LEGACY, "ip", "raw"), "PREROUTING", ND_PREROUTING, -300), dport(80),
	     verdict(ND_V_DROP));
	nat_base(table("ip", "nat"), "PREROUTING", ND_PREROUTING);
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_DROP);
	assert_int_equal(eval.nevents, 2);
}

static void marks(void **state)
{
	struct nd_rchain *b = base(table("ip", "a"), "b", ND_FORWARD, 0);
	struct nd_rstep save = doing(ND_DO_CT_SAVE), restore = doing(ND_DO_CT_RESTORE), set = doing(ND_DO_CT_MARK);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	save.mask = 0xff, save.mask2 = 0xf0;
	restore.mask = 0xffff, restore.mask2 = UINT32_MAX;
	set.mask = 0xff00, set.value = 0x1200;
	p.mark = 0x30f;
	p.ct.mark = 0xa0;
	rule(b, mark(0x4000, 0x4000), ct_state(ND_CT_NEW));
	rule(b, save);	  /* (0xa0 & ~0xf0) ^ (0x430f & 0xff) = 0xf */
	rule(b, set);	  /* 0x120f */
	rule(b, restore); /* 0x120f */
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	assert_int_equal(p.ct.mark, 0x120f);
	assert_int_equal(p.mark, 0x120f);
	assert_non_null(said("mark 0x430f"));
	assert_non_null(said("connection mark 0xf"));
}

static void limit_says_so(void **state)
{
	struct nd_rchain *b = base(table("ip", "a"), "b", ND_FORWARD, 0);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);
	struct nd_rstep over = doing(ND_DO_LIMIT);

	(void)state;
	over.value = 1;
	rule(b, over, verdict(ND_V_ACCEPT));
	rule(b, doing(ND_DO_LIMIT), verdict(ND_V_DROP));
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_DROP);
	assert_non_null(said("drop, while below the rate"));
}

/* A device that is not known at the hook has an empty name: a negated test holds. */
static void devices(void **state)
{
	struct nd_rchain *out = base(table("ip", "a"), "o", ND_OUTPUT, 0);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	p.iif = "eth0"; /* left over from elsewhere */
	p.oif = "veth12";
	rule(out, test(ND_F_IIFNAME, 0, ND_NE, v_bytes("eth0\0\0\0\0\0\0\0\0\0\0\0", 16)), mark(1, 1));
	rule(out, test(ND_F_OIFNAME, 0, ND_PREFIX, v_bytes("veth", 4)), mark(2, 2));
	rule(out, test(ND_F_OIFNAME, 0, ND_NOT_PREFIX, v_bytes("veth", 4)), mark(4, 4));
	rule(out, test(ND_F_ICMP_TYPE, 0, ND_NE, v_num(8, 1)), mark(8, 8)); /* no such field */
	assert_int_equal(run(ND_OUTPUT, &p), ND_HOOK_PASS);
	assert_int_equal(p.mark, 3);
}

static void every_rule_when_asked(void **state)
{
	struct nd_rchain *b = base(table("ip", "a"), "b", ND_FORWARD, 0);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(b, dport(80), doing(ND_DO_NOTHING));
	rule(b, dport(81), doing(ND_DO_NOTHING));
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	assert_int_equal(eval.nevents, 2);
	eval.has_all_rules = true;
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	assert_int_equal(eval.nevents, 3);
	assert_int_equal(eval.events[1].rule->number, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(accept_ends_only_its_base_chain),
		WORLD_TEST(drop_is_final),
		WORLD_TEST(same_priority),
		WORLD_TEST(jumps_and_returns),
		WORLD_TEST(return_is_policy),
		WORLD_TEST(depth_and_loops),
		WORLD_TEST(too_many_rules),
		WORLD_TEST(reject_and_unknown),
		WORLD_TEST(queues),
		WORLD_TEST(families),
		WORLD_TEST(state_before_conntrack),
		WORLD_TEST(established_passes),
		WORLD_TEST(notrack),
		WORLD_TEST(at_conntrack_itself),
		WORLD_TEST(notrack_too_late),
		WORLD_TEST(raw_drop),
		WORLD_TEST(marks),
		WORLD_TEST(limit_says_so),
		WORLD_TEST(devices),
		WORLD_TEST(every_rule_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
