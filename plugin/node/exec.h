/*
 * exec.h: the conversation with one node: start the script, send the agent when it is missing,
 * send the request, hand the reply to the sink. What fails is a gap; the sink's own errors are not.
 */
#ifndef ND_PLUGIN_NODE_EXEC_H
#define ND_PLUGIN_NODE_EXEC_H

#include "common/text.h"
#include "plugin/evidence/item.h"
#include "plugin/kube/loop.h"
#include "plugin/node/script.h"

struct nd_exec;

struct nd_exec_spec {
	const char *node;		     /* its Kubernetes name; outlives the exec */
	const char *const *argv;	     /* runs the script on it; outlives the exec */
	const struct nd_node_agents *agents; /* outlives the exec */
	int64_t deadline_ms;
	struct nd_str request; /* docs/wire.md; outlives the exec */
	const char *what;      /* what a failure leaves unknown: "node report", "probes" */
	const char *suffix;    /* behind the names of its sections, "" or "-2" for a second round */
	int64_t *sent_us;      /* NULL, or gets nd_clock_mono_us() when the request is sent */
	const struct nd_sink *sink;
	/* "sending the agent", "collecting", "done", or "failed"; may be NULL. */
	void (*progress)(void *ctx, const char *node, const char *state);
	void *progress_ctx;
	/* Called once, from nd_loop_run. err is NULL, or the sink's error. */
	void (*done)(void *ctx, const struct nd_err *err);
	void *ctx;
};

/* NULL when the program cannot be started. */
struct nd_exec *nd_exec_start(struct nd_loop *loop, const struct nd_exec_spec *spec,
			      struct nd_err *err);
void nd_exec_free(struct nd_exec *exec); /* NULL is fine; not from within done */

#endif
