#include "common/base.h"

#include "plugin/model/json.h"
#include "plugin/model/scan.h"

#include <math.h>
#include <stdarg.h>

/* cJSON recurses up to 1000 levels; the same cap as for list elements must hold here. */
static bool is_shallow(struct nd_str text)
{
	size_t depth = 0;
	bool is_string = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '"')
			is_string = !is_string;
		else if (is_string && c == '\\')
			i++;
		else if (!is_string && (c == '{' || c == '[') && ++depth > ND_SCAN_MAX_DEPTH)
			return false;
		else if (!is_string && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return true;
}

cJSON *nd_json_parse(struct nd_str text)
{
	const char *end = NULL;

	text = nd_str_trim(text);
	if (text.n == 0 || text.n > ND_SCAN_MAX_ITEM || !is_shallow(text))
		return NULL;
	cJSON *json = cJSON_ParseWithLengthOpts(text.p, text.n, &end, 0);

	if (json && end != text.p + text.n) {
		cJSON_Delete(json);
		return NULL;
	}
	return json;
}

const cJSON *nd_json_get(const cJSON *object, const char *key)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const cJSON *nd_json_at(const cJSON *object, ...)
{
	const char *key;
	va_list keys;

	va_start(keys, object);
	while (object && (key = va_arg(keys, const char *)))
		object = nd_json_get(object, key);
	va_end(keys);
	return object;
}

const char *nd_json_text(const cJSON *value)
{
	return cJSON_IsString(value) ? value->valuestring : NULL;
}

const char *nd_json_str(const cJSON *object, const char *key)
{
	return nd_json_text(nd_json_get(object, key));
}

bool nd_json_bool(const cJSON *object, const char *key, bool fallback)
{
	const cJSON *value = nd_json_get(object, key);

	return cJSON_IsBool(value) ? cJSON_IsTrue(value) : fallback;
}

bool nd_json_number(const cJSON *value, int64_t min, int64_t max, int64_t *out)
{
	/* cJSON keeps doubles: above 2^53 they are no longer whole numbers one by one. */
	const double limit = 9007199254740992.0;

	if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble) ||
	    fabs(value->valuedouble) > limit || trunc(value->valuedouble) != value->valuedouble)
		return false;
	int64_t number = (int64_t)value->valuedouble;

	if (number < min || number > max)
		return false;
	*out = number;
	return true;
}

int64_t nd_json_int(const cJSON *object, const char *key, int64_t min, int64_t max,
		    int64_t fallback)
{
	int64_t value = fallback;

	nd_json_number(nd_json_get(object, key), min, max, &value);
	return value;
}

struct nd_ip nd_json_ip(const cJSON *object, const char *key)
{
	struct nd_ip ip = {0};
	const char *text = nd_json_str(object, key);

	if (!text || !nd_ip_parse(text, &ip))
		return (struct nd_ip){0};
	return ip;
}

bool nd_json_has(const cJSON *array, const char *text)
{
	const cJSON *item;

	if (!cJSON_IsArray(array))
		return false;
	cJSON_ArrayForEach(item, array) {
		if (nd_eq(nd_json_text(item), text))
			return true;
	}
	return false;
}

size_t nd_json_count(const cJSON *array, size_t max)
{
	const cJSON *item;
	size_t n = 0;

	if (!cJSON_IsArray(array))
		return 0;
	cJSON_ArrayForEach(item, array) {
		if (n == max)
			break;
		n++;
	}
	return n;
}
