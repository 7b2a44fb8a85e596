/* base64.h: standard base64 (RFC 4648 section 4), as the *-data fields of kubeconfigs use it. */
#ifndef ND_PLUGIN_KUBE_BASE64_H
#define ND_PLUGIN_KUBE_BASE64_H

#include "common/arena.h"
#include "common/text.h"

/* Line ends are skipped, padding is required (as Go's StdEncoding). A NUL stands behind the bytes.
 */
bool nd_base64_decode(struct nd_arena *arena, struct nd_str text, struct nd_str *out) ND_MUST_USE;
char *nd_base64_encode(struct nd_arena *arena, struct nd_str bytes);

#endif
