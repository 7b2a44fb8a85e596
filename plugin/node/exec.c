#include "common/base.h"

#include "common/clock.h"
#include "common/text.h"
#include "common/wire.h"
#include "plugin/node/child.h"
#include "plugin/node/exec.h"

enum {
	ND_EXEC_MAX_REPLY_BYTES = 256 << 20,
	ND_EXEC_MAX_LINE_BYTES = 256, /* of what the script says */
};

enum stage {
	ND_EXEC_ASKED,	    /* waiting for have, need or error */
	ND_EXEC_SENDING,    /* the agent is on its way; waiting for ok or error */
	ND_EXEC_COLLECTING, /* the request is sent; the rest is the reply */
	ND_EXEC_REFUSED,    /* the script said error, or something else altogether */
};

struct nd_exec {
	struct nd_exec_spec spec;
	struct nd_child *child;
	enum stage stage;
	size_t at;	      /* bytes of the child's output that were the script's lines */
	int64_t taken_unix_s; /* when the request was sent */
	char refusal[300];    /* why, when refused; safe for a terminal */
	bool has_sink_failed;
	struct nd_err sink_err;
};

static void progress(struct nd_exec *exec, const char *state)
{
	if (exec->spec.progress)
		exec->spec.progress(exec->spec.progress_ctx, exec->spec.node, state);
}

static void refuse(struct nd_exec *exec, struct nd_str said)
{
	char raw[ND_EXEC_MAX_LINE_BYTES + 1];

	snprintf(raw, sizeof(raw), "%.*s", (int)said.n, said.p);
	nd_text_safe(exec->refusal, sizeof(exec->refusal), raw);
	exec->stage = ND_EXEC_REFUSED;
	nd_child_end_input(exec->child);
}

static void request_send(struct nd_exec *exec)
{
	exec->stage = ND_EXEC_COLLECTING;
	exec->taken_unix_s = nd_clock_unix_s();
	if (exec->spec.sent_us)
		*exec->spec.sent_us = nd_clock_mono_us();
	progress(exec, "collecting");
	nd_child_send(exec->child, exec->spec.request.p, exec->spec.request.n);
	nd_child_end_input(exec->child); /* the agent ends at the end of its input */
}

static void agent_send(struct nd_exec *exec, struct nd_str machine)
{
	const struct nd_agent_bin *agent = NULL;

	if (nd_str_eq(machine, "x86_64"))
		agent = &exec->spec.agents->x86_64;
	else if (nd_str_eq(machine, "aarch64"))
		agent = &exec->spec.agents->aarch64;
	if (!agent || agent->len == 0) {
		refuse(exec, ND_STR("it asks for an agent we do not have"));
		return;
	}
	exec->stage = ND_EXEC_SENDING;
	progress(exec, "sending the agent");
	nd_child_send(exec->child, agent->bytes, agent->len);
}

/* One line of the script. */
static void line_take(struct nd_exec *exec, struct nd_str line)
{
	struct nd_str rest = line, word = {"", 0};

	nd_str_word(&rest, &word);
	if (exec->stage == ND_EXEC_ASKED && nd_str_eq(word, "have"))
		request_send(exec);
	else if (exec->stage == ND_EXEC_ASKED && nd_str_eq(word, "need"))
		agent_send(exec, nd_str_trim(rest));
	else if (exec->stage == ND_EXEC_SENDING && nd_str_eq(line, "ok"))
		request_send(exec);
	else if (nd_str_eq(word, "error"))
		refuse(exec, nd_str_trim(rest));
	else
		refuse(exec, ND_STR("it answers something other than our script would"));
}

static void more(void *ctx, struct nd_child *child)
{
	struct nd_exec *exec = ctx;

	while (exec->stage == ND_EXEC_ASKED || exec->stage == ND_EXEC_SENDING) {
		struct nd_str fresh = {child->out.data + exec->at, child->out.len - exec->at};
		const char *end = fresh.n ? memchr(fresh.p, '\n', fresh.n) : NULL;
		size_t n = end ? (size_t)(end - fresh.p) : fresh.n;

		if (n > ND_EXEC_MAX_LINE_BYTES) {
			refuse(exec, ND_STR("it answers something other than our script would"));
			return;
		}
		if (!end)
			return;
		exec->at += n + 1;
		line_take(exec, (struct nd_str){fresh.p, n});
	}
}

static int sink_result(struct nd_exec *exec, int rc, const struct nd_err *why)
{
	if (rc < 0 && !exec->has_sink_failed) {
		exec->has_sink_failed = true;
		exec->sink_err = *why;
	}
	return rc;
}

static void gap_put(struct nd_exec *exec, const char *what, const char *why)
{
	struct nd_err err = {0};
	char where[300];

	if (exec->has_sink_failed)
		return;
	snprintf(where, sizeof(where), "node/%s", exec->spec.node);
	sink_result(exec, nd_sink_gap(exec->spec.sink, what, where, &err, "%s", why), &err);
}

static int frame_take(void *ctx, const struct nd_wire_frame *frame, struct nd_err *err)
{
	struct nd_exec *exec = ctx;
	char raw[512], why[512], name[sizeof(frame->name) + 8];

	if (frame->is_gap) {
		snprintf(raw, sizeof(raw), "%.*s", (int)(frame->len < 500 ? frame->len : 500),
			 frame->bytes);
		gap_put(exec, frame->name, nd_text_safe(why, sizeof(why), raw));
		if (!exec->has_sink_failed)
			return 0;
		*err = exec->sink_err;
		return -1;
	}
	snprintf(name, sizeof(name), "%s%s", frame->name, exec->spec.suffix);
	struct nd_item item = {
		.kind = ND_ITEM_SECTION,
		.node = exec->spec.node,
		.name = name,
		.bytes = frame->bytes,
		.len = frame->len,
		.taken_unix_s = exec->taken_unix_s,
	};
	return sink_result(exec, nd_sink_item(exec->spec.sink, &item, err), err);
}

/* Every section that came whole is used, whatever became of the rest. */
static void reply_take(struct nd_exec *exec)
{
	const struct nd_child *child = exec->child;
	bool is_clean = child->end == ND_CHILD_EXITED && child->status == 0;
	struct nd_err err = {0};
	char why[900], text[2048];

	nd_child_why(child, why, sizeof(why));
	if (child->out.len == exec->at) { /* "cut at byte 0" would say less */
		gap_put(exec, exec->spec.what, is_clean ? "the agent said nothing" : why);
		return;
	}
	int rc = nd_wire_parse(child->out.data + exec->at, child->out.len - exec->at, frame_take,
			       exec, &err);
	if (exec->has_sink_failed)
		return;
	if (rc < 0) {
		snprintf(text, sizeof(text), "%s%s%s", err.text, is_clean ? "" : "; ",
			 is_clean ? "" : why);
		gap_put(exec, exec->spec.what, text);
	} else if (!is_clean) {
		gap_put(exec, exec->spec.what, why);
	}
}

static void done(void *ctx, struct nd_child *child)
{
	struct nd_exec *exec = ctx;
	bool is_good = exec->stage == ND_EXEC_COLLECTING && child->end == ND_CHILD_EXITED &&
		       child->status == 0;
	char why[900];

	if (exec->stage == ND_EXEC_COLLECTING)
		reply_take(exec);
	else if (exec->stage == ND_EXEC_REFUSED)
		gap_put(exec, exec->spec.what, exec->refusal);
	else if (child->end == ND_CHILD_EXITED && child->status == 0)
		gap_put(exec, exec->spec.what, "the shell on the node said nothing");
	else
		gap_put(exec, exec->spec.what, nd_child_why(child, why, sizeof(why)));
	nd_child_free(exec->child);
	exec->child = NULL;
	progress(exec, is_good && !exec->has_sink_failed ? "done" : "failed");
	exec->spec.done(exec->spec.ctx, exec->has_sink_failed ? &exec->sink_err : NULL);
}

struct nd_exec *nd_exec_start(struct nd_loop *loop, const struct nd_exec_spec *spec,
			      struct nd_err *err)
{
	struct nd_exec *exec = calloc(1, sizeof(*exec));

	if (!exec)
		nd_out_of_memory(sizeof(*exec));
	exec->spec = *spec;
	exec->child = nd_child_start(loop,
				     &(struct nd_child_spec){
					     .argv = spec->argv,
					     .deadline_ms = spec->deadline_ms,
					     .max_out_bytes = ND_EXEC_MAX_REPLY_BYTES,
					     .more = more,
					     .done = done,
					     .ctx = exec,
				     },
				     err);
	if (!exec->child) {
		free(exec);
		return NULL;
	}
	progress(exec, "asking");
	return exec;
}

void nd_exec_free(struct nd_exec *exec)
{
	if (!exec)
		return;
	nd_child_free(exec->child);
	free(exec);
}
