/*
 * engine.h: what the container engines share. Their command lines are the same for what we ask:
 * `PROGRAM exec -i CONTAINER sh -c SCRIPT`.
 */
#ifndef ND_PLUGIN_NODE_ENGINE_H
#define ND_PLUGIN_NODE_ENGINE_H

#include "plugin/node/transport.h"

const char **nd_engine_shell_argv(const struct nd_transport *self, struct nd_arena *arena,
				  const struct nd_node_target *target, const char *script);

#endif
