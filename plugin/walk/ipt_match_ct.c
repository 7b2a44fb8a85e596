/* Matches on marks, connections and sockets. Source: kernel net/netfilter/xt_conntrack.c,
 * xt_state.c, xt_mark.c, xt_connmark.c, xt_owner.c. */
#include "common/base.h"

#include "plugin/walk/ipt_rule.h"

static bool set_mark(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	uint32_t mark, mask;

	if (!nd_ipt_masked(arg->values[0], &mark, &mask))
		return false;
	/* A mark with bits outside the mask never matches, in the kernel too. */
	nd_ipt_test_masked(work, arg->option->field, arg->is_not, mark, mask, 4);
	return true;
}

static void test_bits(struct nd_ipt_work *work, const struct nd_load *load, bool is_not,
		      uint32_t bits)
{
	nd_ipt_test(work, load, is_not ? ND_NO_BIT : ND_ANY_BIT, bits, 4);
}

static bool set_state(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	static const struct nd_ipt_word states[] = {{"INVALID", ND_CT_INVALID},
						    {"NEW", ND_CT_NEW},
						    {"ESTABLISHED", ND_CT_ESTABLISHED},
						    {"RELATED", ND_CT_RELATED},
						    {"UNTRACKED", ND_CT_UNTRACKED},
						    {"SNAT", ND_CT_SNAT},
						    {"DNAT", ND_CT_DNAT}};
	const struct nd_load *load = nd_ipt_plain(work, ND_F_CT_STATE);
	uint32_t bits;

	if (!nd_ipt_bits(arg->values[0], states, ND_ARRAY_LEN(states), &bits))
		return false;
	if (bits & (ND_CT_SNAT | ND_CT_DNAT))
		load = nd_ipt_load(work, (struct nd_load){.field = ND_F_CT_STATE, .arg = 1});
	test_bits(work, load, arg->is_not, bits);
	return true;
}

/* NONE is no bit: it matches nothing, and "!" everything that is tracked. */
static bool set_status(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	static const struct nd_ipt_word status[] = {
		{"NONE", 0}, {"EXPECTED", 1}, {"SEEN_REPLY", 2}, {"ASSURED", 4}, {"CONFIRMED", 8}};
	uint32_t bits;

	if (!nd_ipt_bits(arg->values[0], status, ND_ARRAY_LEN(status), &bits))
		return false;
	test_bits(work, nd_ipt_plain(work, ND_F_CT_STATUS), arg->is_not, bits);
	return true;
}

static bool set_dir(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	bool is_reply = nd_eq(arg->values[0], "REPLY");

	if (!is_reply && !nd_eq(arg->values[0], "ORIGINAL"))
		return false;
	nd_ipt_test(work, nd_ipt_plain(work, ND_F_CT_DIR), arg->is_not ? ND_NE : ND_EQ, is_reply,
		    1);
	return true;
}

static bool set_ct_proto(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	uint8_t proto;

	if (!nd_ipt_proto(arg->values[0], &proto))
		return false;
	nd_ipt_test(work, nd_ipt_plain(work, ND_F_CT_PROTO), arg->is_not ? ND_NE : ND_EQ, proto, 1);
	return true;
}

static bool set_ct_port(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	struct nd_load load = {.field = arg->option->field, .arg = arg->option->arg};
	uint32_t lo, hi;

	if (!nd_ipt_range(arg->values[0], ':', UINT16_MAX, &lo, &hi))
		return false;
	nd_ipt_test_range(work, load.arg ? nd_ipt_load(work, load) : nd_ipt_plain(work, load.field),
			  arg->is_not, lo, hi, 2);
	return true;
}

/*
 * "0", "1000-1999". Packets that no socket here sent fail the test, and hold for a negated one:
 * that is no single test.
 */
static bool set_owner(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	uint32_t lo, hi;

	if (arg->is_not || !nd_ipt_range(arg->values[0], '-', UINT32_MAX, &lo, &hi))
		return false;
	nd_ipt_test_range(work, nd_ipt_plain(work, ND_F_OWNER), false, lo, hi, 4);
	return true;
}

/* ---- the rows ---- */
#define REPLY 1 /* of the load: of the reply's direction */
#define END                                                                                        \
	{                                                                                          \
		NULL, 0, NULL, 0, 0                                                                \
	}
static const struct nd_ipt_option state[] = {{"--state", 1, set_state, 0, 0}, END};
static const struct nd_ipt_option mark[] = {{"--mark", 1, set_mark, ND_F_MARK, 0}, END};
static const struct nd_ipt_option connmark[] = {{"--mark", 1, set_mark, ND_F_CT_MARK, 0}, END};
static const struct nd_ipt_option owner[] = {
	{"--uid-owner", 1, set_owner, 0, 0},
	{"--gid-owner", 1, set_owner, 0, 0},
	END,
};
/* --ctexpire is not known: a bundle does not say when. */
static const struct nd_ipt_option conntrack[] = {
	{"--ctstate", 1, set_state, 0, 0},
	{"--ctproto", 1, set_ct_proto, 0, 0},
	{"--ctorigsrc", 1, nd_ipt_test_prefix, ND_F_CT_SADDR, 0},
	{"--ctorigdst", 1, nd_ipt_test_prefix, ND_F_CT_DADDR, 0},
	{"--ctreplsrc", 1, nd_ipt_test_prefix, ND_F_CT_SADDR, REPLY},
	{"--ctrepldst", 1, nd_ipt_test_prefix, ND_F_CT_DADDR, REPLY},
	{"--ctorigsrcport", 1, set_ct_port, ND_F_CT_SPORT, 0},
	{"--ctorigdstport", 1, set_ct_port, ND_F_CT_DPORT, 0},
	{"--ctreplsrcport", 1, set_ct_port, ND_F_CT_SPORT, REPLY},
	{"--ctrepldstport", 1, set_ct_port, ND_F_CT_DPORT, REPLY},
	{"--ctstatus", 1, set_status, 0, 0},
	{"--ctdir", 1, set_dir, 0, 0},
	END,
};

const struct nd_ipt_ext nd_ipt_matches_ct[] = {
	{.name = "conntrack", .options = conntrack}, {.name = "state", .options = state},
	{.name = "mark", .options = mark},	     {.name = "connmark", .options = connmark},
	{.name = "owner", .options = owner},	     {.name = NULL},
};
