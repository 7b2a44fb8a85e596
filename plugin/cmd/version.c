#include "common/base.h"
#include "plugin/cmd/cmd.h"

static int run(ND_UNUSED const struct nd_args *args, struct nd_buf *out,
	       ND_UNUSED struct nd_err *err)
{
	nd_buf_printf(out, "kubectl-netdoctor %s\n", nd_version);
	return ND_EXIT_OK;
}

const struct nd_cmd nd_cmd_version = {
	.name = "version",
	.usage = "version",
	.help = "print the version",
	.run = run,
};
