#include "common/base.h"

#include "plugin/model/decode.h"

/* How a row of resources.def is decoded; a prefix serves all rows that start with it. */
static const struct api_kind {
	const char *resource;
	nd_decode_fn *decode;
} kinds[] = {
	{"nodes", nd_decode_node},
	{"namespaces", nd_decode_namespace},
	{"pods", nd_decode_pod},
	{"services", nd_decode_service},
	{"endpointslices", nd_decode_slice},
	{"daemonsets", nd_decode_daemonset},
	{"deployments", nd_decode_deployment},
	{"networkpolicies", nd_decode_policy},
	{"events", nd_decode_event},
	{"configmap-", nd_decode_configmap},
};

static const char *const rows[] = {
#define ND_RESOURCE(name, path, query, who) name,
#include "plugin/kube/resources.def"
#undef ND_RESOURCE
};
_Static_assert(ND_ARRAY_LEN(rows) <= 32, "have_resources has 32 bits");

static uint32_t row_bit(const char *resource)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++)
		if (nd_eq(rows[i], resource))
			return 1u << i;
	return 0;
}

static nd_decode_fn *find_decoder(const char *resource)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(kinds); i++)
		if (nd_eq(kinds[i].resource, resource) ||
		    (nd_ends(kinds[i].resource, "-") && nd_starts(resource, kinds[i].resource)))
			return kinds[i].decode;
	return NULL;
}

const char *nd_decode_meta(struct nd_model *m, const cJSON *object, struct nd_meta *meta)
{
	const cJSON *in = nd_json_get(object, "metadata"), *owner;

	meta->name = nd_model_str(m, in, "name");
	if (!meta->name || !meta->name[0])
		return "an item has no metadata.name";
	meta->ns = nd_model_str(m, in, "namespace");
	meta->uid = nd_model_copy(m, nd_json_str(in, "uid"));
	meta->labels = nd_model_labels(m, nd_json_get(in, "labels"));
	meta->is_deleting = nd_json_str(in, "deletionTimestamp") != NULL;
	const cJSON *owners = nd_json_get(in, "ownerReferences");

	if (!cJSON_IsArray(owners))
		return NULL;
	cJSON_ArrayForEach(owner, owners) {
		if (!nd_json_bool(owner, "controller", false))
			continue;
		meta->owner_kind = nd_model_str(m, owner, "kind");
		meta->owner_name = nd_model_str(m, owner, "name");
		break;
	}
	return NULL;
}

/* A list goes on while its metadata has a continue token. */
static bool is_last_page(struct nd_str metadata)
{
	if (!metadata.p)
		return true;
	nd_auto_json cJSON *json = nd_json_parse(metadata);
	const char *token = nd_json_str(json, "continue");

	return cJSON_IsObject(json) && (!token || !token[0]);
}

void nd_model_api_gap(struct nd_model *m, const char *resource)
{
	m->gapped |= row_bit(resource);
}

void nd_model_api_page(struct nd_model *m, const char *resource, struct nd_str page)
{
	nd_decode_fn *decode = find_decoder(resource);
	struct nd_str metadata = {0};

	if (!decode) {
		nd_model_gap(m, resource, "api", "no such list is known");
		return;
	}
	const char *why = nd_decode_list(m, page, "items", NULL, decode, &metadata);

	if (why) {
		nd_model_api_gap(m, resource);
		nd_model_gap(m, resource, "api", "the list cannot be used whole: %s", why);
		return;
	}
	if (nd_eq(resource, "nodes"))
		m->cluster.has_api = true;
	if (is_last_page(metadata))
		m->last_pages |= row_bit(resource);
}
