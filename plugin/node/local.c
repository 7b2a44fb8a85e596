#include "common/base.h"

#include "plugin/node/transport.h"

static const char **shell_argv(const struct nd_transport *self ND_UNUSED, struct nd_arena *arena,
			       const struct nd_node_target *target ND_UNUSED, const char *script)
{
	const char *words[] = {"sh", "-c", script};
	const char **argv = nd_arena_array(arena, ND_ARRAY_LEN(words) + 1, sizeof(*argv));

	memcpy(argv, words, sizeof(words));
	return argv;
}

const struct nd_transport nd_transport_local = {
	.name = "local",
	.program = NULL,
	.shell_argv = shell_argv,
};
