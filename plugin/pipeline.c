#include "common/base.h"
#include "common/clock.h"
#include "common/jsonw.h"
#include "plugin/checks/run.h"
#include "plugin/cli/progress.h"
#include "plugin/evidence/bundle.h"
#include "plugin/kube/api.h"
#include "plugin/kube/credentials.h"
#include "plugin/model/build.h"
#include "plugin/node/collect.h"
#include "plugin/pipeline.h"

#define NODE_DEADLINE_MS 20000

/* Where and who, as evidence: enough to recognise a bundle, nothing secret. */
static int push_meta(const struct nd_kube_config *config, const struct nd_sink *sink,
		     struct nd_err *err)
{
	nd_auto_buf struct nd_buf json = {0};
	struct nd_jsonw w = {.out = &json};
	nd_jsonw_begin(&w, NULL, '{');
	nd_jsonw_str(&w, "context", config->context_name);
	nd_jsonw_str(&w, "server", config->server);
	nd_jsonw_int(&w, "started_unix_s", nd_clock_unix_s());
	nd_jsonw_end(&w, '}');
	struct nd_item item = {.kind = ND_ITEM_META,
			       .name = "cluster",
			       .bytes = json.data,
			       .len = json.len,
			       .taken_unix_s = nd_clock_unix_s()};
	return nd_sink_item(sink, &item, err);
}

/* kind names its contexts kind-CLUSTER; NULL for any other cluster. */
static const char *kind_cluster(const struct nd_kube_config *config)
{
	const char *names[] = {config->context_name, config->cluster_name};
	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++)
		if (nd_starts(names[i], "kind-") && names[i][5])
			return names[i] + 5;
	return NULL;
}

static void api_done(ND_UNUSED void *ctx)
{
}

static int start_nodes(struct nd_loop *loop, const struct nd_args *args,
		       const struct nd_kube_config *config, const struct nd_sink *sink,
		       struct nd_progress *progress, struct nd_collect **out, struct nd_err *err)
{
	struct nd_collect_options options = {.transport = args->transport,
					     .kind_cluster = kind_cluster(config),
					     .only_node = args->node,
					     .deadline_ms = NODE_DEADLINE_MS,
					     .keep_agent = true,
					     .progress = nd_progress_node,
					     .progress_ctx = progress};
	if (args->node_timeout && (!nd_duration_parse(args->node_timeout, &options.deadline_ms) ||
				   options.deadline_ms <= 0))
		return nd_err_set(err, ND_E_USAGE, "--node-timeout %s: wanted a time such as 20s",
				  args->node_timeout);
	if (args->no_agent)
		return nd_sink_gap(sink, "node reports", "cluster", err,
				   "not asked for (--no-agent)");
	if (!options.kind_cluster && !args->transport)
		return nd_sink_gap(
			sink, "node reports", "cluster", err,
			"context %s is not a kind cluster, and this version reaches no other nodes",
			config->context_name ? config->context_name : "(none)");
	*out = nd_collect_start(loop, &options, sink, err);
	return *out ? 0 : -1;
}

/* API server and nodes side by side on one loop. */
static int gather_live(struct nd_pipeline *p, const struct nd_args *args,
		       const struct nd_sink *sink, struct nd_err *err)
{
	struct nd_kube_config config = {0};
	struct nd_progress progress;
	struct nd_collect *collect = NULL;
	struct nd_err api_err = {0};
	if (nd_kubeconfig_load(&p->arena, &args->kube, &config, err) < 0 ||
	    nd_credentials_fetch(&p->arena, &config, err) < 0 || push_meta(&config, sink, err) < 0)
		return -1;
	nd_progress_start(&progress, args->quiet);
	struct nd_loop *loop = nd_loop_new();
	struct nd_api *api = nd_api_new(loop, &config, err);
	int rc = api ? 0 : -1;
	if (rc == 0)
		rc = start_nodes(loop, args, &config, sink, &progress, &collect, err);
	if (rc == 0) {
		struct nd_api_options options = {.request_deadline_ms = config.request_timeout_ms};
		nd_api_collect(api, &options, sink, api_done, NULL);
		rc = nd_loop_run(loop, err);
	}
	bool has_api = api && nd_api_status(api, &api_err) == 0;
	if (rc == 0 && collect)
		rc = nd_collect_status(collect, err);
	if (rc == 0 && api_err.code == ND_E_IO) { /* of the bundle: the network has other codes */
		*err = api_err;
		rc = -1;
	}
	nd_collect_free(collect);
	nd_api_free(api);
	nd_loop_free(loop);
	nd_progress_end(&progress);
	if (rc == 0)
		p->cluster = nd_model_finish(p->model);
	if (rc == 0 && !has_api && p->cluster->nhosts == 0 && p->cluster->ncontainers == 0) {
		*err = api_err;
		return nd_err_wrap(err, "ask API server %s", config.server);
	}
	return rc;
}

static int gather_and_save(struct nd_pipeline *p, const struct nd_args *args, struct nd_err *err)
{
	struct nd_sink model = nd_model_sink(p->model);
	if (!args->save)
		return gather_live(p, args, &model, err);
	struct nd_bundle *bundle = nd_bundle_create(args->save, err);
	if (!bundle)
		return -1;
	struct nd_sink file = nd_bundle_sink(bundle);
	struct nd_sink_pair pair = {&file, &model};
	struct nd_sink both = nd_sink_tee(&pair);
	int rc = gather_live(p, args, &both, err);
	if (rc == 0)
		rc = nd_bundle_finish(bundle, err);
	nd_bundle_free(bundle);
	return rc;
}

static int gather(struct nd_pipeline *p, const struct nd_args *args, struct nd_err *err)
{
	if (!args->from)
		return gather_and_save(p, args, err);
	struct nd_sink model = nd_model_sink(p->model);
	if (nd_bundle_read(args->from, &model, err) < 0)
		return -1;
	p->cluster = nd_model_finish(p->model);
	/* A recorded run that was allowed nothing is incomplete, as it was then. */
	if (!p->cluster->has_api && p->cluster->nhosts == 0 && p->cluster->ncontainers == 0 &&
	    p->cluster->ngaps == 0)
		return nd_err_set(err, ND_E_INPUT, "%s: no evidence of a cluster in it",
				  args->from);
	return 0;
}

int nd_pipeline_diagnose(struct nd_pipeline *p, const struct nd_args *args, struct nd_err *err)
{
	int64_t start_us = nd_clock_mono_us();
	p->model = nd_model_new();
	if (gather(p, args, err) < 0)
		return -1;
	struct nd_finding_list findings = {0};
	struct nd_scope scope = {.ns = args->kube.namespace_, .node = args->node};
	struct nd_diagnosis *diagnosis = nd_arena_alloc(&p->arena, sizeof(*diagnosis));
	nd_checks_run(p->cluster, &p->arena, &findings);
	nd_diagnose(&p->arena, &findings, &scope, diagnosis);
	p->report = nd_report_build(&p->arena, p->cluster, diagnosis,
				    (double)(nd_clock_mono_us() - start_us) / 1e6);
	return 0;
}

void nd_pipeline_free(struct nd_pipeline *p)
{
	nd_model_free(p->model);
	nd_arena_free(&p->arena);
}
