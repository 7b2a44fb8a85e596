#include "common/base.h"
#include "plugin/cli/progress.h"
#include "plugin/cmd/cmd.h"
#include "plugin/pipeline.h"
#include "plugin/probe/target.h"

static bool is_failure(const struct nd_finding *finding, bool fails_on_warning)
{
	return finding->severity == ND_ERROR ||
	       (fails_on_warning && finding->severity == ND_WARNING);
}

static int exit_code(const struct nd_report *report, bool fails_on_warning)
{
	const struct nd_diagnosis *d = report->diagnosis;
	bool fails = false;
	for (size_t i = 0; i < d->ncauses; i++)
		fails |= is_failure(d->causes[i], fails_on_warning);
	for (size_t i = 0; i < d->neffects; i++)
		fails |=
			!d->effects[i]->explained_by && is_failure(d->effects[i], fails_on_warning);
	if (fails)
		return ND_EXIT_PROBLEMS;
	return report->cluster->ngaps ? ND_EXIT_INCOMPLETE : ND_EXIT_OK;
}

/* The words behind the command: what is to be probed, and nothing else. */
struct narrowing {
	const struct nd_args *args;
	struct nd_arena arena;
	struct nd_target *targets; /* args->nwords */
	struct nd_probe_get *only;
};

static int parse_words(struct narrowing *n, struct nd_err *err)
{
	const struct nd_args *args = n->args;
	if (!args->nwords)
		return 0;
	if (args->from || args->no_agent || args->no_probe || nd_eq(args->probe, "none"))
		return nd_err_set(err, ND_E_USAGE,
				  "%s: a target is for probes, and none are to be sent",
				  args->words[0]);
	n->targets = nd_arena_array(&n->arena, args->nwords, sizeof(*n->targets));
	n->only = nd_arena_array(&n->arena, args->nwords, sizeof(*n->only));
	for (size_t i = 0; i < args->nwords; i++)
		if (nd_target_parse(&n->arena, args->words[i], &n->targets[i], err) < 0)
			return -1;
	return 0;
}

static int prepare(void *ctx, const struct nd_cluster *cluster, struct nd_probe_options *plan,
		   struct nd_err *err)
{
	struct narrowing *n = ctx;
	plan->outside_name = n->args->external ? ND_PROBE_OUTSIDE_NAME : NULL;
	for (size_t i = 0; i < n->args->nwords; i++)
		if (nd_target_resolve(cluster, &n->targets[i], n->args->external, &n->only[i],
				      err) < 0)
			return -1;
	plan->only = n->only;
	plan->nonly = n->args->nwords;
	return 0;
}

static int run(const struct nd_args *args, struct nd_buf *out, struct nd_err *err)
{
	const struct nd_format *format = nd_format_find(args->output ? args->output : "text");
	if (!format)
		return nd_err_set(err, ND_E_USAGE, "-o %s: wanted one of %s", args->output,
				  nd_formats_names());
	if (args->fail_on && !nd_eq(args->fail_on, "error") && !nd_eq(args->fail_on, "warning"))
		return nd_err_set(err, ND_E_USAGE, "--fail-on %s: wanted error or warning",
				  args->fail_on);
	if (args->from && args->save)
		return nd_err_set(err, ND_E_USAGE, "--from and --save exclude each other");
	struct narrowing narrowing = {.args = args};
	struct nd_pipeline pipeline = {0};
	pipeline.gathering.rounds =
		(struct nd_round_options){.prepare = prepare, .prepare_ctx = &narrowing};
	int rc = parse_words(&narrowing, err);
	if (rc == 0)
		rc = nd_pipeline_diagnose(&pipeline, args, err);
	if (rc == 0) {
		struct nd_style style = {.has_colour = nd_terminal_has_colour(STDOUT_FILENO)};
		format->print(pipeline.report, &style, out);
		rc = exit_code(pipeline.report, nd_eq(args->fail_on, "warning"));
	}
	nd_pipeline_free(&pipeline);
	nd_arena_free(&narrowing.arena);
	return rc;
}

const struct nd_cmd nd_cmd_diagnose = {
	.name = "diagnose",
	.usage = "diagnose [TARGET...] [flags]",
	.help = "find the cause, show the proof",
	.run = run,
};
