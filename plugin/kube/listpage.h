/*
 * listpage.h: is this a whole List page, and where does the next one start? One pass over the
 * bytes, no tree: a page may hold 64 MiB. The model decodes the items, not we.
 *
 *	struct nd_listpage page;
 *	if (nd_listpage_scan(body, len, &page, err) < 0) ...	not JSON, cut, or no List
 */
#ifndef ND_PLUGIN_KUBE_LISTPAGE_H
#define ND_PLUGIN_KUBE_LISTPAGE_H

#include "common/err.h"
#include "common/text.h"

#define ND_LISTPAGE_MAX_DEPTH 512
#define ND_LISTPAGE_MAX_CONTINUE (32u << 10)

struct nd_listpage {
	struct nd_str kind;	  /* "PodList"; raw, without its quotes; empty when missing */
	struct nd_str next_token; /* .metadata.continue; raw, empty at the last page */
	bool has_items;		  /* .items is an array or null */
};

/* Brackets, quotes and commas' nesting are checked over the whole length; literals are not. */
int nd_listpage_scan(const char *p, size_t len, struct nd_listpage *out,
		     struct nd_err *err) ND_MUST_USE;

#endif
