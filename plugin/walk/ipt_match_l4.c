/* Matches on what stands behind the IP header. Source: kernel net/netfilter/xt_tcpudp.c,
 * xt_multiport.c, xt_sctp.c, xt_ecn.c; iptables extensions/libxt_*.c. */
#include "common/base.h"

#include "plugin/walk/ipt_rule.h"
#include "plugin/walk/packet.h"

static bool set_ports(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	uint32_t lo, hi;

	if (!nd_ipt_range(arg->values[0], ':', UINT16_MAX, &lo, &hi))
		return false;
	nd_ipt_test_range(work, nd_ipt_plain(work, arg->option->field), arg->is_not, lo, hi, 2);
	return true;
}

static bool set_tcp_flags(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	static const struct nd_ipt_word flags[] = {{"FIN", 1},	{"SYN", 2},  {"RST", 4},
						   {"PSH", 8},	{"ACK", 16}, {"URG", 32},
						   {"ALL", 63}, {"NONE", 0}};
	uint32_t mask, wanted;

	if (!nd_ipt_bits(arg->values[0], flags, ND_ARRAY_LEN(flags), &mask) ||
	    !nd_ipt_bits(arg->values[1], flags, ND_ARRAY_LEN(flags), &wanted))
		return false;
	nd_ipt_test_masked(work, ND_F_TCP_FLAGS, arg->is_not, wanted, mask, 1);
	return true;
}

/* Of SYN, RST, ACK and FIN only SYN. */
static bool set_syn(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	nd_ipt_test_masked(work, ND_F_TCP_FLAGS, arg->is_not, 2, 1 | 2 | 4 | 16, 1);
	return true;
}

static bool set_tcp_bit(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	nd_ipt_test(work, nd_ipt_plain(work, ND_F_TCP_FLAGS), arg->is_not ? ND_NO_BIT : ND_ANY_BIT,
		    arg->option->arg, 1);
	return true;
}

/* ---- multiport ---- */
#define MAX_PORTS 15 /* XT_MULTI_PORTS */

struct ports {
	uint32_t lo[MAX_PORTS], hi[MAX_PORTS];
	size_t n;
};

static bool read_ports(const char *list, struct ports *out)
{
	struct nd_str rest = nd_str(list), item;
	char text[16];

	out->n = 0;
	while (nd_ipt_list_next(&rest, &item)) {
		if (out->n == MAX_PORTS || item.n == 0 || item.n >= sizeof(text))
			return false;
		memcpy(text, item.p, item.n);
		text[item.n] = '\0';
		if (!nd_ipt_range(text, ':', UINT16_MAX, &out->lo[out->n], &out->hi[out->n]))
			return false;
		out->n++;
	}
	return true;
}

static struct nd_rset *new_set(struct nd_ipt_work *work, uint8_t nparts, size_t nitems)
{
	struct nd_rset *set = nd_arena_alloc(work->arena, sizeof(*set));

	set->nparts = nparts;
	set->widths[0] = set->widths[1] = 2;
	set->nitems = nitems;
	set->items = nd_arena_array(work->arena, nitems, sizeof(*set->items));
	return set;
}

static bool set_multiport(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	struct ports ports;
	struct nd_rset *set;

	if (!read_ports(arg->values[0], &ports))
		return false;
	set = new_set(work, 1, ports.n);
	for (size_t i = 0; i < ports.n; i++) {
		set->items[i].lo = nd_ipt_value(ports.lo[i], 2);
		set->items[i].hi = nd_ipt_value(ports.hi[i], 2);
	}
	nd_ipt_test_set(work, nd_ipt_plain(work, arg->option->field), 1, arg->is_not, set);
	return true;
}

/* --ports: the source port or the destination port is among them. */
static bool set_either_port(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	struct nd_load *loads = nd_arena_array(work->arena, 2, sizeof(*loads));
	struct ports ports;
	struct nd_rset *set;

	if (!read_ports(arg->values[0], &ports))
		return false;
	loads[0].field = ND_F_SPORT;
	loads[1].field = ND_F_DPORT;
	set = new_set(work, 2, 2 * ports.n);
	for (size_t i = 0; i < ports.n; i++) {
		uint64_t lo = ports.lo[i], hi = ports.hi[i];

		set->items[2 * i].lo = nd_ipt_value(lo << 16, 4);
		set->items[2 * i].hi = nd_ipt_value(hi << 16 | UINT16_MAX, 4);
		set->items[2 * i + 1].lo = nd_ipt_value(lo, 4);
		set->items[2 * i + 1].hi = nd_ipt_value((uint64_t)UINT16_MAX << 16 | hi, 4);
	}
	nd_ipt_test_set(work, loads, 2, arg->is_not, set);
	return true;
}

/* ---- ICMP ---- */
struct icmp_name {
	const char *name;
	uint8_t type;
	int16_t code; /* -1: any */
};

/* iptables-save prints numbers; names stand in rules typed by hand. */
static const struct icmp_name icmp_names[] = {
	{"echo-reply", 0, -1},
	{"pong", 0, -1},
	{"destination-unreachable", 3, -1},
	{"network-unreachable", 3, 0},
	{"host-unreachable", 3, 1},
	{"protocol-unreachable", 3, 2},
	{"port-unreachable", 3, 3},
	{"fragmentation-needed", 3, 4},
	{"source-quench", 4, -1},
	{"redirect", 5, -1},
	{"echo-request", 8, -1},
	{"ping", 8, -1},
	{"router-advertisement", 9, -1},
	{"router-solicitation", 10, -1},
	{"time-exceeded", 11, -1},
	{"ttl-exceeded", 11, -1},
	{"ttl-zero-during-transit", 11, 0},
	{"ttl-zero-during-reassembly", 11, 1},
	{"parameter-problem", 12, -1},
	{"timestamp-request", 13, -1},
	{"timestamp-reply", 14, -1},
	{NULL, 0, 0},
};
static const struct icmp_name icmp6_names[] = {
	{"destination-unreachable", 1, -1},
	{"no-route", 1, 0},
	{"communication-prohibited", 1, 1},
	{"beyond-scope", 1, 2},
	{"address-unreachable", 1, 3},
	{"port-unreachable", 1, 4},
	{"failed-policy", 1, 5},
	{"reject-route", 1, 6},
	{"packet-too-big", 2, -1},
	{"time-exceeded", 3, -1},
	{"ttl-exceeded", 3, -1},
	{"parameter-problem", 4, -1},
	{"echo-request", 128, -1},
	{"ping", 128, -1},
	{"echo-reply", 129, -1},
	{"pong", 129, -1},
	{"router-solicitation", 133, -1},
	{"router-advertisement", 134, -1},
	{"neighbour-solicitation", 135, -1},
	{"neighbor-solicitation", 135, -1},
	{"neighbour-advertisement", 136, -1},
	{"neighbor-advertisement", 136, -1},
	{"redirect", 137, -1},
	{NULL, 0, 0},
};

static bool read_icmp(const char *text, const struct icmp_name *names, struct icmp_name *out)
{
	const char *slash = strchr(text, '/');
	struct nd_str first = nd_str(text);
	uint32_t type, code;

	for (; names->name; names++) {
		if (strcmp(names->name, text) == 0) {
			*out = *names;
			return true;
		}
	}
	*out = (struct icmp_name){.code = -1};
	if (slash) {
		first.n = (size_t)(slash - text);
		if (!nd_ipt_number(nd_str(slash + 1), UINT8_MAX, &code))
			return false;
		out->code = (int16_t)code;
	}
	if (!nd_ipt_number(first, UINT8_MAX, &type))
		return false;
	out->type = (uint8_t)type;
	return true;
}

static bool set_icmp(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	bool is_6 = arg->option->arg == 6;
	const char *text = arg->values[0];
	struct icmp_name got;
	struct nd_load *loads;

	/* Type 255 is "any" to the kernel (icmp_type_code_match), for ICMPv6 only since 6.x. */
	if (nd_eq(text, "any") || (!is_6 && nd_eq(text, "255"))) {
		if (arg->is_not)
			nd_ipt_test_never(work);
		return !is_6;
	}
	if (!read_icmp(text, is_6 ? icmp6_names : icmp_names, &got))
		return false;
	if (got.code < 0) {
		nd_ipt_test(work, nd_ipt_plain(work, ND_F_ICMP_TYPE), arg->is_not ? ND_NE : ND_EQ,
			    got.type, 1);
		return true;
	}
	/* Both in one value: "! 3/4" holds for 3/3. */
	loads = nd_arena_array(work->arena, 2, sizeof(*loads));
	loads[0].field = ND_F_ICMP_TYPE;
	loads[1].field = ND_F_ICMP_CODE;
	nd_ipt_test(work, loads, arg->is_not ? ND_NE : ND_EQ,
		    (uint64_t)got.type << 8 | (uint16_t)got.code, 2)
		->nloads = 2;
	return true;
}

/* ---- the rows ---- */
#define END                                                                                        \
	{                                                                                          \
		NULL, 0, NULL, 0, 0                                                                \
	}
static const struct nd_ipt_option tcp[] = {
	{"--sport", 1, set_ports, ND_F_SPORT, 0},
	{"--source-port", 1, set_ports, ND_F_SPORT, 0},
	{"--dport", 1, set_ports, ND_F_DPORT, 0},
	{"--destination-port", 1, set_ports, ND_F_DPORT, 0},
	{"--tcp-flags", 2, set_tcp_flags, 0, 0},
	{"--syn", 0, set_syn, 0, 0},
	END,
};
static const struct nd_ipt_option udp[] = {
	{"--sport", 1, set_ports, ND_F_SPORT, 0},
	{"--source-port", 1, set_ports, ND_F_SPORT, 0},
	{"--dport", 1, set_ports, ND_F_DPORT, 0},
	{"--destination-port", 1, set_ports, ND_F_DPORT, 0},
	END,
};
static const struct nd_ipt_option multiport[] = {
	{"--sports", 1, set_multiport, ND_F_SPORT, 0},
	{"--source-ports", 1, set_multiport, ND_F_SPORT, 0},
	{"--dports", 1, set_multiport, ND_F_DPORT, 0},
	{"--destination-ports", 1, set_multiport, ND_F_DPORT, 0},
	{"--ports", 1, set_either_port, 0, 0},
	END,
};
static const struct nd_ipt_option icmp[] = {{"--icmp-type", 1, set_icmp, 0, 4}, END};
static const struct nd_ipt_option icmp6[] = {{"--icmpv6-type", 1, set_icmp, 0, 6}, END};
/* --ecn-ip-ect is not known: nothing says what ECN bits a packet has. */
static const struct nd_ipt_option ecn[] = {
	{"--ecn-tcp-cwr", 0, set_tcp_bit, 0, 0x80},
	{"--ecn-tcp-ece", 0, set_tcp_bit, 0, 0x40},
	END,
};

const struct nd_ipt_ext nd_ipt_matches_l4[] = {
	{.name = "tcp", .proto = ND_PROTO_TCP, .options = tcp},
	{.name = "udp", .proto = ND_PROTO_UDP, .options = udp},
	{.name = "sctp", .proto = ND_PROTO_SCTP, .options = udp},
	{.name = "multiport", .options = multiport},
	{.name = "icmp", .family = 4, .proto = ND_PROTO_ICMP, .options = icmp},
	{.name = "icmp6", .family = 6, .proto = ND_PROTO_ICMP6, .options = icmp6},
	{.name = "icmpv6", .family = 6, .proto = ND_PROTO_ICMP6, .options = icmp6},
	{.name = "ecn", .options = ecn},
	{.name = NULL},
};
