/*
 * script.h: the shell script that finds or receives the agent on a node and becomes it. One exec
 * does everything: what it says comes first on standard output, then the agent's reply.
 *
 *	have MACHINE	the agent is there and whole; it runs and reads the request
 *	need MACHINE	send exactly the agent's bytes for MACHINE, nothing more
 *	ok		they arrived whole; the agent runs and reads the request
 *	error TEXT	it cannot work here
 */
#ifndef ND_PLUGIN_NODE_SCRIPT_H
#define ND_PLUGIN_NODE_SCRIPT_H

#include "plugin/node/agent_bin.h"

/* What this plugin can send: one agent a machine; len 0 where it has none. */
struct nd_node_agents {
	struct nd_agent_bin x86_64, aarch64;
};

/* In the arena. keep_agent false: the script removes the agent when it has ended. */
const char *nd_node_script(struct nd_arena *arena, const struct nd_node_agents *agents,
			   bool keep_agent);

#endif
