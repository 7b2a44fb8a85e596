#include "common/base.h"

#include "agent/sys/nftables.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define MSG_TYPE(name) ((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | (name)))

static const struct {
	uint8_t nfproto;
	const char *family;
} families[] = {
	{NFPROTO_INET, "inet"}, {NFPROTO_IPV4, "ip"},	    {NFPROTO_ARP, "arp"},
	{NFPROTO_IPV6, "ip6"},	{NFPROTO_BRIDGE, "bridge"}, {NFPROTO_NETDEV, "netdev"},
};

/* The base chains of iptables (nft_table_builtin, iptables/nft.c); any other is one of nft's. */
static const struct {
	const char *table, *chain, *type;
	uint32_t hook;
	int32_t priority;
} builtin[] = {
	{"filter", "INPUT", "filter", NF_INET_LOCAL_IN, 0},
	{"filter", "FORWARD", "filter", NF_INET_FORWARD, 0},
	{"filter", "OUTPUT", "filter", NF_INET_LOCAL_OUT, 0},
	{"nat", "PREROUTING", "nat", NF_INET_PRE_ROUTING, -100},
	{"nat", "INPUT", "nat", NF_INET_LOCAL_IN, 100},
	{"nat", "OUTPUT", "nat", NF_INET_LOCAL_OUT, -100},
	{"nat", "POSTROUTING", "nat", NF_INET_POST_ROUTING, 100},
	{"mangle", "PREROUTING", "filter", NF_INET_PRE_ROUTING, -150},
	{"mangle", "INPUT", "filter", NF_INET_LOCAL_IN, -150},
	{"mangle", "FORWARD", "filter", NF_INET_FORWARD, -150},
	{"mangle", "OUTPUT", "route", NF_INET_LOCAL_OUT, -150},
	{"mangle", "POSTROUTING", "filter", NF_INET_POST_ROUTING, -150},
	{"raw", "PREROUTING", "filter", NF_INET_PRE_ROUTING, -300},
	{"raw", "OUTPUT", "filter", NF_INET_LOCAL_OUT, -300},
	{"security", "INPUT", "filter", NF_INET_LOCAL_IN, 50},
	{"security", "FORWARD", "filter", NF_INET_FORWARD, 50},
	{"security", "OUTPUT", "filter", NF_INET_LOCAL_OUT, 50},
};

/*
 * With any other expression in one rule iptables-nft-save says no more of the whole table than
 * "is incompatible, use 'nft' tool"; with a lookup in a set it shows the rule without that match
 * (both measured with 1.8.9). `log` and some limits are on either side of that: not counted on.
 */
static const char *const plain_exprs[] = {"match",   "target", "payload", "meta",     "cmp",
					  "bitwise", "range",  "counter", "immediate"};

bool nd_nftables_is_iptables(const struct nd_nftables_table *table)
{
	if (table->nfproto != NFPROTO_IPV4 && table->nfproto != NFPROTO_IPV6)
		return false;
	for (size_t i = 0; i < ND_ARRAY_LEN(builtin); i++)
		if (nd_eq(builtin[i].table, table->name))
			return true;
	return false;
}

/* A name that nft takes as one, and never as an option. */
static bool is_usable(const char *name)
{
	if (!((name[0] | 32) >= 'a' && (name[0] | 32) <= 'z') && name[0] != '_')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_./-")] == '\0';
}

static int list_visit(void *ctx, const struct nlmsghdr *msg, struct nd_err *err)
{
	struct nd_nftables *out = ctx;
	struct nd_attr attrs[NFTA_TABLE_MAX + 1];
	struct nd_nftables_table *table = &out->tables[out->n];
	const struct nfgenmsg *head = NLMSG_DATA(msg);

	if (!nd_nl_attrs(msg, sizeof(*head), attrs, NFTA_TABLE_MAX))
		return nd_err_set(err, ND_E_INPUT, "nf_tables: broken table");
	if (out->n == ND_NFTABLES_MAX)
		return nd_err_set(err, ND_E_LIMIT, "more than %d nf_tables tables",
				  ND_NFTABLES_MAX);
	*table = (struct nd_nftables_table){.nfproto = head->nfgen_family};
	for (size_t i = 0; i < ND_ARRAY_LEN(families); i++)
		if (families[i].nfproto == table->nfproto)
			table->family = families[i].family;
	nd_attr_text(attrs[NFTA_TABLE_NAME], table->name, sizeof(table->name));
	if (attrs[NFTA_TABLE_NAME].len > sizeof(table->name) || !is_usable(table->name))
		table->name[0] = '\0';
	table->use = ntohl(nd_attr_u32_or(attrs[NFTA_TABLE_USE], UINT32_MAX));
	out->n++;
	return 0;
}

int nd_nftables_list(struct nd_nl *nl, struct nd_nftables *out, struct nd_err *err)
{
	const struct nfgenmsg request = {.nfgen_family = NFPROTO_UNSPEC};

	out->n = 0;
	return nd_nl_visit(nl, MSG_TYPE(NFT_MSG_GETTABLE), &request, sizeof(request), list_visit,
			   out, err);
}

static bool is_builtin(const char *table, const struct nd_attr *chain)
{
	struct nd_attr hook[NFTA_HOOK_MAX + 1];
	char name[32], type[32];

	nd_attr_text(chain[NFTA_CHAIN_NAME], name, sizeof(name));
	nd_attr_text(chain[NFTA_CHAIN_TYPE], type, sizeof(type));
	nd_attr_index(chain[NFTA_CHAIN_HOOK].p, chain[NFTA_CHAIN_HOOK].len, hook, NFTA_HOOK_MAX);
	uint32_t num = ntohl(nd_attr_u32_or(hook[NFTA_HOOK_HOOKNUM], UINT32_MAX));
	int32_t priority = (int32_t)ntohl(nd_attr_u32_or(hook[NFTA_HOOK_PRIORITY], UINT32_MAX));
	for (size_t i = 0; i < ND_ARRAY_LEN(builtin); i++)
		if (nd_eq(builtin[i].table, table) && nd_eq(builtin[i].chain, name) &&
		    nd_eq(builtin[i].type, type) && builtin[i].hook == num &&
		    builtin[i].priority == priority)
			return true;
	return false;
}

static int chain_visit(void *ctx, const struct nlmsghdr *msg, struct nd_err *err)
{
	const struct nd_nftables_table *table = ctx;
	struct nd_attr attrs[NFTA_CHAIN_MAX + 1];
	char name[ND_NFTABLES_NAME_MAX + 1];

	if (!nd_nl_attrs(msg, sizeof(struct nfgenmsg), attrs, NFTA_CHAIN_MAX))
		return nd_err_set(err, ND_E_INPUT, "nf_tables: broken chain");
	nd_attr_text(attrs[NFTA_CHAIN_TABLE], name, sizeof(name));
	if (!nd_eq(name, table->name) || !attrs[NFTA_CHAIN_HOOK].p ||
	    is_builtin(table->name, attrs))
		return 0;
	return nd_err_set(err, ND_E_NOT_FOUND, "a base chain that is none of iptables'");
}

static bool is_plain_expr(struct nd_attr element)
{
	struct nd_attr attrs[NFTA_EXPR_MAX + 1];
	char name[32];

	nd_attr_index(element.p, element.len, attrs, NFTA_EXPR_MAX);
	nd_attr_text(attrs[NFTA_EXPR_NAME], name, sizeof(name));
	for (size_t i = 0; i < ND_ARRAY_LEN(plain_exprs); i++)
		if (nd_eq(plain_exprs[i], name))
			return true;
	return false;
}

static int rule_visit(ND_UNUSED void *ctx, const struct nlmsghdr *msg, struct nd_err *err)
{
	struct nd_attr attrs[NFTA_RULE_MAX + 1], element;

	if (!nd_nl_attrs(msg, sizeof(struct nfgenmsg), attrs, NFTA_RULE_MAX))
		return nd_err_set(err, ND_E_INPUT, "nf_tables: broken rule");
	struct nd_attr list = attrs[NFTA_RULE_EXPRESSIONS];
	while (nd_attr_next(&list, &element))
		if (!is_plain_expr(element))
			return nd_err_set(err, ND_E_NOT_FOUND, "a rule that is none of iptables'");
	return 0;
}

bool nd_nftables_is_plain(struct nd_nl *nl, const struct nd_nftables_table *table)
{
	struct {
		struct nfgenmsg head;
		struct nlattr attr;
		char name[12]; /* "security" is the longest; the kernel wants the NUL */
	} request = {.head.nfgen_family = table->nfproto};
	struct nd_nftables_table wanted = *table;
	struct nd_err ignored = {0};

	if (!nd_nftables_is_iptables(table))
		return false;
	size_t len = strlen(table->name);
	if (len >= sizeof(request.name))
		return false;
	memcpy(request.name, table->name, len);
	request.attr.nla_type = NFTA_RULE_TABLE;
	request.attr.nla_len = (uint16_t)(NLA_HDRLEN + len + 1);
	size_t n = sizeof(request.head) + NLA_ALIGN((size_t)request.attr.nla_len);
	return nd_nl_visit(nl, MSG_TYPE(NFT_MSG_GETCHAIN), &request.head, sizeof(request.head),
			   chain_visit, &wanted, &ignored) == 0 &&
	       nd_nl_visit(nl, MSG_TYPE(NFT_MSG_GETRULE), &request, n, rule_visit, NULL,
			   &ignored) == 0;
}
