/*
 * emit.h: a plan that is being written, node by node, nothing twice. Private to probe/.
 */
#ifndef ND_PLUGIN_PROBE_EMIT_H
#define ND_PLUGIN_PROBE_EMIT_H

#include "plugin/probe/plan.h"

#define ND_EMIT_SLOTS 8192 /* a power of two, well above ND_PROBE_MAX_A_NODE */

struct nd_emit {
	struct nd_arena *arena;
	struct nd_probe_plan *out;
	const char *node;
	size_t first, max; /* of the node: index of its first probe, how many it may have */
	uint16_t slots[ND_EMIT_SLOTS]; /* index from first, plus 1; 0: free */
};

/* What follows starts at this node; each node once. max at most ND_PROBE_MAX_A_NODE. */
void nd_emit_node(struct nd_emit *emit, const char *node, size_t max);
/* The node is filled in; false: it was there already, or the node has its maximum. */
bool nd_emit_add(struct nd_emit *emit, struct nd_probe probe);
bool nd_emit_is_full(const struct nd_emit *emit);

#endif
