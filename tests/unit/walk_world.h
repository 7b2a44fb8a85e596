/* walk_world.h: recorded clusters, as they are or with one thing changed, for walks through them. */
#ifndef ND_TESTS_UNIT_WALK_WORLD_H
#define ND_TESTS_UNIT_WALK_WORLD_H

#include "common/buf.h"
#include "plugin/evidence/bundle.h"
#include "plugin/walk/walk.h"
#include "tests/unit/model.h"

struct world {
	struct nd_model *model;
	const struct nd_cluster *cluster;
	struct nd_arena arena;
	struct nd_world *walk;
	const char *reason;	  /* what a failing walk must say, or NULL */
	size_t n, nbad, nunknown; /* walks; those that fail, or fail for another reason */
	size_t nexpected;	  /* failed with that reason */
};

/* One piece of evidence is written anew, or left out, on its way into the model. */
struct change {
	const char *node, *section; /* node NULL: of all nodes; section NULL: all of the node */
	const char *from, *to;	    /* from NULL: the section is left out */
};

struct changing_sink {
	struct nd_sink model;
	const struct change *change;
};

static bool is_changed(const struct change *change, const struct nd_item *item)
{
	return change && item->kind == ND_ITEM_SECTION && (!change->node || nd_eq(change->node, item->node)) &&
	       (!change->section || nd_eq(change->section, item->name));
}

static int changing_item(void *ctx, const struct nd_item *item, struct nd_err *err)
{
	const struct changing_sink *sink = ctx;
	const struct change *change = sink->change;
	struct nd_item copy = *item;
	struct nd_buf out = {0};
	int got;

	if (!is_changed(change, item))
		return nd_sink_item(&sink->model, item, err);
	if (!change->from)
		return 0;
	for (const char *p = item->bytes, *end = p + item->len; p < end;) {
		const char *hit = memmem(p, (size_t)(end - p), change->from, strlen(change->from));

		nd_buf_add(&out, p, (size_t)((hit ? hit : end) - p));
		if (hit)
			nd_buf_puts(&out, change->to);
		p = hit ? hit + strlen(change->from) : end;
	}
	copy.bytes = out.data ? out.data : "";
	copy.len = out.len;
	got = nd_sink_item(&sink->model, &copy, err);
	nd_buf_free(&out);
	return got;
}

static int changing_gap(void *ctx, const struct nd_gap *gap, struct nd_err *err)
{
	const struct changing_sink *sink = ctx;

	return sink->model.gap(sink->model.ctx, gap, err);
}

/* name: a case, or the path of a bundle. */
static inline void world_read(struct world *w, const char *name, const struct change *change)
{
	char path[200];
	struct nd_err err = {0};
	struct changing_sink changing = {.change = change};
	struct nd_sink sink = {.ctx = &changing, .item = changing_item, .gap = changing_gap};

	*w = (struct world){.model = nd_model_new()};
	changing.model = nd_model_sink(w->model);
	snprintf(path, sizeof(path), strchr(name, '/') ? "%s" : "tests/cases/%s/bundle.tar.gz", name);
	if (nd_bundle_read(path, &sink, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	w->cluster = nd_model_finish(w->model);
	w->walk = nd_world_new(&w->arena, w->cluster);
}

static inline void world_free(struct world *w)
{
	nd_arena_free(&w->arena);
	nd_model_free(w->model);
}

static inline void show(const struct nd_walk_path *path, const char *from)
{
	const struct nd_pkt *pkt = path->nways ? path->ways[0].packet : NULL;
	char dst[ND_IP_TEXT];

	printf("  %s -> %s:%u %u: %s: %s%s%s\n", from, pkt ? nd_ip_text(pkt->t.dst, dst) : "", pkt ? pkt->t.dport : 0,
	       pkt ? pkt->proto : 0, nd_walk_verdict_name(path->verdict), path->reason ? path->reason : "",
	       path->nback ? "; answer: " : "", path->nback && path->back_reason ? path->back_reason : "");
	if (nd_walk_bad_turn(path))
		printf("    then %s\n", nd_walk_bad_turn(path)->reason);
	if (!getenv("ND_WALK_WAYS"))
		return;
	for (size_t i = 0; i < path->nways + path->nback; i++) {
		const struct nd_way *way = i < path->nways ? &path->ways[i] : &path->back[i - path->nways];
		char src[ND_IP_TEXT];
		printf("    %-40s %s  [%s:%u > %s:%u]\n", way->where ? way->where : "", way->text,
		       nd_ip_text(way->packet->t.src, src), way->packet->t.sport, nd_ip_text(way->packet->t.dst, dst),
		       way->packet->t.dport);
	}
}

#endif
