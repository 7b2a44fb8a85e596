/* gen_nftmatch.c: random matches of nft, and the named sets that they use. */
#include "common/base.h"

#include "tests/kernel/gen_nft.h"

#define PRE HOOK(ND_PREROUTING)
#define IN HOOK(ND_INPUT)
#define FWD HOOK(ND_FORWARD)
#define OUT HOOK(ND_OUTPUT)
#define POST HOOK(ND_POSTROUTING)

#define TEXT(...) nd_arena_printf(gen->arena, __VA_ARGS__)

static const char *pick_text(struct gen *gen, const char *const *list, size_t n)
{
	return list[rng_pick(&gen->rng, (uint32_t)n)];
}
#define ONE_OF(...)                                                                                \
	pick_text(gen, (const char *const[]){__VA_ARGS__},                                         \
		  ND_ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static const char *word(struct gen *gen)
{
	return gen->ip == 6 ? "ip6" : "ip";
}
static const char *op(struct gen *gen)
{
	return rng_chance(&gen->rng, 20) ? "!= " : "";
}
static const char *l4(struct gen *gen)
{
	return gen->proto == ND_PROTO_TCP ? "tcp" : "udp";
}

void gen_nft_sets(struct gen *gen)
{
	const char *f = gen->family, *t = gen->table;
	bool six = gen->ip == 6;

	gen_decl(gen, "add set %s %s s0 { type %s; elements = { %s, %s, %s }; }", f, t,
		 six ? "ipv6_addr" : "ipv4_addr", six ? "fd00:2::2" : "10.2.0.2",
		 six ? "fd00:2::3" : "10.2.0.3", six ? "fd00:96::4" : "10.96.0.4");
	gen_decl(gen, "add set %s %s s1 { type %s; flags interval; elements = { %s, %s }; }", f, t,
		 six ? "ipv6_addr" : "ipv4_addr", six ? "fd00:96::/64" : "10.96.0.0/16",
		 six ? "fd00:2::3-fd00:2::5" : "10.2.0.3-10.2.0.5");
	gen_decl(gen,
		 "add set %s %s s2 { type inet_service; flags interval; elements = { 22, 80-443, "
		 "8080 }; }",
		 f, t);
	gen_decl(gen,
		 "add set %s %s s3 { type %s . inet_proto . inet_service; elements = { %s . tcp . "
		 "80, %s . udp . 53 }; }",
		 f, t, six ? "ipv6_addr" : "ipv4_addr", six ? "fd00:96::2" : "10.96.0.2",
		 six ? "fd00:96::3" : "10.96.0.3");
	gen_decl(gen,
		 "add set %s %s s4 { type %s . inet_service; flags interval; elements = { %s . "
		 "80-443, %s . 22-8080 }; }",
		 f, t, six ? "ipv6_addr" : "ipv4_addr", six ? "fd00:96::/64" : "10.96.0.0/16",
		 six ? "fd00:2::2-fd00:2::4" : "10.2.0.2-10.2.0.4");
}

static const char *saddr(struct gen *gen)
{
	return TEXT("%s saddr %s%s", word(gen), op(gen),
		    rng_chance(&gen->rng, 50) ? gen_ip(gen, true) : gen_prefix(gen, true));
}
static const char *daddr(struct gen *gen)
{
	switch (rng_pick(&gen->rng, 5)) {
	case 0:
		return TEXT("%s daddr %s@s0", word(gen), op(gen));
	case 1:
		return TEXT("%s daddr %s@s1", word(gen), op(gen));
	case 2:
		return TEXT("%s daddr %s{ %s, %s }", word(gen), op(gen), gen_ip(gen, false),
			    gen->ip == 6 ? "fd00:52::/64" : "10.52.0.0/16");
	case 3:
		return TEXT("%s daddr %s%s", word(gen), op(gen), gen_prefix(gen, false));
	default:
		return TEXT("%s daddr %s%s", word(gen), op(gen), gen_ip(gen, false));
	}
}
static const char *proto(struct gen *gen)
{
	gen->proto = rng_chance(&gen->rng, 70) ? gen->focus->proto : ND_PROTO_TCP;
	return TEXT("meta l4proto %s", gen->proto == ND_PROTO_TCP    ? "tcp"
				       : gen->proto == ND_PROTO_UDP  ? "udp"
				       : gen->proto == ND_PROTO_ICMP ? "icmp"
								     : "ipv6-icmp");
}
static const char *some_proto(struct gen *gen)
{
	if (!nd_eq(gen->family, "inet"))
		return ONE_OF("meta l4proto { tcp, udp }", "meta l4proto != tcp",
			      "meta l4proto { icmp, ipv6-icmp }");
	return ONE_OF("meta l4proto { tcp, udp }", "meta l4proto != tcp",
		      "meta l4proto { icmp, ipv6-icmp }", "meta nfproto ipv4", "meta nfproto ipv6");
}
static const char *dport(struct gen *gen)
{
	if (gen->focus->proto != ND_PROTO_TCP && gen->focus->proto != ND_PROTO_UDP)
		return "";
	/* "th" says nothing of the protocol, and sets @s3 neither. */
	if (!gen->proto && rng_chance(&gen->rng, 20))
		return rng_chance(&gen->rng, 50) ? TEXT("th dport %s%u", op(gen), gen_port(gen))
						 : TEXT("%s daddr . meta l4proto . th dport %s@s3",
							word(gen), op(gen));
	if (!gen->proto)
		gen->proto = gen->focus->proto;
	if (gen->proto != ND_PROTO_TCP && gen->proto != ND_PROTO_UDP)
		return "";
	switch (rng_pick(&gen->rng, 9)) {
	case 0:
		return TEXT("%s dport %s@s2", l4(gen), op(gen));
	case 1:
		return TEXT("%s dport %s{ %u, %u, 9000-9999 }", l4(gen), op(gen), gen_port(gen),
			    gen_port(gen) + 1);
	case 2:
		return TEXT("%s dport %s%u-%u", l4(gen), op(gen), gen_port(gen), 40000);
	case 3:
		return TEXT("%s dport >= %u", l4(gen), gen_port(gen));
	case 4:
		return TEXT("%s daddr . %s dport %s@s4", word(gen), l4(gen), op(gen));
	case 6:
		return TEXT("%s sport %s20000-30000", l4(gen), op(gen));
	default:
		return TEXT("%s dport %s%u", l4(gen), op(gen), gen_port(gen));
	}
}
static const char *tcp_flags(struct gen *gen)
{
	if (gen->proto && gen->proto != ND_PROTO_TCP)
		return "";
	gen->proto = ND_PROTO_TCP;
	return ONE_OF("tcp flags syn", "tcp flags & (syn | ack) == syn",
		      "tcp flags & (fin | syn | rst | ack) == syn", "tcp flags != syn",
		      "tcp flags & (syn | ack) != 0x0", "tcp flags syn / syn,rst,ack");
}
static const char *icmp(struct gen *gen)
{
	if (gen->proto)
		return "";
	gen->proto = gen->ip == 6 ? ND_PROTO_ICMP6 : ND_PROTO_ICMP;
	return gen->ip == 6 ? ONE_OF("icmpv6 type echo-request",
				     "icmpv6 type { echo-reply, echo-request }", "icmpv6 code 0")
			    : ONE_OF("icmp type echo-request", "icmp type != echo-request",
				     "icmp type { echo-reply, echo-request }", "icmp code 0");
}
static const char *iif(struct gen *gen)
{
	return ONE_OF("iifname \"ra\"", "iifname != \"ra\"", "iifname \"r*\"", "iif \"rb\"",
		      "iif != \"lo\"", "iifname { \"ra\", \"lo\" }", "iif { \"ra\", \"rb\" }");
}
static const char *oif(struct gen *gen)
{
	return ONE_OF("oifname \"rb\"", "oifname != \"rb\"", "oifname \"r*\"", "oif \"rb\"",
		      "oif != \"lo\"", "oifname { \"rb\", \"lo\" }");
}
static const char *mark(struct gen *gen)
{
	uint32_t a = gen_mark(gen), b = gen_mark(gen) | 1;

	switch (rng_pick(&gen->rng, 6)) {
	case 0:
		return TEXT("meta mark %s0x%x", op(gen), a);
	case 1:
		return TEXT("meta mark & 0x%x == 0x%x", b, a & b);
	case 2:
		return TEXT("meta mark & 0x%x != 0x0", b);
	case 3:
		return TEXT("meta mark { 0x0, 0x%x, 0x99 }", a);
	case 4:
		return TEXT("ct mark %s0x%x", op(gen), a);
	default:
		return TEXT("meta mark > 0x%x", a & 0xfff);
	}
}
static const char *ct(struct gen *gen)
{
	return ONE_OF("ct state new", "ct state established,related", "ct state != new",
		      "ct state { new, invalid }", "ct state invalid", "ct state untracked",
		      "ct direction original", "ct direction reply", "ct status snat",
		      "ct status dnat", "ct status dnat,snat", "ct status & (dnat | snat) == 0x0",
		      "ct status seen-reply", "ct status confirmed", "ct state new ct status dnat");
}
static const char *ct_tuple(struct gen *gen)
{
	const char *w = word(gen);

	switch (rng_pick(&gen->rng, 6)) {
	case 0:
		return TEXT("ct original %s daddr %s%s", w, op(gen), gen_ip(gen, false));
	case 1:
		return TEXT("ct original %s saddr %s%s", w, op(gen), gen_prefix(gen, true));
	case 2:
		return TEXT("ct reply %s saddr %s%s", w, op(gen), gen_ip(gen, false));
	case 3:
		return TEXT("ct reply %s daddr %s%s", w, op(gen), gen_ip(gen, true));
	case 4:
		return TEXT("ct original protocol { tcp, icmp }");
	default:
		if (gen->proto != ND_PROTO_TCP && gen->proto != ND_PROTO_UDP)
			return "";
		return TEXT("ct original proto-dst %s%u", op(gen), gen_port(gen));
	}
}
static const char *fib(struct gen *gen)
{
	/* Types of IPv6 addresses depend on policy rules for both addresses, which the walk leaves
	 * out. */
	if (gen->ip == 6)
		return !(gen->hooks & ~PRE)
			       ? ONE_OF("fib saddr . iif oif exists", "fib saddr . iif oif missing",
					"fib saddr oif exists")
			       : "";
	if (!(gen->hooks & ~PRE))
		return ONE_OF("fib daddr type local", "fib daddr . iif type local",
			      "fib saddr . iif oif exists", "fib saddr . iif oif missing",
			      "fib saddr . mark . iif oif exists", "fib daddr type != local",
			      "fib saddr oif exists", "fib saddr type unicast");
	return ONE_OF("fib daddr type local", "fib daddr type { local, broadcast }",
		      "fib saddr type local", "fib daddr type != local", "fib saddr type unicast");
}
static const char *header(struct gen *gen)
{
	return gen->ip == 6 ? ONE_OF("ip6 hoplimit 64", "ip6 hoplimit < 64", "ip6 dscp cs0",
				     "meta length > 60", "meta length 60-100", "ip6 nexthdr tcp")
			    : ONE_OF("ip ttl 64", "ip ttl < 64", "ip ttl >= 63", "ip dscp cs0",
				     "ip dscp != cs0", "ip length 40-60", "meta length > 60",
				     "ip protocol tcp", "ip protocol != udp",
				     "ip protocol { icmp, tcp }", "ip length < 48");
}
static const char *chance(struct gen *gen)
{
	return ONE_OF("numgen random mod 2 0", "numgen random mod 4 < 3", "numgen inc mod 3 == 1",
		      "numgen random mod 10 != 4", "meta pkttype host", "meta pkttype unicast",
		      "meta pkttype { broadcast, multicast }");
}

static const struct {
	const char *(*make)(struct gen *gen);
	uint32_t hooks, weight;
} rows[] = {
	{saddr, ALL_HOOKS, 10},	    {daddr, ALL_HOOKS, 16},    {proto, ALL_HOOKS, 12},
	{some_proto, ALL_HOOKS, 3}, {dport, ALL_HOOKS, 16},    {tcp_flags, ALL_HOOKS, 3},
	{icmp, ALL_HOOKS, 3},	    {iif, PRE | IN | FWD, 10}, {oif, OUT | FWD | POST, 10},
	{mark, ALL_HOOKS, 12},	    {ct, ALL_HOOKS, 12},       {ct_tuple, ALL_HOOKS, 5},
	{fib, ALL_HOOKS, 8},	    {header, ALL_HOOKS, 6},    {chance, ALL_HOOKS, 4},
	{iif, ALL_HOOKS, 3},	    {oif, ALL_HOOKS, 3},
};

void gen_nft_matches(struct gen *gen, struct test_rule *rule)
{
	static const uint8_t counts[] = {0, 1, 1, 1, 2, 2, 3};
	uint32_t wanted = counts[rng_pick(&gen->rng, ND_ARRAY_LEN(counts))], total = 0;

	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++)
		total += rows[i].weight;
	for (int tries = 0; tries < 12 && rule->nparts < wanted; tries++) {
		uint32_t n = rng_pick(&gen->rng, total);

		for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
			const char *text;

			if (n >= rows[i].weight) {
				n -= rows[i].weight;
				continue;
			}
			if (gen->hooks & ~rows[i].hooks)
				break;
			/* A table "inet" sees the other family too: no matter. */
			text = rows[i].make(gen);
			if (*text)
				rule->parts[rule->nparts++] = text;
			break;
		}
	}
}
