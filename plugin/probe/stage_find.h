/*
 * stage_find.h: which of the packets seen are of one probe. Private to probe/.
 *
 * A connection is known by the address and port it comes from: DNAT changes only where it goes to.
 * SNAT (masquerading, often to a random port) makes another pair of it; that one is told by the
 * node it is made on and by what it goes to, and only if nothing else there can be meant.
 */
#ifndef ND_PLUGIN_PROBE_STAGE_FIND_H
#define ND_PLUGIN_PROBE_STAGE_FIND_H

#include "plugin/probe/stage.h"

#define ND_STAGE_MAX_ENDS 256
#define ND_STAGE_MAX_TUPLES 4
#define ND_STAGE_MAX_HOSTS 4

struct nd_stage_end_point {
	struct nd_ip ip;
	uint16_t port;
};
struct nd_stage_find {
	struct nd_arena *arena;
	struct nd_stage *stage;
	enum nd_sighting_what there, answer; /* SYN, SYN-ACK; or UDP both */
	/* What was asked, then what may be behind it after DNAT. */
	struct nd_stage_end_point ends[ND_STAGE_MAX_ENDS]; /* nends */
	size_t nends;
	/* Where it comes from: as it was sent, then after SNAT. */
	struct nd_stage_end_point from[ND_STAGE_MAX_TUPLES]; /* nfrom */
	size_t nfrom;
	size_t nsearches; /* so far: hostile evidence must not make them many */
	bool is_unclear;  /* several packets may be what SNAT made of it */
	const struct nd_host *hosts[ND_STAGE_MAX_HOSTS]; /* nhosts, as they were visited */
	size_t nhosts;
};

/* Fills there, answer, ends. */
void nd_stage_ends(struct nd_stage_find *find);
enum nd_stage_begun {
	ND_STAGE_NOT_BEGUN, /* nothing of it was seen where it begins */
	ND_STAGE_BEGUN,	    /* from[0] is its connection */
	ND_STAGE_UNCLEAR    /* what was seen may all be of other probes */
};
enum nd_stage_begun nd_stage_begin(struct nd_stage_find *find);
/* Add what this host saw, in the order of the way, to steps (or back, where is_back). */
void nd_stage_collect(struct nd_stage_find *find, const struct nd_host *host, bool is_back);
/* Is ip an address of the host itself? */
bool nd_stage_has_address(const struct nd_cluster *cluster, const struct nd_host *host,
			  struct nd_ip ip);
/* Was anything at all seen in the namespace? Then it was watched. */
bool nd_stage_was_watched(const struct nd_host *host, uint64_t inode);
/* Is the sighting about a packet of this probe (of an ICMP error: the packet in it)? */
bool nd_stage_is_icmp(const struct nd_stage_find *find, const struct nd_sighting *s);

#endif
