/*
 * cmd.h: one subcommand a file, one row in cmds.def. A command writes its answer to standard
 * output and returns the exit code; errors go up to main.
 */
#ifndef ND_PLUGIN_CMD_CMD_H
#define ND_PLUGIN_CMD_CMD_H

#include "plugin/cli/options.h"

/* Exit codes (docs: README). Errors map through nd_err_exit_code. */
enum nd_exit { ND_EXIT_OK = 0, ND_EXIT_PROBLEMS = 1, ND_EXIT_INCOMPLETE = 3 };

struct nd_cmd {
	const char *name;
	const char *usage; /* "diagnose [--from FILE] ..." */
	const char *help;  /* one line */
	/* 0..255: the exit code; -1: err says why. */
	int (*run)(const struct nd_args *args, struct nd_buf *out, struct nd_err *err);
};

extern const struct nd_cmd *const nd_cmds[]; /* cmds.def order */
extern const size_t nd_ncmds;
const struct nd_cmd *nd_cmd_find(const char *name); /* NULL: unknown */
void nd_cmd_help(struct nd_buf *out);		    /* the whole help text */
extern const char *nd_version;			    /* set by main */

#endif
