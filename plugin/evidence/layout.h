/*
 * layout.h: paths in a bundle to labels and back, by the table of layouts.def. Knows nothing of
 * archives.
 */
#ifndef ND_PLUGIN_EVIDENCE_LAYOUT_H
#define ND_PLUGIN_EVIDENCE_LAYOUT_H

#include "plugin/evidence/item.h"

#define ND_LAYOUT_GAPS "netdoctor/gaps.json" /* the last entry of a bundle */
#define ND_LAYOUT_MAX_LABEL 255		     /* bytes of a node or a name */
#define ND_LAYOUT_MAX_PATH 2048		     /* bytes with NUL: two labels, escaped */

struct nd_label {
	enum nd_item_kind kind;
	char node[ND_LAYOUT_MAX_LABEL + 1]; /* "": none */
	char name[ND_LAYOUT_MAX_LABEL + 1];
};

/*
 * The path of an item; page counts from 1 and only matters to kinds that have pages. Bytes other
 * than [A-Za-z0-9._-], and a leading dot, are written %XX: names come from the cluster.
 * False when a label is empty or too long.
 */
bool nd_layout_path(const struct nd_item *item, unsigned page, char dst[ND_LAYOUT_MAX_PATH]);
/* False: no row of the table matches. */
bool nd_layout_match(const char *path, struct nd_label *out);

#endif
