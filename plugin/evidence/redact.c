#include "common/base.h"

#include "common/text.h"
#include "plugin/evidence/redact.h"

#include <cjson/cJSON.h>

static const char redacted[] = "REDACTED";

/* Annotation keys with one of these words carry credentials more often than not. */
static const char *const secret_words[] = {
	"token", "password", "passwd", "secret", "credential", "apikey", "api-key", "private-key",
};

static bool is_secret_key(const char *key)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(secret_words); i++)
		if (key && strcasestr(key, secret_words[i]))
			return true;
	return false;
}

/* A JSON web token, a bearer header, a PEM key, or a token of the usual issuers. */
static bool is_secret_value(const char *value)
{
	return strstr(value, "eyJhbGci") || strcasestr(value, "bearer ") ||
	       strstr(value, "PRIVATE KEY-----") || nd_starts(value, "ghp_") ||
	       nd_starts(value, "xox") || nd_starts(value, "AKIA");
}

static void string_redact(cJSON *value)
{
	if (cJSON_IsString(value))
		cJSON_SetValuestring(value, redacted);
}

static void annotations_redact(cJSON *annotations)
{
	cJSON *a;

	cJSON_DeleteItemFromObjectCaseSensitive(annotations,
						"kubectl.kubernetes.io/last-applied-configuration");
	for (a = annotations ? annotations->child : NULL; a; a = a->next)
		if (is_secret_key(a->string) ||
		    (cJSON_IsString(a) && is_secret_value(a->valuestring)))
			string_redact(a);
}

static void metadata_redact(cJSON *object)
{
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(object, "metadata");

	if (!cJSON_IsObject(metadata))
		return;
	cJSON_DeleteItemFromObjectCaseSensitive(metadata, "managedFields");
	annotations_redact(cJSON_GetObjectItemCaseSensitive(metadata, "annotations"));
}

static void containers_redact(cJSON *spec, const char *key)
{
	cJSON *container, *env;

	cJSON_ArrayForEach(container, cJSON_GetObjectItemCaseSensitive(spec, key))
	{
		cJSON *list = cJSON_GetObjectItemCaseSensitive(container, "env");

		cJSON_ArrayForEach(env, list)
			string_redact(cJSON_GetObjectItemCaseSensitive(env, "value"));
	}
}

/* spec is a Pod's own, or a workload's with a template of pods in it. */
static void pod_spec_redact(cJSON *spec)
{
	containers_redact(spec, "containers");
	containers_redact(spec, "initContainers");
	containers_redact(spec, "ephemeralContainers");
}

static void object_redact(cJSON *object)
{
	cJSON *spec = cJSON_GetObjectItemCaseSensitive(object, "spec");
	cJSON *template = cJSON_GetObjectItemCaseSensitive(spec, "template");

	metadata_redact(object);
	pod_spec_redact(spec);
	if (!template)
		return;
	metadata_redact(template);
	pod_spec_redact(cJSON_GetObjectItemCaseSensitive(template, "spec"));
}

int nd_redact_list(const char *p, size_t n, struct nd_buf *out, struct nd_err *err)
{
	cJSON *page = n ? cJSON_ParseWithLength(p, n) : NULL, *item;
	char *text;

	if (!cJSON_IsObject(page)) {
		cJSON_Delete(page);
		return nd_err_set(err, ND_E_INPUT, "not a JSON object");
	}
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(page, "items"))
		object_redact(item);
	object_redact(page); /* a page may also be one object */
	text = cJSON_PrintUnformatted(page);
	cJSON_Delete(page);
	if (!text)
		nd_out_of_memory(n);
	int rc = nd_buf_puts(out, text);
	cJSON_free(text);
	return rc < 0 ? nd_err_set(err, ND_E_LIMIT, "larger than %zu bytes", out->max_bytes) : 0;
}
