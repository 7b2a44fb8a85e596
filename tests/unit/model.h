/* model.h: feed evidence to the model in a test. */
#ifndef ND_TESTS_UNIT_MODEL_H
#define ND_TESTS_UNIT_MODEL_H

#include "plugin/model/build.h"
#include "plugin/model/look.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* len bytes in a block of exactly that size, so that a sanitizer sees a read past the end. */
static inline void feed(struct nd_model *model, enum nd_item_kind kind, const char *node,
			const char *name, const char *p, size_t len)
{
	struct nd_sink sink = nd_model_sink(model);
	struct nd_err err = {0};
	char *copy = malloc(len ? len : 1);

	if (len)
		memcpy(copy, p, len);
	struct nd_item item = {
		.kind = kind, .node = node, .name = name, .bytes = copy, .len = len};

	assert_int_equal(nd_sink_item(&sink, &item, &err), 0);
	free(copy);
}

static inline void feed_api(struct nd_model *model, const char *name, const char *text)
{
	feed(model, ND_ITEM_API, NULL, name, text, strlen(text));
}

static inline void feed_section(struct nd_model *model, const char *name, const char *text)
{
	feed(model, ND_ITEM_SECTION, "w1", name, text, strlen(text));
}

/* The host after one section; the caller frees the model. */
static inline const struct nd_host *host_of(struct nd_model *model)
{
	const struct nd_host *host = nd_look_host(nd_model_finish(model), "w1");

	assert_non_null(host);
	return host;
}

/* Every prefix of text: no crash, and never a claim that the section is whole. */
static inline void check_cuts(const char *section, enum nd_section_id id, const char *text)
{
	size_t n = strlen(text);

	for (size_t len = 0; len < n; len++) {
		struct nd_model *model = nd_model_new();

		feed(model, ND_ITEM_SECTION, "w1", section, text, len);
		const struct nd_cluster *cluster = nd_model_finish(model);

		assert_false(nd_host_has(nd_look_host(cluster, "w1"), id));
		assert_true(cluster->ngaps >= 1);
		nd_model_free(model);
	}
}

#endif
