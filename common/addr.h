/*
 * addr.h: IP addresses and prefixes as values.
 */
#ifndef ND_COMMON_ADDR_H
#define ND_COMMON_ADDR_H

#include "common/base.h"

#define ND_IP_TEXT 46 /* bytes of the longest address as text, with NUL */
#define ND_PREFIX_TEXT 50

struct nd_ip {
	uint8_t family;	   /* 4, 6, or 0: none */
	uint8_t bytes[16]; /* network order; IPv4 in the first four */
};

struct nd_prefix {
	struct nd_ip ip; /* as written; host bits may be set */
	uint8_t len;	 /* bits: 0..32 or 0..128 */
};

bool nd_ip_parse(const char *text, struct nd_ip *out); /* no zone, no blanks */
/* "a/len", or a bare address as a full-length prefix. */
bool nd_prefix_parse(const char *text, struct nd_prefix *out);
const char *nd_ip_text(struct nd_ip ip, char dst[ND_IP_TEXT]); /* "" for none; returns dst */
const char *nd_prefix_text(struct nd_prefix prefix, char dst[ND_PREFIX_TEXT]);
bool nd_ip_eq(struct nd_ip a, struct nd_ip b);
bool nd_prefix_has(struct nd_prefix prefix, struct nd_ip ip);
/* Every address of inner is in outer. */
bool nd_prefix_covers(struct nd_prefix outer, struct nd_prefix inner);
bool nd_prefix_overlaps(struct nd_prefix a, struct nd_prefix b);
bool nd_prefix_eq(struct nd_prefix a, struct nd_prefix b); /* same network, host bits ignored */
/* The n-th address: nd_prefix_at(10.244.1.0/24, 1) is 10.244.1.1; none when it has fewer. */
struct nd_ip nd_prefix_at(struct nd_prefix prefix, uint32_t n);

#endif
