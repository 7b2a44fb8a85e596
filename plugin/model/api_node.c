#include "common/base.h"

#include "plugin/model/decode.h"

static void decode_addresses(const cJSON *addresses, struct nd_node *node)
{
	const cJSON *address;

	if (!cJSON_IsArray(addresses))
		return;
	cJSON_ArrayForEach(address, addresses) {
		struct nd_ip ip = nd_json_ip(address, "address");

		if (!nd_eq(nd_json_str(address, "type"), "InternalIP"))
			continue;
		if (ip.family == 4 && !node->internal_ip.family)
			node->internal_ip = ip;
		if (ip.family == 6 && !node->internal_ip6.family)
			node->internal_ip6 = ip;
	}
}

static void decode_cidrs(const cJSON *spec, struct nd_node *node)
{
	const cJSON *cidrs = nd_json_get(spec, "podCIDRs"), *cidr;
	struct nd_prefix *out = node->pod_cidrs;

	if (cJSON_IsArray(cidrs)) {
		cJSON_ArrayForEach(cidr, cidrs) {
			const char *text = nd_json_text(cidr);

			if (node->npod_cidrs < ND_ARRAY_LEN(node->pod_cidrs) && text &&
			    nd_prefix_parse(text, &out[node->npod_cidrs]))
				node->npod_cidrs++;
		}
	}
	const char *one = nd_json_str(spec, "podCIDR");

	if (node->npod_cidrs == 0 && one && nd_prefix_parse(one, &out[0]))
		node->npod_cidrs = 1;
}

static void decode_conditions(struct nd_model *m, const cJSON *conditions, struct nd_node *node)
{
	const cJSON *condition;

	if (!cJSON_IsArray(conditions))
		return;
	cJSON_ArrayForEach(condition, conditions) {
		const char *type = nd_json_str(condition, "type");
		const char *status = nd_json_str(condition, "status");

		if (nd_eq(type, "NetworkUnavailable"))
			node->is_network_unavailable = nd_eq(status, "True");
		if (!nd_eq(type, "Ready"))
			continue;
		node->is_ready = nd_eq(status, "True");
		node->ready_status = nd_model_text(m, status);
		node->ready_reason = nd_model_str(m, condition, "reason");
		node->ready_message = nd_model_str(m, condition, "message");
	}
}

/* Only flannel's annotations are looked at: VTEP MAC and public address. */
static struct nd_labels decode_annotations(struct nd_model *m, const cJSON *annotations)
{
	static const char prefix[] = "flannel.alpha.coreos.com/";
	struct nd_labels kept = {0};
	const cJSON *member;

	if (!cJSON_IsObject(annotations))
		return kept;
	cJSON_ArrayForEach(member, annotations) {
		struct nd_label label = {.key = nd_model_text(m, member->string)};

		if (!nd_starts(label.key, prefix) || !nd_json_text(member))
			continue;
		label.value = nd_model_text(m, nd_json_text(member));
		ND_ARENA_PUSH(&m->cluster.arena, kept.items, kept.n) = label;
	}
	return kept;
}

static bool has_label(const struct nd_labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->n; i++)
		if (nd_eq(labels->items[i].key, key))
			return true;
	return false;
}

const char *nd_decode_node(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_cluster *c = &m->cluster;
	struct nd_node node = {0};
	const char *why = nd_decode_meta(m, item, &node.meta);
	const cJSON *spec = nd_json_get(item, "spec"), *status = nd_json_get(item, "status");

	(void)ctx;
	if (why)
		return why;
	node.provider_id = nd_model_str(m, spec, "providerID");
	node.is_unschedulable = nd_json_bool(spec, "unschedulable", false);
	decode_cidrs(spec, &node);
	decode_addresses(nd_json_get(status, "addresses"), &node);
	decode_conditions(m, nd_json_get(status, "conditions"), &node);
	node.is_control_plane =
		has_label(&node.meta.labels, "node-role.kubernetes.io/control-plane");
	node.annotations = decode_annotations(m, nd_json_at(item, "metadata", "annotations", NULL));
	node.kubelet_version =
		nd_model_str(m, nd_json_get(status, "nodeInfo"), "kubeletVersion");
	ND_ARENA_PUSH(&c->arena, c->nodes, c->nnodes) = node;
	return NULL;
}
