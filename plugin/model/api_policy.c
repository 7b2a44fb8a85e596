#include "common/base.h"

#include "plugin/model/decode.h"

/*
 * Rules, ports, peers, terms and values of one policy that are kept; etcd takes 1.5 MiB an object,
 * so a real one has no more. What comes behind makes the policy unknown, never shorter.
 */
#define MAX_PARTS 65536

struct parts {
	struct nd_model *m;
	size_t left;
};

/* How many elements of the array may be kept; false: not all of them, or it is no array. */
static bool take(struct parts *p, const cJSON *array, size_t *n)
{
	size_t all = nd_json_count(array, MAX_PARTS + 1);

	*n = all < p->left ? all : p->left;
	p->left -= *n;
	return *n == all && (!array || cJSON_IsNull(array) || cJSON_IsArray(array));
}

/* ---- selectors ---- */

static bool find_op(const char *text, enum nd_selector_op *op)
{
	static const char *const names[] = {"In", "NotIn", "Exists", "DoesNotExist"};

	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++)
		if (nd_eq(text, names[i])) {
			*op = (enum nd_selector_op)i;
			return true;
		}
	return false;
}

static bool decode_term(struct parts *p, const cJSON *json, struct nd_selector_term *term)
{
	const cJSON *values = nd_json_get(json, "values"), *value;
	size_t n;
	bool is_whole = take(p, values, &n) && find_op(nd_json_str(json, "operator"), &term->op);

	term->key = nd_model_str(p->m, json, "key");
	term->values = nd_model_array(p->m, n, sizeof(*term->values));
	if (n == 0)
		return is_whole && term->key;
	cJSON_ArrayForEach(value, values)
	{
		const char *text = nd_json_text(value);

		if (term->nvalues == n)
			break;
		is_whole = is_whole && text;
		if (text)
			term->values[term->nvalues++] = nd_model_text(p->m, text);
	}
	return is_whole && term->key;
}

static void decode_terms(struct parts *p, const cJSON *array, struct nd_selector *out)
{
	const cJSON *json;
	size_t n;
	bool is_whole = take(p, array, &n);

	out->terms = nd_model_array(p->m, n, sizeof(*out->terms));
	for (json = n ? array->child : NULL; json && n; json = json->next, n--) {
		struct nd_selector_term term = {0};

		if (decode_term(p, json, &term))
			out->terms[out->nterms++] = term;
		else
			is_whole = false;
	}
	if (!is_whole)
		out->unknown = "a matchExpressions that is not understood";
}

static void decode_selector(struct parts *p, const cJSON *json, struct nd_selector *out)
{
	const cJSON *labels = nd_json_get(json, "matchLabels");

	out->labels = nd_model_labels(p->m, labels);
	decode_terms(p, nd_json_get(json, "matchExpressions"), out);
	if (out->labels.n != (size_t)(cJSON_IsObject(labels) ? cJSON_GetArraySize(labels) : 0))
		out->unknown = "a matchLabels that is not understood";
	if (json && !cJSON_IsNull(json) && !cJSON_IsObject(json))
		out->unknown = "a selector that is not understood";
}

/* NULL: it is not there, which is not the same as empty. */
static const struct nd_selector *new_selector(struct parts *p, const cJSON *json)
{
	struct nd_selector *out;

	if (!json || cJSON_IsNull(json))
		return NULL;
	out = nd_model_array(p->m, 1, sizeof(*out));
	decode_selector(p, json, out);
	return out;
}

/* ---- rules ---- */

/* net.ParseCIDR takes no bare address. */
static bool parse_cidr(const char *text, struct nd_prefix *out)
{
	return text && strchr(text, '/') && nd_prefix_parse(text, out);
}

static bool decode_block(struct parts *p, const cJSON *json, struct nd_policy_peer *peer)
{
	const cJSON *array = nd_json_get(json, "except"), *except;
	size_t n;
	bool is_whole = take(p, array, &n) && parse_cidr(nd_json_str(json, "cidr"), &peer->block);

	peer->except = nd_model_array(p->m, n, sizeof(*peer->except));
	for (except = n ? array->child : NULL; except && n; except = except->next, n--) {
		if (parse_cidr(nd_json_text(except), &peer->except[peer->nexcept]))
			peer->nexcept++;
		else
			is_whole = false;
	}
	return is_whole;
}

static void decode_peer(struct parts *p, const cJSON *json, struct nd_policy_peer *peer)
{
	const cJSON *block = nd_json_get(json, "ipBlock");

	peer->pods = new_selector(p, nd_json_get(json, "podSelector"));
	peer->namespaces = new_selector(p, nd_json_get(json, "namespaceSelector"));
	if (block && !cJSON_IsNull(block) && !decode_block(p, block, peer))
		peer->unknown = "an ipBlock that is not understood";
}

/* IntOrString; the API server sets the protocol when there is none. */
static bool decode_port(struct parts *p, const cJSON *json, struct nd_policy_port *out)
{
	const cJSON *port = nd_json_get(json, "port"), *end = nd_json_get(json, "endPort");
	int64_t number;

	out->protocol = nd_model_str(p->m, json, "protocol");
	if (!out->protocol)
		out->protocol = "TCP";
	if (!port || cJSON_IsNull(port))
		return !end;
	out->name = nd_model_text(p->m, nd_json_text(port));
	if (out->name)
		return !end;
	if (!nd_json_number(port, 1, UINT16_MAX, &number))
		return false;
	out->port = out->end_port = (uint16_t)number;
	if (!end || cJSON_IsNull(end))
		return true;
	if (!nd_json_number(end, number, UINT16_MAX, &number))
		return false;
	out->end_port = (uint16_t)number;
	return true;
}

static void decode_rule(struct parts *p, const cJSON *json, const char *peers_key,
			struct nd_policy_rule *rule)
{
	const cJSON *ports = nd_json_get(json, "ports"), *peers = nd_json_get(json, peers_key);
	const cJSON *one;
	size_t nports, npeers;
	bool has_ports = take(p, ports, &nports), has_peers = take(p, peers, &npeers);

	rule->ports = nd_model_array(p->m, nports, sizeof(*rule->ports));
	for (one = nports ? ports->child : NULL; one && nports; one = one->next, nports--) {
		struct nd_policy_port port = {0};

		if (decode_port(p, one, &port))
			rule->ports[rule->nports++] = port;
		else
			has_ports = false;
	}
	rule->peers = nd_model_array(p->m, npeers, sizeof(*rule->peers));
	for (one = npeers ? peers->child : NULL; one && npeers; one = one->next, npeers--)
		decode_peer(p, one, &rule->peers[rule->npeers++]);
	if (!has_ports || !has_peers || !cJSON_IsObject(json))
		rule->unknown = "a rule that is not understood";
}

static struct nd_policy_rule *decode_rules(struct parts *p, const cJSON *array,
					   const char *peers_key, struct nd_policy *policy,
					   size_t *nrules)
{
	const cJSON *json;
	size_t n;

	if (!take(p, array, &n))
		policy->unknown = "it has more rules than are kept";
	struct nd_policy_rule *rules = nd_model_array(p->m, n, sizeof(*rules));

	for (json = n ? array->child : NULL; json && *nrules < n; json = json->next)
		decode_rule(p, json, peers_key, &rules[(*nrules)++]);
	return rules;
}

const char *nd_decode_policy(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_cluster *c = &m->cluster;
	struct nd_policy policy = {0};
	struct parts parts = {m, MAX_PARTS};
	const char *why = nd_decode_meta(m, item, &policy.meta);
	const cJSON *spec = nd_json_get(item, "spec");
	const cJSON *types = nd_json_get(spec, "policyTypes");

	(void)ctx;
	if (why)
		return why;
	decode_selector(&parts, nd_json_get(spec, "podSelector"), &policy.selector);
	policy.ingress = decode_rules(&parts, nd_json_get(spec, "ingress"), "from", &policy,
				      &policy.ningress);
	policy.egress =
		decode_rules(&parts, nd_json_get(spec, "egress"), "to", &policy, &policy.negress);
	/* networking/v1, defaults.go: without types Ingress, and Egress when there are such rules.
	 */
	policy.is_ingress = !nd_json_count(types, 1) || nd_json_has(types, "Ingress");
	policy.is_egress =
		nd_json_count(types, 1) ? nd_json_has(types, "Egress") : policy.negress > 0;
	ND_ARENA_PUSH(&c->arena, c->policies, c->npolicies) = policy;
	return NULL;
}

const char *nd_decode_namespace(struct nd_model *m, void *ctx, const cJSON *item)
{
	struct nd_cluster *c = &m->cluster;
	struct nd_namespace ns = {0};
	const char *why = nd_decode_meta(m, item, &ns.meta);

	(void)ctx;
	if (why)
		return why;
	ND_ARENA_PUSH(&c->arena, c->namespaces, c->nnamespaces) = ns;
	return NULL;
}
