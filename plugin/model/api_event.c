#include "common/base.h"

#include "plugin/model/decode.h"

#include <time.h>

int64_t nd_model_time(const char *text)
{
	struct tm tm = {0};
	const char *rest;

	if (!text || strlen(text) > 40)
		return 0;
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return 0;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (!nd_eq(rest, "Z"))
		return 0;
	time_t at = timegm(&tm);

	return at > 0 ? (int64_t)at : 0;
}

static int64_t last_seen(const cJSON *item)
{
	int64_t at = nd_model_time(nd_json_str(item, "lastTimestamp"));

	if (!at)
		at = nd_model_time(nd_json_str(nd_json_get(item, "series"), "lastObservedTime"));
	if (!at)
		at = nd_model_time(nd_json_str(item, "eventTime"));
	if (!at)
		at = nd_model_time(nd_json_str(nd_json_get(item, "metadata"), "creationTimestamp"));
	return at;
}

const char *nd_decode_event(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_cluster *c = &m->cluster;
	const cJSON *object = nd_json_get(item, "involvedObject");
	struct nd_event event = {.kind = nd_model_str(m, object, "kind"),
				 .ns = nd_model_str(m, object, "namespace"),
				 .name = nd_model_str(m, object, "name"),
				 .uid = nd_model_str(m, object, "uid"),
				 .reason = nd_model_str(m, item, "reason"),
				 .message = nd_model_str(m, item, "message"),
				 .node = nd_model_str(m, nd_json_get(item, "source"), "host"),
				 .last_unix_s = last_seen(item)};

	(void)ctx;
	if (!event.name)
		return "an event has no involvedObject.name";
	ND_ARENA_PUSH(&c->arena, c->events, c->nevents) = event;
	return NULL;
}
