/*
 * jsonw.h: write JSON. Commas and quoting are the writer's business; nesting is the caller's.
 *
 *	struct nd_jsonw w = {.out = &buf};
 *	nd_jsonw_begin(&w, NULL, '{');
 *	nd_jsonw_str(&w, "name", "eth0");
 *	nd_jsonw_end(&w, '}');
 *
 * key is NULL inside arrays and at the top. Bytes that are not UTF-8 become U+FFFD.
 */
#ifndef ND_COMMON_JSONW_H
#define ND_COMMON_JSONW_H

#include "common/buf.h"

struct nd_jsonw {
	struct nd_buf *out;
	int indent;	/* blanks a level; 0: on one line */
	int depth;	/* private */
	bool has_items; /* private */
};

void nd_jsonw_begin(struct nd_jsonw *w, const char *key, char bracket); /* '{' or '[' */
void nd_jsonw_end(struct nd_jsonw *w, char bracket);			/* '}' or ']' */
void nd_jsonw_str(struct nd_jsonw *w, const char *key, const char *value); /* NULL: null */
void nd_jsonw_strn(struct nd_jsonw *w, const char *key, const char *p, size_t n);
void nd_jsonw_int(struct nd_jsonw *w, const char *key, int64_t value);
void nd_jsonw_uint(struct nd_jsonw *w, const char *key, uint64_t value);
void nd_jsonw_bool(struct nd_jsonw *w, const char *key, bool value);
/* Already JSON. */
void nd_jsonw_raw(struct nd_jsonw *w, const char *key, const char *json, size_t n);

#endif
