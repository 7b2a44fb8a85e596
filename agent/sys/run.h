/*
 * run.h: children by argument vector, several side by side, with an output cap and a deadline.
 * No shell, no inherited environment, nothing on their stdin. Knows nothing of what they print.
 *
 *	struct nd_run save = {.argv = argv, .out = {.max_bytes = 1 << 20}};
 *	nd_run_start(&save);
 *	struct nd_run *runs[] = {&save};
 *	nd_run_finish(runs, 1, 1, nd_clock_mono_us() + 5000000);
 *	if (save.error[0]) ...
 *	nd_run_free(&save);
 */
#ifndef ND_AGENT_SYS_RUN_H
#define ND_AGENT_SYS_RUN_H

#include "common/buf.h"
#include "common/err.h"

#define ND_RUN_ERR_TAIL 512 /* bytes kept of the end of stderr */

struct nd_run {
	const char *const *argv; /* ends with NULL; argv[0] is searched in nd_run_dirs; borrowed */
	int (*prepare)(struct nd_err *err); /* called in the child before its execve; may be NULL */
	struct nd_buf out;	 /* stdout; the caller sets max_bytes; owned */
	char err_tail[ND_RUN_ERR_TAIL + 1]; /* the last bytes of stderr, NUL-ended */
	size_t err_len;
	int out_fd, err_fd; /* private; -1 when ended */
	int pid;	    /* private; 0 when there is no child */
	int exit_code;	    /* 0..255, or -1: did not exit by itself */
	char error[768];    /* why it counts as failed, one line; "" when it ended with 0 */
};

/* The directories programs are searched in, one after the other. */
extern const char *const nd_run_dirs[];
#define ND_RUN_PATH_MAX 128
/* The full path of a program, or false when no directory has it. */
bool nd_run_find(const char *name, char path[ND_RUN_PATH_MAX]);

/* Start the child. What fails is in run->error; finish may be called all the same. */
void nd_run_start(struct nd_run *run);
/*
 * Read the first nwanted of runs to their ends, at the latest until deadline_us
 * (nd_clock_mono_us); meanwhile take what the others print, so that they go on working. A child
 * that passes the deadline or its output cap is killed with its process group, and its error says
 * so. NULL in runs is passed over.
 */
void nd_run_finish(struct nd_run *const *runs, size_t nruns, size_t nwanted, int64_t deadline_us);
void nd_run_free(struct nd_run *run);

#endif
