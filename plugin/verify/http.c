#include "common/base.h"
#include "plugin/verify/test.h"

static bool is_asked(const struct nd_verify_options *options)
{
	return options->ntargets > 0;
}

static void take(struct nd_verify_run *run, const struct nd_verify_flow *f)
{
	const struct nd_probe_result *r = f->result;
	if (r->outcome == ND_OUTCOME_ok && (r->status < 200 || r->status > 399))
		nd_verify_fail(run, "%s: status %d", nd_verify_flow_text(run->arena, f),
			       (int)r->status);
	else
		nd_verify_take(run, f);
}

static void run_target(struct nd_verify_run *run, const struct nd_target *target)
{
	struct nd_probe_get get;
	struct nd_err err = {0};
	size_t before = run->out->ntotal;
	if (nd_target_resolve(run->cluster, target, run->options->is_external, &get, &err) < 0) {
		nd_verify_fail(run, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < run->nflows; i++) {
		const struct nd_probe_result *r = run->flows[i].result;
		if (r->kind == ND_PROBE_http && nd_ip_eq(r->ip, get.ip) && r->port == get.port &&
		    nd_eq(r->name, get.path))
			take(run, &run->flows[i]);
	}
	if (run->out->ntotal == before)
		nd_verify_leave(run, "%s: no pod asked it", target->text);
}

static void run(struct nd_verify_run *run)
{
	static const char *const lists[] = {"services"};
	if (!nd_verify_has_lists(run, lists, 1))
		return;
	for (size_t i = 0; i < run->options->ntargets; i++)
		run_target(run, &run->options->targets[i]);
}

const struct nd_verify_test nd_verify_test_http = {
	.id = "http",
	.title = "HTTP targets",
	.what = "only with --http: a GET from one pod of every node is answered with status 200 to "
		"399",
	.is_of_namespace = true,
	.needs_probes = true,
	.is_asked = is_asked,
	.run = run,
};
