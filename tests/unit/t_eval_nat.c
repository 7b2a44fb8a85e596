#include "common/base.h"

#include "tests/unit/eval_world.h"

static struct nd_rtable *nat;

/*
 * kube-proxy, iptables mode: 10.96.0.10:53 has three endpoints, chosen by statistic; traffic that
 * is marked is masqueraded.
 */
static void kube_proxy(void)
{
	struct nd_rchain *b, *c, *services, *svc, *mark_masq, *out;

	nat = table_of(ND_RULES_IPT_NFT, "ip", "nat");
	b = nat_base(nat, "PREROUTING", ND_PREROUTING);
	out = nat_base(nat, "OUTPUT", ND_OUTPUT);
	c = nat_base(nat, "POSTROUTING", ND_POSTROUTING);
	services = chain(nat, "KUBE-SERVICES");
	svc = chain(nat, "KUBE-SVC-A");
	mark_masq = chain(nat, "KUBE-MARK-MASQ");
	rule(b, to_chain(ND_V_JUMP, "KUBE-SERVICES"));
	rule(out, to_chain(ND_V_JUMP, "KUBE-SERVICES"));
	rule(c, to_chain(ND_V_JUMP, "KUBE-POSTROUTING"));
	rule(services, daddr("10.96.0.10"), dport(53), to_chain(ND_V_JUMP, "KUBE-SVC-A"));
	rule(svc, test(ND_F_SADDR, 4, ND_NE, v_ip("10.244.1.2")), to_chain(ND_V_JUMP, "KUBE-MARK-MASQ"));
	rule(svc, chance(1u << 31, 715827883), to_chain(ND_V_JUMP, "SEP-1"));
	rule(svc, chance(1u << 31, 1u << 30), to_chain(ND_V_JUMP, "SEP-2"));
	rule(svc, to_chain(ND_V_JUMP, "SEP-3"));
	rule(mark_masq, mark(0x4000, 0x4000));
	rule(chain(nat, "SEP-1"), nat_step(ND_DO_DNAT, "10.244.1.7", 5353));
	rule(chain(nat, "SEP-2"), nat_step(ND_DO_DNAT, "10.244.2.8", 5353));
	rule(chain(nat, "SEP-3"), nat_step(ND_DO_DNAT, "10.244.3.9", 5353));
	c = chain(nat, "KUBE-POSTROUTING");
	rule(c, test(ND_F_MARK, 0, ND_NO_BIT, v_num(0x4000, 4)), verdict(ND_V_RETURN));
	rule(c, mark(0x4000, 0)); /* --xor-mark */
	rule(c, nat_step(ND_DO_MASQUERADE, NULL, 0));
}

static void three_endpoints(void **state)
{
	const char *const want[] = {"10.244.1.7", "10.244.2.8", "10.244.3.9"};
	double sum = 0;
	size_t n = 0;

	(void)state;
	kube_proxy();
	do {
		struct nd_pkt p = tcp("10.244.1.2", 1000, "10.96.0.10", 53);

		nd_choices_rewind(&choices);
		assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
		assert_true(n < 3);
		assert_end(p.t.dst, p.t.dport, want[n], 5353);
		assert_int_equal(p.ct.status, 0x20);
		assert_true(p.ct.has_dst_nat && !p.ct.has_src_nat);
		assert_end(p.ct.orig.dst, p.ct.orig.dport, "10.96.0.10", 53);
		assert_end(p.ct.reply.src, p.ct.reply.sport, want[n], 5353);
		/* iptables writes 0.33333333349, so thirds are exact to 1e-9 */
		assert_true(nd_choices_share(&choices) > 0.333333333 && nd_choices_share(&choices) < 0.333333334);
		sum += nd_choices_share(&choices);
		n++;
	} while (nd_choices_next(&choices));
	assert_int_equal(n, 3);
	assert_true(sum > 1 - 1e-12 && sum < 1 + 1e-12);
}

static void share_is_in_the_event(void **state)
{
	struct nd_pkt p = tcp("10.244.1.2", 1000, "10.96.0.10", 53);

	(void)state;
	kube_proxy();
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_true(said("jump SEP-1")->share < 0.34 && said("jump SEP-1")->share > 0.33);
	assert_true(said("jump KUBE-SERVICES")->share >= 1);
	assert_non_null(said("DNAT to 10.244.1.7:5353"));
	assert_end(said("DNAT to 10.244.1.7:5353")->packet->t.dst, 0, "10.96.0.10", 0);
	assert_int_equal(eval.events[eval.nevents - 1].kind, ND_EV_CHANGE);
	assert_end(eval.events[eval.nevents - 1].packet->t.dst, 0, "10.244.1.7", 0);
}

/* There and back: mark, DNAT, masquerade; the answer finds its way by the connection alone. */
static void there_and_back(void **state)
{
	struct nd_pkt p = tcp("172.18.0.9", 1000, "10.96.0.10", 53), back;
	struct nd_ct ct;

	(void)state;
	kube_proxy();
	p.iif = "eth0";
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_int_equal(p.mark, 0x4000);
	p.oif = "eth0";
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_PASS);
	assert_int_equal(run(ND_POSTROUTING, &p), ND_HOOK_PASS);
	assert_int_equal(p.mark, 0);
	assert_end(p.t.src, p.t.sport, "172.18.0.3", 1000);
	assert_end(p.t.dst, p.t.dport, "10.244.1.7", 5353);
	assert_int_equal(p.ct.status, 0x38);
	assert_non_null(said("MASQUERADE to 172.18.0.3"));

	ct = p.ct;
	back = tcp("10.244.1.7", 5353, "172.18.0.3", 1000);
	back.ct = ct;
	back.ct.is_reply = true;
	back.ct.state = ND_CT_ESTABLISHED;
	choices.next = choices.nitems;
	assert_int_equal(run(ND_PREROUTING, &back), ND_HOOK_PASS);
	assert_end(back.t.dst, back.t.dport, "172.18.0.9", 1000);
	assert_end(back.t.src, back.t.sport, "10.244.1.7", 5353);
	assert_int_equal(eval.nevents, 1); /* no chain of nat is run */
	assert_int_equal(run(ND_POSTROUTING, &back), ND_HOOK_PASS);
	assert_end(back.t.src, back.t.sport, "10.96.0.10", 53);
	assert_int_equal(choices.next, choices.nitems);

	/* The next packet of the connection: translated, no chain. */
	p = tcp("172.18.0.9", 1000, "10.96.0.10", 53);
	p.ct = ct;
	p.ct.state = ND_CT_ESTABLISHED;
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_end(p.t.dst, p.t.dport, "10.244.1.7", 5353);
	assert_int_equal(eval.nevents, 1);
	p.oif = "eth1"; /* not what it was masqueraded for */
	assert_int_equal(run(ND_POSTROUTING, &p), ND_HOOK_DROP);
	p.oif = "eth0";
	assert_int_equal(run(ND_POSTROUTING, &p), ND_HOOK_PASS);
	assert_end(p.t.src, p.t.sport, "172.18.0.3", 1000);
}

/* An answer is put right in POSTROUTING also where only PREROUTING has a chain. */
static void reply_without_chain(void **state)
{
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80), back;

	(void)state;
	rule(nat_base(table("ip", "nat"), "p", ND_PREROUTING), nat_step(ND_DO_DNAT, "10.0.0.3", 8080));
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	back = tcp("10.0.0.3", 8080, "10.0.0.1", 1000);
	back.ct = p.ct;
	back.ct.is_reply = true;
	back.ct.state = ND_CT_ESTABLISHED;
	assert_int_equal(run(ND_PREROUTING, &back), ND_HOOK_PASS);
	assert_int_equal(run(ND_POSTROUTING, &back), ND_HOOK_PASS);
	assert_end(back.t.src, back.t.sport, "10.0.0.2", 80);
}

/* mangle (-150) sees the address before DNAT (-100), filter (0) the one behind it. */
static void dnat_at_its_priority(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *mangle = base(t, "mangle", ND_PREROUTING, -150), *filter = base(t, "f", ND_PREROUTING, 0);
	struct nd_rchain *first = nat_base(t, "first", ND_PREROUTING), *second = nat_base(t, "second", ND_PREROUTING);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	first->priority = -105;
	second->priority = -10; /* yet the NAT core calls it at -100 */
	rule(mangle, daddr("10.0.0.2"), mark(1, 1));
	rule(first, verdict(ND_V_ACCEPT)); /* sets nothing up: the next one is asked */
	rule(second, nat_step(ND_DO_DNAT, "10.0.0.3", 0));
	rule(second, mark(2, 2));
	rule(filter, daddr("10.0.0.3"), mark(4, 4));
	rule(filter, test(ND_F_CT_DADDR, 4, ND_EQ, v_ip("10.0.0.2")), mark(8, 8));
	rule(filter, test(ND_F_CT_STATUS, 0, ND_ANY_BIT, v_num(0x20, 4)), mark(16, 16));
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_int_equal(p.mark, 29);
	assert_end(p.t.dst, p.t.dport, "10.0.0.3", 80);
}

static void first_nat_wins(void **state)
{
	struct nd_rchain *early = nat_base(table("ip", "a"), "e", ND_PREROUTING);
	struct nd_rchain *late = nat_base(table("ip", "b"), "l", ND_PREROUTING);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	early->priority = -101;
	rule(early, nat_step(ND_DO_DNAT, "10.0.0.3", 0));
	rule(late, nat_step(ND_DO_DNAT, "10.0.0.4", 0));
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_end(p.t.dst, p.t.dport, "10.0.0.3", 80);
	assert_null(said("DNAT to 10.0.0.4"));
}

/* No rule needs connections: there are none, and no NAT chain is called (seen on 6.18). */
static void no_conntrack_no_nat(void **state)
{
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(nat_base(table("ip", "a"), "e", ND_PREROUTING), verdict(ND_V_DROP));
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_int_equal(eval.nevents, 0);
	assert_false(rules.has_conntrack[0]);
}

static void output_wants_a_new_route(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *mangle = base(t, "mangle", ND_OUTPUT, -150), *late = base(t, "late", ND_OUTPUT, 0);
	struct nd_pkt p = tcp("10.244.1.2", 1000, "10.0.0.9", 53), q = p, r = p, s;

	(void)state;
	kube_proxy();
	mangle->type = ND_CHAIN_ROUTE;
	rule(mangle, dport(54), mark(1, 1));
	rule(late, dport(55), mark(1, 1));
	assert_int_equal(run(ND_OUTPUT, &p), ND_HOOK_PASS);
	assert_false(eval.needs_route);
	q.t.dport = 54;
	assert_int_equal(run(ND_OUTPUT, &q), ND_HOOK_PASS);
	assert_true(eval.needs_route);
	r.t.dport = 55; /* a filter chain does not ask for one */
	assert_int_equal(run(ND_OUTPUT, &r), ND_HOOK_PASS);
	assert_false(eval.needs_route);
	s = tcp("10.244.1.2", 1000, "10.96.0.10", 53);
	assert_int_equal(run(ND_OUTPUT, &s), ND_HOOK_PASS);
	assert_true(eval.needs_route);
}

static void redirect_and_no_address(void **state)
{
	struct nd_rtable *t = table("inet", "a");
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80), q = p, six = tcp("fd00::1", 1000, "fd00::2", 80);

	(void)state;
	rule(nat_base(t, "p", ND_PREROUTING), nat_step(ND_DO_REDIRECT, NULL, 8080));
	rule(nat_base(t, "o", ND_OUTPUT), nat_step(ND_DO_REDIRECT, NULL, 8080));
	rule(nat_base(t, "s", ND_POSTROUTING), nat_step(ND_DO_MASQUERADE, NULL, 0));
	p.iif = "veth1";
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_end(p.t.dst, p.t.dport, "10.244.1.1", 8080);
	q.iif = "eth9";
	assert_int_equal(run(ND_PREROUTING, &q), ND_HOOK_DROP);
	q.ct = (struct nd_ct){0};
	assert_int_equal(run(ND_OUTPUT, &q), ND_HOOK_PASS);
	assert_end(q.t.dst, q.t.dport, "127.0.0.1", 8080);
	q.oif = "eth9";
	assert_int_equal(run(ND_POSTROUTING, &q), ND_HOOK_DROP);
	assert_int_equal(run(ND_OUTPUT, &six), ND_HOOK_PASS);
	assert_end(six.t.dst, six.t.dport, "::1", 8080);
	assert_non_null(said("REDIRECT to [::1]:8080"));
	six.oif = "eth0";
	assert_int_equal(run(ND_POSTROUTING, &six), ND_HOOK_PASS);
	assert_end(six.t.src, six.t.sport, "fc00::3", 1000);
}

static void ranges(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_rchain *p = nat_base(t, "p", ND_PREROUTING), *s = nat_base(t, "s", ND_POSTROUTING);
	struct nd_rstep several = nat_step(ND_DO_SNAT, "10.0.0.1", 0), ports = nat_step(ND_DO_SNAT, "10.0.0.9", 2000);
	struct nd_rstep lowest = nat_step(ND_DO_DNAT, NULL, 8000);
	struct nd_pkt a = tcp("10.0.0.1", 1000, "10.0.0.2", 80), b = tcp("10.0.0.5", 1000, "10.0.0.2", 81);
	struct nd_pkt c = tcp("10.0.0.1", 1000, "10.0.0.2", 8002), d = a;

	(void)state;
	several.nat.hi = ip("10.0.0.2");
	ports.nat.port_hi = 2001;
	lowest.nat.port_hi = 8005;
	rule(p, lowest);
	rule(s, test(ND_F_OIFNAME, 0, ND_PREFIX, v_bytes("eth0", 4)), several);
	rule(s, ports);
	assert_int_equal(run(ND_PREROUTING, &a), ND_HOOK_PASS); /* a destination takes the lowest */
	assert_end(a.t.dst, a.t.dport, "10.0.0.2", 8000);
	assert_int_equal(run(ND_PREROUTING, &c), ND_HOOK_PASS); /* in the range: stays */
	assert_end(c.t.dst, c.t.dport, "10.0.0.2", 8002);
	a.oif = b.oif = "eth0";
	assert_int_equal(run(ND_POSTROUTING, &a), ND_HOOK_PASS); /* its source is in the range: stays */
	assert_end(a.t.src, a.t.sport, "10.0.0.1", 1000);
	assert_int_equal(a.ct.status & 0x10, 0);
	assert_int_equal(run(ND_POSTROUTING, &b), ND_HOOK_PASS); /* the kernel hashes: seen on 6.18 */
	assert_end(b.t.src, b.t.sport, "10.0.0.1", 1000);
	assert_int_equal(run(ND_POSTROUTING, &d), ND_HOOK_PASS);
	assert_end(d.t.src, d.t.sport, "10.0.0.9", 2000);
	assert_non_null(said("SNAT to 10.0.0.9:2000, at a port the kernel picks"));
}

/* ICMP keeps its id; answers find back. */
static void icmp(void **state)
{
	struct nd_pkt p = tcp("10.0.0.1", 77, "10.0.0.2", 0), back = tcp("10.0.0.3", 77, "10.0.0.1", 0);

	(void)state;
	p.proto = back.proto = ND_PROTO_ICMP;
	rule(nat_base(table("ip", "a"), "p", ND_PREROUTING), nat_step(ND_DO_DNAT, "10.0.0.3", 0));
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_end(p.t.dst, p.t.dport, "10.0.0.3", 0);
	assert_int_equal(p.t.sport, 77);
	assert_end(p.ct.reply.src, p.ct.reply.sport, "10.0.0.3", 77);
	back.ct = p.ct;
	back.ct.is_reply = true;
	back.ct.state = ND_CT_ESTABLISHED;
	assert_int_equal(run(ND_POSTROUTING, &back), ND_HOOK_PASS);
	assert_end(back.t.src, back.t.sport, "10.0.0.2", 77);
}

/* Over lo the connection is the same: what OUTPUT decided is not asked again in PREROUTING. */
static void over_lo(void **state)
{
	struct nd_rtable *t = table("ip", "a");
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(nat_base(t, "o", ND_OUTPUT), nat_step(ND_DO_DNAT, "127.0.0.1", 0));
	rule(nat_base(t, "p", ND_PREROUTING), nat_step(ND_DO_DNAT, "10.0.0.9", 0));
	assert_int_equal(run(ND_OUTPUT, &p), ND_HOOK_PASS);
	assert_int_equal(run(ND_POSTROUTING, &p), ND_HOOK_PASS);
	p.iif = "lo";
	assert_int_equal(run(ND_PREROUTING, &p), ND_HOOK_PASS);
	assert_end(p.t.dst, p.t.dport, "127.0.0.1", 80);
}

static void nat_out_of_place(void **state)
{
	struct nd_rchain *b = base(table("ip", "a"), "b", ND_FORWARD, 0);
	struct nd_pkt p = tcp("10.0.0.1", 1000, "10.0.0.2", 80);

	(void)state;
	rule(b, nat_step(ND_DO_DNAT, "10.0.0.3", 0));
	assert_int_equal(run(ND_FORWARD, &p), ND_HOOK_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(three_endpoints),
		WORLD_TEST(share_is_in_the_event),
		WORLD_TEST(there_and_back),
		WORLD_TEST(reply_without_chain),
		WORLD_TEST(dnat_at_its_priority),
		WORLD_TEST(first_nat_wins),
		WORLD_TEST(no_conntrack_no_nat),
		WORLD_TEST(output_wants_a_new_route),
		WORLD_TEST(redirect_and_no_address),
		WORLD_TEST(ranges),
		WORLD_TEST(icmp),
		WORLD_TEST(over_lo),
		WORLD_TEST(nat_out_of_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
