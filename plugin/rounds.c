#include "common/base.h"

#include "plugin/probe/watch.h"
#include "plugin/rounds.h"

enum { ROUNDS = 2 };

/* One conversation: the probes [first, first + n) of the plan, and what is looked at meanwhile. */
struct part {
	const char *node;
	size_t first, n;
	const struct nd_probe_watch *watch; /* or NULL */
	struct nd_buf request;
	int64_t sent_us; /* 0: it was not sent */
};
struct round {
	const struct nd_probe_plan *plan;
	struct nd_probe_watches watches;
	struct part *parts; /* nparts, a node each */
	size_t nparts;
};

/* Each node's probes stand side by side; then the nodes that only look. */
static void divide(struct nd_arena *arena, struct round *round)
{
	const struct nd_probe_plan *plan = round->plan;
	size_t nsending;
	for (size_t i = 0, n; i < plan->nprobes; i += n) {
		struct part part = {.node = plan->probes[i].node, .first = i};
		for (n = 1; i + n < plan->nprobes; n++)
			if (!nd_eq(plan->probes[i + n].node, part.node))
				break;
		part.n = n;
		part.watch = nd_probe_watches_of(&round->watches, part.node);
		ND_ARENA_PUSH(arena, round->parts, round->nparts) = part;
	}
	nsending = round->nparts;
	for (size_t i = 0; i < round->watches.n; i++) {
		struct part part = {.watch = &round->watches.items[i]};
		size_t at = 0;
		part.node = part.watch->node;
		while (at < nsending && round->parts[at].watch != part.watch)
			at++;
		if (at == nsending)
			ND_ARENA_PUSH(arena, round->parts, round->nparts) = part;
	}
}

static void ask_nodes(struct nd_collect *collect, struct round *round, bool is_second,
		      const struct nd_round_options *options)
{
	int rate = options->rate ? options->rate : ND_PROBE_RATE;
	int timeout_ms = options->timeout_ms ? options->timeout_ms : ND_PROBE_TIMEOUT_MS;
	if (is_second)
		timeout_ms = timeout_ms * 3 / 10;
	for (size_t i = 0; i < round->nparts; i++) {
		struct part *part = &round->parts[i];
		nd_probe_request_watching(round->plan, part->first, part->n, timeout_ms, rate,
					  part->watch, &part->request);
		struct nd_ask ask = {.request = {part->request.data, part->request.len},
				     .what = part->n ? "probes" : "watch",
				     .suffix = is_second ? "-2" : "",
				     .sent_us = &part->sent_us};
		nd_collect_ask(collect, part->node, &ask);
	}
}

static void note_gap(struct nd_collect *collect, const char *node, int64_t us, const char *what)
{
	char why[120];
	snprintf(why, sizeof(why), "it was asked to look %lld ms %s", (long long)us / 1000, what);
	nd_collect_gap(collect, "watch", node, why);
}

/*
 * One that may have begun to look after others had begun to send, or ended before others had sent,
 * has not seen all, and must not be asked what did not pass. The margin is for its own start.
 */
static void note_late(struct nd_collect *collect, const struct round *round)
{
	int64_t first_us = INT64_MAX, last_us = 0;
	const int64_t late_us = (ND_PROBE_WATCH_DELAY_MS - ND_PROBE_WATCH_MARGIN_MS) * 1000;
	const int64_t early_us = (ND_PROBE_WATCH_LEAST_MS - ND_PROBE_WATCH_MARGIN_MS) * 1000;
	for (size_t i = 0; i < round->nparts; i++) {
		int64_t us = round->parts[i].n ? round->parts[i].sent_us : 0;
		if (us && us < first_us)
			first_us = us;
		if (us > last_us)
			last_us = us;
	}
	for (size_t i = 0; i < round->nparts; i++) {
		const struct part *part = &round->parts[i];
		if (!part->watch || !part->sent_us)
			continue;
		if (part->sent_us - first_us > late_us)
			note_gap(collect, part->node, part->sent_us - first_us,
				 "after the first node that sends");
		else if (last_us - part->sent_us > early_us)
			note_gap(collect, part->node, last_us - part->sent_us,
				 "before the last node that sends");
	}
}

static int run_round(struct nd_loop *loop, struct nd_collect *collect, struct nd_arena *arena,
		     struct round *round, bool is_second, const struct nd_round_options *options,
		     struct nd_err *err)
{
	divide(arena, round);
	ask_nodes(collect, round, is_second, options);
	int rc = nd_loop_run(loop, err);
	for (size_t i = 0; i < round->nparts; i++)
		nd_buf_free(&round->parts[i].request);
	note_late(collect, round);
	return rc < 0 ? rc : nd_collect_status(collect, err);
}

int nd_rounds_run(struct nd_loop *loop, struct nd_collect *collect, struct nd_model *model,
		  const struct nd_round_options *options, struct nd_err *err)
{
	struct nd_arena arena = {0};
	struct nd_probe_plan plans[ROUNDS] = {0};
	struct nd_probe_options wanted = options->plan;
	int rc = 0;
	if (options->prepare)
		rc = options->prepare(options->prepare_ctx, nd_model_finish(model), &wanted, err);
	for (int round = 0; round < ROUNDS && rc == 0; round++) {
		const struct nd_cluster *cluster = nd_model_finish(model);
		if (round == 0)
			nd_probe_plan_build(&arena, cluster, &wanted, &plans[0]);
		else
			nd_probe_plan_retry(&arena, cluster, &plans[round - 1], &plans[round]);
		if (plans[round].nprobes == 0)
			break;
		struct round r = {.plan = &plans[round]};
		if (round > 0)
			nd_probe_watches_find(&arena, cluster, &plans[round], &r.watches);
		rc = run_round(loop, collect, &arena, &r, round > 0, options, err);
	}
	nd_arena_free(&arena);
	return rc;
}
