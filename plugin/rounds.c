#include "common/base.h"

#include "plugin/rounds.h"

enum { ROUNDS = 2 };

/* One request a node; the plan is in the order of the nodes. */
static void ask_nodes(struct nd_collect *collect, const struct nd_probe_plan *plan, int round,
		      const struct nd_round_options *options, struct nd_buf *requests)
{
	const char *suffix = round ? "-2" : "";
	int rate = options->rate ? options->rate : ND_PROBE_RATE;
	int timeout_ms = options->timeout_ms ? options->timeout_ms : ND_PROBE_TIMEOUT_MS;
	if (round)
		timeout_ms /= 2;
	for (size_t i = 0, n, at = 0; i < plan->nprobes; i += n, at++) {
		for (n = 1; i + n < plan->nprobes; n++)
			if (!nd_eq(plan->probes[i + n].node, plan->probes[i].node))
				break;
		nd_probe_request(plan, i, n, timeout_ms, rate, &requests[at]);
		struct nd_ask ask = {.request = {requests[at].data, requests[at].len},
				     .what = "probes",
				     .suffix = suffix};
		nd_collect_ask(collect, plan->probes[i].node, &ask);
	}
}

static size_t count_nodes(const struct nd_probe_plan *plan)
{
	size_t n = plan->nprobes > 0;
	for (size_t i = 1; i < plan->nprobes; i++)
		n += !nd_eq(plan->probes[i].node, plan->probes[i - 1].node);
	return n;
}

static int run_round(struct nd_loop *loop, struct nd_collect *collect,
		     const struct nd_probe_plan *plan, int round,
		     const struct nd_round_options *options, struct nd_err *err)
{
	size_t n = count_nodes(plan);
	struct nd_buf *requests = calloc(n + 1, sizeof(*requests));
	if (!requests)
		nd_out_of_memory(n * sizeof(*requests));
	ask_nodes(collect, plan, round, options, requests);
	int rc = nd_loop_run(loop, err);
	for (size_t i = 0; i < n; i++)
		nd_buf_free(&requests[i]);
	free(requests);
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
		rc = run_round(loop, collect, &plans[round], round, options, err);
	}
	nd_arena_free(&arena);
	return rc;
}
