/*
 * discover.h: which containers are nodes of a kind cluster, as `PROGRAM ps -a` tells it; works
 * without the API server.
 */
#ifndef ND_PLUGIN_NODE_DISCOVER_H
#define ND_PLUGIN_NODE_DISCOVER_H

#include "common/text.h"
#include "plugin/node/transport.h"

struct nd_node_list {
	struct nd_node_target *nodes; /* nodes[nnodes], in the order of the output; in the arena */
	size_t nnodes;
};

/* argv that lists the containers of the cluster, in the arena. */
const char **nd_discover_argv(const struct nd_transport *transport, struct nd_arena *arena,
			      const char *kind_cluster);

/*
 * One JSON object a line. Understands what docker, podman and nerdctl print. Load balancers of
 * kind are left out: no kubelet runs there. A line that is no object: ND_E_INPUT with its number.
 */
int nd_discover_parse(struct nd_arena *arena, struct nd_str output, struct nd_node_list *out,
		      struct nd_err *err) ND_MUST_USE;

#endif
