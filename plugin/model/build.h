/*
 * build.h: evidence in, model out. The decoder is a sink; nd_model_finish sorts and links.
 *
 *	struct nd_model *model = nd_model_new();
 *	struct nd_sink sink = nd_model_sink(model);
 *	... push evidence ...
 *	const struct nd_cluster *cluster = nd_model_finish(model);
	... push more (probes), and nd_model_finish(model) again: pointers into it are new ...
 *	nd_model_free(model);	and the cluster with it
 *
 * Lists are decoded item by item: a small scanner finds where items begin and end, cJSON parses
 * one at a time. An item that cannot be decoded is a gap of the model, never the end of it.
 */
#ifndef ND_PLUGIN_MODEL_BUILD_H
#define ND_PLUGIN_MODEL_BUILD_H

#include "plugin/evidence/item.h"
#include "plugin/model/cluster.h"

struct nd_model;

struct nd_model *nd_model_new(void);
struct nd_sink nd_model_sink(struct nd_model *model);
const struct nd_cluster *nd_model_finish(struct nd_model *model);
void nd_model_free(struct nd_model *model);

#endif
