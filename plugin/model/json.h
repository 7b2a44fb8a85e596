/*
 * json.h: read fields of a parsed JSON value without trusting its shape. Private to model/.
 * Every reader takes NULL and values of another type for "not there". Names are case-sensitive.
 */
#ifndef ND_PLUGIN_MODEL_JSON_H
#define ND_PLUGIN_MODEL_JSON_H

#include "common/addr.h"
#include "common/text.h"

#include <cjson/cJSON.h>

static inline void nd_json_free(cJSON **json)
{
	cJSON_Delete(*json);
}
#define nd_auto_json ND_CLEANUP(nd_json_free)

/* The whole text must be one value. NULL: it is not, or it is deeper than ND_SCAN_MAX_DEPTH. */
cJSON *nd_json_parse(struct nd_str text);

const cJSON *nd_json_get(const cJSON *object, const char *key);
/* A path of member names, ended by NULL: nd_json_at(pod, "spec", "nodeName", NULL). */
const cJSON *nd_json_at(const cJSON *object, ...) __attribute__((sentinel));
const char *nd_json_text(const cJSON *value); /* of a string, else NULL; lives with the value */
const char *nd_json_str(const cJSON *object, const char *key);
bool nd_json_bool(const cJSON *object, const char *key, bool fallback);
/* A whole number in [min, max]; false: *out is untouched. */
bool nd_json_number(const cJSON *value, int64_t min, int64_t max, int64_t *out);
int64_t nd_json_int(const cJSON *object, const char *key, int64_t min, int64_t max,
		    int64_t fallback);
struct nd_ip nd_json_ip(const cJSON *object, const char *key); /* family 0: none */
/* Is text one of the strings of the array? */
bool nd_json_has(const cJSON *array, const char *text);
/* How many elements, at most max. */
size_t nd_json_count(const cJSON *array, size_t max);

#endif
