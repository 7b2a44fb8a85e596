#include "common/base.h"

#include "plugin/model/decode.h"

#define MAX_RULES 100000

const char *nd_decode_policy(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_cluster *c = &m->cluster;
	struct nd_policy policy = {0};
	const char *why = nd_decode_meta(m, item, &policy.meta);
	const cJSON *spec = nd_json_get(item, "spec");
	const cJSON *selector = nd_json_get(spec, "podSelector");
	const cJSON *types = nd_json_get(spec, "policyTypes");

	(void)ctx;
	if (why)
		return why;
	policy.pod_selector = nd_model_labels(m, nd_json_get(selector, "matchLabels"));
	policy.has_expressions = nd_json_count(nd_json_get(selector, "matchExpressions"), 1) > 0;
	policy.ningress = nd_json_count(nd_json_get(spec, "ingress"), MAX_RULES);
	policy.negress = nd_json_count(nd_json_get(spec, "egress"), MAX_RULES);
	/* networking/v1: without policyTypes it is Ingress, and Egress when there are such rules.
	 */
	policy.is_ingress = !types || nd_json_has(types, "Ingress");
	policy.is_egress = types ? nd_json_has(types, "Egress") : policy.negress > 0;
	ND_ARENA_PUSH(&c->arena, c->policies, c->npolicies) = policy;
	return NULL;
}
