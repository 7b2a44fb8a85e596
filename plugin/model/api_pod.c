#include "common/base.h"

#include "common/buf.h"
#include "plugin/model/decode.h"

#define MAX_ARGS_BYTES 4096

static void decode_ports(struct nd_model *m, const cJSON *ports, struct nd_container *out)
{
	size_t n = nd_json_count(ports, UINT16_MAX);
	const cJSON *port;

	out->ports = nd_model_array(m, n, sizeof(*out->ports));
	if (n == 0)
		return;
	cJSON_ArrayForEach(port, ports) {
		if (out->nports == n)
			break;
		const char *protocol = nd_model_str(m, port, "protocol");

		out->ports[out->nports++] = (struct nd_container_port){
			.name = nd_model_str(m, port, "name"),
			.port = (uint16_t)nd_json_int(port, "containerPort", 1, UINT16_MAX, 0),
			.protocol = protocol ? protocol : "TCP",
			.host_port = (uint16_t)nd_json_int(port, "hostPort", 1, UINT16_MAX, 0)};
	}
}

static void add_words(struct nd_buf *text, const cJSON *words)
{
	const cJSON *word;

	if (!cJSON_IsArray(words))
		return;
	cJSON_ArrayForEach(word, words) {
		if (!nd_json_text(word))
			continue;
		/* Past the maximum the rest is left out: nobody looks for an option there. */
		if (text->len && nd_buf_puts(text, " ") < 0)
			return;
		if (nd_buf_puts(text, nd_json_text(word)) < 0)
			return;
	}
}

static const char *decode_args(struct nd_model *m, const cJSON *container)
{
	nd_auto_buf struct nd_buf text = {.max_bytes = MAX_ARGS_BYTES};

	add_words(&text, nd_json_get(container, "command"));
	add_words(&text, nd_json_get(container, "args"));
	return text.len ? nd_model_textn(m, (struct nd_str){text.data, text.len}) : NULL;
}

static void add_containers(struct nd_model *m, struct nd_pod *pod, const cJSON *containers,
			   size_t n, bool is_init)
{
	const cJSON *container;

	if (n == 0)
		return;
	cJSON_ArrayForEach(container, containers) {
		if (n-- == 0)
			break;
		struct nd_container *out = &pod->containers[pod->ncontainers++];

		out->name = nd_model_str(m, container, "name");
		out->image = nd_model_str(m, container, "image");
		out->is_init = is_init;
		out->args = decode_args(m, container);
		decode_ports(m, nd_json_get(container, "ports"), out);
	}
}

static void apply_status(struct nd_model *m, const cJSON *status, struct nd_container *out)
{
	const cJSON *waiting = nd_json_at(status, "state", "waiting", NULL);
	const cJSON *ended = nd_json_at(status, "state", "terminated", NULL);

	if (!cJSON_IsObject(ended))
		ended = nd_json_at(status, "lastState", "terminated", NULL);
	out->is_ready = nd_json_bool(status, "ready", false);
	out->restarts = (int32_t)nd_json_int(status, "restartCount", 0, INT32_MAX, 0);
	out->waiting_reason = nd_model_str(m, waiting, "reason");
	out->waiting_message = nd_model_str(m, waiting, "message");
	out->terminated_reason = nd_model_str(m, ended, "reason");
	out->terminated_message = nd_model_str(m, ended, "message");
	out->exit_code = (int32_t)nd_json_int(ended, "exitCode", INT32_MIN, INT32_MAX, 0);
}

static void apply_statuses(struct nd_model *m, const cJSON *statuses, struct nd_pod *pod,
			   bool is_init)
{
	const cJSON *status;

	if (!cJSON_IsArray(statuses))
		return;
	cJSON_ArrayForEach(status, statuses) {
		const char *name = nd_json_str(status, "name");

		for (size_t i = 0; i < pod->ncontainers; i++) {
			struct nd_container *out = &pod->containers[i];

			if (out->is_init != is_init || !nd_eq(out->name, name))
				continue;
			apply_status(m, status, out);
			break;
		}
	}
}

static void decode_containers(struct nd_model *m, const cJSON *item, struct nd_pod *pod)
{
	const size_t max = 256; /* far above what a node can run in one pod */
	const cJSON *inits = nd_json_at(item, "spec", "initContainers", NULL);
	const cJSON *mains = nd_json_at(item, "spec", "containers", NULL);
	size_t ninits = nd_json_count(inits, max), nmains = nd_json_count(mains, max);

	pod->containers = nd_model_array(m, ninits + nmains, sizeof(*pod->containers));
	add_containers(m, pod, inits, ninits, true);
	add_containers(m, pod, mains, nmains, false);
	apply_statuses(m, nd_json_at(item, "status", "initContainerStatuses", NULL), pod, true);
	apply_statuses(m, nd_json_at(item, "status", "containerStatuses", NULL), pod, false);
}

static void add_ip(struct nd_pod *pod, struct nd_ip ip)
{
	if (ip.family == 4 && !pod->ip.family)
		pod->ip = ip;
	if (ip.family == 6 && !pod->ip6.family)
		pod->ip6 = ip;
}

static void decode_ips(const cJSON *status, struct nd_pod *pod)
{
	const cJSON *ips = nd_json_get(status, "podIPs"), *ip;

	add_ip(pod, nd_json_ip(status, "podIP"));
	if (!cJSON_IsArray(ips))
		return;
	cJSON_ArrayForEach(ip, ips)
		add_ip(pod, nd_json_ip(ip, "ip"));
}

/* PodScheduled says why a pod has no node; otherwise Ready says why it is not ready. */
static void decode_conditions(struct nd_model *m, const cJSON *conditions, struct nd_pod *pod)
{
	const cJSON *condition;
	bool is_unscheduled = false;

	if (!cJSON_IsArray(conditions))
		return;
	cJSON_ArrayForEach(condition, conditions) {
		const char *type = nd_json_str(condition, "type");
		bool is_true = nd_eq(nd_json_str(condition, "status"), "True");

		if (nd_eq(type, "Ready"))
			pod->is_ready = is_true;
		if (is_true || (!nd_eq(type, "Ready") && !nd_eq(type, "PodScheduled")) ||
		    is_unscheduled)
			continue;
		is_unscheduled = nd_eq(type, "PodScheduled");
		pod->not_ready_reason = nd_model_str(m, condition, "reason");
		pod->not_ready_message = nd_model_str(m, condition, "message");
	}
}

const char *nd_decode_pod(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_cluster *c = &m->cluster;
	struct nd_pod pod = {0};
	const char *why = nd_decode_meta(m, item, &pod.meta);
	const cJSON *spec = nd_json_get(item, "spec"), *status = nd_json_get(item, "status");

	(void)ctx;
	if (why)
		return why;
	pod.node = nd_model_str(m, spec, "nodeName");
	pod.phase = nd_model_str(m, status, "phase");
	pod.is_host_network = nd_json_bool(spec, "hostNetwork", false);
	pod.dns_policy = nd_model_str(m, spec, "dnsPolicy");
	decode_ips(status, &pod);
	decode_conditions(m, nd_json_get(status, "conditions"), &pod);
	decode_containers(m, item, &pod);
	ND_ARENA_PUSH(&c->arena, c->pods, c->npods) = pod;
	return NULL;
}
