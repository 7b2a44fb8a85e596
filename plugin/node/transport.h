/*
 * transport.h: how to run the agent on a node. One descriptor a transport, rows in transports.def.
 */
#ifndef ND_PLUGIN_NODE_TRANSPORT_H
#define ND_PLUGIN_NODE_TRANSPORT_H

#include "common/arena.h"
#include "common/err.h"

/* One node that can be reached, and how. */
struct nd_node_target {
	const char *node;      /* Kubernetes node name (for kind: the container's name) */
	const char *container; /* container name or id; NULL for transport "local" */
	bool is_running;       /* docker: State == running */
	const char *state;     /* "running", "paused", "exited", ... */
};

struct nd_transport {
	const char *name;    /* "docker" */
	const char *program; /* "docker", "podman", "nerdctl"; NULL for local */
	/*
	 * The argv that runs `sh -c SCRIPT` on the target with standard input attached
	 * (docker exec -i NODE sh -c SCRIPT); ends with NULL, lives in the arena.
	 */
	const char **(*shell_argv)(const struct nd_transport *self, struct nd_arena *arena,
				   const struct nd_node_target *target, const char *script);
};

#define ND_TRANSPORT(id) extern const struct nd_transport nd_transport_##id;
#include "plugin/node/transports.def"
#undef ND_TRANSPORT

const struct nd_transport *nd_transport_find(const char *name); /* NULL: unknown */
/* In the order of transports.def; NULL: behind the last. */
const struct nd_transport *nd_transport_at(size_t i);

#endif
