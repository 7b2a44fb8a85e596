/*
 * trace_live.h: did the packet that was really sent do what the walk says?
 */
#ifndef ND_PLUGIN_REPORT_TRACE_LIVE_H
#define ND_PLUGIN_REPORT_TRACE_LIVE_H

#include "plugin/report/trace.h"

/*
 * The probe's result is among the probes of ask->host (the model that was walked); after is the
 * cluster as it was read once more: its counters are compared with those of the walk's rules.
 */
void nd_trace_live_find(struct nd_arena *arena, const struct nd_walk_ask *ask,
			const struct nd_walk *walk, const struct nd_cluster *after,
			struct nd_trace_live *out);

#endif
