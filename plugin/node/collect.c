#include "common/base.h"

#include "common/buf.h"
#include "common/clock.h"
#include "plugin/node/child.h"
#include "plugin/node/collect.h"
#include "plugin/node/discover.h"
#include "plugin/node/exec.h"

enum {
	ND_COLLECT_NODE_MS = 20000,
	ND_COLLECT_LIST_MS = 10000, /* `docker ps`: the daemon answers in 30 ms or not at all */
	ND_COLLECT_MAX_LIST_BYTES = 32 << 20,
};

struct nd_collect {
	struct nd_loop *loop;
	struct nd_collect_options options;
	const struct nd_sink *sink;
	struct nd_arena arena;
	const struct nd_transport *transport; /* the one in use */
	size_t next_transport;		      /* to be tried after it */
	struct nd_buf failures;		      /* why each one tried so far is not it */
	struct nd_child *list;		      /* `ps`, while it runs */
	struct nd_node_agents agents;
	const char *script;
	struct nd_node_list nodes; /* that run the cluster, for nd_collect_ask */
	struct nd_exec **execs;	   /* execs[nexecs] */
	size_t nexecs;
	bool has_sink_failed;
	struct nd_err sink_err;
};

static void list_start(struct nd_collect *collect);

static void sink_failed(struct nd_collect *collect, const struct nd_err *err)
{
	if (collect->has_sink_failed)
		return;
	collect->has_sink_failed = true;
	collect->sink_err = *err;
}

static void gap_put(struct nd_collect *collect, const char *what, const char *where,
		    const char *why)
{
	struct nd_err err = {0};

	if (!collect->has_sink_failed &&
	    nd_sink_gap(collect->sink, what, where, &err, "%s", why) < 0)
		sink_failed(collect, &err);
}

void nd_collect_gap(struct nd_collect *collect, const char *what, const char *node, const char *why)
{
	char where[300];

	snprintf(where, sizeof(where), "node/%s", node);
	gap_put(collect, what, where, why);
}

static void exec_done(void *ctx, const struct nd_err *err)
{
	if (err)
		sink_failed(ctx, err);
}

static void progress(struct nd_collect *collect, const char *node, const char *state)
{
	if (collect->options.progress)
		collect->options.progress(collect->options.progress_ctx, node, state);
}

static const char request_all[] = "netdoctor 1\n"
#define ND_SECTION(id, name, what) "collect " name "\n"
#include "common/sections.def"
#undef ND_SECTION
				  "go\n";

static void exec_start(struct nd_collect *collect, const struct nd_node_target *target,
		       const struct nd_ask *ask)
{
	const struct nd_collect_options *o = &collect->options;
	struct nd_err err = {0};
	struct nd_exec_spec spec = {
		.node = target->node,
		.argv = collect->transport->shell_argv(collect->transport, &collect->arena, target,
						       collect->script),
		.agents = &collect->agents,
		.deadline_ms = o->deadline_ms > 0 ? o->deadline_ms : ND_COLLECT_NODE_MS,
		.request = ask->request,
		.what = ask->what,
		.suffix = ask->suffix,
		.sent_us = ask->sent_us,
		.sink = collect->sink,
		.progress = o->progress,
		.progress_ctx = o->progress_ctx,
		.done = exec_done,
		.ctx = collect,
	};
	struct nd_exec *exec = nd_exec_start(collect->loop, &spec, &err);

	if (exec)
		ND_ARENA_PUSH(&collect->arena, collect->execs, collect->nexecs) = exec;
	else
		nd_collect_gap(collect, ask->what, target->node, err.text);
}

static void node_start(struct nd_collect *collect, const struct nd_node_target *target)
{
	static const struct nd_ask ask = {
		.request = {request_all, sizeof(request_all) - 1},
		.what = "node report",
		.suffix = "",
	};
	char why[300];

	if (!target->is_running) {
		/* exec in a paused container waits for ever, in a stopped one it fails */
		snprintf(why, sizeof(why), "its container is %s", target->state);
		nd_text_safe(why, sizeof(why), nd_arena_printf(&collect->arena, "%s", why));
		nd_collect_gap(collect, ask.what, target->node, why);
		progress(collect, target->node, "not running");
		return;
	}
	ND_ARENA_PUSH(&collect->arena, collect->nodes.nodes, collect->nodes.nnodes) = *target;
	exec_start(collect, target, &ask);
}

static void nodes_start(struct nd_collect *collect, const struct nd_node_list *list)
{
	const char *only = collect->options.only_node;
	bool is_found = false;

	for (size_t i = 0; i < list->nnodes && !collect->has_sink_failed; i++) {
		if (only && !nd_eq(list->nodes[i].node, only))
			continue;
		is_found = true;
		node_start(collect, &list->nodes[i]);
	}
	if (only && !is_found)
		nd_collect_gap(collect, "node report", only,
			       "the cluster has no container of that name");
}

static void list_emit(struct nd_collect *collect, const struct nd_child *child)
{
	struct nd_item item = {
		.kind = ND_ITEM_HOST,
		.name = "containers",
		.bytes = child->out.data,
		.len = child->out.len,
		.taken_unix_s = nd_clock_unix_s(),
	};
	struct nd_err err = {0};

	if (nd_sink_item(collect->sink, &item, &err) < 0)
		sink_failed(collect, &err);
}

/* This program is not the one: remember why and try the next. */
static void list_failed(struct nd_collect *collect, const char *why)
{
	nd_buf_printf(&collect->failures, "%s%s: %s", collect->failures.len ? "; " : "",
		      collect->transport->program, why);
	list_start(collect);
}

static void list_done(void *ctx, struct nd_child *child)
{
	struct nd_collect *collect = ctx;
	struct nd_node_list list = {0};
	struct nd_err err = {0};
	char why[900];
	bool is_good = child->end == ND_CHILD_EXITED && child->status == 0;

	if (!is_good)
		nd_child_why(child, why, sizeof(why));
	else if (nd_discover_parse(&collect->arena,
				   (struct nd_str){child->out.data, child->out.len}, &list,
				   &err) < 0)
		snprintf(why, sizeof(why), "%.800s", err.text);
	else if (list.nnodes == 0)
		snprintf(why, sizeof(why), "no containers of kind cluster %.100s",
			 collect->options.kind_cluster);
	else
		list_emit(collect, child);
	collect->list = NULL;
	nd_child_free(child);
	if (list.nnodes == 0 || err.code)
		list_failed(collect, why);
	else
		nodes_start(collect, &list);
}

/* The next transport that lists containers: the one asked for, or the next of the table. */
static bool transport_next(struct nd_collect *collect)
{
	const char *asked = collect->options.transport;

	while ((collect->transport = nd_transport_at(collect->next_transport))) {
		collect->next_transport++;
		bool is_asked = !asked || nd_eq(collect->transport->name, asked);

		if (collect->transport->program && is_asked)
			return true;
	}
	return false;
}

static void list_start(struct nd_collect *collect)
{
	struct nd_child_spec spec = {
		.deadline_ms = ND_COLLECT_LIST_MS,
		.max_out_bytes = ND_COLLECT_MAX_LIST_BYTES,
		.done = list_done,
		.ctx = collect,
	};
	struct nd_err err = {0};
	int64_t node_ms = collect->options.deadline_ms;

	if (node_ms > 0 && node_ms < spec.deadline_ms)
		spec.deadline_ms = node_ms;
	while (transport_next(collect)) {
		spec.argv = nd_discover_argv(collect->transport, &collect->arena,
					     collect->options.kind_cluster);
		collect->list = nd_child_start(collect->loop, &spec, &err);
		if (collect->list)
			return;
		nd_buf_printf(&collect->failures, "%s%s", collect->failures.len ? "; " : "",
			      err.text);
	}
	gap_put(collect, "containers", "host", collect->failures.data);
	gap_put(collect, "node reports", "host", "no container engine here runs the nodes");
}

static void local_start(struct nd_collect *collect)
{
	const char *node = collect->options.only_node;
	struct nd_node_target target = {.is_running = true, .state = "running"};
	char host[256] = "";

	if (!node && gethostname(host, sizeof(host) - 1) == 0 && host[0])
		node = nd_arena_strdup(&collect->arena, host, strlen(host));
	target.node = node ? node : "localhost";
	collect->transport = nd_transport_find("local");
	node_start(collect, &target);
}

/* An agent that is not there matters only to a node that needs it, and that node says so. */
static void agents_load(struct nd_collect *collect)
{
	struct nd_err unused = {0};
	struct nd_arena *arena = &collect->arena;

	if (nd_agent_bin_load(arena, "x86_64", &collect->agents.x86_64, &unused) < 0)
		collect->agents.x86_64.len = 0;
	if (nd_agent_bin_load(arena, "aarch64", &collect->agents.aarch64, &unused) < 0)
		collect->agents.aarch64.len = 0;
	collect->script = nd_node_script(arena, &collect->agents, collect->options.keep_agent);
}

static const char *keep(struct nd_arena *arena, const char *s)
{
	return s && s[0] ? nd_arena_strdup(arena, s, strlen(s)) : NULL;
}

struct nd_collect *nd_collect_start(struct nd_loop *loop, const struct nd_collect_options *options,
				    const struct nd_sink *sink, struct nd_err *err)
{
	const struct nd_transport *asked = nd_transport_find(options->transport);

	if (options->transport && !asked) {
		nd_err_set(err, ND_E_USAGE, "there is no transport %.100s", options->transport);
		return NULL;
	}
	struct nd_collect *collect = calloc(1, sizeof(*collect));
	if (!collect)
		nd_out_of_memory(sizeof(*collect));
	collect->loop = loop;
	collect->options = *options;
	collect->options.transport = keep(&collect->arena, options->transport);
	collect->options.kind_cluster = keep(&collect->arena, options->kind_cluster);
	collect->options.only_node = keep(&collect->arena, options->only_node);
	collect->sink = sink;
	collect->failures.max_bytes = 8 << 10;
	agents_load(collect);
	if (asked && !asked->program)
		local_start(collect);
	else if (collect->options.kind_cluster)
		list_start(collect);
	else
		gap_put(collect, "node reports", "host",
			"not a kind cluster: container engines know nodes by kind's label only");
	return collect;
}

void nd_collect_ask(struct nd_collect *collect, const char *node, const struct nd_ask *ask)
{
	for (size_t i = 0; i < collect->nodes.nnodes; i++)
		if (nd_eq(collect->nodes.nodes[i].node, node)) {
			exec_start(collect, &collect->nodes.nodes[i], ask);
			return;
		}
	nd_collect_gap(collect, ask->what, node, "it was not reached before");
}

int nd_collect_status(const struct nd_collect *collect, struct nd_err *err)
{
	if (!collect->has_sink_failed)
		return 0;
	if (err)
		*err = collect->sink_err;
	return -1;
}

void nd_collect_free(struct nd_collect *collect)
{
	if (!collect)
		return;
	nd_child_free(collect->list);
	for (size_t i = 0; i < collect->nexecs; i++)
		nd_exec_free(collect->execs[i]);
	nd_buf_free(&collect->failures);
	nd_arena_free(&collect->arena);
	free(collect);
}
