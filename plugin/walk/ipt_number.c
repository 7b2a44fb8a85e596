#include "common/base.h"

#include "plugin/walk/ipt_rule.h"

/* A leading 0 would be octal to iptables, which never prints it. */
bool nd_ipt_number(struct nd_str text, uint32_t max, uint32_t *out)
{
	uint64_t number;

	if (text.n > 2 && text.p[0] == '0' && (text.p[1] | 0x20) == 'x') {
		if (!nd_parse_hex(text, max, &number))
			return false;
	} else if ((text.n > 1 && text.p[0] == '0') || !nd_parse_u64(text, max, &number)) {
		return false;
	}
	*out = (uint32_t)number;
	return true;
}

/* "53", "30000:32767", ":1023", "1024:" */
bool nd_ipt_range(const char *text, char separator, uint32_t max, uint32_t *lo, uint32_t *hi)
{
	const char *at = strchr(text, separator);

	if (!at)
		return nd_ipt_number(nd_str(text), max, lo) && (*hi = *lo, true);
	*lo = 0;
	*hi = max;
	if (at != text && !nd_ipt_number((struct nd_str){text, (size_t)(at - text)}, max, lo))
		return false;
	if (at[1] && !nd_ipt_number(nd_str(at + 1), max, hi))
		return false;
	return *lo <= *hi;
}

bool nd_ipt_masked(const char *text, uint32_t *number, uint32_t *mask)
{
	const char *slash = strchr(text, '/');
	struct nd_str first = nd_str(text);

	*mask = UINT32_MAX;
	if (slash) {
		first.n = (size_t)(slash - text);
		if (!nd_ipt_number(nd_str(slash + 1), UINT32_MAX, mask))
			return false;
	}
	return nd_ipt_number(first, UINT32_MAX, number);
}

bool nd_ipt_ip(const struct nd_ipt_work *work, struct nd_str text, struct nd_ip *out)
{
	char copy[ND_IP_TEXT];
	struct nd_ip ip;

	if (text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (!nd_ip_parse(copy, &ip) || ip.family != work->family)
		return false;
	*out = ip;
	return true;
}

bool nd_ipt_ip_range(const struct nd_ipt_work *work, struct nd_str text, struct nd_ip *lo,
		     struct nd_ip *hi)
{
	const char *dash = memchr(text.p, '-', text.n);
	size_t n = dash ? (size_t)(dash - text.p) : text.n;

	if (!nd_ipt_ip(work, (struct nd_str){text.p, n}, lo))
		return false;
	*hi = *lo;
	if (dash && !nd_ipt_ip(work, (struct nd_str){dash + 1, text.n - n - 1}, hi))
		return false;
	return memcmp(lo->bytes, hi->bytes, sizeof(lo->bytes)) <= 0;
}

bool nd_ipt_proto(const char *text, uint8_t *out)
{
	/* As xtables prints them (xtables_chain_protos), and /etc/protocols of Debian 12. */
	static const struct nd_ipt_word names[] = {{"tcp", 6},	      {"udp", 17},
						   {"icmp", 1},	      {"ipv6-icmp", 58},
						   {"icmpv6", 58},    {"sctp", 132},
						   {"all", 0},	      {"mh", 135},
						   {"ipv6-mh", 135},  {"igmp", 2},
						   {"ggp", 3},	      {"ipencap", 4},
						   {"st", 5},	      {"egp", 8},
						   {"igp", 9},	      {"pup", 12},
						   {"hmp", 20},	      {"xns-idp", 22},
						   {"rdp", 27},	      {"iso-tp4", 29},
						   {"dccp", 33},      {"xtp", 36},
						   {"ddp", 37},	      {"idpr-cmtp", 38},
						   {"ipv6", 41},      {"ipv6-route", 43},
						   {"ipv6-frag", 44}, {"idrp", 45},
						   {"rsvp", 46},      {"gre", 47},
						   {"esp", 50},	      {"ah", 51},
						   {"skip", 57},      {"ipv6-nonxt", 59},
						   {"ipv6-opts", 60}, {"rspf", 73},
						   {"vmtp", 81},      {"eigrp", 88},
						   {"ospf", 89},      {"ax.25", 93},
						   {"ipip", 94},      {"etherip", 97},
						   {"encap", 98},     {"pim", 103},
						   {"ipcomp", 108},   {"vrrp", 112},
						   {"l2tp", 115},     {"isis", 124},
						   {"fc", 133},	      {"mobility-header", 135},
						   {"udplite", 136},  {"mpls-in-ip", 137},
						   {"manet", 138},    {"hip", 139},
						   {"shim6", 140},    {"wesp", 141},
						   {"rohc", 142},     {"ethernet", 143}};
	uint32_t number;

	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++) {
		if (strcmp(names[i].name, text) == 0) {
			*out = (uint8_t)names[i].value;
			return true;
		}
	}
	if (!nd_ipt_number(nd_str(text), UINT8_MAX, &number))
		return false;
	*out = (uint8_t)number;
	return true;
}

bool nd_ipt_list_next(struct nd_str *rest, struct nd_str *item)
{
	const char *comma;

	if (!rest->p)
		return false;
	comma = memchr(rest->p, ',', rest->n);
	*item = *rest;
	if (!comma) {
		*rest = (struct nd_str){0};
		return true;
	}
	item->n = (size_t)(comma - rest->p);
	rest->p += item->n + 1;
	rest->n -= item->n + 1;
	return true;
}

bool nd_ipt_bits(const char *list, const struct nd_ipt_word *words, size_t n, uint32_t *out)
{
	struct nd_str rest = nd_str(list), item;
	size_t i;

	*out = 0;
	while (nd_ipt_list_next(&rest, &item)) {
		for (i = 0; i < n && !nd_str_eq(item, words[i].name); i++)
			;
		if (i == n)
			return false;
		*out |= words[i].value;
	}
	return true;
}
