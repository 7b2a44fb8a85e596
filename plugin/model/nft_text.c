#include "common/base.h"

#include "plugin/model/nft_text.h"

#define MAX_DEPTH 16
#define MAX_LIST 64 /* members of an anonymous set that are written out */

static void expr_text(struct nd_buf *out, const cJSON *expr, int depth);

/* Past the buffer's maximum nothing is added: the text is cut there. */
static void put(struct nd_buf *out, const char *text)
{
	if (text && nd_buf_puts(out, text) < 0)
		return;
}

static void put_number(struct nd_buf *out, double number)
{
	char text[64];

	snprintf(text, sizeof(text), "%.0f", number);
	put(out, text);
}

static void put_json(struct nd_buf *out, const cJSON *value)
{
	char text[1024];

	if (cJSON_PrintPreallocated((cJSON *)(uintptr_t)value, text, sizeof(text) - 8, 0))
		put(out, text);
	else
		put(out, "...");
}

static void put_list(struct nd_buf *out, const cJSON *array, const char *between, int depth)
{
	const cJSON *item;
	size_t n = 0;

	if (!cJSON_IsArray(array)) {
		expr_text(out, array, depth);
		return;
	}
	cJSON_ArrayForEach(item, array)
	{
		if (n++)
			put(out, between);
		if (n > MAX_LIST) {
			put(out, "...");
			return;
		}
		expr_text(out, item, depth);
	}
}

/* ---- expressions that are objects with one member ---- */
static void put_prefix(struct nd_buf *out, const cJSON *v, int depth)
{
	expr_text(out, nd_json_get(v, "addr"), depth);
	put(out, "/");
	expr_text(out, nd_json_get(v, "len"), depth);
}
static void put_range(struct nd_buf *out, const cJSON *v, int depth)
{
	put_list(out, v, "-", depth);
}
/* A member of a verdict map is a pair: "0 : goto endpoint-A". */
static void put_member(struct nd_buf *out, const cJSON *member, int depth)
{
	if (!cJSON_IsArray(member)) {
		expr_text(out, member, depth);
		return;
	}
	expr_text(out, member->child, depth + 1);
	if (!member->child || !member->child->next)
		return;
	put(out, " : ");
	expr_text(out, member->child->next, depth + 1);
}
static void put_set(struct nd_buf *out, const cJSON *v, int depth)
{
	const cJSON *member;
	size_t n = 0;

	put(out, "{ ");
	if (!cJSON_IsArray(v))
		expr_text(out, v, depth);
	else
		cJSON_ArrayForEach(member, v)
		{
			if (n)
				put(out, ", ");
			if (n++ == MAX_LIST) {
				put(out, "...");
				break;
			}
			put_member(out, member, depth);
		}
	put(out, " }");
}
static void put_numgen(struct nd_buf *out, const cJSON *v, int depth)
{
	put(out, "numgen ");
	put(out, nd_json_str(v, "mode"));
	put(out, " mod ");
	expr_text(out, nd_json_get(v, "mod"), depth);
}
static void put_concat(struct nd_buf *out, const cJSON *v, int depth)
{
	put_list(out, v, " . ", depth);
}
static void put_payload(struct nd_buf *out, const cJSON *v, int depth)
{
	const char *protocol = nd_json_str(v, "protocol");

	if (protocol) {
		put(out, protocol);
		put(out, " ");
		put(out, nd_json_str(v, "field"));
		return;
	}
	put(out, "@");
	put(out, nd_json_str(v, "base"));
	put(out, ",");
	expr_text(out, nd_json_get(v, "offset"), depth);
	put(out, ",");
	expr_text(out, nd_json_get(v, "len"), depth);
}
static void put_meta(struct nd_buf *out, const cJSON *v, int depth)
{
	static const char *const bare[] = {"iif",     "oif",	 "iifname",
					   "oifname", "iiftype", "oiftype"};
	const char *key = nd_json_str(v, "key");
	bool is_bare = false;

	(void)depth;
	for (size_t i = 0; i < ND_ARRAY_LEN(bare); i++)
		is_bare |= nd_eq(key, bare[i]);
	if (!is_bare)
		put(out, "meta ");
	put(out, key);
}
static void put_ct(struct nd_buf *out, const cJSON *v, int depth)
{
	(void)depth;
	put(out, "ct ");
	if (nd_json_str(v, "dir")) {
		put(out, nd_json_str(v, "dir"));
		put(out, " ");
	}
	put(out, nd_json_str(v, "key"));
}
static void put_fib(struct nd_buf *out, const cJSON *v, int depth)
{
	put(out, "fib ");
	put_list(out, nd_json_get(v, "flags"), " . ", depth);
	put(out, " ");
	put(out, nd_json_str(v, "result"));
}
static void put_elem(struct nd_buf *out, const cJSON *v, int depth)
{
	expr_text(out, nd_json_get(v, "val"), depth);
}
static void put_map(struct nd_buf *out, const cJSON *v, int depth)
{
	expr_text(out, nd_json_get(v, "key"), depth);
	put(out, " map ");
	expr_text(out, nd_json_get(v, "data"), depth);
}
static void put_and(struct nd_buf *out, const cJSON *v, int depth)
{
	put_list(out, v, " & ", depth);
}
static void put_or(struct nd_buf *out, const cJSON *v, int depth)
{
	put_list(out, v, " | ", depth);
}
static void put_xor(struct nd_buf *out, const cJSON *v, int depth)
{
	put_list(out, v, " ^ ", depth);
}

static const struct writer {
	const char *name;
	void (*put)(struct nd_buf *out, const cJSON *value, int depth);
} writers[] = {
	{"prefix", put_prefix}, {"range", put_range},	  {"set", put_set},
	{"concat", put_concat}, {"payload", put_payload}, {"meta", put_meta},
	{"ct", put_ct},		{"fib", put_fib},	  {"elem", put_elem},
	{"map", put_map},	{"numgen", put_numgen},	  {"&", put_and},
	{"|", put_or},		{"^", put_xor},
};

static void object_text(struct nd_buf *out, const cJSON *expr, int depth)
{
	const cJSON *member = expr->child;

	for (size_t i = 0; member && i < ND_ARRAY_LEN(writers); i++) {
		if (nd_eq(member->string, writers[i].name)) {
			writers[i].put(out, member, depth);
			return;
		}
	}
	if (!nd_nft_verdict_text(out, expr))
		put_json(out, expr);
}

static void expr_text(struct nd_buf *out, const cJSON *expr, int depth)
{
	if (!expr)
		return;
	if (depth > MAX_DEPTH)
		put(out, "...");
	else if (cJSON_IsString(expr))
		put(out, expr->valuestring);
	else if (cJSON_IsNumber(expr))
		put_number(out, expr->valuedouble);
	else if (cJSON_IsBool(expr))
		put(out, cJSON_IsTrue(expr) ? "true" : "false");
	else if (cJSON_IsArray(expr))
		put_list(out, expr, ",", depth + 1);
	else if (cJSON_IsObject(expr))
		object_text(out, expr, depth + 1);
}

void nd_nft_expr_text(struct nd_buf *out, const cJSON *expr)
{
	expr_text(out, expr, 0);
}

/* ---- statements ---- */
bool nd_nft_verdict_text(struct nd_buf *out, const cJSON *stmt)
{
	static const char *const words[] = {"accept",	"drop",	  "return",
					    "continue", "reject", "queue"};
	static const char *const jumps[] = {"jump", "goto"};
	const cJSON *member = cJSON_IsObject(stmt) ? stmt->child : NULL;

	for (size_t i = 0; member && i < ND_ARRAY_LEN(words); i++) {
		if (!nd_eq(member->string, words[i]))
			continue;
		put(out, words[i]);
		return true;
	}
	for (size_t i = 0; member && i < ND_ARRAY_LEN(jumps); i++) {
		if (!nd_eq(member->string, jumps[i]))
			continue;
		put(out, jumps[i]);
		put(out, " ");
		put(out, nd_json_str(member, "target"));
		return true;
	}
	return false;
}

static void put_match(struct nd_buf *out, const cJSON *match)
{
	const char *op = nd_json_str(match, "op");

	expr_text(out, nd_json_get(match, "left"), 0);
	put(out, " ");
	if (op && !nd_eq(op, "==") && !nd_eq(op, "in")) {
		put(out, op);
		put(out, " ");
	}
	expr_text(out, nd_json_get(match, "right"), 0);
}

static void put_key_value(struct nd_buf *out, const cJSON *value, const char *verb,
			  const char *second)
{
	expr_text(out, nd_json_get(value, "key"), 0);
	put(out, verb);
	expr_text(out, nd_json_get(value, second), 0);
}

static void put_nat(struct nd_buf *out, const char *name, const cJSON *nat)
{
	const cJSON *addr = nd_json_get(nat, "addr"), *port = nd_json_get(nat, "port");

	put(out, name);
	if (addr || port)
		put(out, " to ");
	expr_text(out, addr, 0);
	if (port) {
		put(out, ":");
		expr_text(out, port, 0);
	}
}

static void put_reject(struct nd_buf *out, const cJSON *reject)
{
	put(out, "reject");
	if (!nd_json_str(reject, "type"))
		return;
	put(out, " with ");
	put(out, nd_json_str(reject, "type"));
	if (nd_json_str(reject, "expr")) {
		put(out, " ");
		put(out, nd_json_str(reject, "expr"));
	}
}

/* "limit rate 5/second" */
static void put_limit(struct nd_buf *out, const cJSON *limit)
{
	put(out, "limit rate ");
	if (nd_json_bool(limit, "inv", false))
		put(out, "over ");
	expr_text(out, nd_json_get(limit, "rate"), 0);
	put(out, "/");
	put(out, nd_json_str(limit, "per"));
}

void nd_nft_stmt_text(struct nd_buf *out, const cJSON *stmt)
{
	const cJSON *value = cJSON_IsObject(stmt) ? stmt->child : NULL;
	const char *name = value ? value->string : NULL;

	if (!name) {
		expr_text(out, stmt, 0);
	} else if (nd_eq(name, "match")) {
		put_match(out, value);
	} else if (nd_eq(name, "counter")) {
		put(out, "counter");
	} else if (nd_eq(name, "vmap")) {
		put_key_value(out, value, " vmap ", "data");
	} else if (nd_eq(name, "mangle")) {
		put_key_value(out, value, " set ", "value");
	} else if (nd_eq(name, "dnat") || nd_eq(name, "snat") || nd_eq(name, "masquerade") ||
		   nd_eq(name, "redirect")) {
		put_nat(out, name, value);
	} else if (nd_eq(name, "reject")) {
		put_reject(out, value);
	} else if (nd_eq(name, "limit")) {
		put_limit(out, value);
	} else if (!nd_nft_verdict_text(out, stmt)) {
		put(out, name);
		if (!cJSON_IsNull(value)) {
			put(out, " ");
			put_json(out, value);
		}
	}
}
