#include "common/base.h"

#include "plugin/model/decode.h"

#define MAX_SYSCTL_LINES 200000

const char *nd_section_host(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	nd_auto_json cJSON *json = nd_json_parse(text);

	if (!cJSON_IsObject(json))
		return "it is not a JSON object";
	host->hostname = nd_model_str(m, json, "hostname");
	host->kernel = nd_model_str(m, json, "kernel");
	host->arch = nd_model_str(m, json, "arch");
	host->iptables_mode = nd_model_str(m, json, "iptables_mode");
	host->uptime_s = nd_json_int(json, "uptime_s", 0, INT64_MAX, 0);
	host->time_unix_s = nd_json_int(json, "time_unix_s", 0, INT64_MAX, 0);
	return NULL;
}

static int by_key(const void *a, const void *b)
{
	const struct nd_sysctl *sa = a, *sb = b;

	return strcmp(sa->key, sb->key);
}

/* "key = value"; the value may be empty or have blanks and tabs in it. */
static bool decode_sysctl(struct nd_model *m, struct nd_str line, struct nd_sysctl *out)
{
	const char *equals = memchr(line.p, '=', line.n);

	if (!equals || memchr(line.p, '\0', line.n))
		return false;
	size_t n = (size_t)(equals - line.p);
	struct nd_str key = nd_str_trim((struct nd_str){line.p, n});
	struct nd_str value = nd_str_trim((struct nd_str){equals + 1, line.n - n - 1});

	if (key.n == 0)
		return false;
	out->key = nd_model_textn(m, key);
	out->value = nd_model_textn(m, value);
	return true;
}

const char *nd_section_sysctls(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	const char *why = NULL;
	struct nd_str line;

	host->sysctls = NULL;
	host->nsysctls = 0;
	while (nd_str_line(&text, &line)) {
		struct nd_sysctl sysctl;

		line = nd_str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (host->nsysctls == MAX_SYSCTL_LINES)
			return "there are too many lines";
		if (decode_sysctl(m, line, &sysctl))
			ND_ARENA_PUSH(&m->cluster.arena, host->sysctls, host->nsysctls) = sysctl;
		else
			why = "a line is not key = value";
	}
	if (host->nsysctls)
		qsort(host->sysctls, host->nsysctls, sizeof(*host->sysctls), by_key);
	return host->nsysctls ? why : "it is empty";
}

const char *nd_section_conntrack(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	nd_auto_json cJSON *json = nd_json_parse(text);

	(void)m;
	if (!cJSON_IsObject(json))
		return "it is not a JSON object";
	host->conntrack_count = (uint64_t)nd_json_int(json, "count", 0, INT64_MAX, 0);
	host->conntrack_max = (uint64_t)nd_json_int(json, "max", 0, INT64_MAX, 0);
	return NULL;
}

static const char *decode_file(struct nd_model *m, void *ctx, const cJSON *element)
{
	struct nd_host *host = ctx;
	struct nd_file file = {.path = nd_model_str(m, element, "path"),
			       .content = nd_model_str(m, element, "content"),
			       .error = nd_model_str(m, element, "error")};

	if (!file.path)
		return "a file has no path";
	ND_ARENA_PUSH(&m->cluster.arena, host->files, host->nfiles) = file;
	return NULL;
}

const char *nd_section_files(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	host->files = NULL;
	host->nfiles = 0;
	return nd_decode_list(m, text, "files", host, decode_file, NULL);
}

static const char *decode_unit(struct nd_model *m, void *ctx, const cJSON *element)
{
	struct nd_host *host = ctx;
	struct nd_unit unit = {
		.name = nd_model_str(m, element, "unit"),
		.is_running = nd_json_count(nd_json_get(element, "pids"), 1) > 0,
		.is_installed = nd_json_bool(element, "is_installed", false),
		.uptime_s = nd_json_int(element, "uptime_s", 0, INT64_MAX, 0)};

	if (!unit.name)
		return "a unit has no name";
	ND_ARENA_PUSH(&m->cluster.arena, host->units, host->nunits) = unit;
	return NULL;
}

const char *nd_section_units(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	host->units = NULL;
	host->nunits = 0;
	return nd_decode_list(m, text, "units", host, decode_unit, NULL);
}
