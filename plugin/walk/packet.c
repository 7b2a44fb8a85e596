#include "common/base.h"

#include "plugin/walk/packet.h"

const struct nd_pkt *nd_pkt_keep(struct nd_arena *arena, const struct nd_pkt *packet,
				 const struct nd_pkt *last)
{
	struct nd_pkt *copy;

	/* Bytes between the fields may differ: then it is one copy more. */
	if (last && memcmp(last, packet, sizeof(*packet)) == 0)
		return last;
	copy = nd_arena_alloc(arena, sizeof(*copy));
	memcpy(copy, packet, sizeof(*copy));
	return copy;
}

static const char *proto_name(const struct nd_pkt *packet, char dst[16])
{
	switch (packet->proto) {
	case ND_PROTO_ICMP:
		return "icmp";
	case ND_PROTO_TCP:
		return "tcp";
	case ND_PROTO_UDP:
		return "udp";
	case ND_PROTO_ICMP6:
		return "icmp6";
	case ND_PROTO_SCTP:
		return "sctp";
	default:
		snprintf(dst, 16, "protocol %u", packet->proto);
		return dst;
	}
}

/* "10.0.0.1:80", "[fd00::1]:80", without the port where it is 0. */
static void end_text(struct nd_ip ip, uint16_t port, char dst[ND_IP_TEXT + 10])
{
	char text[ND_IP_TEXT];

	nd_ip_text(ip, text);
	if (port == 0)
		snprintf(dst, ND_IP_TEXT + 10, "%s", text);
	else
		snprintf(dst, ND_IP_TEXT + 10, ip.family == 6 ? "[%s]:%u" : "%s:%u", text, port);
}

const char *nd_pkt_text(struct nd_arena *arena, const struct nd_pkt *packet)
{
	char src[ND_IP_TEXT + 10], dst[ND_IP_TEXT + 10], proto[16], mark[24] = "";
	bool is_icmp = packet->proto == ND_PROTO_ICMP || packet->proto == ND_PROTO_ICMP6;

	end_text(packet->t.src, is_icmp ? 0 : packet->t.sport, src);
	end_text(packet->t.dst, is_icmp ? 0 : packet->t.dport, dst);
	if (packet->mark)
		snprintf(mark, sizeof(mark), " mark 0x%x", packet->mark);
	if (is_icmp)
		return nd_arena_printf(arena, "%s > %s %s type %u%s", src, dst,
				       proto_name(packet, proto), packet->icmp_type, mark);
	return nd_arena_printf(arena, "%s > %s %s%s", src, dst, proto_name(packet, proto), mark);
}
