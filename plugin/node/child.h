/*
 * child.h: a program run by argv on the event loop, with a deadline and an output cap. Knows
 * nothing of containers.
 *
 *	struct nd_child_spec spec = {.argv = argv, .deadline_ms = 5000, .done = done, .ctx = me};
 *	struct nd_child *child = nd_child_start(loop, &spec, err);
 *	...
 *	nd_child_free(child);		kills what still runs
 *
 * The child gets its own process group, which is killed at the deadline, and none of our
 * descriptors. Its standard input is a socket, so that writing to a dead child is an error and
 * never a SIGPIPE of the whole process.
 */
#ifndef ND_PLUGIN_NODE_CHILD_H
#define ND_PLUGIN_NODE_CHILD_H

#include "common/buf.h"
#include "plugin/kube/loop.h"

#include <sys/types.h>

enum nd_child_end {
	ND_CHILD_RUNNING,
	ND_CHILD_EXITED,    /* status is the exit code */
	ND_CHILD_SIGNALLED, /* status is the signal */
	ND_CHILD_LATE,	    /* killed at the deadline */
	ND_CHILD_TOO_MUCH,  /* killed: more output than max_out_bytes */
};

struct nd_child;

struct nd_child_spec {
	const char *const *argv; /* ends with NULL; argv[0] is looked up in PATH */
	int64_t deadline_ms;	 /* from the start; must be positive */
	size_t max_out_bytes;	 /* of standard output; 0: 16 MiB */
	/* Standard output grew. May send or end the input; must not free. May be NULL. */
	void (*more)(void *ctx, struct nd_child *child);
	/* It ended, whichever way. Called once, from nd_loop_run; may free the child. */
	void (*done)(void *ctx, struct nd_child *child);
	void *ctx;
};

struct nd_child {
	struct nd_loop *loop;
	struct nd_child_spec spec;
	struct nd_buf out;	/* standard output so far */
	char err_tail[513];	/* the last 512 bytes of standard error and NUL; raw */
	size_t err_len;		/* bytes in err_tail */
	enum nd_child_end end;	/* set before done is called */
	int status;		/* see nd_child_end */
	pid_t pid;		/* private from here on */
	int in_fd, out_fd, err_fd;
	struct nd_buf pending;	/* to be written to standard input */
	size_t pending_at;
	bool is_input_ending;	/* close it when pending is written */
	bool is_held;		/* we keep the loop running until the exit code is there */
	int deadline_timer, reap_timer;
};

/* NULL when the program could not be started: ND_E_NOT_FOUND when there is none of that name. */
struct nd_child *nd_child_start(struct nd_loop *loop, const struct nd_child_spec *spec,
				struct nd_err *err);
/* Queue n bytes for its standard input; they are copied. */
void nd_child_send(struct nd_child *child, const void *p, size_t n);
/* Close its standard input once everything queued is written. */
void nd_child_end_input(struct nd_child *child);
/* How it ended, as one line safe for a terminal: "exit code 1: No such container: w1". */
const char *nd_child_why(const struct nd_child *child, char *dst, size_t size);
void nd_child_free(struct nd_child *child); /* NULL is fine */

#endif
