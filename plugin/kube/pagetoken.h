/*
 * pagetoken.h: continue tokens, from the JSON they come in to the URL they go out in. A token is
 * opaque; escaping it for the URL is all that may be done to it.
 */
#ifndef ND_PLUGIN_KUBE_PAGETOKEN_H
#define ND_PLUGIN_KUBE_PAGETOKEN_H

#include "common/text.h"

/* raw: as nd_listpage found it. *out is NULL for the last page, else the caller's to free. */
int nd_pagetoken_of_page(struct nd_str raw, char **out) ND_MUST_USE;
/* The token that a 410 brings to go on with, or NULL; the caller's to free. */
char *nd_pagetoken_of_status(const char *p, size_t len);

#endif
