#include "common/base.h"

#include "plugin/node/engine.h"

const char **nd_engine_shell_argv(const struct nd_transport *self, struct nd_arena *arena,
				  const struct nd_node_target *target, const char *script)
{
	const char *words[] = {self->program, "exec", "-i", target->container, "sh", "-c", script};
	const char **argv = nd_arena_array(arena, ND_ARRAY_LEN(words) + 1, sizeof(*argv));

	memcpy(argv, words, sizeof(words));
	return argv;
}
