/* Targets. Source: iptables-extensions(8), kernel net/netfilter/xt_*.c, net/ipv4/netfilter/. */
#include "common/base.h"

#include "plugin/walk/ipt_rule.h"

/* ---- verdicts ---- */
static bool finish_verdict(struct nd_ipt_work *work, enum nd_verdict_kind kind)
{
	nd_ipt_step(work, ND_DO_VERDICT)->verdict.kind = kind;
	return true;
}
static bool finish_accept(struct nd_ipt_work *work)
{
	return finish_verdict(work, ND_V_ACCEPT);
}
static bool finish_drop(struct nd_ipt_work *work)
{
	return finish_verdict(work, ND_V_DROP);
}
static bool finish_return(struct nd_ipt_work *work)
{
	return finish_verdict(work, ND_V_RETURN);
}
static bool finish_queue(struct nd_ipt_work *work)
{
	return finish_verdict(work, ND_V_QUEUE);
}

/* A balanced one takes the queue by a hash of the addresses: the first stands for all. */
static bool finish_nfqueue(struct nd_ipt_work *work)
{
	const struct nd_ipt_arg *one = nd_ipt_arg_find(work, "--queue-num");
	const struct nd_ipt_arg *many = nd_ipt_arg_find(work, "--queue-balance");
	uint32_t number = 0, last;
	struct nd_verdict *verdict;

	if (one && many)
		return false;
	if (one && !nd_ipt_number(nd_str(one->values[0]), UINT16_MAX, &number))
		return false;
	if (many && !nd_ipt_range(many->values[0], ':', UINT16_MAX, &number, &last))
		return false;
	verdict = &nd_ipt_step(work, ND_DO_VERDICT)->verdict;
	verdict->kind = ND_V_QUEUE;
	verdict->queue = (uint16_t)number;
	verdict->has_bypass = nd_ipt_arg_find(work, "--queue-bypass") != NULL;
	return true;
}

struct reject {
	const char *name, *alias;
};
static const struct reject rejects4[] = {
	{"icmp-port-unreachable", "port-unreach"},
	{"tcp-reset", "tcp-rst"},
	{"icmp-net-unreachable", "net-unreach"},
	{"icmp-host-unreachable", "host-unreach"},
	{"icmp-proto-unreachable", "proto-unreach"},
	{"icmp-net-prohibited", "net-prohib"},
	{"icmp-host-prohibited", "host-prohib"},
	{"icmp-admin-prohibited", "admin-prohib"},
	{NULL, NULL},
};
static const struct reject rejects6[] = {
	{"icmp6-port-unreachable", "port-unreach"},
	{"tcp-reset", "tcp-rst"},
	{"icmp6-no-route", "no-route"},
	{"icmp6-adm-prohibited", "adm-prohibited"},
	{"icmp6-addr-unreachable", "addr-unreach"},
	{"icmp6-policy-fail", "policy-fail"},
	{"icmp6-reject-route", "reject-route"},
	{NULL, NULL},
};

static bool finish_reject(struct nd_ipt_work *work)
{
	const struct reject *reject = work->family == 6 ? rejects6 : rejects4;
	const struct nd_ipt_arg *with = nd_ipt_arg_find(work, "--reject-with");
	struct nd_verdict *verdict;

	while (with && reject->name && !nd_eq(reject->name, with->values[0]) &&
	       !nd_eq(reject->alias, with->values[0]))
		reject++;
	if (!reject->name)
		return false;
	verdict = &nd_ipt_step(work, ND_DO_VERDICT)->verdict;
	verdict->kind = ND_V_REJECT;
	verdict->reject_with = reject->name;
	return true;
}

/* ---- marks ---- */
enum { SET_XMARK, SET_MARK, AND_MARK, OR_MARK, XOR_MARK };

/* One of the ways to say mark = (mark & ~mask) ^ value; as libxt_MARK.c stores them. */
static bool read_mark(const struct nd_ipt_arg *arg, uint32_t *value, uint32_t *mask)
{
	uint32_t number, bits;

	if (!nd_ipt_masked(arg->values[0], &number, &bits))
		return false;
	*value = number;
	switch (arg->option->arg) {
	case SET_XMARK:
		*mask = bits;
		break;
	case SET_MARK:
		*mask = bits | number;
		break;
	case AND_MARK:
		*value = 0;
		*mask = ~number;
		break;
	case OR_MARK:
		*mask = number;
		break;
	default:
		*mask = 0;
		break;
	}
	/* Only the first two may have a mask. */
	return arg->option->arg <= SET_MARK || bits == UINT32_MAX;
}

static bool do_mark(struct nd_ipt_work *work, const struct nd_ipt_arg *arg, enum nd_step_kind kind)
{
	uint32_t value, mask;
	struct nd_rstep *step;

	if (!read_mark(arg, &value, &mask))
		return false;
	step = nd_ipt_step(work, kind);
	step->value = value;
	step->mask = mask;
	return true;
}

static bool finish_mark(struct nd_ipt_work *work)
{
	return work->nargs == 1 && do_mark(work, &work->args[0], ND_DO_MARK);
}

/* A mask option, or all bits. */
static bool read_mask(const struct nd_ipt_work *work, const char *name, uint32_t *out)
{
	const struct nd_ipt_arg *arg = nd_ipt_arg_find(work, name);

	if (!arg)
		arg = nd_ipt_arg_find(work, "--mask");
	*out = UINT32_MAX;
	return !arg || nd_ipt_number(nd_str(arg->values[0]), UINT32_MAX, out);
}

static bool finish_connmark(struct nd_ipt_work *work)
{
	bool is_save = nd_ipt_arg_find(work, "--save-mark") != NULL;
	bool is_restore = nd_ipt_arg_find(work, "--restore-mark") != NULL;
	uint32_t nfmask, ctmask;
	struct nd_rstep *step;

	if (!is_save && !is_restore)
		return work->nargs == 1 && work->args[0].option->nvalues == 1 &&
		       do_mark(work, &work->args[0], ND_DO_CT_MARK);
	if (is_save == is_restore || !read_mask(work, "--nfmask", &nfmask) ||
	    !read_mask(work, "--ctmask", &ctmask))
		return false;
	step = nd_ipt_step(work, is_save ? ND_DO_CT_SAVE : ND_DO_CT_RESTORE);
	step->mask = is_save ? nfmask : ctmask;
	step->mask2 = is_save ? ctmask : nfmask;
	return true;
}

/* ---- NAT ---- */
static bool read_port(struct nd_str text, uint16_t *out)
{
	uint32_t port;

	if (!nd_ipt_number(text, UINT16_MAX, &port) || port == 0)
		return false;
	*out = (uint16_t)port;
	return true;
}

/* "80", "80-90"; the shifted form "80-90/8080" is not known. */
static bool read_ports(struct nd_str text, struct nd_nat *nat)
{
	const char *dash = memchr(text.p, '-', text.n);
	size_t n = dash ? (size_t)(dash - text.p) : text.n;

	if (!read_port((struct nd_str){text.p, n}, &nat->port_lo))
		return false;
	nat->port_hi = nat->port_lo;
	if (dash && !read_port((struct nd_str){dash + 1, text.n - n - 1}, &nat->port_hi))
		return false;
	return nat->port_lo <= nat->port_hi;
}

/* "10.0.0.1-10.0.0.9:80-90", "[fd00::1]:80", "fd00::1-fd00::9", ":80" */
static bool read_nat(const struct nd_ipt_work *work, const char *text, struct nd_nat *nat)
{
	struct nd_str address = nd_str(text);
	const char *colon = NULL;

	if (*text == '[') {
		const char *end = strchr(text, ']');

		if (!end || (end[1] && end[1] != ':'))
			return false;
		address = (struct nd_str){text + 1, (size_t)(end - text - 1)};
		colon = end[1] ? end + 1 : NULL;
	} else if (work->family == 4 || *text == ':') {
		colon = strchr(text, ':');
		/* "::1" */
		if (colon && work->family == 6 && colon[1] == ':')
			colon = NULL;
		if (colon)
			address.n = (size_t)(colon - text);
	}
	if (address.n ? !nd_ipt_ip_range(work, address, &nat->lo, &nat->hi)
		      : *text == '[' || !colon)
		return false;
	return !colon || read_ports(nd_str(colon + 1), nat);
}

static bool do_nat(struct nd_ipt_work *work, enum nd_step_kind kind, const char *to)
{
	struct nd_nat nat = {0};
	struct nd_rstep *step;
	size_t nto = 0;

	for (size_t i = 0; i < work->nargs; i++) {
		const struct nd_ipt_arg *arg = &work->args[i];

		if (!nd_eq(arg->option->name, to))
			continue;
		/* More than one is an old kernel's. */
		if (nto++ || !read_nat(work, arg->values[0], &nat))
			return false;
	}
	if (nto == 0)
		return false;
	nat.is_random =
		nd_ipt_arg_find(work, "--random") || nd_ipt_arg_find(work, "--random-fully");
	nat.is_persistent = nd_ipt_arg_find(work, "--persistent") != NULL;
	step = nd_ipt_step(work, kind);
	step->nat = nat;
	return true;
}

static bool finish_dnat(struct nd_ipt_work *work)
{
	return do_nat(work, ND_DO_DNAT, "--to-destination");
}
static bool finish_snat(struct nd_ipt_work *work)
{
	return do_nat(work, ND_DO_SNAT, "--to-source");
}

static bool do_device_nat(struct nd_ipt_work *work, enum nd_step_kind kind)
{
	const struct nd_ipt_arg *ports = nd_ipt_arg_find(work, "--to-ports");
	struct nd_nat nat = {0};

	if (ports && !read_ports(nd_str(ports->values[0]), &nat))
		return false;
	nat.is_random =
		nd_ipt_arg_find(work, "--random") || nd_ipt_arg_find(work, "--random-fully");
	nd_ipt_step(work, kind)->nat = nat;
	return true;
}
static bool finish_masquerade(struct nd_ipt_work *work)
{
	return do_device_nat(work, ND_DO_MASQUERADE);
}
static bool finish_redirect(struct nd_ipt_work *work)
{
	return do_device_nat(work, ND_DO_REDIRECT);
}

/* ---- connection tracking ---- */
static bool finish_notrack(struct nd_ipt_work *work)
{
	nd_ipt_step(work, ND_DO_NOTRACK);
	return true;
}

/* A helper, events and timeouts change no packet; zones are not known. */
static bool finish_ct(struct nd_ipt_work *work)
{
	bool is_notrack = nd_ipt_arg_find(work, "--notrack") != NULL;

	nd_ipt_step(work, is_notrack ? ND_DO_NOTRACK : ND_DO_NOTHING);
	return true;
}

/* ---- header fields ---- */
enum { TTL_SET, TTL_DEC, TTL_INC };

static bool finish_ttl(struct nd_ipt_work *work)
{
	const struct nd_ipt_arg *arg = &work->args[0];
	uint32_t value;
	struct nd_rstep *step;

	if (work->nargs != 1 || !nd_ipt_number(nd_str(arg->values[0]), UINT8_MAX, &value))
		return false;
	step = nd_ipt_step(work, ND_DO_TTL);
	step->mask = arg->option->arg == TTL_SET ? UINT8_MAX : 0;
	step->value = arg->option->arg == TTL_DEC ? 0 - value : value;
	return true;
}

static bool finish_dscp(struct nd_ipt_work *work)
{
	uint32_t value;
	struct nd_rstep *step;

	if (work->nargs != 1 || !nd_ipt_number(nd_str(work->args[0].values[0]), 63, &value))
		return false;
	step = nd_ipt_step(work, ND_DO_DSCP);
	step->mask = 63;
	step->value = value;
	return true;
}

/* --set-tos value/mask: tos = (tos & ~mask) ^ value; a packet here has no ECN bits. */
static bool finish_tos(struct nd_ipt_work *work)
{
	uint32_t value, mask;
	struct nd_rstep *step;

	if (work->nargs != 1 || !nd_ipt_masked(work->args[0].values[0], &value, &mask))
		return false;
	step = nd_ipt_step(work, ND_DO_DSCP);
	step->mask = mask >> 2 & 63;
	step->value = value >> 2 & 63;
	return true;
}

/* ---- the rows ---- */
#define END                                                                                        \
	{                                                                                          \
		NULL, 0, NULL, 0, 0                                                                \
	}
static const struct nd_ipt_option nfqueue[] = {
	{"--queue-num", 1, NULL, 0, 0},
	{"--queue-balance", 1, NULL, 0, 0},
	{"--queue-bypass", 0, NULL, 0, 0},
	{"--queue-cpu-fanout", 0, NULL, 0, 0},
	END,
};
static const struct nd_ipt_option reject[] = {{"--reject-with", 1, NULL, 0, 0}, END};
static const struct nd_ipt_option mark[] = {
	{"--set-xmark", 1, NULL, 0, SET_XMARK}, {"--set-mark", 1, NULL, 0, SET_MARK},
	{"--and-mark", 1, NULL, 0, AND_MARK},	{"--or-mark", 1, NULL, 0, OR_MARK},
	{"--xor-mark", 1, NULL, 0, XOR_MARK},	END,
};
static const struct nd_ipt_option connmark[] = {
	{"--set-xmark", 1, NULL, 0, SET_XMARK},
	{"--set-mark", 1, NULL, 0, SET_MARK},
	{"--and-mark", 1, NULL, 0, AND_MARK},
	{"--or-mark", 1, NULL, 0, OR_MARK},
	{"--xor-mark", 1, NULL, 0, XOR_MARK},
	{"--save-mark", 0, NULL, 0, 0},
	{"--restore-mark", 0, NULL, 0, 0},
	{"--nfmask", 1, NULL, 0, SET_XMARK},
	{"--ctmask", 1, NULL, 0, SET_XMARK},
	{"--mask", 1, NULL, 0, SET_XMARK},
	END,
};
static const struct nd_ipt_option dnat[] = {
	{"--to-destination", 1, NULL, 0, 0},
	{"--random", 0, NULL, 0, 0},
	{"--persistent", 0, NULL, 0, 0},
	END,
};
static const struct nd_ipt_option snat[] = {
	{"--to-source", 1, NULL, 0, 0},
	{"--random", 0, NULL, 0, 0},
	{"--random-fully", 0, NULL, 0, 0},
	{"--persistent", 0, NULL, 0, 0},
	END,
};
static const struct nd_ipt_option device_nat[] = {
	{"--to-ports", 1, NULL, 0, 0},
	{"--random", 0, NULL, 0, 0},
	{"--random-fully", 0, NULL, 0, 0},
	END,
};
static const struct nd_ipt_option ct[] = {
	{"--notrack", 0, NULL, 0, 0},	{"--helper", 1, NULL, 0, 0},  {"--ctevents", 1, NULL, 0, 0},
	{"--expevents", 1, NULL, 0, 0}, {"--timeout", 1, NULL, 0, 0}, END,
};
static const struct nd_ipt_option ttl[] = {
	{"--ttl-set", 1, NULL, 0, TTL_SET},
	{"--ttl-dec", 1, NULL, 0, TTL_DEC},
	{"--ttl-inc", 1, NULL, 0, TTL_INC},
	END,
};
static const struct nd_ipt_option hl[] = {
	{"--hl-set", 1, NULL, 0, TTL_SET},
	{"--hl-dec", 1, NULL, 0, TTL_DEC},
	{"--hl-inc", 1, NULL, 0, TTL_INC},
	END,
};
static const struct nd_ipt_option dscp[] = {{"--set-dscp", 1, NULL, 0, 0}, END};
static const struct nd_ipt_option tos[] = {{"--set-tos", 1, NULL, 0, 0}, END};

const struct nd_ipt_ext nd_ipt_targets[] = {
	{.name = "ACCEPT", .finish = finish_accept},
	{.name = "DROP", .finish = finish_drop},
	{.name = "RETURN", .finish = finish_return},
	{.name = "QUEUE", .finish = finish_queue},
	{.name = "NFQUEUE", .options = nfqueue, .finish = finish_nfqueue},
	{.name = "REJECT", .options = reject, .finish = finish_reject},
	{.name = "MARK", .options = mark, .finish = finish_mark},
	{.name = "CONNMARK", .options = connmark, .finish = finish_connmark},
	{.name = "DNAT", .options = dnat, .finish = finish_dnat},
	{.name = "SNAT", .options = snat, .finish = finish_snat},
	{.name = "MASQUERADE", .options = device_nat, .finish = finish_masquerade},
	{.name = "REDIRECT", .options = device_nat, .finish = finish_redirect},
	{.name = "NOTRACK", .finish = finish_notrack},
	{.name = "DSCP", .options = dscp, .finish = finish_dscp},
	{.name = "TOS", .options = tos, .finish = finish_tos},
	{.name = "TTL", .options = ttl, .finish = finish_ttl},
	{.name = "HL", .options = hl, .finish = finish_ttl},
	{.name = "CT", .options = ct, .finish = finish_ct},
	/* They go on, and change nothing that a match of ours looks at on the same way. */
	{.name = "AUDIT", .is_nothing = true},
	{.name = "CHECKSUM", .is_nothing = true},
	{.name = "CLASSIFY", .is_nothing = true},
	{.name = "CONNSECMARK", .is_nothing = true},
	{.name = "ECN", .is_nothing = true},
	{.name = "IDLETIMER", .is_nothing = true},
	{.name = "LED", .is_nothing = true},
	{.name = "LOG", .is_nothing = true},
	{.name = "NFLOG", .is_nothing = true},
	{.name = "RATEEST", .is_nothing = true},
	{.name = "SECMARK", .is_nothing = true},
	{.name = "TCPMSS", .is_nothing = true},
	{.name = "TCPOPTSTRIP", .is_nothing = true},
	{.name = "TEE", .is_nothing = true},
	{.name = "TRACE", .is_nothing = true},
	{.name = "ULOG", .is_nothing = true},
	{.name = NULL},
};
