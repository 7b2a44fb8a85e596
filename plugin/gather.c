#include "common/base.h"
#include "common/clock.h"
#include "common/jsonw.h"
#include "plugin/cli/progress.h"
#include "plugin/evidence/bundle.h"
#include "plugin/kube/api.h"
#include "plugin/kube/credentials.h"
#include "plugin/model/build.h"
#include "plugin/node/collect.h"
#include "plugin/gather.h"
#include "plugin/rounds.h"

#include <inttypes.h>

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

static int number_in(const char *flag, const char *text, uint64_t min, uint64_t max, uint64_t *out,
		     struct nd_err *err)
{
	if (nd_parse_u64(nd_str(text), max, out) && *out >= min)
		return 0;
	return nd_err_set(err, ND_E_USAGE, "--%s %s: wanted a number, %" PRIu64 " to %" PRIu64,
			  flag, text, min, max);
}

static int probe_options(const struct nd_args *args, struct nd_round_options *out, bool *is_wanted,
			 struct nd_err *err)
{
	const char *extent = args->probe ? args->probe : "default";
	uint64_t n = 0;
	int64_t ms = 0;
	*is_wanted = !args->no_probe && !nd_eq(extent, "none");
	if (!nd_eq(extent, "none") && !nd_eq(extent, "default") && !nd_eq(extent, "all"))
		return nd_err_set(err, ND_E_USAGE, "--probe %s: wanted default, all or none",
				  extent);
	if (nd_eq(extent, "all"))
		out->plan.extent = ND_PROBE_EXTENT_ALL;
	out->plan.only_ns = args->kube.namespace_;
	if (args->pairs && number_in("pairs", args->pairs, 1, 10000, &n, err) < 0)
		return -1;
	out->plan.max_pairs = (size_t)n;
	n = 0;
	if (args->probe_rate &&
	    number_in("probe-rate", args->probe_rate, 1, ND_PROBE_MAX_RATE, &n, err) < 0)
		return -1;
	out->rate = (int)n;
	if (args->probe_timeout &&
	    (!nd_duration_parse(args->probe_timeout, &ms) || ms < 2 * ND_PROBE_MIN_TIMEOUT_MS ||
	     ms > ND_PROBE_MAX_TIMEOUT_MS))
		return nd_err_set(err, ND_E_USAGE, "--probe-timeout %s: wanted 100ms to 10s",
				  args->probe_timeout);
	out->timeout_ms = (int)ms;
	return 0;
}

/* What a live run holds; everything but the arena and the model is closed at its end. */
struct live {
	struct nd_gathering *g;
	const struct nd_args *args;
	const struct nd_sink *sink;
	struct nd_kube_config config;
	struct nd_progress progress;
	struct nd_loop *loop;
	struct nd_api *api;
	struct nd_collect *collect; /* NULL: no node can be reached */
	struct nd_round_options rounds;
	bool probes; /* packets are wanted */
};

static int renew(void *ctx, struct nd_err *err)
{
	struct live *l = ctx;

	return nd_credentials_fetch(l->g->arena, &l->config, err);
}

/* API server and nodes side by side on one loop. */
static int ask_all(struct live *l, struct nd_err *err)
{
	struct nd_api_options options = {.request_deadline_ms = l->config.request_timeout_ms};
	if (l->config.exec || l->config.token_file) {
		options.renew = renew;
		options.renew_ctx = l;
	}
	l->api = nd_api_new(l->loop, &l->config, err);
	if (!l->api ||
	    start_nodes(l->loop, l->args, &l->config, l->sink, &l->progress, &l->collect, err) < 0)
		return -1;
	nd_api_collect(l->api, &options, l->sink, api_done, NULL);
	if (nd_loop_run(l->loop, err) < 0)
		return -1;
	return l->collect ? nd_collect_status(l->collect, err) : 0;
}

static int gather_live(struct live *l, struct nd_err *err)
{
	struct nd_err api_err = {0};
	if (probe_options(l->args, &l->rounds, &l->probes, err) < 0 ||
	    nd_kubeconfig_load(l->g->arena, &l->args->kube, &l->config, err) < 0 ||
	    nd_credentials_fetch(l->g->arena, &l->config, err) < 0 ||
	    push_meta(&l->config, l->sink, err) < 0 || ask_all(l, err) < 0)
		return -1;
	bool has_api = nd_api_status(l->api, &api_err) == 0;
	if (api_err.code == ND_E_IO) { /* of the bundle: the network has other codes */
		*err = api_err;
		return -1;
	}
	const struct nd_cluster *c = nd_model_finish(l->g->model);
	if (!has_api && c->nhosts == 0 && c->ncontainers == 0) {
		*err = api_err;
		return nd_err_wrap(err, "ask API server %s", l->config.server);
	}
	if (!l->probes || !l->collect)
		return 0;
	return nd_rounds_run(l->loop, l->collect, l->g->model, &l->rounds, err);
}

static int gather_to(struct nd_gathering *g, const struct nd_args *args, const struct nd_sink *sink,
		     struct nd_err *err)
{
	struct live l = {.g = g,
			 .args = args,
			 .sink = sink,
			 .loop = nd_loop_new(),
			 .rounds = g->rounds};
	nd_progress_start(&l.progress, args->quiet);
	int rc = gather_live(&l, err);
	nd_collect_free(l.collect);
	nd_api_free(l.api);
	nd_loop_free(l.loop);
	nd_progress_end(&l.progress);
	return rc;
}

static int gather_and_save(struct nd_gathering *g, const struct nd_args *args, struct nd_err *err)
{
	struct nd_sink model = nd_model_sink(g->model);
	if (!args->save)
		return gather_to(g, args, &model, err);
	struct nd_bundle *bundle = nd_bundle_create(args->save, err);
	if (!bundle)
		return -1;
	struct nd_sink file = nd_bundle_sink(bundle);
	struct nd_sink_pair pair = {&file, &model};
	struct nd_sink both = nd_sink_tee(&pair);
	int rc = gather_to(g, args, &both, err);
	if (rc == 0)
		rc = nd_bundle_finish(bundle, err);
	nd_bundle_free(bundle);
	return rc;
}

static int read_bundle(struct nd_gathering *g, const char *path, struct nd_err *err)
{
	struct nd_sink model = nd_model_sink(g->model);
	if (nd_bundle_read(path, &model, err) < 0)
		return -1;
	const struct nd_cluster *c = nd_model_finish(g->model);
	/* A recorded run that was allowed nothing is incomplete, as it was then. */
	if (!c->has_api && c->nhosts == 0 && c->ncontainers == 0 && c->ngaps == 0)
		return nd_err_set(err, ND_E_INPUT, "%s: no evidence of a cluster in it", path);
	return 0;
}

int nd_gather(struct nd_gathering *g, const struct nd_args *args, struct nd_err *err)
{
	int rc;
	g->model = nd_model_new();
	rc = args->from ? read_bundle(g, args->from, err) : gather_and_save(g, args, err);
	g->cluster = nd_model_finish(g->model);
	return rc;
}

void nd_gathering_free(struct nd_gathering *g)
{
	nd_model_free(g->model);
	g->model = NULL;
}
