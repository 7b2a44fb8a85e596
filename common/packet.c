#include "common/base.h"

#include "common/packet.h"

#include <netinet/in.h>

enum { IP4_HEAD = 20, IP6_HEAD = 40, UDP_HEAD = 8, VXLAN_HEAD = 8, ETH_HEAD = 14, ICMP_HEAD = 8 };
enum { TCP_FLAGS_AT = 13, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };
enum { VXLAN_HAS_ID = 0x08 }; /* RFC 7348: the one flag that must be set */
enum { MAX_EXTENSIONS = 8 };  /* IPv6 headers before the one of the transport */

static const char *const names[ND_PACKET_WHATS] = {"SYN", "SYN-ACK", "RST", "UDP", "ICMP"};

/* What is left of the packet. */
struct view {
	const uint8_t *p;
	size_t n;
};

struct ip_head {
	struct nd_ip src, dst;
	uint8_t proto;
	bool is_later; /* a fragment without the transport's header */
};

const char *nd_packet_what_name(enum nd_packet_what what)
{
	return names[what];
}

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool skip(struct view *v, size_t n)
{
	if (v->n < n)
		return false;
	v->p += n;
	v->n -= n;
	return true;
}

static struct nd_ip address(uint8_t family, const uint8_t *p)
{
	struct nd_ip ip = {.family = family};

	memcpy(ip.bytes, p, family == 4 ? 4 : 16);
	return ip;
}

static bool take_ip4(struct view *v, struct ip_head *head)
{
	size_t len;

	if (v->n < IP4_HEAD)
		return false;
	len = (size_t)(v->p[0] & 0x0f) * 4;
	if (len < IP4_HEAD)
		return false;
	head->is_later = (be16(v->p + 6) & 0x1fff) != 0;
	head->proto = v->p[9];
	head->src = address(4, v->p + 12);
	head->dst = address(4, v->p + 16);
	return skip(v, len);
}

/* Extension headers are passed over; of a later fragment nothing behind its header is known. */
static bool take_ip6(struct view *v, struct ip_head *head)
{
	if (v->n < IP6_HEAD)
		return false;
	head->proto = v->p[6];
	head->src = address(6, v->p + 8);
	head->dst = address(6, v->p + 24);
	skip(v, IP6_HEAD);
	for (int i = 0; i < MAX_EXTENSIONS && !head->is_later; i++) {
		bool is_fragment = head->proto == IPPROTO_FRAGMENT;

		if (!is_fragment && head->proto != IPPROTO_HOPOPTS &&
		    head->proto != IPPROTO_ROUTING && head->proto != IPPROTO_DSTOPTS)
			return true;
		if (v->n < 8)
			return false;
		head->proto = v->p[0];
		head->is_later = is_fragment && (be16(v->p + 2) & 0xfff8) != 0;
		if (!skip(v, is_fragment ? 8 : ((size_t)v->p[1] + 1) * 8))
			return false;
	}
	return head->is_later;
}

static bool take_ip(struct view *v, struct ip_head *head)
{
	*head = (struct ip_head){0};
	if (v->n == 0)
		return false;
	if (v->p[0] >> 4 == 4)
		return take_ip4(v, head);
	return v->p[0] >> 4 == 6 && take_ip6(v, head);
}

static bool parse_tcp(struct view v, struct nd_packet *out)
{
	uint8_t flags;

	if (v.n <= TCP_FLAGS_AT)
		return false;
	flags = v.p[TCP_FLAGS_AT];
	if (!(flags & (TCP_SYN | TCP_RST)))
		return false;
	out->what = flags & TCP_RST	     ? ND_PACKET_RST
		    : (flags & TCP_ACK) != 0 ? ND_PACKET_SYN_ACK
					     : ND_PACKET_SYN;
	out->sport = be16(v.p);
	out->dport = be16(v.p + 2);
	return true;
}

static bool is_icmp_error(const struct ip_head *head, uint8_t type)
{
	if (head->src.family == 6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 5 || type == 11;
}

static bool parse_icmp(struct view v, const struct ip_head *head, struct nd_packet *out)
{
	struct ip_head quoted;
	const uint8_t *p = v.p;

	if (!skip(&v, ICMP_HEAD) || !is_icmp_error(head, p[0]) || !take_ip(&v, &quoted) ||
	    quoted.src.family != head->src.family)
		return false;
	out->what = ND_PACKET_ICMP;
	out->icmp_from = head->src;
	out->icmp_type = p[0];
	out->icmp_code = p[1];
	out->src = quoted.src;
	out->dst = quoted.dst;
	if (!quoted.is_later && v.n >= 4 &&
	    (quoted.proto == IPPROTO_TCP || quoted.proto == IPPROTO_UDP)) {
		out->sport = be16(v.p);
		out->dport = be16(v.p + 2);
	}
	return true;
}

static bool parse_udp(struct view v, struct nd_packet *out)
{
	if (v.n < UDP_HEAD)
		return false;
	out->what = ND_PACKET_UDP;
	out->sport = be16(v.p);
	out->dport = be16(v.p + 2);
	return out->sport == ND_PORT_DNS || out->dport == ND_PORT_DNS;
}

/* The IP packet in a VXLAN frame; v begins with the UDP header. */
static bool unwrap(struct view *v)
{
	uint16_t type;

	if (v->n < UDP_HEAD + VXLAN_HEAD + ETH_HEAD)
		return false;
	if (be16(v->p + 2) != ND_PORT_VXLAN && be16(v->p + 2) != ND_PORT_VXLAN_LINUX)
		return false;
	if (!(v->p[UDP_HEAD] & VXLAN_HAS_ID))
		return false;
	type = be16(v->p + UDP_HEAD + VXLAN_HEAD + 12);
	return skip(v, UDP_HEAD + VXLAN_HEAD + ETH_HEAD) && (type == 0x0800 || type == 0x86dd);
}

bool nd_packet_parse(const uint8_t *p, size_t n, struct nd_packet *out)
{
	struct view v = {p, n}, inside;
	struct ip_head head;

	memset(out, 0, sizeof(*out));
	if (!take_ip(&v, &head) || head.is_later)
		return false;
	inside = v;
	if (head.proto == IPPROTO_UDP && unwrap(&inside)) {
		out->vxlan_src = head.src;
		out->vxlan_dst = head.dst;
		v = inside;
		if (!take_ip(&v, &head) || head.is_later)
			return false;
	}
	out->src = head.src;
	out->dst = head.dst;
	if (head.proto == IPPROTO_TCP)
		return parse_tcp(v, out);
	if (head.proto == IPPROTO_UDP)
		return parse_udp(v, out);
	if (head.proto == (head.src.family == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return parse_icmp(v, &head, out);
	return false;
}
