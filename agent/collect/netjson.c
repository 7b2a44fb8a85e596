#include "common/base.h"

#include "agent/collect/netjson.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* Hardware addresses: Ethernet 6, InfiniBand 20, at most MAX_ADDR_LEN 32. */
#define MAX_MAC 32

static int names_need(struct nd_agent *agent, struct nd_err *err)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	struct {
		struct ifinfomsg head;
		struct nlattr attr;
		uint32_t mask;
	} request = {
		.head = head,
		.attr = {.nla_len = NLA_HDRLEN + sizeof(uint32_t), .nla_type = IFLA_EXT_MASK},
		.mask = RTEXT_FILTER_SKIP_STATS,
	};

	if (agent->has_names)
		return 0;
	if (nd_nl_dump(&agent->nl, RTM_GETLINK, &request, sizeof(request), &agent->raw, err) < 0)
		return -1;
	nd_ifnames_load(&agent->names, &agent->raw);
	agent->has_names = true;
	return 0;
}

int nd_netjson_run(struct nd_agent *agent, struct nd_buf *out,
		   int (*write)(const struct nd_netjson *j, const char *key, struct nd_err *err),
		   struct nd_err *err)
{
	struct nd_jsonw w = {.out = out};
	struct nd_netjson j = {
		.nl = &agent->nl,
		.raw = &agent->raw,
		.names = &agent->names,
		.w = &w,
		.ioctl_fd = agent->ioctl_fd,
	};

	if (agent->nl.fd < 0) {
		*err = agent->nl_err;
		return -1;
	}
	if (names_need(agent, err) < 0)
		return -1;
	return write(&j, NULL, err);
}

void nd_netjson_dev(const struct nd_netjson *j, const char *key, uint32_t index)
{
	const char *name = nd_ifnames_find(j->names, index);
	char text[16];

	if (!name) {
		snprintf(text, sizeof(text), "if%u", index); /* as ip -n does */
		name = text;
	}
	nd_jsonw_str(j->w, key, name);
}

bool nd_netjson_ip_get(struct nd_ip *ip, int family, struct nd_attr attr)
{
	size_t n = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;

	*ip = (struct nd_ip){0};
	if (!n || !attr.p || attr.len < n)
		return false;
	ip->family = n == 4 ? 4 : 6;
	memcpy(ip->bytes, attr.p, n);
	return true;
}

void nd_netjson_ip(struct nd_jsonw *w, const char *key, int family, struct nd_attr attr)
{
	struct nd_ip ip;
	char text[ND_IP_TEXT];

	if (nd_netjson_ip_get(&ip, family, attr))
		nd_jsonw_str(w, key, nd_ip_text(ip, text));
}

void nd_netjson_mac(struct nd_jsonw *w, const char *key, struct nd_attr attr)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = attr.p;
	char text[MAX_MAC * 3 + 1], *at = text;

	if (!attr.p || attr.len == 0 || attr.len > MAX_MAC)
		return;
	for (size_t i = 0; i < attr.len; i++) {
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 15];
		*at++ = ':';
	}
	nd_jsonw_strn(w, key, text, (size_t)(at - text) - 1);
}

void nd_netjson_num(struct nd_jsonw *w, const char *key, uint32_t number,
		    const struct nd_numname *rows, size_t nrows)
{
	char text[16];

	for (size_t i = 0; i < nrows; i++) {
		if (rows[i].number == number) {
			nd_jsonw_str(w, key, rows[i].name);
			return;
		}
	}
	snprintf(text, sizeof(text), "%u", number);
	nd_jsonw_str(w, key, text);
}

void nd_netjson_bits(struct nd_jsonw *w, const char *key, uint32_t bits,
		     const struct nd_numname *rows, size_t nrows)
{
	bool is_open = false;

	for (size_t i = 0; i < nrows; i++) {
		if (!(bits & rows[i].number))
			continue;
		if (!is_open)
			nd_jsonw_begin(w, key, '[');
		is_open = true;
		nd_jsonw_str(w, NULL, rows[i].name);
	}
	if (is_open)
		nd_jsonw_end(w, ']');
}

void nd_netjson_table(struct nd_jsonw *w, const char *key, uint32_t table)
{
	static const struct nd_numname rows[] = {
		{RT_TABLE_DEFAULT, "default"},
		{RT_TABLE_MAIN, "main"},
		{RT_TABLE_LOCAL, "local"},
	};

	nd_netjson_num(w, key, table, rows, ND_ARRAY_LEN(rows));
}

void nd_netjson_scope(struct nd_jsonw *w, const char *key, uint32_t scope)
{
	static const struct nd_numname rows[] = {
		{RT_SCOPE_UNIVERSE, "global"}, {RT_SCOPE_SITE, "site"},
		{RT_SCOPE_LINK, "link"},       {RT_SCOPE_HOST, "host"},
		{RT_SCOPE_NOWHERE, "nowhere"},
	};

	nd_netjson_num(w, key, scope, rows, ND_ARRAY_LEN(rows));
}

const char *nd_netjson_family(int family)
{
	return family == AF_INET ? "inet" : family == AF_INET6 ? "inet6" : NULL;
}
