/* agent_bin.h: the agent's bytes for a node's machine, and their digest. */
#ifndef ND_PLUGIN_NODE_AGENT_BIN_H
#define ND_PLUGIN_NODE_AGENT_BIN_H

#include "common/arena.h"
#include "common/err.h"

struct nd_agent_bin {
	const char *bytes;
	size_t len;
	char sha256[65];
};

/*
 * machine: `uname -m` of the node (x86_64, aarch64). Looks for netdoctor-agent-ARCH beside our own
 * executable, then in LIBDIR; NETDOCTOR_AGENT_DIR overrides. Cached in the arena.
 */
int nd_agent_bin_load(struct nd_arena *arena, const char *machine, struct nd_agent_bin *out,
		      struct nd_err *err) ND_MUST_USE;

#endif
