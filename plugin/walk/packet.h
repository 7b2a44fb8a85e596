/*
 * packet.h: one packet and what the kernel knows of its connection, as it changes on its way.
 */
#ifndef ND_PLUGIN_WALK_PACKET_H
#define ND_PLUGIN_WALK_PACKET_H

#include "plugin/model/ruleset.h"

enum {
	ND_PROTO_ICMP = 1,
	ND_PROTO_TCP = 6,
	ND_PROTO_UDP = 17,
	ND_PROTO_ICMP6 = 58,
	ND_PROTO_SCTP = 132
};

/* Addresses and ports of one direction. */
struct nd_tuple {
	struct nd_ip src, dst;
	uint16_t sport, dport; /* ICMP echo: sport is the id, dport 0 */
};

static inline bool nd_tuple_eq(struct nd_tuple a, struct nd_tuple b)
{
	return nd_ip_eq(a.src, b.src) && nd_ip_eq(a.dst, b.dst) && a.sport == b.sport &&
	       a.dport == b.dport;
}

struct nd_ct {
	uint32_t state;	 /* one ND_CT_* bit */
	uint32_t status; /* bits as ND_F_CT_STATUS */
	uint32_t mark;
	bool is_reply;		       /* direction of this packet */
	struct nd_tuple orig, reply;   /* reply.dst is where answers are sent to: after NAT */
	bool has_src_nat, has_dst_nat; /* decided: the nat chains of that kind are passed by */
	const char *masquerade_dev;    /* by which it must leave since then, or NULL */
};

struct nd_pkt {
	uint8_t family; /* 4, 6 */
	uint8_t proto;
	struct nd_tuple t;
	uint8_t tcp_flags, icmp_type, icmp_code;
	uint8_t ttl, dscp;
	uint16_t length; /* bytes of the IP packet */
	uint32_t mark;
	const char *iif, *oif;	      /* or NULL */
	const char *physin, *physout; /* bridge ports, or NULL */
	uint8_t pkttype;	      /* 0 host, 1 broadcast, 2 multicast, 3 otherhost */
	struct nd_ct ct;
};

/* A copy that stays; the last one that was kept, or NULL, when that is the same. */
const struct nd_pkt *nd_pkt_keep(struct nd_arena *arena, const struct nd_pkt *packet,
				 const struct nd_pkt *last);
/* "10.244.1.2:40000 > 10.96.0.1:443 tcp mark 0x4000" into the arena. */
const char *nd_pkt_text(struct nd_arena *arena, const struct nd_pkt *packet);

#endif
