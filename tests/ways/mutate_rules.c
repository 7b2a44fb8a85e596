/* mutate_rules.c: rules of a firewall that nobody expects, of any backend and hook. */
#include "common/base.h"

#include "tests/ways/mutate.h"

static const char *matches(struct about *a, bool has_in, bool has_out)
{
	const char *text = "";
	struct nd_arena *arena = &a->lab->arena;

	if (has_in && !mutate_pick(a, 4))
		text = nd_arena_printf(arena, "%s -i %s", text, mutate_dev(a));
	if (has_out && !mutate_pick(a, 4))
		text = nd_arena_printf(arena, "%s -o %s", text, mutate_dev(a));
	if (!mutate_pick(a, 2))
		text = nd_arena_printf(arena, "%s %s-s %s", text, mutate_pick(a, 4) ? "" : "! ",
				       mutate_prefix(a));
	if (!mutate_pick(a, 2))
		text = nd_arena_printf(arena, "%s %s-d %s", text, mutate_pick(a, 4) ? "" : "! ",
				       mutate_prefix(a));
	switch (mutate_pick(a, 6)) {
	case 0:
		return nd_arena_printf(arena, "%s -p tcp -m tcp --dport %d", text, OPEN_PORT);
	case 1:
		return nd_arena_printf(arena, "%s -p udp", text);
	case 2:
		return nd_arena_printf(arena, "%s -p udp -m udp --dport %d", text,
				       mutate_pick(a, 2) ? 8472 : OPEN_PORT);
	case 3:
		return nd_arena_printf(arena, "%s -p %s", text,
				       a->is_six ? "ipv6-icmp -m icmp6 --icmpv6-type 128" : "icmp");
	default:
		return text;
	}
}

static const char *state_match(struct about *a)
{
	return mutate_pick(a, 3)
		       ? ""
		       : ONE_OF(a, " -m conntrack --ctstate NEW",
				" -m conntrack --ctstate ESTABLISHED",
				" -m conntrack --ctstate INVALID", " -m mark --mark 0x4000/0x4000");
}

static const char *filter_target(struct about *a, bool can_reject)
{
	if (!can_reject || mutate_pick(a, 2))
		return mutate_pick(a, 5) ? "DROP" : "ACCEPT";
	return a->is_six ? ONE_OF(a, "REJECT", "REJECT --reject-with icmp6-adm-prohibited",
				  "REJECT --reject-with icmp6-no-route")
			 : ONE_OF(a, "REJECT", "REJECT --reject-with icmp-host-prohibited",
				  "REJECT --reject-with icmp-net-unreachable");
}

/* One rule for iptables, either backend. */
void mutate_iptables(struct about *a)
{
	enum tool tool = a->is_six ? TOOL_IPT6 : mutate_pick(a, 4) ? TOOL_IPT4 : TOOL_LEGACY;
	int space = mutate_space(a);
	uint32_t what = mutate_pick(a, 8);
	const char *chain;

	if (what < 4) {
		chain = ONE_OF(a, "FORWARD", "FORWARD", "INPUT", "OUTPUT");
		mutate_add(a, space, tool, "*filter\n-I %s%s%s -j %s", chain,
			   matches(a, *chain != 'O', *chain != 'I'), state_match(a),
			   filter_target(a, true));
	} else if (what == 4) {
		mutate_add(a, space, tool, "*filter\n:%s DROP [0:0]",
			   ONE_OF(a, "FORWARD", "INPUT", "OUTPUT"));
	} else if (what == 5) {
		chain = ONE_OF(a, "PREROUTING", "POSTROUTING", "FORWARD");
		mutate_add(a, space, tool, "*mangle\n-I %s%s -j DROP", chain,
			   matches(a, *chain == 'P' && chain[1] == 'R', 0));
	} else if (what == 6) {
		mutate_add(a, space, tool, "*raw\n-I %s%s -j %s", ONE_OF(a, "PREROUTING", "OUTPUT"),
			   matches(a, 0, 0), ONE_OF(a, "DROP", "CT --notrack"));
	} else if (mutate_pick(a, 2)) {
		mutate_add(a, space, tool, "*nat\n-I POSTROUTING%s -j MASQUERADE",
			   matches(a, 0, 1));
	} else {
		mutate_add(a, space, tool, "*nat\n-I %s%s -j DNAT --to-destination %s",
			   ONE_OF(a, "PREROUTING", "OUTPUT"), matches(a, 0, 0),
			   pod_text(a->lab, mutate_pick(a, 2) ? a->pod : a->far, a->is_six));
	}
}

void mutate_nft(struct about *a)
{
	const char *hook = ONE_OF(a, "prerouting", "input", "forward", "output", "postrouting");
	const char *what =
		ONE_OF(a, "tcp dport 8080", "meta l4proto udp", "ct state new",
		       "ct state established", "meta l4proto { tcp, udp }", "udp dport 8472");
	const char *family = ONE_OF(a, "inet", a->is_six ? "ip6" : "ip");
	const char *address =
		mutate_pick(a, 2)
			? ""
			: nd_arena_printf(&a->lab->arena, "%s %saddr %s ", a->is_six ? "ip6" : "ip",
					  ONE_OF(a, "s", "d"), mutate_prefix(a));

	mutate_add(
		a, mutate_space(a), TOOL_NFT,
		"table %s other%u {\nchain c {\ntype filter hook %s priority %s; policy %s;\n%s%s "
		"counter %s\n}\n}",
		family, mutate_pick(a, 1000), hook, ONE_OF(a, "-310", "-150", "-10", "0", "10"),
		mutate_pick(a, 8) ? "accept" : "drop", address, what,
		ONE_OF(a, "drop", "drop", "accept"));
}
