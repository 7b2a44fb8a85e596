#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/netjson.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static const struct nd_numname action_rows[] = {
	{FR_ACT_GOTO, "goto"},
	{FR_ACT_NOP, "nop"},
	{FR_ACT_BLACKHOLE, "blackhole"},
	{FR_ACT_UNREACHABLE, "unreachable"},
	{FR_ACT_PROHIBIT, "prohibit"},
};

static void end_write(struct nd_jsonw *w, const char *key, const char *len_key, int family,
		      struct nd_attr addr, uint8_t len)
{
	struct nd_ip ip;
	char text[ND_IP_TEXT];

	if (!nd_netjson_ip_get(&ip, family, addr))
		return;
	nd_jsonw_str(w, key, nd_ip_text(ip, text));
	if (len != (family == AF_INET ? 32 : 128))
		nd_jsonw_uint(w, len_key, len);
}

static void mark_write(struct nd_jsonw *w, struct nd_attr mark, struct nd_attr mask)
{
	uint32_t value, bits = nd_attr_u32_or(mask, UINT32_MAX);
	char text[16];

	if (!nd_attr_u32(mark, &value) || (value == 0 && bits == 0))
		return;
	snprintf(text, sizeof(text), "0x%x", value);
	nd_jsonw_str(w, "fwmark", text);
	if (bits == UINT32_MAX)
		return;
	snprintf(text, sizeof(text), "0x%x", bits);
	nd_jsonw_str(w, "fwmask", text);
}

static void name_write(struct nd_jsonw *w, const char *key, struct nd_attr attr)
{
	char name[16];

	if (attr.p)
		nd_jsonw_str(w, key, nd_attr_text(attr, name, sizeof(name)));
}

static void rule_write(struct nd_jsonw *w, const struct nlmsghdr *msg, int family)
{
	const struct fib_rule_hdr *head = NLMSG_DATA(msg);
	struct nd_attr attrs[FRA_MAX + 1];
	uint32_t number;

	if (msg->nlmsg_type != RTM_NEWRULE || !nd_nl_attrs(msg, sizeof(*head), attrs, FRA_MAX) ||
	    head->family != family)
		return;
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_uint(w, "priority", nd_attr_u32_or(attrs[FRA_PRIORITY], 0));
	if (head->flags & FIB_RULE_INVERT)
		nd_jsonw_bool(w, "not", true);
	if (attrs[FRA_SRC].p)
		end_write(w, "src", "srclen", family, attrs[FRA_SRC], head->src_len);
	else
		nd_jsonw_str(w, "src", "all");
	end_write(w, "dst", "dstlen", family, attrs[FRA_DST], head->dst_len);
	mark_write(w, attrs[FRA_FWMARK], attrs[FRA_FWMASK]);
	name_write(w, "iif", attrs[FRA_IIFNAME]);
	name_write(w, "oif", attrs[FRA_OIFNAME]);
	if (head->action == FR_ACT_TO_TBL) {
		nd_netjson_table(w, "table", nd_attr_u32_or(attrs[FRA_TABLE], head->table));
		number = nd_attr_u32_or(attrs[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX);
		if (number != UINT32_MAX)
			nd_jsonw_uint(w, "suppress_prefixlen", number);
	} else {
		nd_netjson_num(w, "action", head->action, action_rows, ND_ARRAY_LEN(action_rows));
	}
	if (nd_attr_u32(attrs[FRA_GOTO], &number))
		nd_jsonw_uint(w, "goto", number);
	nd_jsonw_str(w, "family", nd_netjson_family(family));
	nd_jsonw_end(w, '}');
}

int nd_rules_write(const struct nd_netjson *j, const char *key, struct nd_err *err)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ND_ARRAY_LEN(families); i++) {
		struct fib_rule_hdr head = {.family = (uint8_t)families[i]};
		struct nd_err why = {0};
		struct nd_nl_iter it;
		const struct nlmsghdr *msg;
		int got = nd_nl_dump(j->nl, RTM_GETRULE, &head, sizeof(head), j->raw, &why);

		/* A kernel without IPv6 has no rules for it, and says so. */
		if (got < 0 && (i == 0 || why.sys_errno != EAFNOSUPPORT)) {
			if (err)
				*err = why;
			return -1;
		}
		if (i == 0)
			nd_jsonw_begin(j->w, key, '[');
		it = nd_nl_iter(j->raw);
		while (got == 0 && (msg = nd_nl_next(&it)))
			rule_write(j->w, msg, families[i]);
	}
	nd_jsonw_end(j->w, ']');
	return 0;
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	return nd_netjson_run(agent, out, nd_rules_write, err);
}

const struct nd_collector nd_collector_rules = {.name = "rules", .run = run};
