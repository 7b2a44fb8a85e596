#include "common/base.h"

#include "plugin/model/decode.h"

#define MAX_NEXTHOPS 64

static bool decode_dst(const char *text, uint8_t family, struct nd_prefix *dst)
{
	if (!text)
		return false;
	if (nd_eq(text, "default") || nd_eq(text, "all")) {
		*dst = (struct nd_prefix){.ip = {.family = family}};
		return true;
	}
	return nd_prefix_parse(text, dst);
}

/* The wire says the family; ip -j only shows it in the addresses. */
static uint8_t family_of(const cJSON *element, const char *address)
{
	const char *family = nd_json_str(element, "family");

	if (family)
		return nd_eq(family, "inet6") ? 6 : 4;
	return address && strchr(address, ':') ? 6 : 4;
}

static struct nd_ip gateway_of(const cJSON *hop)
{
	struct nd_ip ip = nd_json_ip(hop, "gateway");

	/* A gateway of the other family (RTA_VIA). */
	return ip.family ? ip : nd_json_ip(nd_json_get(hop, "via"), "host");
}

static bool is_dead(const cJSON *hop)
{
	return nd_json_has(nd_json_get(hop, "flags"), "dead");
}

/* Each next hop of a multipath route becomes a route of its own. */
static bool push_nexthops(struct nd_model *m, struct nd_routes_out *out, struct nd_route route,
			  const cJSON *hops)
{
	size_t n = nd_json_count(hops, MAX_NEXTHOPS);
	const cJSON *hop;

	if (n == 0)
		return false;
	cJSON_ArrayForEach(hop, hops) {
		if (n-- == 0)
			break;
		route.gateway = gateway_of(hop);
		route.dev = nd_model_str(m, hop, "dev");
		route.is_onlink = nd_json_has(nd_json_get(hop, "flags"), "onlink");
		route.is_dead = is_dead(hop);
		ND_ARENA_PUSH(&m->cluster.arena, out->items, out->n) = route;
	}
	return true;
}

static const char *text_or(struct nd_model *m, const cJSON *object, const char *key,
			   const char *fallback)
{
	const char *text = nd_model_str(m, object, key);

	return text ? text : fallback;
}

const char *nd_decode_route(struct nd_model *m, void *routes_out, const cJSON *element)
{
	struct nd_routes_out *out = routes_out;
	const char *dst = nd_json_str(element, "dst");
	const char *hint = nd_eq(dst, "default") ? nd_json_str(element, "gateway") : dst;
	struct nd_route route = {.family = family_of(element, hint)};

	if (!decode_dst(dst, route.family, &route.dst))
		return "a route has no destination that can be read";
	route.family = route.dst.ip.family;
	route.type = text_or(m, element, "type", "unicast");
	route.gateway = gateway_of(element);
	route.prefsrc = nd_json_ip(element, "prefsrc");
	route.dev = nd_model_str(m, element, "dev");
	route.table = text_or(m, element, "table", "main");
	route.protocol = nd_model_str(m, element, "protocol");
	route.scope = nd_model_str(m, element, "scope");
	route.metric = (uint32_t)nd_json_int(element, "metric", 0, UINT32_MAX, 0);
	route.is_onlink = nd_json_has(nd_json_get(element, "flags"), "onlink");
	route.is_dead = is_dead(element);
	if (!push_nexthops(m, out, route, nd_json_get(element, "nexthops")))
		ND_ARENA_PUSH(&m->cluster.arena, out->items, out->n) = route;
	return NULL;
}

const char *nd_section_routes(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	struct nd_routes_out out = {0};
	const char *why = nd_decode_list(m, text, "routes", &out, nd_decode_route, NULL);

	host->routes = out.items;
	host->nroutes = out.n;
	return why;
}

/* "all" is no prefix; an address comes with its length beside it. */
static bool decode_selector(const cJSON *element, const char *key, const char *len_key,
			    struct nd_prefix *out)
{
	const char *text = nd_json_str(element, key);

	*out = (struct nd_prefix){0};
	if (!text || nd_eq(text, "all") || nd_eq(text, "default"))
		return true;
	if (!nd_prefix_parse(text, out))
		return false;
	out->len = (uint8_t)nd_json_int(element, len_key, 0, out->ip.family == 4 ? 32 : 128,
					out->len);
	return true;
}

/* Marks are hexadecimal text in ip -j ("0x4000"), or a number. */
static uint32_t mark(const cJSON *element, const char *key, uint32_t fallback)
{
	const char *text = nd_json_str(element, key);
	uint64_t value;

	if (text && nd_starts(text, "0x") && nd_parse_hex(nd_str(text), UINT32_MAX, &value))
		return (uint32_t)value;
	if (text && nd_parse_u64(nd_str(text), UINT32_MAX, &value))
		return (uint32_t)value;
	return (uint32_t)nd_json_int(element, key, 0, UINT32_MAX, fallback);
}

static const char *decode_rule(struct nd_model *m, void *ctx, const cJSON *element)
{
	struct nd_host *host = ctx;
	const cJSON *is_not = nd_json_get(element, "not");
	struct nd_rule rule = {.family = family_of(element, nd_json_str(element, "src"))};

	if (!decode_selector(element, "src", "srclen", &rule.src) ||
	    !decode_selector(element, "dst", "dstlen", &rule.dst))
		return "a rule has an address that cannot be read";
	rule.priority = (uint32_t)nd_json_int(element, "priority", 0, UINT32_MAX, 0);
	rule.fwmark = mark(element, "fwmark", 0);
	rule.fwmask = mark(element, "fwmask", rule.fwmark ? UINT32_MAX : 0);
	rule.iif = nd_model_str(m, element, "iif");
	rule.oif = nd_model_str(m, element, "oif");
	rule.table = nd_model_str(m, element, "table");
	rule.action = text_or(m, element, "action", "lookup");
	/* ip -j writes "not": null for a negated rule. */
	rule.is_not = is_not && !cJSON_IsFalse(is_not);
	ND_ARENA_PUSH(&m->cluster.arena, host->rules, host->nrules) = rule;
	return NULL;
}

const char *nd_section_rules(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	host->rules = NULL;
	host->nrules = 0;
	return nd_decode_list(m, text, "rules", host, decode_rule, NULL);
}
