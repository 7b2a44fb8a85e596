#include "common/base.h"

#include "plugin/model/decode.h"

#define MAX_IMAGES 256

static void decode_images(struct nd_model *m, const cJSON *containers, struct nd_workload *out)
{
	size_t n = nd_json_count(containers, MAX_IMAGES);
	const cJSON *container;

	out->images = nd_model_array(m, n, sizeof(*out->images));
	if (n == 0)
		return;
	cJSON_ArrayForEach(container, containers) {
		const char *image = nd_model_str(m, container, "image");

		if (image && out->nimages < n)
			out->images[out->nimages++] = image;
	}
}

static int32_t count(const cJSON *object, const char *key, int32_t fallback)
{
	return (int32_t)nd_json_int(object, key, 0, INT32_MAX, fallback);
}

static const char *decode(struct nd_model *m, const cJSON *item, struct nd_workload *out)
{
	const cJSON *spec = nd_json_get(item, "spec"), *template = nd_json_get(spec, "template");
	const char *why = nd_decode_meta(m, item, &out->meta);

	if (why)
		return why;
	out->selector = nd_model_labels(m, nd_json_at(spec, "selector", "matchLabels", NULL));
	out->node_selector =
		nd_model_labels(m, nd_json_at(template, "spec", "nodeSelector", NULL));
	out->template_labels =
		nd_model_labels(m, nd_json_at(template, "metadata", "labels", NULL));
	decode_images(m, nd_json_at(template, "spec", "containers", NULL), out);
	return NULL;
}

static void keep(struct nd_model *m, struct nd_workload out)
{
	struct nd_cluster *c = &m->cluster;

	ND_ARENA_PUSH(&c->arena, c->workloads, c->nworkloads) = out;
}

const char *nd_decode_daemonset(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_workload out = {.kind = "DaemonSet"};
	const cJSON *status = nd_json_get(item, "status");
	const char *why = decode(m, item, &out);

	(void)ctx;
	if (why)
		return why;
	out.wanted = count(status, "desiredNumberScheduled", 0);
	out.ready = count(status, "numberReady", 0);
	out.available = count(status, "numberAvailable", 0);
	keep(m, out);
	return NULL;
}

const char *nd_decode_deployment(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_workload out = {.kind = "Deployment"};
	const cJSON *status = nd_json_get(item, "status");
	const char *why = decode(m, item, &out);

	(void)ctx;
	if (why)
		return why;
	/* apps/v1: replicas defaults to 1. */
	out.wanted = count(nd_json_get(item, "spec"), "replicas", 1);
	out.ready = count(status, "readyReplicas", 0);
	out.available = count(status, "availableReplicas", 0);
	keep(m, out);
	return NULL;
}
