#include "common/base.h"

#include "plugin/model/decode.h"

#define MAX_CONTAINERS 20000
static const char role_label[] = "io.x-k8s.kind.role";

/* docker: "k=v,k=v"; podman: an object. */
static const char *find_role(struct nd_model *m, const cJSON *labels)
{
	struct nd_str rest = nd_str(nd_json_text(labels));
	const size_t n = sizeof(role_label) - 1;

	if (cJSON_IsObject(labels))
		return nd_model_str(m, labels, role_label);
	while (rest.n) {
		const char *comma = memchr(rest.p, ',', rest.n);
		size_t len = comma ? (size_t)(comma - rest.p) : rest.n;

		if (len > n && nd_str_starts(rest, role_label) && rest.p[n] == '=')
			return nd_model_textn(m, (struct nd_str){rest.p + n + 1, len - n - 1});
		rest.p += len + (comma != NULL);
		rest.n -= len + (comma != NULL);
	}
	return NULL;
}

/* nerdctl has no State; the words of Status are docker's. */
static const char *state_of_status(const char *status)
{
	if (!status)
		return NULL;
	if (strstr(status, "(Paused)"))
		return "paused";
	if (nd_starts(status, "Up"))
		return "running";
	if (nd_starts(status, "Exited"))
		return "exited";
	return nd_starts(status, "Created") ? "created" : NULL;
}

static void decode_line(struct nd_model *m, struct nd_str line)
{
	nd_auto_json cJSON *json = nd_json_parse(line);
	const cJSON *names = nd_json_get(json, "Names");
	struct nd_cluster *c = &m->cluster;
	struct nd_node_container out = {
		.name = nd_model_text(m, nd_json_text(cJSON_IsArray(names) ? names->child : names)),
		.state = nd_model_str(m, json, "State"),
		.status = nd_model_str(m, json, "Status"),
		.role = find_role(m, nd_json_get(json, "Labels"))};

	if (!out.name) {
		nd_model_gap(m, "containers", "host", "a line is not a container in JSON");
		return;
	}
	if (!out.state)
		out.state = state_of_status(out.status);
	ND_ARENA_PUSH(&c->arena, c->containers, c->ncontainers) = out;
}

void nd_model_containers(struct nd_model *m, struct nd_str text)
{
	struct nd_str line;

	while (nd_str_line(&text, &line)) {
		line = nd_str_trim(line);
		if (line.n == 0)
			continue;
		if (m->cluster.ncontainers == MAX_CONTAINERS) {
			nd_model_gap(m, "containers", "host", "there are too many");
			return;
		}
		decode_line(m, line);
	}
}

void nd_model_meta_item(struct nd_model *m, const char *name, struct nd_str text)
{
	nd_auto_json cJSON *json = nd_json_parse(text);

	if (!cJSON_IsObject(json)) {
		nd_model_gap(m, name, "meta", "it is not a JSON object");
		return;
	}
	if (nd_eq(name, "cluster"))
		m->cluster.context = nd_model_str(m, json, "context");
	if (nd_eq(name, "version"))
		m->cluster.version = nd_model_str(m, json, "gitVersion");
}
