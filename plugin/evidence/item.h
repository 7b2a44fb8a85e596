/*
 * item.h: evidence is raw bytes with a label, and gaps: what could not be had, and why.
 * It is a stream: whoever gathers pushes items into a sink; the decoder, the bundle writer, or
 * both at once are sinks. Nothing is decoded here.
 *
 *	struct nd_item item = {.kind = ND_ITEM_SECTION, .node = "w1", .name = "links",
 *			       .bytes = p, .len = n, .taken_unix_s = now};
 *	if (sink->item(sink->ctx, &item, err) < 0) return -1;
 */
#ifndef ND_PLUGIN_EVIDENCE_ITEM_H
#define ND_PLUGIN_EVIDENCE_ITEM_H

#include "common/base.h"
#include "common/err.h"

enum nd_item_kind {
#define ND_ITEM(id, folder) ND_ITEM_##id,
#include "plugin/evidence/items.def"
#undef ND_ITEM
	ND_ITEM_KINDS
};

struct nd_item {
	enum nd_item_kind kind;
	const char *node;     /* node name for SECTION, else NULL */
	const char *name;     /* see items.def; never NULL */
	const char *bytes;    /* len bytes; only valid during the call */
	size_t len;	      /* bytes */
	int64_t taken_unix_s; /* when it was true */
};

/* What could not be had. Texts are one line each, valid only during the call. */
struct nd_gap {
	const char *what;  /* "pods", "node report", "iptables" */
	const char *where; /* "node/w1", "api" , "host" */
	const char *why;   /* "forbidden: ..." */
};

struct nd_sink {
	void *ctx;
	int (*item)(void *ctx, const struct nd_item *item, struct nd_err *err);
	int (*gap)(void *ctx, const struct nd_gap *gap, struct nd_err *err);
};

/* Both sinks get everything; the first error ends it. Storage for the pair is the caller's. */
struct nd_sink_pair {
	const struct nd_sink *first, *second;
};
struct nd_sink nd_sink_tee(struct nd_sink_pair *pair);

int nd_sink_item(const struct nd_sink *sink, const struct nd_item *item,
		 struct nd_err *err) ND_MUST_USE;
int nd_sink_gap(const struct nd_sink *sink, const char *what, const char *where,
		struct nd_err *err, const char *why_fmt, ...) ND_PRINTF(5, 6) ND_MUST_USE;

#endif
