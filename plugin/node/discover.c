#include "common/base.h"

#include "plugin/node/discover.h"

#include <ctype.h>

#include <cjson/cJSON.h>

enum { ND_DISCOVER_MAX_NODES = 10000 };

const char **nd_discover_argv(const struct nd_transport *transport, struct nd_arena *arena,
			      const char *kind_cluster)
{
	const char *words[] = {
		transport->program,
		"ps",
		"-a",
		"--no-trunc",
		"--filter",
		nd_arena_printf(arena, "label=io.x-k8s.kind.cluster=%s", kind_cluster),
		"--format",
		"{{json .}}",
	};
	const char **argv = nd_arena_array(arena, ND_ARRAY_LEN(words) + 1, sizeof(*argv));

	memcpy(argv, words, sizeof(words));
	return argv;
}

/* A string, or the first of an array of strings (podman's Names); NULL otherwise. */
static const char *text_of(const cJSON *object, const char *key)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

	if (cJSON_IsArray(value))
		value = cJSON_GetArrayItem(value, 0);
	return cJSON_IsString(value) && value->valuestring[0] ? value->valuestring : NULL;
}

/* Labels are "a=b,c=d" from docker and nerdctl, an object from podman. */
static bool is_load_balancer(const cJSON *object)
{
	static const char role[] = "io.x-k8s.kind.role", balancer[] = "external-load-balancer";
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(object, "Labels");
	char pair[sizeof(role) + sizeof(balancer)];

	if (cJSON_IsObject(labels)) {
		const char *value = text_of(labels, role);

		return value && strcmp(value, balancer) == 0;
	}
	snprintf(pair, sizeof(pair), "%s=%s", role, balancer);
	return cJSON_IsString(labels) && strstr(labels->valuestring, pair);
}

/* docker and podman say "running" in State; nerdctl only has Status, "Up 3 hours". */
static const char *state_of(struct nd_arena *arena, const cJSON *object)
{
	const char *state = text_of(object, "State"), *status = text_of(object, "Status");

	if (!state && status && strstr(status, "aused"))
		return "paused";
	if (!state && nd_starts(status, "Up"))
		return "running";
	if (!state)
		state = status ? status : "unknown";
	size_t n = strcspn(state, " (");
	char *word = nd_arena_strdup(arena, state, n);
	for (size_t i = 0; i < n; i++)
		word[i] = (char)tolower((unsigned char)word[i]);
	return word;
}

static int line_take(struct nd_arena *arena, const cJSON *object, struct nd_node_list *out,
		     struct nd_err *err)
{
	const char *name = text_of(object, "Names");

	if (!name)
		return nd_err_set(err, ND_E_INPUT, "a container without a name");
	if (name[0] == '-' || strlen(name) > 253)
		return nd_err_set(err, ND_E_INPUT, "a container whose name cannot be one");
	if (is_load_balancer(object))
		return 0;
	if (out->nnodes >= ND_DISCOVER_MAX_NODES)
		return nd_err_set(err, ND_E_LIMIT, "more than %d nodes", ND_DISCOVER_MAX_NODES);
	struct nd_node_target target = {.node = nd_arena_strdup(arena, name, strlen(name))};
	target.container = target.node;
	target.state = state_of(arena, object);
	target.is_running = strcmp(target.state, "running") == 0;
	ND_ARENA_PUSH(arena, out->nodes, out->nnodes) = target;
	return 0;
}

int nd_discover_parse(struct nd_arena *arena, struct nd_str output, struct nd_node_list *out,
		      struct nd_err *err)
{
	struct nd_str line;

	for (unsigned number = 1; nd_str_line(&output, &line); number++) {
		if (nd_str_trim(line).n == 0)
			continue;
		cJSON *object = cJSON_ParseWithLength(line.p, line.n);
		int rc = cJSON_IsObject(object)
				 ? line_take(arena, object, out, err)
				 : nd_err_set(err, ND_E_INPUT, "not a JSON object");

		cJSON_Delete(object);
		if (rc < 0)
			return nd_err_wrap(err, "line %u of the list of containers", number);
	}
	return 0;
}
