#include "common/base.h"

#include "plugin/node/engine.h"

const struct nd_transport nd_transport_docker = {
	.name = "docker",
	.program = "docker",
	.shell_argv = nd_engine_shell_argv,
};
