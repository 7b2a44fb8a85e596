/* main.c: words in, exit code out. The only place that prints errors. */
#include "common/base.h"
#include "common/text.h"
#include "plugin/cmd/cmd.h"
#include "plugin/kube/loop.h"

#include <signal.h>

#ifndef ND_VERSION
#define ND_VERSION "unknown"
#endif

static void interrupted(ND_UNUSED int signal_number)
{
	nd_loop_interrupt();
}

static void set_signals(void)
{
	struct sigaction action = {.sa_handler = interrupted, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int run(struct nd_arena *arena, int argc, char **argv, struct nd_buf *out,
	       struct nd_err *err)
{
	struct nd_args args = {0};
	if (nd_args_parse(arena, argc, argv, &args, err) < 0)
		return -1;
	if (args.help || !args.command || nd_eq(args.command, "help")) {
		nd_cmd_help(out);
		return 0;
	}
	const struct nd_cmd *cmd = nd_cmd_find(args.command);
	if (!cmd)
		return nd_err_set(err, ND_E_USAGE, "unknown command %s (see --help)", args.command);
	return cmd->run(&args, out, err);
}

int main(int argc, char **argv)
{
	struct nd_arena arena = {0};
	struct nd_buf out = {0};
	struct nd_err err = {0};
	char safe[sizeof(err.text)];
	nd_version = ND_VERSION;
	set_signals();
	int rc = run(&arena, argc, argv, &out, &err);
	if (rc < 0) {
		fprintf(stderr, "error: %s\n", nd_text_safe(safe, sizeof(safe), err.text));
		rc = nd_err_exit_code(&err);
	} else if (out.len &&
		   (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)) {
		fprintf(stderr, "error: write to standard output failed\n");
		rc = 2;
	}
	nd_buf_free(&out);
	nd_arena_free(&arena);
	return rc;
}
