/*
 * collect.h: find the nodes' containers and fetch every node's report into a sink, side by side.
 * Works without the API server: `docker ps -a` with kind's labels names the nodes.
 */
#ifndef ND_PLUGIN_NODE_COLLECT_H
#define ND_PLUGIN_NODE_COLLECT_H

#include "common/text.h"
#include "plugin/evidence/item.h"
#include "plugin/kube/loop.h"
#include "plugin/node/transport.h"

struct nd_collect_options {
	const char *transport;	  /* a name, or NULL: the first whose program finds the cluster */
	const char *kind_cluster; /* its name (context "kind-NAME"), or NULL: not kind */
	const char *only_node;	  /* --node, or NULL: all */
	int64_t deadline_ms;	  /* a node; 0: 20 s. One that does not answer by then is a gap */
	bool keep_agent; /* leave the agent there; false: the script removes it at the end */
	void (*progress)(void *ctx, const char *node, const char *state); /* may be NULL */
	void *progress_ctx;
};

struct nd_collect;

/*
 * Start: runs `PROGRAM ps -a` (label io.x-k8s.kind.cluster=NAME), emits HOST/containers, then one
 * exec per running node; sections become SECTION items, gap frames and failures become gaps with
 * where "node/NAME". Everything happens in nd_loop_run. A node that is not running is not a gap of
 * ours but evidence (HOST/containers says so); its report is a gap "node report".
 */
struct nd_collect *nd_collect_start(struct nd_loop *loop, const struct nd_collect_options *options,
				    const struct nd_sink *sink, struct nd_err *err);
/* One more conversation with a node, once the first has ended: the request is for probes, say. */
struct nd_ask {
	struct nd_str request; /* docs/wire.md; outlives the loop's run */
	const char *what;      /* names the gap when it fails: "probes" */
	const char *suffix;    /* goes behind the names of the reply's sections: "", "-2" */
	int64_t *sent_us;      /* NULL, or gets nd_clock_mono_us() when the request is sent */
};
/* Start it; it runs in the next nd_loop_run. The request and the texts must outlive that. */
void nd_collect_ask(struct nd_collect *collect, const char *node, const struct nd_ask *ask);
/* Say that something of a node could not be had; no gap after the sink has failed. */
void nd_collect_gap(struct nd_collect *collect, const char *what, const char *node,
		    const char *why);
/* After the loop: 0, or -1 with the first error of the sink, which ended the collection. */
int nd_collect_status(const struct nd_collect *collect, struct nd_err *err) ND_MUST_USE;
void nd_collect_free(struct nd_collect *collect); /* before the loop's; kills what still runs */

#endif
