#include "common/base.h"

#include "plugin/model/decode.h"
#include "plugin/model/nft_compile.h"
#include "plugin/model/nft_text.h"

#define MAX_NAME 1024
#define MAX_ELEMENTS 500000 /* of one set */

struct state {
	struct nd_host *host;
	struct nd_nft_compiler *compiler;
	struct nd_index tables; /* "FAMILY TABLE" -> position in host->nft */
	struct nd_index chains; /* "FAMILY TABLE CHAIN" -> position in the table's chains */
};

/* "FAMILY TABLE" or "FAMILY TABLE CHAIN", kept once in the arena; p NULL: a part is missing. */
static struct nd_str make_key(struct nd_model *m, const cJSON *object, const char *table_key,
			      const char *chain_key)
{
	const char *family = nd_json_str(object, "family");
	const char *table = nd_json_str(object, table_key);
	const char *chain = chain_key ? nd_json_str(object, chain_key) : "";
	char text[MAX_NAME];

	if (!family || !table || !chain)
		return (struct nd_str){0};
	int n = snprintf(text, sizeof(text), "%s %s %s", family, table, chain);

	if (n < 0 || (size_t)n >= sizeof(text))
		return (struct nd_str){0};
	return nd_str(nd_model_text(m, text));
}

static struct nd_nft_table *find_table(struct nd_model *m, const struct state *state,
				       const cJSON *object)
{
	struct nd_str key = make_key(m, object, "table", NULL);
	uint32_t at;

	if (!key.p || !nd_index_find(&state->tables, key, &at))
		return NULL;
	return &state->host->nft[at];
}

static const char *add_table(struct nd_model *m, struct state *state, const cJSON *object)
{
	struct nd_host *host = state->host;
	struct nd_str key = make_key(m, object, "name", NULL);
	struct nd_nft_table table = {.family = nd_model_str(m, object, "family"),
				     .name = nd_model_str(m, object, "name")};

	if (!key.p)
		return "a table has no family or name";
	if (nd_index_slot(&state->tables, key))
		return "a table is there twice";
	nd_index_put(&state->tables, &m->cluster.arena, key, (uint32_t)host->nnft);
	ND_ARENA_PUSH(&m->cluster.arena, host->nft, host->nnft) = table;
	return NULL;
}

static const char *add_chain(struct nd_model *m, struct state *state, const cJSON *object)
{
	struct nd_nft_table *table = find_table(m, state, object);
	struct nd_str key = make_key(m, object, "table", "name");
	struct nd_nft_chain chain = {.name = nd_model_str(m, object, "name"),
				     .type = nd_model_str(m, object, "type"),
				     .hook = nd_model_str(m, object, "hook"),
				     .policy = nd_model_str(m, object, "policy")};

	if (!table || !key.p)
		return "a chain has no table or name";
	if (nd_index_slot(&state->chains, key))
		return "a chain is there twice";
	chain.priority = (int32_t)nd_json_int(object, "prio", INT32_MIN, INT32_MAX, 0);
	nd_index_put(&state->chains, &m->cluster.arena, key, (uint32_t)table->nchains);
	ND_ARENA_PUSH(&m->cluster.arena, table->chains, table->nchains) = chain;
	return NULL;
}

/* ---- what a rule matches; false: not to be expressed in its fields ---- */
static bool match_address(const cJSON *right, bool is_not, struct nd_prefix *out, bool *out_not)
{
	const cJSON *prefix = nd_json_get(right, "prefix");
	const char *text = nd_json_text(prefix ? nd_json_get(prefix, "addr") : right);
	struct nd_prefix parsed;

	if (out->ip.family || !text || strchr(text, '/') || !nd_prefix_parse(text, &parsed))
		return false;
	if (prefix) {
		int64_t len = nd_json_int(prefix, "len", 0, parsed.len, -1);

		if (len < 0)
			return false;
		parsed.len = (uint8_t)len;
	}
	*out = parsed;
	*out_not = is_not;
	return true;
}

static bool match_port(const cJSON *right, struct nd_nft_rule *rule)
{
	const cJSON *range = nd_json_get(right, "range");
	const cJSON *first = range ? range->child : right;
	const cJSON *last = range && first ? first->next : right;
	int64_t min, max;

	if (rule->dport_max || !nd_json_number(first, 0, UINT16_MAX, &min) ||
	    !nd_json_number(last, 1, UINT16_MAX, &max) || min > max)
		return false;
	rule->dport_min = (uint16_t)min;
	rule->dport_max = (uint16_t)max;
	return true;
}

static bool match_proto(struct nd_model *m, const char *name, struct nd_nft_rule *rule)
{
	if (!name || name[0] == '@' || (rule->proto && !nd_eq(rule->proto, name)))
		return false;
	rule->proto = nd_model_text(m, name);
	return true;
}

static bool match_payload(struct nd_model *m, const cJSON *payload, const cJSON *right, bool is_not,
			  struct nd_nft_rule *rule)
{
	const char *protocol = nd_json_str(payload, "protocol");
	const char *field = nd_json_str(payload, "field");
	bool is_ip = nd_eq(protocol, "ip") || nd_eq(protocol, "ip6");

	if (is_ip && nd_eq(field, "saddr"))
		return match_address(right, is_not, &rule->src, &rule->src_not);
	if (is_ip && nd_eq(field, "daddr"))
		return match_address(right, is_not, &rule->dst, &rule->dst_not);
	if (is_not)
		return false;
	if (is_ip && (nd_eq(field, "protocol") || nd_eq(field, "nexthdr")))
		return match_proto(m, nd_json_text(right), rule);
	if (!nd_eq(field, "dport"))
		return false;
	if (!nd_eq(protocol, "th") && !match_proto(m, protocol, rule))
		return false;
	return match_port(right, rule);
}

static bool match_meta(struct nd_model *m, const cJSON *meta, const cJSON *right, bool is_not,
		       struct nd_nft_rule *rule)
{
	const char *key = nd_json_str(meta, "key"), *text = nd_json_text(right);

	if (is_not || !text || text[0] == '@')
		return false;
	if (nd_eq(key, "l4proto"))
		return match_proto(m, text, rule);
	if ((nd_eq(key, "iifname") || nd_eq(key, "iif")) && !rule->in) {
		rule->in = nd_model_text(m, text);
		return true;
	}
	if ((nd_eq(key, "oifname") || nd_eq(key, "oif")) && !rule->out) {
		rule->out = nd_model_text(m, text);
		return true;
	}
	return false;
}

static bool decode_match(struct nd_model *m, const cJSON *match, struct nd_nft_rule *rule)
{
	const cJSON *left = nd_json_get(match, "left"), *right = nd_json_get(match, "right");
	const cJSON *payload = nd_json_get(left, "payload"), *meta = nd_json_get(left, "meta");
	const char *op = nd_json_str(match, "op");
	bool is_not = nd_eq(op, "!=");

	if (!is_not && !nd_eq(op, "=="))
		return false;
	if (payload)
		return match_payload(m, payload, right, is_not, rule);
	return meta && match_meta(m, meta, right, is_not, rule);
}

/* Statements that let every packet go on to the next one. */
static bool is_passive(const char *name)
{
	static const char *const passive[] = {"log",  "mangle",	  "masquerade", "dnat",
					      "snat", "redirect", "notrack",	"ct helper",
					      "set",  "comment"};

	for (size_t i = 0; i < ND_ARRAY_LEN(passive); i++)
		if (nd_eq(name, passive[i]))
			return true;
	return false;
}

static void decode_stmt(struct nd_model *m, const cJSON *stmt, struct nd_nft_rule *rule)
{
	const cJSON *value = cJSON_IsObject(stmt) ? stmt->child : NULL;
	nd_auto_buf struct nd_buf text = {.max_bytes = ND_NFT_MAX_TEXT};

	if (value && nd_eq(value->string, "match")) {
		if (!decode_match(m, value, rule))
			rule->has_other_match = true;
	} else if (value && nd_eq(value->string, "counter")) {
		rule->has_counter = true;
		rule->packets = (uint64_t)nd_json_int(value, "packets", 0, INT64_MAX, 0);
	} else if (nd_nft_verdict_text(&text, stmt)) {
		rule->verdict = nd_model_textn(m, (struct nd_str){text.data, text.len});
	} else if (!value || !is_passive(value->string)) {
		rule->has_other_match = true;
	}
}

static const char *render(struct nd_model *m, const cJSON *object, const cJSON *stmts)
{
	nd_auto_buf struct nd_buf text = {.max_bytes = ND_NFT_MAX_TEXT};
	const char *comment = nd_json_str(object, "comment");
	const cJSON *stmt;

	cJSON_ArrayForEach(stmt, stmts) {
		if (text.len && nd_buf_puts(&text, " ") < 0)
			break;
		nd_nft_stmt_text(&text, stmt);
	}
	/* A comment that has no room left is left out. */
	if (comment && nd_buf_printf(&text, " comment \"%s\"", comment) < 0)
		text.is_over = true;
	return nd_model_textn(m, (struct nd_str){text.len ? text.data : "", text.len});
}

static const char *add_rule(struct nd_model *m, struct state *state, const cJSON *object)
{
	struct nd_nft_table *table = find_table(m, state, object);
	struct nd_str key = make_key(m, object, "table", "chain");
	const cJSON *stmts = nd_json_get(object, "expr"), *stmt;
	struct nd_nft_rule rule = {0};
	uint32_t at;

	if (!table || !key.p || !nd_index_find(&state->chains, key, &at))
		return "a rule is in no chain";
	if (!cJSON_IsArray(stmts))
		return "a rule has no expressions";
	struct nd_nft_chain *chain = &table->chains[at];

	rule.handle = (uint64_t)nd_json_int(object, "handle", 0, INT64_MAX, 0);
	cJSON_ArrayForEach(stmt, stmts)
		decode_stmt(m, stmt, &rule);
	rule.text = render(m, object, stmts);
	ND_ARENA_PUSH(&m->cluster.arena, chain->rules, chain->nrules) = rule;
	return NULL;
}

/* ---- sets and maps ---- */
static const char *element_text(struct nd_model *m, const cJSON *element, bool is_map)
{
	nd_auto_buf struct nd_buf text = {.max_bytes = ND_NFT_MAX_TEXT};
	const cJSON *value = is_map && cJSON_IsArray(element) ? element->child : NULL;

	nd_nft_expr_text(&text, value ? value : element);
	if (value && nd_buf_puts(&text, " : ") == 0)
		nd_nft_expr_text(&text, value->next);
	return nd_model_textn(m, (struct nd_str){text.len ? text.data : "", text.len});
}

static const char *add_set(struct nd_model *m, struct state *state, const cJSON *object,
			   bool is_map)
{
	struct nd_nft_table *table = find_table(m, state, object);
	const cJSON *elements = nd_json_get(object, "elem"), *element;
	struct nd_nft_set set = {.name = nd_model_str(m, object, "name"), .is_map = is_map};
	size_t n = nd_json_count(elements, MAX_ELEMENTS), nsets;

	if (!table || !set.name)
		return "a set has no table or name";
	set.elements = nd_model_array(m, n, sizeof(*set.elements));
	if (n) {
		cJSON_ArrayForEach(element, elements) {
			if (set.nelements == n)
				break;
			set.elements[set.nelements++] = element_text(m, element, is_map);
		}
	}
	nsets = table->nsets + table->nmaps;
	ND_ARENA_PUSH(&m->cluster.arena, table->sets, nsets) = set;
	table->nmaps += is_map;
	table->nsets += !is_map;
	return n == MAX_ELEMENTS ? "a set is too large" : NULL;
}

static const char *keep_object(struct nd_model *m, struct state *state, const cJSON *element)
{
	const cJSON *object = element->child;
	const char *name = object ? object->string : NULL;

	if (nd_eq(name, "table"))
		return add_table(m, state, object);
	if (nd_eq(name, "chain"))
		return add_chain(m, state, object);
	if (nd_eq(name, "rule"))
		return add_rule(m, state, object);
	if (nd_eq(name, "set"))
		return add_set(m, state, object, false);
	if (nd_eq(name, "map"))
		return add_set(m, state, object, true);
	/* metainfo, flowtable, limit, quota, ct helper...: nothing that checks ask for. */
	return NULL;
}

/* The compiler sees just what is kept, so that chains and rules stand at the same places. */
static const char *decode_object(struct nd_model *m, void *ctx, const cJSON *element)
{
	struct state *state = ctx;
	const char *why = keep_object(m, state, element);

	if (!why)
		nd_nft_compile(state->compiler, element);
	return why;
}

/*
 * iptables-nft names its base chains in upper case, in the tables that iptables has. One that it
 * made for user chains only (the canaries of kubelet and kube-proxy) has no base chain at all.
 */
static bool looks_like_iptables(const struct nd_nft_table *table)
{
	static const char *const tables[] = {"filter", "nat", "mangle", "raw", "security"};
	static const char *const hooks[] = {"INPUT", "FORWARD", "OUTPUT", "PREROUTING",
					    "POSTROUTING"};
	bool is_known = false;

	for (size_t i = 0; i < ND_ARRAY_LEN(tables); i++)
		is_known |= nd_eq(table->name, tables[i]);
	if (!is_known || (!nd_eq(table->family, "ip") && !nd_eq(table->family, "ip6")))
		return false;
	for (size_t i = 0; i < table->nchains; i++) {
		bool is_upper = false;

		if (!table->chains[i].hook)
			continue;
		for (size_t j = 0; j < ND_ARRAY_LEN(hooks); j++)
			is_upper |= nd_eq(table->chains[i].name, hooks[j]);
		if (!is_upper)
			return false;
	}
	return true;
}

const char *nd_section_nft(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	struct state state = {.host = host,
			      .compiler = nd_nft_compiler_new(&m->cluster.arena, host)};
	const char *why;

	host->nft = NULL;
	host->nnft = 0;
	why = nd_decode_list(m, text, "nftables", &state, decode_object, NULL);
	for (size_t i = 0; i < host->nnft; i++)
		host->nft[i].is_iptables = looks_like_iptables(&host->nft[i]);
	nd_nft_compiler_end(state.compiler, host);
	return why;
}
