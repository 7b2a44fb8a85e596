/*
 * watch.h: where to look while probes that failed are sent again: every node that they may pass,
 * and the pods they start from and go to (docs/wire.md, "Watching"). Pure.
 */
#ifndef ND_PLUGIN_PROBE_WATCH_H
#define ND_PLUGIN_PROBE_WATCH_H

#include "plugin/probe/plan.h"

#define ND_PROBE_MAX_WATCHED 16		  /* pods a node; each costs the agent a socket */
#define ND_PROBE_MAX_WATCHED_ENDPOINTS 16 /* of a service */
/*
 * Agents look so long before the first packet is sent. On two busy cores the last of three nodes
 * was reached up to 100 ms after the first; the margin is for the start of the agent itself.
 */
#define ND_PROBE_WATCH_DELAY_MS 200
#define ND_PROBE_WATCH_MARGIN_MS 75
/* They look so long after that at least: one that was reached later has sent by then. */
#define ND_PROBE_WATCH_LEAST_MS 300

/* What one node's agent looks at besides its own namespace. */
struct nd_probe_watch {
	const char *node;
	uint64_t inodes[ND_PROBE_MAX_WATCHED]; /* ninodes */
	size_t ninodes;
};
struct nd_probe_watches {
	struct nd_probe_watch *items; /* n, by node */
	size_t n;
};

/* plan: of the second round. Nothing in it that can be seen: nothing to look at. */
void nd_probe_watches_find(struct nd_arena *arena, const struct nd_cluster *cluster,
			   const struct nd_probe_plan *plan, struct nd_probe_watches *out);
const struct nd_probe_watch *nd_probe_watches_of(const struct nd_probe_watches *watches,
						 const char *node); /* NULL: none */
/* As nd_probe_request, and look meanwhile; n may be 0, watch NULL. */
void nd_probe_request_watching(const struct nd_probe_plan *plan, size_t first, size_t n,
			       int timeout_ms, int rate, const struct nd_probe_watch *watch,
			       struct nd_buf *out);

#endif
