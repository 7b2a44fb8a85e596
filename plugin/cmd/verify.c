#include "common/base.h"
#include "common/clock.h"
#include "plugin/cli/progress.h"
#include "plugin/cmd/cmd.h"
#include "plugin/gather.h"
#include "plugin/report/verify.h"

#include <poll.h>

#define MAX_TIME_MS 2000 /* the criterion of people's own checklists */
#define ROUND_MS 2000	 /* from the start of one round of --wait to that of the next */
#define MAX_TARGETS 64
/* Of what a baseline is made of: one on a busy machine says little. */
#define SAMPLES 3

struct verify {
	const struct nd_args *args;
	struct nd_arena arena; /* of all rounds */
	struct nd_verify_options options;
	struct nd_target *targets; /* ntargets */
	size_t ntargets;
	struct nd_probe_get gets[MAX_TARGETS]; /* of this round */
	int64_t wait_ms;
	struct nd_baseline measured; /* the best of the samples so far */
	/* of the round: */
	struct nd_arena round;
	struct nd_gathering gathering;
	const struct nd_verify *answer;
	double seconds;
};

static bool is_text(const struct nd_args *args)
{
	return !args->output || nd_eq(args->output, "text") || nd_eq(args->output, "wide");
}

static int check_words(const struct nd_args *args, struct nd_err *err)
{
	if (!is_text(args) && !nd_eq(args->output, "json"))
		return nd_err_set(err, ND_E_USAGE, "-o %s: wanted one of text, wide, json",
				  args->output);
	if (args->nwords)
		return nd_err_set(err, ND_E_USAGE, "verify takes no word %s", args->words[0]);
	if (args->from && args->save)
		return nd_err_set(err, ND_E_USAGE, "--from and --save exclude each other");
	if (args->from && args->wait)
		return nd_err_set(err, ND_E_USAGE, "--wait needs a cluster, not a bundle");
	if (args->no_agent || args->no_probe || nd_eq(args->probe, "none"))
		return nd_err_set(err, ND_E_USAGE,
				  "verify sends packets from the nodes: --no-agent and --no-probe "
				  "leave nothing to do");
	if (args->nhttp > MAX_TARGETS)
		return nd_err_set(err, ND_E_USAGE, "--http: at most %d targets", MAX_TARGETS);
	return 0;
}

static int duration(const char *flag, const char *text, int64_t *out_ms, struct nd_err *err)
{
	if (text && (!nd_duration_parse(text, out_ms) || *out_ms <= 0))
		return nd_err_set(err, ND_E_USAGE, "--%s %s: wanted a time such as 60s", flag,
				  text);
	return 0;
}

static int start(struct verify *v, struct nd_err *err)
{
	const struct nd_args *args = v->args;
	int64_t max_time_ms = MAX_TIME_MS;
	if (check_words(args, err) < 0 || duration("wait", args->wait, &v->wait_ms, err) < 0 ||
	    duration("max-time", args->max_time, &max_time_ms, err) < 0)
		return -1;
	v->targets = nd_arena_array(&v->arena, args->nhttp + 1, sizeof(*v->targets));
	for (size_t i = 0; i < args->nhttp; i++)
		if (nd_target_parse(&v->arena, args->http[i], &v->targets[v->ntargets++], err) < 0)
			return -1;
	v->options = (struct nd_verify_options){.ns = args->kube.namespace_,
						.node = args->node,
						.max_time_us = max_time_ms * 1000,
						.is_external = args->external,
						.targets = v->targets,
						.ntargets = v->ntargets};
	if (!args->baseline)
		return 0;
	struct nd_baseline *baseline = nd_arena_alloc(&v->arena, sizeof(*baseline));
	v->options.baseline = baseline;
	return nd_baseline_read(&v->arena, args->baseline, baseline, err);
}

/* A target that is not there fails its test, later; one outside the cluster is refused now. */
static int prepare(void *ctx, const struct nd_cluster *cluster, struct nd_probe_options *plan,
		   struct nd_err *err)
{
	struct verify *v = ctx;
	plan->ngets = 0;
	for (size_t i = 0; i < v->ntargets; i++) {
		struct nd_err why = {0};
		if (nd_target_resolve(cluster, &v->targets[i], v->options.is_external,
				      &v->gets[plan->ngets], &why) == 0) {
			plan->ngets++;
		} else if (why.code == ND_E_USAGE) {
			*err = why;
			return -1;
		}
	}
	plan->gets = v->gets;
	plan->has_extra = true;
	plan->has_bulk = v->args->baseline || v->args->save_baseline;
	plan->outside_name = v->options.is_external ? ND_PROBE_OUTSIDE_NAME : NULL;
	return 0;
}

/* A name that was mistyped would else look like a namespace without pods. */
static int check_ns(const struct verify *v, struct nd_err *err)
{
	const struct nd_cluster *c = v->gathering.cluster;
	const char *ns = v->options.ns;
	if (!ns || !nd_look_has_list(c, "pods") || !nd_look_has_list(c, "services"))
		return 0;
	for (size_t i = 0; i < c->npods; i++)
		if (nd_eq(c->pods[i].meta.ns, ns))
			return 0;
	for (size_t i = 0; i < c->nservices; i++)
		if (nd_eq(c->services[i].meta.ns, ns))
			return 0;
	return nd_err_set(err, ND_E_NOT_FOUND, "namespace %s: it has no pod and no service", ns);
}

static void end_round(struct verify *v)
{
	nd_gathering_free(&v->gathering);
	nd_arena_free(&v->round);
	v->answer = NULL;
}

static void measure(struct verify *v)
{
	struct nd_baseline now;
	size_t n;
	if (!v->args->baseline && !v->args->save_baseline)
		return;
	const struct nd_verify_flow *flows =
		nd_verify_flows_find(&v->round, v->gathering.cluster, &n);
	nd_baseline_measure(&v->round, flows, n, &now);
	nd_baseline_add(&v->arena, &v->measured, &now);
	v->options.measured = &v->measured;
}

static int look(struct verify *v, struct nd_err *err)
{
	struct nd_err why = {0};
	struct nd_probe_get unused;
	end_round(v);
	v->round = (struct nd_arena){0};
	v->gathering = (struct nd_gathering){.arena = &v->round,
					     .rounds = {.prepare = prepare, .prepare_ctx = v}};
	if (nd_gather(&v->gathering, v->args, err) < 0 || check_ns(v, err) < 0)
		return -1;
	/* A bundle has no rounds: there the same is refused here. */
	for (size_t i = 0; i < v->ntargets; i++)
		if (nd_target_resolve(v->gathering.cluster, &v->targets[i], v->options.is_external,
				      &unused, &why) < 0 &&
		    why.code == ND_E_USAGE) {
			*err = why;
			return -1;
		}
	measure(v);
	v->answer = nd_verify_run(&v->round, v->gathering.cluster, &v->options);
	return 0;
}

static bool is_slower(const struct nd_verify *answer)
{
	for (size_t i = 0; i < answer->noutcomes; i++)
		if (nd_eq(nd_verify_test_id(answer->outcomes[i].test), "baseline"))
			return answer->outcomes[i].result == ND_VERIFY_FAILED;
	return false;
}

/* A baseline is the best of some samples; so is what is compared with one and seems slower. */
static int run_round(struct verify *v, struct nd_err *err)
{
	int64_t start_us = nd_clock_mono_us();
	v->measured = (struct nd_baseline){0};
	for (int sample = 1;; sample++) {
		if (look(v, err) < 0)
			return -1;
		if (v->args->from || sample == SAMPLES ||
		    !(v->args->save_baseline || is_slower(v->answer)))
			break;
	}
	v->seconds = (double)(nd_clock_mono_us() - start_us) / 1e6;
	return 0;
}

/* Worth another try: the cluster may be on its way. */
static bool is_passing(const struct nd_err *err)
{
	return err->code == ND_E_UNREACHABLE || err->code == ND_E_TIMEOUT ||
	       err->code == ND_E_NOT_FOUND;
}

static int run_rounds(struct verify *v, struct nd_err *err)
{
	int64_t end_us = nd_clock_mono_us() + v->wait_ms * 1000;
	for (int round = 1;; round++) {
		int64_t start_us = nd_clock_mono_us();
		struct nd_err why = {0};
		char line[1200];
		int rc = run_round(v, &why);
		int64_t next_us = start_us + ROUND_MS * 1000;
		bool is_last = (rc == 0 && v->answer->verdict == ND_VERIFY_PASSED) ||
			       (rc < 0 && !is_passing(&why)) || next_us >= end_us;
		if (v->wait_ms) {
			snprintf(line, sizeof(line), "round %d: %s", round,
				 rc == 0 ? v->answer->summary : why.text);
			nd_progress_say(v->args->quiet, line);
		}
		if (is_last && rc < 0)
			*err = why;
		if (is_last)
			return rc;
		/* A signal ends the pause; the next round then says so. */
		int64_t rest_us = next_us - nd_clock_mono_us();
		if (rest_us > 0)
			poll(NULL, 0, (int)(rest_us / 1000) + 1);
	}
}

static int save_baseline(const struct verify *v, struct nd_err *err)
{
	if (v->measured.npairs == 0)
		return nd_err_set(err, ND_E_NOT_FOUND,
				  "--save-baseline %s: nothing was measured between pods",
				  v->args->save_baseline);
	return nd_baseline_write(v->args->save_baseline, &v->measured, err);
}

static int finish(struct verify *v, struct nd_buf *out, struct nd_err *err)
{
	static const int codes[] = {[ND_VERIFY_PASSED] = ND_EXIT_OK,
				    [ND_VERIFY_FAILED] = ND_EXIT_PROBLEMS,
				    [ND_VERIFY_INCOMPLETE] = ND_EXIT_INCOMPLETE};
	struct nd_style style = {.has_colour = nd_terminal_has_colour(STDOUT_FILENO),
				 .is_wide = nd_eq(v->args->output, "wide")};
	if (v->args->save_baseline && save_baseline(v, err) < 0)
		return -1;
	if (is_text(v->args))
		nd_verify_print_text(v->answer, v->seconds, &style, out);
	else
		nd_verify_print_json(v->answer, v->seconds, out);
	return codes[v->answer->verdict];
}

static int run(const struct nd_args *args, struct nd_buf *out, struct nd_err *err)
{
	struct verify *v = calloc(1, sizeof(*v));
	if (!v)
		nd_out_of_memory(sizeof(*v));
	v->args = args;
	int rc = start(v, err);
	if (rc == 0)
		rc = run_rounds(v, err);
	if (rc == 0)
		rc = finish(v, out, err);
	end_round(v);
	nd_arena_free(&v->arena);
	free(v);
	return rc;
}

const struct nd_cmd nd_cmd_verify = {
	.name = "verify",
	.usage = "verify [flags]",
	.help = "test what must work, one line a test",
	.run = run,
};
