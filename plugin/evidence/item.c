#include "common/base.h"

#include "plugin/evidence/item.h"

#include <stdarg.h>

int nd_sink_item(const struct nd_sink *sink, const struct nd_item *item, struct nd_err *err)
{
	if (!item->name)
		ND_BUG("an item without a name");
	if (item->kind >= ND_ITEM_KINDS)
		ND_BUG("an item of no kind");
	if (!sink->item)
		return 0;
	return sink->item(sink->ctx, item, err);
}

/* Gap texts are one line each, whatever the server or a child wrote. */
static void flatten(char *text)
{
	for (; *text; text++)
		if (*text == '\n' || *text == '\r' || *text == '\t')
			*text = ' ';
}

int nd_sink_gap(const struct nd_sink *sink, const char *what, const char *where, struct nd_err *err,
		const char *why_fmt, ...)
{
	char why[sizeof(err->text)];
	va_list args;

	va_start(args, why_fmt);
	vsnprintf(why, sizeof(why), why_fmt, args);
	va_end(args);
	flatten(why);
	struct nd_gap gap = {.what = what, .where = where, .why = why};
	if (!sink->gap)
		return 0;
	return sink->gap(sink->ctx, &gap, err);
}

static int tee_item(void *ctx, const struct nd_item *item, struct nd_err *err)
{
	const struct nd_sink_pair *pair = ctx;

	if (nd_sink_item(pair->first, item, err) < 0)
		return -1;
	return nd_sink_item(pair->second, item, err);
}

static int tee_gap(void *ctx, const struct nd_gap *gap, struct nd_err *err)
{
	const struct nd_sink_pair *pair = ctx;

	if (pair->first->gap && pair->first->gap(pair->first->ctx, gap, err) < 0)
		return -1;
	return pair->second->gap ? pair->second->gap(pair->second->ctx, gap, err) : 0;
}

struct nd_sink nd_sink_tee(struct nd_sink_pair *pair)
{
	return (struct nd_sink){.ctx = pair, .item = tee_item, .gap = tee_gap};
}
