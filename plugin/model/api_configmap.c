#include "common/base.h"

#include "plugin/model/decode.h"

const char *nd_decode_configmap(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_cluster *c = &m->cluster;
	struct nd_configmap configmap = {0};
	const char *why = nd_decode_meta(m, item, &configmap.meta);

	(void)ctx;
	if (why)
		return why;
	configmap.data = nd_model_labels(m, nd_json_get(item, "data"));
	ND_ARENA_PUSH(&c->arena, c->configmaps, c->nconfigmaps) = configmap;
	return NULL;
}
