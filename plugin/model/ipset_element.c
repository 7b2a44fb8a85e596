/* ipset_element.c: one element as ipset prints it. Source: ipset 7.17, lib/print.c, lib/icmp.c. */
#include "common/base.h"

#include "plugin/model/ipset_parts.h"

#define MAX_WORD 64 /* bytes of the longest part: an address with its length */

static bool copy_word(struct nd_str text, char word[MAX_WORD])
{
	if (text.n == 0 || text.n >= MAX_WORD || memchr(text.p, '\0', text.n))
		return false;
	memcpy(word, text.p, text.n);
	word[text.n] = '\0';
	return true;
}

bool nd_ipset_ip(const struct nd_ipset *set, struct nd_str text, uint8_t *out)
{
	char word[MAX_WORD];
	struct nd_ip ip;

	if (!copy_word(text, word) || !nd_ip_parse(word, &ip) || ip.family != set->family)
		return false;
	memcpy(out, ip.bytes, ip.family == 6 ? 16 : 4);
	return true;
}

/* The length, then the address; host bits are the kernel's to take off, and it has. */
static bool read_net(const struct nd_ipset *set, struct nd_str text, uint8_t *out)
{
	const char *slash = memchr(text.p, '/', text.n);
	uint64_t bits = set->family == 6 ? 128 : 32;

	if (slash) {
		struct nd_str len = {slash + 1, text.n - (size_t)(slash + 1 - text.p)};

		if (!nd_parse_u64(len, bits, &bits))
			return false;
		text.n = (size_t)(slash - text.p);
	}
	out[0] = (uint8_t)bits;
	if (!nd_ipset_ip(set, text, out + 1))
		return false;
	for (size_t i = bits; i < (set->family == 6 ? 128u : 32u); i++)
		if (out[1 + i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

/* Names of /etc/protocols that have been seen in sets; others come as numbers. */
static bool read_proto(struct nd_str text, uint8_t *out)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = {{"tcp", 6},     {"udp", 17},    {"sctp", 132},	{"udplite", 136},
		     {"icmp", 1},    {"icmpv6", 58}, {"ipv6-icmp", 58}, {"igmp", 2},
		     {"dccp", 33},   {"gre", 47},    {"esp", 50},	{"ah", 51},
		     {"ospf", 89},   {"ipip", 94},   {"pim", 103},	{"vrrp", 112},
		     {"ipencap", 4}, {"ipv6", 41},   {"l2tp", 115}};
	uint64_t number;

	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++) {
		if (!nd_str_eq(text, names[i].name))
			continue;
		*out = names[i].number;
		return true;
	}
	if (!nd_parse_u64(text, UINT8_MAX, &number))
		return false;
	*out = (uint8_t)number;
	return true;
}

struct icmp_name {
	const char *name;
	uint8_t type, code;
};
static const struct icmp_name icmp_names[] = {
	{"echo-reply", 0, 0},
	{"network-unreachable", 3, 0},
	{"host-unreachable", 3, 1},
	{"protocol-unreachable", 3, 2},
	{"port-unreachable", 3, 3},
	{"fragmentation-needed", 3, 4},
	{"source-route-failed", 3, 5},
	{"network-unknown", 3, 6},
	{"host-unknown", 3, 7},
	{"network-prohibited", 3, 9},
	{"host-prohibited", 3, 10},
	{"TOS-network-unreachable", 3, 11},
	{"TOS-host-unreachable", 3, 12},
	{"communication-prohibited", 3, 13},
	{"host-precedence-violation", 3, 14},
	{"precedence-cutoff", 3, 15},
	{"source-quench", 4, 0},
	{"network-redirect", 5, 0},
	{"host-redirect", 5, 1},
	{"TOS-network-redirect", 5, 2},
	{"TOS-host-redirect", 5, 3},
	{"echo-request", 8, 0},
	{"router-advertisement", 9, 0},
	{"router-solicitation", 10, 0},
	{"ttl-zero-during-transit", 11, 0},
	{"ttl-zero-during-reassembly", 11, 1},
	{"ip-header-bad", 12, 0},
	{"required-option-missing", 12, 1},
	{"timestamp-request", 13, 0},
	{"timestamp-reply", 14, 0},
	{"address-mask-request", 17, 0},
	{"address-mask-reply", 18, 0},
	{NULL, 0, 0},
};
static const struct icmp_name icmp6_names[] = {
	{"no-route", 1, 0},
	{"communication-prohibited", 1, 1},
	{"address-unreachable", 1, 3},
	{"port-unreachable", 1, 4},
	{"packet-too-big", 2, 0},
	{"ttl-zero-during-transit", 3, 0},
	{"ttl-zero-during-reassembly", 3, 1},
	{"bad-header", 4, 0},
	{"unknown-header-type", 4, 1},
	{"unknown-option", 4, 2},
	{"echo-request", 128, 0},
	{"echo-reply", 129, 0},
	{"router-solicitation", 133, 0},
	{"router-advertisement", 134, 0},
	{"neighbour-solicitation", 135, 0},
	{"neighbour-advertisement", 136, 0},
	{"redirect", 137, 0},
	{NULL, 0, 0},
};

/* "echo-request", "8/0": type and code stand where a port would. */
static bool read_icmp(struct nd_str text, bool is_six, uint8_t *out)
{
	const char *slash = memchr(text.p, '/', text.n);
	uint64_t type, code;

	for (const struct icmp_name *row = is_six ? icmp6_names : icmp_names; row->name; row++) {
		if (!nd_str_eq(text, row->name))
			continue;
		out[0] = row->type;
		out[1] = row->code;
		return true;
	}
	if (!slash ||
	    !nd_parse_u64((struct nd_str){text.p, (size_t)(slash - text.p)}, UINT8_MAX, &type) ||
	    !nd_parse_u64((struct nd_str){slash + 1, text.n - (size_t)(slash + 1 - text.p)},
			  UINT8_MAX, &code))
		return false;
	out[0] = (uint8_t)type;
	out[1] = (uint8_t)code;
	return true;
}

static bool read_port(const struct nd_ipset *set, struct nd_str text, uint8_t *out)
{
	const char *colon = memchr(text.p, ':', text.n);
	uint64_t port;

	out[0] = 0;
	if (!set->is_bitmap) {
		if (!colon || !read_proto((struct nd_str){text.p, (size_t)(colon - text.p)}, out))
			return false;
		text = (struct nd_str){colon + 1, text.n - (size_t)(colon + 1 - text.p)};
		if (out[0] == 1 || out[0] == 58)
			return read_icmp(text, out[0] == 58, out + 1);
	}
	if (!nd_parse_u64(text, UINT16_MAX, &port))
		return false;
	out[1] = (uint8_t)(port >> 8);
	out[2] = (uint8_t)port;
	return true;
}

/* "physdev:" never matches a rule of iptables, but it may hide what does: not known. */
static bool read_iface(struct nd_str text, uint8_t *out)
{
	if (text.n == 0 || text.n > 15 || memchr(text.p, '\0', text.n) ||
	    nd_str_starts(text, "physdev:"))
		return false;
	memset(out, 0, 16);
	memcpy(out, text.p, text.n);
	return true;
}

static bool read_mark(struct nd_str text, uint8_t *out)
{
	uint64_t mark;

	if (!nd_parse_hex(text, UINT32_MAX, &mark))
		return false;
	for (size_t i = 4; i-- > 0; mark >>= 8)
		out[i] = (uint8_t)mark;
	return true;
}

static bool read_mac(struct nd_str text, uint8_t *out)
{
	if (text.n != 17)
		return false;
	for (size_t i = 0; i < 6; i++) {
		uint64_t byte;

		if (!nd_parse_hex((struct nd_str){text.p + i * 3, 2}, UINT8_MAX, &byte) ||
		    text.p[i * 3 + 1] == 'x' || text.p[i * 3 + 1] == 'X' ||
		    (i < 5 && text.p[i * 3 + 2] != ':'))
			return false;
		out[i] = (uint8_t)byte;
	}
	return true;
}

/* One part; its bytes, 0: not known. */
static size_t read_part(const struct nd_ipset *set, uint8_t part, struct nd_str text, uint8_t *out)
{
	size_t width = set->family == 6 ? 16 : 4;

	switch (part) {
	case ND_IPSET_IP:
		return nd_ipset_ip(set, text, out) ? width : 0;
	case ND_IPSET_NET:
		return read_net(set, text, out) ? width + 1 : 0;
	case ND_IPSET_PORT:
		return read_port(set, text, out) ? 3 : 0;
	case ND_IPSET_IFACE:
		return read_iface(text, out) ? 16 : 0;
	case ND_IPSET_MARK:
		return read_mark(text, out) ? 4 : 0;
	default:
		return read_mac(text, out) ? 6 : 0;
	}
}

bool nd_ipset_element(const struct nd_ipset *set, struct nd_str text, uint8_t *out)
{
	size_t at = 1;

	for (size_t i = 0; i < set->nparts; i++) {
		bool is_last = i + 1 == set->nparts;
		const char *comma = is_last ? NULL : memchr(text.p, ',', text.n);
		struct nd_str part = {text.p, comma ? (size_t)(comma - text.p) : text.n};
		size_t n;

		/* bitmap:ip,mac: without, until the first packet has shown it. */
		if (!comma && !is_last && !(set->is_bitmap && set->parts[i + 1] == ND_IPSET_MAC))
			return false;
		n = read_part(set, set->parts[i], part, out + at);
		if (n == 0)
			return false;
		at += n;
		if (!comma && !is_last) {
			memset(out + at, 0, 6);
			return true;
		}
		if (comma)
			text = (struct nd_str){comma + 1, text.n - part.n - 1};
	}
	return true;
}
