/*
 * scan.h: find the elements of a JSON list without parsing them, so that one at a time is parsed
 * and memory follows what is kept. Private to model/. It checks brackets, strings, commas and
 * depth; whether an element is JSON is for the parser of that element.
 *
 *	struct nd_scan scan;
 *	struct nd_str item;
 *	nd_scan_start(&scan, (struct nd_str){p, n}, "items");
 *	while (nd_scan_next(&scan, &item))
 *		...
 *	if (scan.why) ...	cut or garbage at offset scan.at
 */
#ifndef ND_PLUGIN_MODEL_SCAN_H
#define ND_PLUGIN_MODEL_SCAN_H

#include "common/text.h"

#define ND_SCAN_MAX_DEPTH 128
#define ND_SCAN_MAX_ITEM (8u << 20) /* bytes; etcd keeps no object above 1.5 MiB */

struct nd_scan {
	struct nd_str text;
	size_t at;	 /* where it is, or where it broke */
	const char *key; /* member of the top object that holds the array, or NULL */
	const char *why; /* NULL while all is well; a fixed text */
	bool is_cut;	 /* it ended in the middle: why says so too */
	bool has_list;	 /* the array (or null in its place) was seen */
	struct nd_str
		metadata;  /* the value of the top member "metadata", p NULL: not there (yet) */
	int state;	   /* private */
	bool is_top_array; /* private */
};

/*
 * key: the member that is the list ("items"), NULL: none may be; a top-level array is taken as the
 * list itself.
 */
void nd_scan_start(struct nd_scan *scan, struct nd_str text, const char *key);
/* The next element; false at the end of the text or when it broke (then scan->why says how). */
bool nd_scan_next(struct nd_scan *scan, struct nd_str *item);

#endif
