/* gen_match.c: random matches of iptables, a row an option; and which options have none. */
#include "common/base.h"

#include "plugin/walk/ipt_rule.h"
#include "tests/kernel/gen_ipt.h"

#define PRE HOOK(ND_PREROUTING)
#define IN HOOK(ND_INPUT)
#define FWD HOOK(ND_FORWARD)
#define OUT HOOK(ND_OUTPUT)
#define POST HOOK(ND_POSTROUTING)

#define TEXT(...) nd_arena_printf(gen->arena, __VA_ARGS__)

static const char *one_of(struct gen *gen, const char *const *list, size_t n)
{
	return list[rng_pick(&gen->rng, (uint32_t)n)];
}
#define ONE_OF(...)                                                                                \
	one_of(gen, (const char *const[]){__VA_ARGS__},                                            \
	       ND_ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static const char *src(struct gen *gen)
{
	return gen_prefix(gen, true);
}
static const char *dst(struct gen *gen)
{
	return gen_prefix(gen, false);
}
static const char *dev(struct gen *gen)
{
	return ONE_OF("ra", "rb", "lo", "r+", "ra", "rb");
}
static const char *proto(struct gen *gen)
{
	gen->proto = rng_chance(&gen->rng, 70)	 ? gen->focus->proto
		     : rng_chance(&gen->rng, 50) ? ND_PROTO_TCP
						 : ND_PROTO_UDP;
	return gen->proto == ND_PROTO_TCP    ? "tcp"
	       : gen->proto == ND_PROTO_UDP  ? "udp"
	       : gen->proto == ND_PROTO_ICMP ? "icmp"
					     : "ipv6-icmp";
}
static const char *port_range(struct gen *gen)
{
	uint16_t port = gen_port(gen);

	if (rng_chance(&gen->rng, 60))
		return TEXT("%u", port);
	return TEXT("%u:%u", port - rng_pick(&gen->rng, 20), port + rng_pick(&gen->rng, 2000));
}
static const char *sport_range(struct gen *gen)
{
	uint16_t port = gen->focus->t.sport;

	return rng_chance(&gen->rng, 50) ? TEXT("%u", port)
					 : TEXT("20000:%u", 20000 + rng_pick(&gen->rng, 20000));
}
static const char *port_list(struct gen *gen)
{
	uint16_t port = gen_port(gen);

	return rng_chance(&gen->rng, 50)
		       ? TEXT("%u,%u,%u:%u", gen_port(gen), gen_port(gen), port, port + 99)
		       : TEXT("%u,%u", gen->focus->t.sport, port);
}
static const char *tcp_flags(struct gen *gen)
{
	return ONE_OF("SYN,RST,ACK,FIN SYN", "SYN SYN", "ALL NONE", "ALL SYN", "SYN,ACK SYN,ACK",
		      "FIN FIN", "ACK ACK", "PSH,URG NONE", "SYN,ACK ACK", "ALL ALL");
}
static const char *icmp_type(struct gen *gen)
{
	return ONE_OF("echo-request", "echo-reply", "8/0", "3/1", "any", "8", "0");
}
static const char *icmp6_type(struct gen *gen)
{
	return ONE_OF("echo-request", "echo-reply", "128/0", "1/4", "128", "129");
}
static const char *state(struct gen *gen)
{
	return ONE_OF("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "NEW,ESTABLISHED", "INVALID",
		      "UNTRACKED", "INVALID,NEW,UNTRACKED");
}
static const char *ct_state(struct gen *gen)
{
	return rng_chance(&gen->rng, 70) ? state(gen)
					 : ONE_OF("SNAT", "DNAT", "SNAT,DNAT", "NEW,DNAT");
}
static const char *ct_status(struct gen *gen)
{
	return ONE_OF("NONE", "SEEN_REPLY", "CONFIRMED", "EXPECTED", "CONFIRMED,SEEN_REPLY");
}
static const char *ct_dir(struct gen *gen)
{
	return ONE_OF("ORIGINAL", "REPLY");
}
static const char *number_proto(struct gen *gen)
{
	return ONE_OF("6", "17", "1", "58");
}
static const char *mark(struct gen *gen)
{
	return rng_chance(&gen->rng, 50) ? TEXT("0x%x", gen_mark(gen))
					 : TEXT("0x%x/0x%x", gen_mark(gen), gen_mark(gen) | 1);
}
static const char *ct_port(struct gen *gen)
{
	return rng_chance(&gen->rng, 50) ? port_range(gen) : sport_range(gen);
}
static const char *comment(struct gen *gen)
{
	return ONE_OF("x", "\"two words\"", "\"a \\\"quote\\\" and it's\"");
}
static const char *addr_type(struct gen *gen)
{
	/* IPv6 means other things by them; the walk knows three, and says so of the others. */
	if (gen->ip == 6)
		return ONE_OF("LOCAL", "MULTICAST");
	return ONE_OF("LOCAL", "UNICAST", "LOCAL", "BROADCAST", "MULTICAST", "UNICAST,LOCAL",
		      "BLACKHOLE", "UNREACHABLE");
}
static const char *limited_type(struct gen *gen)
{
	return TEXT("%s --limit-iface-in", addr_type(gen));
}
static const char *limited_type_out(struct gen *gen)
{
	return TEXT("%s --limit-iface-out", addr_type(gen));
}
static const char *range(struct gen *gen)
{
	if (gen->ip == 6)
		return ONE_OF("fd00:1::2-fd00:1::4", "fd00:2::3-fd00:3::2",
			      "fd00:96::1-fd00:96::4");
	return ONE_OF("10.1.0.2-10.1.0.4", "10.2.0.3-10.3.0.2", "10.96.0.1-10.96.0.4",
		      "10.0.0.0-10.1.255.255");
}
static const char *pkttype(struct gen *gen)
{
	return ONE_OF("unicast", "broadcast", "multicast");
}
static const char *length(struct gen *gen)
{
	return ONE_OF("40", "28", "0:60", "60:65535", "40:41", "48", "41:100");
}
static const char *ttl(struct gen *gen)
{
	return ONE_OF("64", "63", "2", "1", "40", "33");
}
static const char *dscp(struct gen *gen)
{
	return gen->focus->dscp && rng_chance(&gen->rng, 60) ? TEXT("0x%02x", gen->focus->dscp)
							     : ONE_OF("0x00", "0x0a");
}
static const char *dscp_class(struct gen *gen)
{
	return ONE_OF("CS0", "AF11", "EF", "BE");
}
static const char *tos(struct gen *gen)
{
	return rng_chance(&gen->rng, 50) ? ONE_OF("0x00/0xfc", "0x28/0xfc", "0x00/0x10")
					 : TEXT("0x%02x/0xfc", gen->focus->dscp << 2);
}
static const char *nothing(struct gen *gen)
{
	(void)gen;
	return "";
}
static const char *chance_random(struct gen *gen)
{
	return ONE_OF("random --probability 0.5", "random --probability 0.33333333349",
		      "random --probability 0.9", "random --probability 0.01",
		      "random --probability 1");
}
static const char *chance_nth(struct gen *gen)
{
	return ONE_OF("nth --every 2 --packet 0", "nth --every 3 --packet 1",
		      "nth --every 5 --packet 0");
}
static const char *limit(struct gen *gen)
{
	return ONE_OF("1000/sec --limit-burst 500", "500/sec --limit-burst 1000");
}
static const char *hashlimit(struct gen *gen)
{
	static uint32_t n;

	return TEXT("%s --hashlimit-mode %s --hashlimit-name h%u --hashlimit-burst 200",
		    ONE_OF("--hashlimit-upto 1000/sec", "--hashlimit-above 1000/sec"),
		    ONE_OF("srcip", "dstip,dstport"), n++ % 1000);
}

/* Empty module: an option of the rule itself. protos: "-p" it needs; 0: none. */
static const struct match {
	const char *module, *option;
	const char *(*make)(struct gen *gen);
	uint32_t hooks;
	uint8_t family, proto, weight;
	bool has_not, is_once; /* once: at most one in a rule */
} matches[] = {
	{"", "-s", src, ALL_HOOKS, 0, 0, 12, true, true},
	{"", "-d", dst, ALL_HOOKS, 0, 0, 12, true, true},
	{"", "-i", dev, PRE | IN | FWD, 0, 0, 10, true, true},
	{"", "-o", dev, OUT | FWD | POST, 0, 0, 10, true, true},
	{"", "-p", proto, ALL_HOOKS, 0, 0, 6, false, true},
	{"tcp", "--sport", sport_range, ALL_HOOKS, 0, ND_PROTO_TCP, 2, true, true},
	{"tcp", "--dport", port_range, ALL_HOOKS, 0, ND_PROTO_TCP, 12, true, true},
	{"tcp", "--tcp-flags", tcp_flags, ALL_HOOKS, 0, ND_PROTO_TCP, 3, true, true},
	{"tcp", "--syn", nothing, ALL_HOOKS, 0, ND_PROTO_TCP, 2, true, true},
	{"udp", "--sport", sport_range, ALL_HOOKS, 0, ND_PROTO_UDP, 2, true, true},
	{"udp", "--dport", port_range, ALL_HOOKS, 0, ND_PROTO_UDP, 8, true, true},
	{"multiport", "--sports", port_list, ALL_HOOKS, 0, ND_PROTO_TCP, 2, true, false},
	{"multiport", "--dports", port_list, ALL_HOOKS, 0, ND_PROTO_TCP, 3, true, false},
	{"multiport", "--dports", port_list, ALL_HOOKS, 0, ND_PROTO_UDP, 2, true, false},
	{"multiport", "--ports", port_list, ALL_HOOKS, 0, ND_PROTO_TCP, 2, true, false},
	{"icmp", "--icmp-type", icmp_type, ALL_HOOKS, 4, ND_PROTO_ICMP, 3, true, true},
	{"icmp6", "--icmpv6-type", icmp6_type, ALL_HOOKS, 6, ND_PROTO_ICMP6, 3, true, true},
	{"ecn", "--ecn-tcp-cwr", nothing, ALL_HOOKS, 0, ND_PROTO_TCP, 1, true, true},
	{"ecn", "--ecn-tcp-ece", nothing, ALL_HOOKS, 0, ND_PROTO_TCP, 1, true, true},
	{"conntrack", "--ctstate", ct_state, ALL_HOOKS, 0, 0, 14, true, false},
	{"conntrack", "--ctproto", number_proto, ALL_HOOKS, 0, 0, 2, true, false},
	{"conntrack", "--ctorigsrc", src, ALL_HOOKS, 0, 0, 2, true, false},
	{"conntrack", "--ctorigdst", dst, ALL_HOOKS, 0, 0, 3, true, false},
	{"conntrack", "--ctreplsrc", dst, ALL_HOOKS, 0, 0, 2, true, false},
	{"conntrack", "--ctrepldst", src, ALL_HOOKS, 0, 0, 2, true, false},
	{"conntrack", "--ctproto 6 --ctorigsrcport", ct_port, ALL_HOOKS, 0, 0, 1, true, false},
	{"conntrack", "--ctproto 6 --ctorigdstport", ct_port, ALL_HOOKS, 0, 0, 1, true, false},
	{"conntrack", "--ctproto 6 --ctreplsrcport", ct_port, ALL_HOOKS, 0, 0, 1, true, false},
	{"conntrack", "--ctproto 6 --ctrepldstport", ct_port, ALL_HOOKS, 0, 0, 1, true, false},
	{"conntrack", "--ctstatus", ct_status, ALL_HOOKS, 0, 0, 3, true, false},
	{"conntrack", "--ctdir", ct_dir, ALL_HOOKS, 0, 0, 2, false, false},
	{"state", "--state", state, ALL_HOOKS, 0, 0, 4, true, false},
	{"mark", "--mark", mark, ALL_HOOKS, 0, 0, 14, true, false},
	{"connmark", "--mark", mark, ALL_HOOKS, 0, 0, 8, true, false},
	{"comment", "--comment", comment, ALL_HOOKS, 0, 0, 4, false, false},
	{"addrtype", "--src-type", addr_type, ALL_HOOKS, 0, 0, 3, true, false},
	{"addrtype", "--dst-type", addr_type, ALL_HOOKS, 0, 0, 6, true, false},
	{"addrtype", "--dst-type", limited_type, PRE | IN | FWD, 0, 0, 2, true, false},
	{"addrtype", "--dst-type", limited_type_out, OUT | POST | FWD, 0, 0, 2, true, false},
	{"physdev", "--physdev-in", dev, PRE | IN | FWD, 0, 0, 0, true, false},
	{"physdev", "--physdev-is-bridged", nothing, FWD, 0, 0, 0, true, false},
	{"iprange", "--src-range", range, ALL_HOOKS, 0, 0, 3, true, false},
	{"iprange", "--dst-range", range, ALL_HOOKS, 0, 0, 3, true, false},
	{"pkttype", "--pkt-type", pkttype, ALL_HOOKS, 0, 0, 2, true, false},
	{"length", "--length", length, ALL_HOOKS, 0, 0, 4, true, false},
	{"ttl", "--ttl-eq", ttl, ALL_HOOKS, 4, 0, 2, true, false},
	{"ttl", "--ttl-lt", ttl, ALL_HOOKS, 4, 0, 2, false, false},
	{"ttl", "--ttl-gt", ttl, ALL_HOOKS, 4, 0, 2, false, false},
	{"hl", "--hl-eq", ttl, ALL_HOOKS, 6, 0, 2, true, false},
	{"hl", "--hl-lt", ttl, ALL_HOOKS, 6, 0, 2, false, false},
	{"hl", "--hl-gt", ttl, ALL_HOOKS, 6, 0, 2, false, false},
	{"dscp", "--dscp", dscp, ALL_HOOKS, 0, 0, 3, true, false},
	{"dscp", "--dscp-class", dscp_class, ALL_HOOKS, 0, 0, 2, true, false},
	{"tos", "--tos", tos, ALL_HOOKS, 0, 0, 3, true, false},
	{"rpfilter", "", nothing, PRE, 0, 0, 4, false, false},
	{"rpfilter", "--invert", nothing, PRE, 0, 0, 4, false, false},
	{"rpfilter", "--loose", nothing, PRE, 0, 0, 3, false, false},
	{"rpfilter", "--validmark", nothing, PRE, 0, 0, 3, false, false},
	{"statistic", "--mode", chance_random, ALL_HOOKS, 0, 0, 3, false, false},
	{"statistic", "--mode", chance_nth, ALL_HOOKS, 0, 0, 1, false, false},
	{"limit", "--limit", limit, ALL_HOOKS, 0, 0, 2, false, false},
	{"hashlimit", "", hashlimit, ALL_HOOKS, 0, 0, 2, false, false},
	{"set", "--match-set", gen_set_match, ALL_HOOKS, 0, 0, 30, true, false},
};

static bool is_allowed(const struct gen *gen, const struct match *m, const struct test_rule *rule)
{
	if ((gen->hooks & ~m->hooks) || (m->family && m->family != gen->ip) ||
	    (m->proto && gen->proto && m->proto != gen->proto))
		return false;
	if (nd_eq(m->module, "rpfilter") && !nd_eq(gen->table, "raw") &&
	    !nd_eq(gen->table, "mangle"))
		return false;
	if (nd_eq(m->option, "-p") && gen->proto)
		return false;
	if (nd_eq(m->module, "set") && !gen_has_sets())
		return false;
	for (size_t i = 0; i < rule->nparts && m->is_once; i++)
		if (strstr(rule->parts[i],
			   *m->module ? TEXT("-m %s ", m->module) : TEXT("%s ", m->option)))
			return false;
	return true;
}

static const char *proto_name(uint8_t number)
{
	return number == ND_PROTO_TCP	 ? "tcp"
	       : number == ND_PROTO_UDP	 ? "udp"
	       : number == ND_PROTO_ICMP ? "icmp"
					 : "ipv6-icmp";
}

static void add_match(struct gen *gen, const struct match *m, struct test_rule *rule)
{
	const char *head = "", *module = "";
	const char *not = m->has_not && rng_chance(&gen->rng, 20) ? "! " : "";

	if (m->proto && !gen->proto) {
		gen->proto = m->proto;
		head = TEXT("-p %s ", proto_name(m->proto));
	}
	if (*m->module)
		module = TEXT("-m %s ", m->module);
	/* "--ctproto 6 ! --ctorigdstport" */
	if (*not &&strrchr(m->option, ' '))
		not = "";
	rule->parts[rule->nparts++] = TEXT("%s%s%s%s%s%s", head, module, not, m->option,
					   *m->option ? " " : "", m->make(gen));
}

void gen_ipt_matches(struct gen *gen, struct test_rule *rule)
{
	static const uint8_t counts[] = {0, 1, 1, 1, 2, 2, 3};
	uint32_t wanted = counts[rng_pick(&gen->rng, ND_ARRAY_LEN(counts))];

	for (int tries = 0; tries < 20 && rule->nparts < wanted; tries++) {
		uint32_t total = 0, n;

		for (size_t i = 0; i < ND_ARRAY_LEN(matches); i++)
			total += is_allowed(gen, &matches[i], rule) ? matches[i].weight : 0;
		n = rng_pick(&gen->rng, total);
		for (size_t i = 0; i < ND_ARRAY_LEN(matches); i++) {
			uint32_t weight =
				is_allowed(gen, &matches[i], rule) ? matches[i].weight : 0;

			if (n < weight) {
				const struct match *m = &matches[i];

				/* Of another protocol than the packet's it would never match. */
				if (m->proto && m->proto != gen->focus->proto &&
				    rng_chance(&gen->rng, 80))
					break;
				add_match(gen, m, rule);
				break;
			}
			n -= weight;
		}
	}
}

/* ---- what has no generator ---- */
static bool has_match(const char *module, const char *option)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(matches); i++)
		if (nd_eq(matches[i].module, module) && matches[i].weight &&
		    (!option || strstr(matches[i].option, option) || !*matches[i].option))
			return true;
	return false;
}

size_t gen_uncovered(void)
{
	const struct nd_ipt_ext *const lists[] = {nd_ipt_matches_l4, nd_ipt_matches_ct,
						  nd_ipt_matches_net, nd_ipt_matches_chance,
						  nd_ipt_matches_set};
	size_t n = 0;

	for (size_t l = 0; l < ND_ARRAY_LEN(lists); l++)
		for (const struct nd_ipt_ext *ext = lists[l]; ext->name; ext++)
			if ((!has_match(ext->name, NULL) ||
			     (nd_eq(ext->name, "set") && !gen_has_sets())) &&
			    ++n)
				printf("not generated: -m %s\n", ext->name);
	for (const struct nd_ipt_ext *ext = nd_ipt_targets; ext->name; ext++)
		if (!gen_ipt_has_target(ext->name) && ++n)
			printf("not generated: -j %s\n", ext->name);
	return n;
}
