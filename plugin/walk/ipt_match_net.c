/* Matches on addresses, devices and the IP header. Source: kernel net/netfilter/xt_addrtype.c,
 * xt_physdev.c, xt_iprange.c, xt_pkttype.c, xt_length.c, xt_hl.c, xt_dscp.c, ipt_rpfilter.c. */
#include "common/base.h"

#include "plugin/walk/ipt_rule.h"

/* ---- addrtype ---- */
enum { RTN_UNICAST = 1, RTN_LOCAL, RTN_MULTICAST = 5, RTN_UNREACHABLE = 7 };

static const struct nd_ipt_word addr_types[] = {
	{"UNSPEC", 1 << 0},   {"UNICAST", 1 << 1},   {"LOCAL", 1 << 2},	    {"BROADCAST", 1 << 3},
	{"ANYCAST", 1 << 4},  {"MULTICAST", 1 << 5}, {"BLACKHOLE", 1 << 6}, {"UNREACHABLE", 1 << 7},
	{"PROHIBIT", 1 << 8}, {"THROW", 1 << 9},     {"NAT", 1 << 10},	    {"XRESOLVE", 1 << 11},
};

static const struct nd_rset *type_set(struct nd_ipt_work *work, uint32_t bits)
{
	struct nd_rset *set = nd_arena_alloc(work->arena, sizeof(*set));

	set->nparts = 1;
	set->widths[0] = 4;
	set->has_order = true;
	set->items = nd_arena_array(work->arena, ND_ARRAY_LEN(addr_types), sizeof(*set->items));
	for (uint32_t type = 0; type < ND_ARRAY_LEN(addr_types); type++) {
		if (!(bits & 1u << type))
			continue;
		set->items[set->nitems].lo = nd_ipt_value(type, 4);
		set->items[set->nitems++].hi = nd_ipt_value(type, 4);
	}
	return set;
}

static void test_types(struct nd_ipt_work *work, const struct nd_load *load, bool is_not,
		       uint32_t bits)
{
	bool is_one = (bits & (bits - 1)) == 0;

	if (is_one)
		nd_ipt_test(work, load, is_not ? ND_NE : ND_EQ, (uint64_t)__builtin_ctz(bits), 4);
	else
		nd_ipt_test_set(work, load, 1, is_not, type_set(work, bits));
}

/*
 * IPv6 asks for the class of the address (multicast or not), and routing only for LOCAL, ANYCAST
 * and UNREACHABLE; of a list all but the last of those must hold (match_type6). Only one type alone
 * is done here.
 */
static bool test_type6(struct nd_ipt_work *work, const struct nd_load *load, bool is_not,
		       uint32_t bits)
{
	struct nd_load address = {.field = load->field == ND_F_FIB_SADDR_TYPE ? ND_F_SADDR
									      : ND_F_DADDR,
				  .has_mask = true,
				  .mask = {0xff}};

	if (bits == 1u << RTN_LOCAL) {
		test_types(work, load, is_not, bits);
		return true;
	}
	if (bits == 1u << RTN_MULTICAST) {
		nd_ipt_test(work, nd_ipt_load(work, address), is_not ? ND_NE : ND_EQ, 0, 16)
			->lo.bytes[0] = 0xff;
		return true;
	}
	if (bits != 1u << RTN_UNICAST || is_not)
		return false;
	/* Neither multicast nor ::. */
	nd_ipt_test(work, nd_ipt_load(work, address), ND_NE, 0, 16)->lo.bytes[0] = 0xff;
	nd_ipt_test(work, nd_ipt_plain(work, address.field), ND_NE, 0, 16);
	return true;
}

static bool finish_addrtype(struct nd_ipt_work *work)
{
	uint32_t limit = (nd_ipt_arg_find(work, "--limit-iface-in") ? 1 : 0) |
			 (nd_ipt_arg_find(work, "--limit-iface-out") ? 2 : 0);

	for (size_t i = 0; i < work->nargs; i++) {
		const struct nd_ipt_arg *arg = &work->args[i];
		const struct nd_load *load = nd_ipt_plain(work, arg->option->field);
		uint32_t bits;

		if (arg->option->nvalues == 0)
			continue;
		if (!nd_ipt_bits(arg->values[0], addr_types, ND_ARRAY_LEN(addr_types), &bits))
			return false;
		if (limit)
			load = nd_ipt_load(work,
					   (struct nd_load){.field = load->field, .arg = limit});
		if (work->family != 6)
			test_types(work, load, arg->is_not, bits);
		else if (!test_type6(work, load, arg->is_not, bits))
			return false;
	}
	return true;
}

/* ---- physdev ---- */
/* Packets that were not bridged have no port: plain tests fail, negated ones hold. */
static bool set_has_port(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	nd_ipt_test(work, nd_ipt_plain(work, arg->option->field), arg->is_not ? ND_EQ : ND_NE, 0,
		    16);
	return true;
}

static bool set_port(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	struct nd_ipt_arg any = *arg;

	any.is_not = false;
	/* "+" alone: any port, but one. */
	if (nd_eq(arg->values[0], "+"))
		return !arg->is_not && set_has_port(work, &any);
	return nd_ipt_test_device(work, arg);
}

/*
 * "! --physdev-out X" holds for packets that were not bridged and for bridged ones whose port is
 * another, but not for those whose port is not known yet: that is no single test.
 */
static bool finish_physdev(struct nd_ipt_work *work)
{
	const struct nd_ipt_arg *out = nd_ipt_arg_find(work, "--physdev-out");
	const struct nd_ipt_arg *bridged = nd_ipt_arg_find(work, "--physdev-is-bridged");
	const struct nd_ipt_arg *is_out = nd_ipt_arg_find(work, "--physdev-is-out");

	if (!out || !out->is_not)
		return true;
	return (bridged && !bridged->is_not) || (is_out && !is_out->is_not);
}

/* ---- the IP header ---- */
static bool set_addresses(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	const struct nd_load *load = nd_ipt_plain(work, arg->option->field);
	uint8_t nbytes = work->family == 6 ? 16 : 4;
	struct nd_ip lo, hi;
	struct nd_rstep *step;

	if (!nd_ipt_ip_range(work, nd_str(arg->values[0]), &lo, &hi))
		return false;
	step = nd_ipt_test(work, load, arg->is_not ? ND_NOT_RANGE : ND_RANGE, 0, nbytes);
	memcpy(step->lo.bytes, lo.bytes, nbytes);
	step->hi.n = nbytes;
	memcpy(step->hi.bytes, hi.bytes, nbytes);
	return true;
}

static bool set_pkttype(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	static const struct nd_ipt_word types[] = {
		{"unicast", 0},	  {"host", 0},	{"broadcast", 1}, {"bcast", 1},
		{"multicast", 2}, {"mcast", 2}, {"otherhost", 3}};

	for (size_t i = 0; i < ND_ARRAY_LEN(types); i++) {
		if (!nd_eq(types[i].name, arg->values[0]))
			continue;
		nd_ipt_test(work, nd_ipt_plain(work, ND_F_PKTTYPE), arg->is_not ? ND_NE : ND_EQ,
			    types[i].value, 1);
		return true;
	}
	return false;
}

static bool set_length(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	uint32_t lo, hi;

	if (!nd_ipt_range(arg->values[0], ':', UINT16_MAX, &lo, &hi))
		return false;
	nd_ipt_test_range(work, nd_ipt_plain(work, ND_F_LENGTH), arg->is_not, lo, hi, 2);
	return true;
}

/* option->arg: how it compares. */
static bool set_ttl(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	enum nd_test_op op = (enum nd_test_op)arg->option->arg;
	uint32_t ttl;

	if ((arg->is_not && op != ND_EQ) || !nd_ipt_number(nd_str(arg->values[0]), UINT8_MAX, &ttl))
		return false;
	nd_ipt_test(work, nd_ipt_plain(work, ND_F_TTL), arg->is_not ? ND_NE : op, ttl, 1);
	return true;
}

static bool set_dscp(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	uint32_t dscp;

	if (!nd_ipt_number(nd_str(arg->values[0]), 63, &dscp))
		return false;
	nd_ipt_test(work, nd_ipt_plain(work, ND_F_DSCP), arg->is_not ? ND_NE : ND_EQ, dscp, 1);
	return true;
}

/* The class as RFC 2474, 2597 and 3246 name it. */
static bool set_dscp_class(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	static const struct nd_ipt_word classes[] = {
		{"CS0", 0},   {"CS1", 8},   {"CS2", 16},  {"CS3", 24},	{"CS4", 32},  {"CS5", 40},
		{"CS6", 48},  {"CS7", 56},  {"BE", 0},	  {"AF11", 10}, {"AF12", 12}, {"AF13", 14},
		{"AF21", 18}, {"AF22", 20}, {"AF23", 22}, {"AF31", 26}, {"AF32", 28}, {"AF33", 30},
		{"AF41", 34}, {"AF42", 36}, {"AF43", 38}, {"EF", 46}};

	for (size_t i = 0; i < ND_ARRAY_LEN(classes); i++) {
		if (!nd_eq(classes[i].name, arg->values[0]))
			continue;
		nd_ipt_test(work, nd_ipt_plain(work, ND_F_DSCP), arg->is_not ? ND_NE : ND_EQ,
			    classes[i].value, 1);
		return true;
	}
	return false;
}

/* The lower two bits are ECN, which a packet of the walk does not have. */
static bool set_tos(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	uint32_t tos, mask;

	if (!nd_ipt_masked(arg->values[0], &tos, &mask) || tos > 255 || mask > 255 ||
	    (mask & 3) != 0 || (tos & 3) != 0)
		return false;
	nd_ipt_test_masked(work, ND_F_DSCP, arg->is_not, tos >> 2, mask >> 2 | 0xc0, 1);
	return true;
}

/* ---- rpfilter ---- */
static bool finish_rpfilter(struct nd_ipt_work *work)
{
	struct nd_load load = {.field = ND_F_FIB_SADDR_OIF, .arg = 1};

	if (nd_ipt_arg_find(work, "--loose"))
		load.arg = 0;
	if (nd_ipt_arg_find(work, "--validmark"))
		load.arg |= 4;
	nd_ipt_test(work, nd_ipt_load(work, load),
		    nd_ipt_arg_find(work, "--invert") ? ND_EQ : ND_NE, 0, 4);
	return true;
}

/* ---- the rows ---- */
#define END                                                                                        \
	{                                                                                          \
		NULL, 0, NULL, 0, 0                                                                \
	}
static const struct nd_ipt_option comment[] = {{"--comment", 1, NULL, 0, 0}, END};
static const struct nd_ipt_option nfacct[] = {{"--nfacct-name", 1, NULL, 0, 0}, END};
static const struct nd_ipt_option addrtype[] = {
	{"--src-type", 1, NULL, ND_F_FIB_SADDR_TYPE, 0},
	{"--dst-type", 1, NULL, ND_F_FIB_DADDR_TYPE, 0},
	{"--limit-iface-in", 0, NULL, 0, 0},
	{"--limit-iface-out", 0, NULL, 0, 0},
	END,
};
static const struct nd_ipt_option physdev[] = {
	{"--physdev-in", 1, set_port, ND_F_PHYSIN, 0},
	{"--physdev-out", 1, set_port, ND_F_PHYSOUT, 0},
	{"--physdev-is-in", 0, set_has_port, ND_F_PHYSIN, 0},
	{"--physdev-is-out", 0, set_has_port, ND_F_PHYSOUT, 0},
	{"--physdev-is-bridged", 0, set_has_port, ND_F_PHYSOUT, 0},
	END,
};
static const struct nd_ipt_option iprange[] = {
	{"--src-range", 1, set_addresses, ND_F_SADDR, 0},
	{"--dst-range", 1, set_addresses, ND_F_DADDR, 0},
	END,
};
static const struct nd_ipt_option pkttype[] = {{"--pkt-type", 1, set_pkttype, 0, 0}, END};
static const struct nd_ipt_option length[] = {{"--length", 1, set_length, 0, 0}, END};
static const struct nd_ipt_option ttl[] = {
	{"--ttl-eq", 1, set_ttl, 0, ND_EQ},
	{"--ttl", 1, set_ttl, 0, ND_EQ},
	{"--ttl-lt", 1, set_ttl, 0, ND_LT},
	{"--ttl-gt", 1, set_ttl, 0, ND_GT},
	END,
};
static const struct nd_ipt_option hl[] = {
	{"--hl-eq", 1, set_ttl, 0, ND_EQ},
	{"--hl-lt", 1, set_ttl, 0, ND_LT},
	{"--hl-gt", 1, set_ttl, 0, ND_GT},
	END,
};
static const struct nd_ipt_option dscp[] = {
	{"--dscp", 1, set_dscp, 0, 0},
	{"--dscp-class", 1, set_dscp_class, 0, 0},
	END,
};
static const struct nd_ipt_option tos[] = {{"--tos", 1, set_tos, 0, 0}, END};
/* --accept-local is not known: "none" of ND_F_FIB_SADDR_OIF includes local addresses. */
static const struct nd_ipt_option rpfilter[] = {
	{"--loose", 0, NULL, 0, 0},
	{"--validmark", 0, NULL, 0, 0},
	{"--invert", 0, NULL, 0, 0},
	END,
};

const struct nd_ipt_ext nd_ipt_matches_net[] = {
	{.name = "comment", .options = comment},
	{.name = "nfacct", .options = nfacct},
	{.name = "addrtype", .options = addrtype, .finish = finish_addrtype},
	{.name = "physdev", .options = physdev, .finish = finish_physdev},
	{.name = "iprange", .options = iprange},
	{.name = "pkttype", .options = pkttype},
	{.name = "length", .options = length},
	{.name = "ttl", .family = 4, .options = ttl},
	{.name = "hl", .family = 6, .options = hl},
	{.name = "dscp", .options = dscp},
	{.name = "tos", .options = tos},
	{.name = "rpfilter", .options = rpfilter, .finish = finish_rpfilter},
	{.name = NULL},
};
