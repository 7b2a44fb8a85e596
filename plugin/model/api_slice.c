#include "common/base.h"

#include "plugin/model/decode.h"

/* A slice holds at most 1000 endpoints (discovery/v1 validation). */
#define MAX_ENDPOINTS 1000
#define MAX_PORTS 20000

static struct nd_endpoint decode_endpoint(struct nd_model *m, const cJSON *in)
{
	const cJSON *conditions = nd_json_get(in, "conditions");
	const cJSON *addresses = nd_json_get(in, "addresses");
	const cJSON *target = nd_json_get(in, "targetRef");
	struct nd_endpoint out = {.node = nd_model_str(m, in, "nodeName")};
	const char *ip = cJSON_IsArray(addresses) ? nd_json_text(addresses->child) : NULL;

	if (ip && !nd_ip_parse(ip, &out.ip))
		out.ip = (struct nd_ip){0};
	/* discovery/v1: a missing ready is to be read as true, a missing serving as ready. */
	out.is_ready = nd_json_bool(conditions, "ready", true);
	out.is_serving = nd_json_bool(conditions, "serving", out.is_ready);
	out.is_terminating = nd_json_bool(conditions, "terminating", false);
	out.has_hints = nd_json_get(in, "hints") != NULL;
	if (nd_eq(nd_json_str(target, "kind"), "Pod")) {
		out.pod_ns = nd_model_str(m, target, "namespace");
		out.pod_name = nd_model_str(m, target, "name");
	}
	return out;
}

static void decode_endpoints(struct nd_model *m, const cJSON *endpoints, struct nd_slice *slice)
{
	size_t n = nd_json_count(endpoints, MAX_ENDPOINTS);
	const cJSON *endpoint;

	slice->endpoints = nd_model_array(m, n, sizeof(*slice->endpoints));
	if (n == 0)
		return;
	cJSON_ArrayForEach(endpoint, endpoints) {
		if (slice->nendpoints == n)
			break;
		slice->endpoints[slice->nendpoints++] = decode_endpoint(m, endpoint);
	}
}

static void decode_ports(struct nd_model *m, const cJSON *ports, struct nd_slice *slice)
{
	size_t n = nd_json_count(ports, MAX_PORTS);
	const cJSON *port;

	slice->ports = nd_model_array(m, n, sizeof(*slice->ports));
	if (n == 0)
		return;
	cJSON_ArrayForEach(port, ports) {
		if (slice->nports == n)
			break;
		const char *protocol = nd_model_str(m, port, "protocol");

		slice->ports[slice->nports++] = (struct nd_slice_port){
			.name = nd_model_str(m, port, "name"),
			.protocol = protocol ? protocol : "TCP",
			.port = (uint16_t)nd_json_int(port, "port", 1, UINT16_MAX, 0)};
	}
}

const char *nd_decode_slice(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_cluster *c = &m->cluster;
	struct nd_slice slice = {0};
	const char *why = nd_decode_meta(m, item, &slice.meta);
	const char *type = nd_json_str(item, "addressType");
	const cJSON *labels = nd_json_at(item, "metadata", "labels", NULL);

	(void)ctx;
	if (why)
		return why;
	slice.service = nd_model_str(m, labels, "kubernetes.io/service-name");
	slice.managed_by = nd_model_str(m, labels, "endpointslice.kubernetes.io/managed-by");
	slice.family = nd_eq(type, "IPv4") ? 4 : nd_eq(type, "IPv6") ? 6 : 0;
	decode_endpoints(m, nd_json_get(item, "endpoints"), &slice);
	decode_ports(m, nd_json_get(item, "ports"), &slice);
	ND_ARENA_PUSH(&c->arena, c->slices, c->nslices) = slice;
	return NULL;
}
