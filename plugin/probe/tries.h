/*
 * tries.h: the results of one node, the tries of each probe taken together. A probe that failed is
 * sent again: what counts is whether it failed each time.
 *
 *	struct nd_tries *probes;
 *	size_t n = nd_tries_find(&arena, host, &probes);
 */
#ifndef ND_PLUGIN_PROBE_TRIES_H
#define ND_PLUGIN_PROBE_TRIES_H

#include "common/arena.h"
#include "plugin/model/cluster.h"

enum nd_tries_verdict {
	ND_TRIES_OK,
	ND_TRIES_SHAKY,	 /* failed, and worked when it was sent again */
	ND_TRIES_FAILED, /* each time */
	/* Says nothing of the network: it could not be sent (GONE, ERROR), or failed and then could
	   not be sent again. */
	ND_TRIES_UNKNOWN
};
struct nd_tries {
	const struct nd_probe_result *result; /* the last that failed; none did: the last */
	size_t n;			      /* how often it was sent */
	enum nd_tries_verdict verdict;
};

/* One for each probe that the host sent, in the order of their results. */
size_t nd_tries_find(struct nd_arena *arena, const struct nd_host *host, struct nd_tries **out);

#endif
