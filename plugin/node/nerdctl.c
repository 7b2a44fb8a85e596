#include "common/base.h"

#include "plugin/node/engine.h"

const struct nd_transport nd_transport_nerdctl = {
	.name = "nerdctl",
	.program = "nerdctl",
	.shell_argv = nd_engine_shell_argv,
};
