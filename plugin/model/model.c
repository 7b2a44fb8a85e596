#include "common/base.h"

#include "plugin/model/decode.h"

#include <stdarg.h>

const char *nd_model_textn(struct nd_model *m, struct nd_str text)
{
	if (!text.p)
		return NULL;
	/* Up to a NUL: what is kept must be found again by its text. */
	text.n = strnlen(text.p, text.n < ND_MODEL_MAX_TEXT ? text.n : ND_MODEL_MAX_TEXT);
	bool is_new;
	struct nd_index_slot *slot = nd_index_claim(&m->texts, &m->cluster.arena, text, &is_new);

	if (is_new)
		slot->key = nd_arena_strdup(&m->cluster.arena, text.p, text.n);
	return slot->key;
}

const char *nd_model_text(struct nd_model *m, const char *text)
{
	return nd_model_textn(m, nd_str(text));
}

const char *nd_model_copy(struct nd_model *m, const char *text)
{
	if (!text)
		return NULL;
	return nd_arena_strdup(&m->cluster.arena, text, strnlen(text, ND_MODEL_MAX_TEXT));
}

const char *nd_model_str(struct nd_model *m, const cJSON *object, const char *key)
{
	return nd_model_text(m, nd_json_str(object, key));
}

static void push_gap(struct nd_model *m, const char *what, const char *where, const char *why)
{
	struct nd_cluster *c = &m->cluster;
	struct nd_known_gap gap = {.what = nd_model_text(m, what),
				   .where = nd_model_text(m, where),
				   .why = nd_model_text(m, why)};

	ND_ARENA_PUSH(&c->arena, c->gaps, c->ngaps) = gap;
}

void nd_model_gap(struct nd_model *m, const char *what, const char *where, const char *fmt, ...)
{
	char why[512];
	va_list args;

	if (m->cluster.ngaps > ND_MODEL_MAX_GAPS)
		return;
	if (m->cluster.ngaps == ND_MODEL_MAX_GAPS) {
		push_gap(m, "gaps", "here", "there are more than are kept");
		return;
	}
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	push_gap(m, what, where, why);
}

struct nd_host *nd_model_host(struct nd_model *m, const char *node)
{
	struct nd_cluster *c = &m->cluster;
	uint32_t at;

	if (nd_index_find(&m->hosts, nd_str(node), &at))
		return &c->hosts[at];
	struct nd_host host = {.node = nd_model_text(m, node)};

	at = (uint32_t)c->nhosts;
	ND_ARENA_PUSH(&c->arena, c->hosts, c->nhosts) = host;
	nd_index_put(&m->hosts, &c->arena, nd_str(host.node), at);
	return &c->hosts[at];
}

void *nd_model_array(struct nd_model *m, size_t count, size_t size_bytes)
{
	return count ? nd_arena_array(&m->cluster.arena, count, size_bytes) : NULL;
}

struct nd_labels nd_model_labels(struct nd_model *m, const cJSON *object)
{
	struct nd_labels labels = {0};
	const cJSON *member;
	size_t n = 0;

	if (!cJSON_IsObject(object))
		return labels;
	cJSON_ArrayForEach(member, object) n += nd_json_text(member) != NULL;
	labels.items = nd_model_array(m, n, sizeof(*labels.items));
	cJSON_ArrayForEach(member, object)
	{
		if (nd_json_text(member))
			labels.items[labels.n++] =
				(struct nd_label){.key = nd_model_text(m, member->string),
						  .value = nd_model_text(m, nd_json_text(member))};
	}
	return labels;
}

const char *nd_decode_list(struct nd_model *m, struct nd_str text, const char *key, void *ctx,
			   nd_decode_fn *decode, struct nd_str *metadata)
{
	const char *why = NULL, *bad;
	struct nd_scan scan;
	struct nd_str item;

	nd_scan_start(&scan, text, key);
	while (nd_scan_next(&scan, &item)) {
		nd_auto_json cJSON *json = nd_json_parse(item);

		bad = !json		      ? "an element is not JSON"
		      : !cJSON_IsObject(json) ? "an element is not an object"
					      : decode(m, ctx, json);
		if (bad && !why)
			why = bad;
	}
	if (metadata)
		*metadata = scan.metadata;
	if (scan.why)
		return scan.why;
	return scan.has_list ? why : "there is no list in it";
}
