#include "common/base.h"
#include "plugin/cmd/cmd.h"

#define ND_CMD(id) extern const struct nd_cmd nd_cmd_##id;
#include "plugin/cmd/cmds.def"
#undef ND_CMD

const struct nd_cmd *const nd_cmds[] = {
#define ND_CMD(id) &nd_cmd_##id,
#include "plugin/cmd/cmds.def"
#undef ND_CMD
};
const size_t nd_ncmds = ND_ARRAY_LEN(nd_cmds);
const char *nd_version = "unknown";

const struct nd_cmd *nd_cmd_find(const char *name)
{
	for (size_t i = 0; i < nd_ncmds; i++)
		if (nd_eq(nd_cmds[i]->name, name))
			return nd_cmds[i];
	return NULL;
}

void nd_cmd_help(struct nd_buf *out)
{
	nd_buf_puts(
		out,
		"Names the root cause when pods run but cannot talk, with its proof.\n\nUsage:\n");
	for (size_t i = 0; i < nd_ncmds; i++)
		nd_buf_printf(out, "  kubectl netdoctor %-22s %s\n", nd_cmds[i]->usage,
			      nd_cmds[i]->help);
	nd_buf_puts(out, "\nFlags:\n");
	nd_args_help(out);
	nd_buf_puts(out,
		    "\nExit codes: 0 healthy, 1 problems, 2 usage or configuration, 3 incomplete, "
		    "130 interrupted.\n");
}
