#include "common/base.h"

#include "plugin/model/decode.h"

static struct nd_service_port decode_port(struct nd_model *m, const cJSON *port)
{
	const char *protocol = nd_model_str(m, port, "protocol");
	const cJSON *target = nd_json_get(port, "targetPort");
	struct nd_service_port out = {
		.name = nd_model_str(m, port, "name"),
		.protocol = protocol ? protocol : "TCP",
		.port = (uint16_t)nd_json_int(port, "port", 1, UINT16_MAX, 0),
		.node_port = (uint16_t)nd_json_int(port, "nodePort", 1, UINT16_MAX, 0),
		.target_port = (uint16_t)nd_json_int(port, "targetPort", 1, UINT16_MAX, 0),
		.target_name = nd_model_text(m, nd_json_text(target))};

	/* The API server fills targetPort in; where it is not there it is the port. */
	if (!out.target_port && !out.target_name)
		out.target_port = out.port;
	return out;
}

static void decode_ports(struct nd_model *m, const cJSON *ports, struct nd_service *service)
{
	size_t n = nd_json_count(ports, UINT16_MAX);
	const cJSON *port;

	service->ports = nd_model_array(m, n, sizeof(*service->ports));
	if (n == 0)
		return;
	cJSON_ArrayForEach(port, ports) {
		if (service->nports == n)
			break;
		service->ports[service->nports++] = decode_port(m, port);
	}
}

static void add_ip(struct nd_service *service, const char *text)
{
	struct nd_ip ip;

	if (nd_eq(text, "None")) {
		service->is_headless = true;
		return;
	}
	if (!text || !nd_ip_parse(text, &ip))
		return;
	if (ip.family == 4 && !service->cluster_ip.family)
		service->cluster_ip = ip;
	if (ip.family == 6 && !service->cluster_ip6.family)
		service->cluster_ip6 = ip;
}

static void decode_ips(const cJSON *spec, struct nd_service *service)
{
	const cJSON *ips = nd_json_get(spec, "clusterIPs"), *ip;

	add_ip(service, nd_json_str(spec, "clusterIP"));
	if (!cJSON_IsArray(ips))
		return;
	cJSON_ArrayForEach(ip, ips)
		add_ip(service, nd_json_text(ip));
}

#define MAX_ADDRESSES 256 /* of a kind: each is compared with the rules of each node */
#define MAX_RANGES 4096

static void push_ip(struct nd_model *m, struct nd_ip **ips, size_t *n, const cJSON *text)
{
	struct nd_ip ip;

	if (*n < MAX_ADDRESSES && nd_ip_parse(nd_json_text(text), &ip))
		ND_ARENA_PUSH(&m->cluster.arena, *ips, *n) = ip;
}

/* kube-proxy takes blanks off (proxy/util, MapCIDRsByIPFamily); the API server lets them pass. */
static bool parse_range(const cJSON *text, struct nd_prefix *out)
{
	struct nd_str trimmed = nd_str_trim(nd_str(nd_json_text(text)));
	char copy[ND_PREFIX_TEXT];

	if (!trimmed.p || trimmed.n >= sizeof(copy))
		return false;
	memcpy(copy, trimmed.p, trimmed.n);
	copy[trimmed.n] = '\0';
	return strchr(copy, '/') && nd_prefix_parse(copy, out);
}

/* kube-proxy catches load balancer addresses of ipMode VIP, the default, and leaves the others. */
static void decode_outside(struct nd_model *m, const cJSON *item, struct nd_service *service)
{
	const cJSON *spec = nd_json_get(item, "spec"), *one;
	const cJSON *balancer = nd_json_get(nd_json_get(item, "status"), "loadBalancer");
	struct nd_prefix prefix;

	cJSON_ArrayForEach(one, nd_json_get(spec, "externalIPs"))
		push_ip(m, &service->external_ips, &service->nexternal_ips, one);
	cJSON_ArrayForEach(one, nd_json_get(balancer, "ingress"))
		if (!nd_eq(nd_json_str(one, "ipMode"), "Proxy"))
			push_ip(m, &service->lb_ips, &service->nlb_ips, nd_json_get(one, "ip"));
	cJSON_ArrayForEach(one, nd_json_get(spec, "loadBalancerSourceRanges"))
		if (service->nsource_ranges < MAX_RANGES && parse_range(one, &prefix))
			ND_ARENA_PUSH(&m->cluster.arena, service->source_ranges,
				      service->nsource_ranges) = prefix;
}

static const char *find_label(const struct nd_labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->n; i++)
		if (nd_eq(labels->items[i].key, key))
			return labels->items[i].value;
	return NULL;
}

const char *nd_decode_service(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_cluster *c = &m->cluster;
	struct nd_service service = {0};
	const char *why = nd_decode_meta(m, item, &service.meta);
	const cJSON *spec = nd_json_get(item, "spec");

	(void)ctx;
	if (why)
		return why;
	service.type = nd_model_str(m, spec, "type");
	if (!service.type)
		service.type = "ClusterIP";
	service.selector = nd_model_labels(m, nd_json_get(spec, "selector"));
	service.has_selector = service.selector.n > 0;
	service.external_policy = nd_model_str(m, spec, "externalTrafficPolicy");
	service.internal_policy = nd_model_str(m, spec, "internalTrafficPolicy");
	service.publish_not_ready = nd_json_bool(spec, "publishNotReadyAddresses", false);
	service.proxy_name =
		find_label(&service.meta.labels, "service.kubernetes.io/service-proxy-name");
	service.created_unix_s =
		nd_model_time(nd_json_str(nd_json_get(item, "metadata"), "creationTimestamp"));
	decode_ips(spec, &service);
	decode_outside(m, item, &service);
	decode_ports(m, nd_json_get(spec, "ports"), &service);
	ND_ARENA_PUSH(&c->arena, c->services, c->nservices) = service;
	return NULL;
}
