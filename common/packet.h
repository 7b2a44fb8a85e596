/*
 * packet.h: what the first bytes of an IP packet say, as far as it helps to find where packets
 * vanish: how TCP connections begin and break, DNS, ICMP errors with the packet they are about;
 * each also inside VXLAN. Knows no sockets. Bytes are hostile.
 *
 *	struct nd_packet packet;
 *	if (nd_packet_parse(bytes, n, &packet)) ...packet.what, packet.src...
 */
#ifndef ND_COMMON_PACKET_H
#define ND_COMMON_PACKET_H

#include "common/base.h"

#include "common/addr.h"

/*
 * Bytes of a packet that are worth having: over IPv6 a VXLAN frame with an ICMPv6 error about an
 * IPv6 packet takes 40 + 8 + 8 + 14 + 40 + 8 + 40 + 4; options and extension headers come on top.
 */
#define ND_PACKET_SNAP 256

enum { ND_PORT_DNS = 53, ND_PORT_VXLAN = 4789, ND_PORT_VXLAN_LINUX = 8472 };

enum nd_packet_what {
	ND_PACKET_SYN,
	ND_PACKET_SYN_ACK,
	ND_PACKET_RST,
	ND_PACKET_UDP,
	ND_PACKET_ICMP,
	ND_PACKET_WHATS
};

struct nd_packet {
	enum nd_packet_what what;
	struct nd_ip src, dst;		   /* of an ICMP error: of the packet it is about */
	uint16_t sport, dport;		   /* 0: not said (an ICMP error about an echo) */
	struct nd_ip icmp_from;		   /* who sent the error; family 0: no ICMP */
	uint8_t icmp_type, icmp_code;	   /* by family of icmp_from */
	struct nd_ip vxlan_src, vxlan_dst; /* outer addresses; family 0: not encapsulated */
};

/*
 * p[n] begins with the IP header. False: another kind of packet, a later fragment, or cut too
 * early; *out is undefined then. All bytes of *out are set, also padding: it may be compared whole.
 */
bool nd_packet_parse(const uint8_t *p, size_t n, struct nd_packet *out);
const char *nd_packet_what_name(enum nd_packet_what what); /* docs/wire.md, section "watch" */

#endif
