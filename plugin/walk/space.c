#include "common/base.h"

#include "plugin/walk/route_index.h"

/* include/uapi/linux/rtnetlink.h */
enum {
	RTN_UNICAST = 1,
	RTN_LOCAL,
	RTN_BROADCAST,
	RTN_ANYCAST,
	RTN_MULTICAST,
	RTN_BLACKHOLE,
	RTN_UNREACHABLE,
	RTN_PROHIBIT
};

static const struct kind_row {
	const char *type;
	enum nd_fib_kind kind;
	uint32_t rtn;
} kind_rows[] = {
	{"unicast", ND_FIB_UNICAST, RTN_UNICAST},
	{"local", ND_FIB_LOCAL, RTN_LOCAL},
	{"broadcast", ND_FIB_BROADCAST, RTN_BROADCAST},
	{"anycast", ND_FIB_LOCAL, RTN_ANYCAST},
	{"multicast", ND_FIB_MULTICAST, RTN_MULTICAST},
	{"blackhole", ND_FIB_BLACKHOLE, RTN_BLACKHOLE},
	{"unreachable", ND_FIB_UNREACHABLE, RTN_UNREACHABLE},
	{"prohibit", ND_FIB_PROHIBIT, RTN_PROHIBIT},
};

/* What a kernel has that nobody told anything. */
static const struct nd_rule default_rules[] = {
	{.priority = 0, .table = "local", .action = "lookup"},
	{.priority = 32766, .table = "main", .action = "lookup"},
	{.priority = 32767, .table = "default", .action = "lookup"},
};

static const struct kind_row *kind_of(const struct nd_route *route)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(kind_rows); i++)
		if (nd_eq(kind_rows[i].type, route->type))
			return &kind_rows[i];
	return NULL;
}

static bool is_default_rule(const struct nd_rule *rule)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(default_rules); i++)
		if (rule->priority == default_rules[i].priority &&
		    nd_eq(rule->table, default_rules[i].table))
			return !rule->src.ip.family && !rule->dst.ip.family && !rule->fwmask &&
			       !rule->iif && !rule->oif && !rule->is_not;
	return false;
}

static bool has_custom_rules(const struct nd_space *space, uint8_t family)
{
	size_t seen = 0;

	for (size_t i = 0; i < space->nrules; i++) {
		if (space->rules[i].family != family)
			continue;
		if (!is_default_rule(&space->rules[i]))
			return true;
		seen++;
	}
	/* Somebody deleted one of them; IPv6 knows no table "default". */
	return seen > 0 && seen < (family == 6 ? 2 : 3);
}

static void space_settle(struct nd_space *space)
{
	space->has_custom_rules[0] = has_custom_rules(space, 4);
	space->has_custom_rules[1] = has_custom_rules(space, 6);
}

static bool space_of_node(const struct nd_host *host, struct nd_space *out)
{
	*out = (struct nd_space){
		.host = host,
		.links = host->links,
		.nlinks = host->nlinks,
		.addrs = host->addrs,
		.naddrs = host->naddrs,
		.routes = host->routes,
		.nroutes = host->nroutes,
		.rules = host->rules,
		.nrules = host->nrules,
		.sockets = host->sockets,
		.nsockets = host->nsockets,
		.has_sockets = nd_host_has(host, ND_SECTION_sockets),
		.has_ifaces =
			nd_host_has(host, ND_SECTION_links) && nd_host_has(host, ND_SECTION_addrs),
	};
	space_settle(out);
	return nd_host_has(host, ND_SECTION_routes);
}

bool nd_space_of(const struct nd_host *host, uint64_t netns_inode, struct nd_space *out)
{
	const struct nd_podns *ns = NULL;

	*out = (struct nd_space){.host = host};
	if (!host)
		return false;
	for (size_t i = 0; netns_inode && i < host->npodns && !ns; i++)
		if (host->podns[i].inode == netns_inode)
			ns = &host->podns[i];
	if (netns_inode && !ns)
		return false;
	if (!ns || ns->is_host_network)
		return space_of_node(host, out);
	*out = (struct nd_space){
		.host = host,
		.podns = ns,
		.links = ns->links,
		.nlinks = ns->nlinks,
		.addrs = ns->addrs,
		.naddrs = ns->naddrs,
		.routes = ns->routes,
		.nroutes = ns->nroutes,
		.sockets = ns->sockets,
		.nsockets = ns->nsockets,
		.has_sockets = !ns->error,
		.has_ifaces = !ns->error,
	};
	return !ns->error;
}

const struct nd_link *nd_space_link(const struct nd_space *space, const char *dev)
{
	for (size_t i = 0; i < space->nlinks; i++)
		if (nd_eq(space->links[i].name, dev))
			return &space->links[i];
	return NULL;
}

bool nd_space_has_addr(const struct nd_space *space, struct nd_ip ip, const char *dev)
{
	for (size_t i = 0; i < space->naddrs; i++)
		if (nd_ip_eq(space->addrs[i].prefix.ip, ip) &&
		    (!dev || nd_eq(space->addrs[i].dev, dev)))
			return true;
	return false;
}

/* ---- one table ---- */

/* All but the destination. */
static bool is_candidate(const struct nd_route *route, const struct nd_fib_key *key)
{
	if (route->is_dead)
		return false;
	/* Routes without a device (blackhole) are not bound to one. */
	return !key->oif || !route->dev || nd_eq(route->dev, key->oif);
}

static bool is_equal(const struct nd_route *a, const struct nd_route *b)
{
	return a->dst.len == b->dst.len && a->metric == b->metric && nd_eq(a->table, b->table) &&
	       nd_eq(a->type, b->type);
}

/* Two tables at once: of equal prefixes the one of the first table (fib_trie: higher table id). */
static bool is_better(const struct nd_route *a, const struct nd_route *b, const char *table)
{
	if (a->dst.len != b->dst.len)
		return a->dst.len > b->dst.len;
	if (!nd_eq(a->table, b->table))
		return nd_eq(a->table, table);
	return a->metric < b->metric;
}

static const struct nd_route *lookup(const struct nd_space *space, const struct nd_fib_key *key,
				     const char *table, const char *table2)
{
	struct nd_route_cursor cursor = nd_route_cursor_start(space, key->dst);
	const struct nd_route *best = NULL, *route;

	while (!best && nd_route_cursor_shorter(&cursor))
		while ((route = nd_route_cursor_next(&cursor)) != NULL) {
			if (!(nd_eq(route->table, table) || nd_eq(route->table, table2)) ||
			    !is_candidate(route, key))
				continue;
			if (!best || is_better(route, best, table))
				best = route;
		}
	return best;
}

/*
 * Next hops of one multipath route have become routes of their own, side by side. IPv6 makes only
 * routes with a gateway siblings (kernel: rt6_qualify_for_ecmp).
 */
static const struct nd_route *choose(const struct nd_space *space, const struct nd_fib_key *key,
				     const struct nd_route *best, uint32_t *nequal)
{
	struct nd_route_cursor cursor = nd_route_cursor_behind(space, key->dst, best);
	const struct nd_route *chosen = best, *r;

	*nequal = 1;
	if (!nd_eq(best->type, "unicast") || (best->family == 6 && !best->gateway.family))
		return best;
	while ((r = nd_route_cursor_next(&cursor)) != NULL) {
		if (!is_equal(r, best) || !is_candidate(r, key) ||
		    (best->family == 6 && !r->gateway.family))
			continue;
		if ((*nequal)++ == key->nth)
			chosen = r;
	}
	return chosen;
}

static struct nd_ip source_of(const struct nd_space *space, const struct nd_fib *fib,
			      struct nd_ip dst)
{
	const struct nd_route *route = fib->route;

	if (route->prefsrc.family == dst.family)
		return route->prefsrc;
	if (fib->kind == ND_FIB_LOCAL)
		return dst;
	return nd_space_source(space, route->dev,
			       dst.family == 4 && route->gateway.family == 4 ? route->gateway : dst,
			       route->scope);
}

/* kernel: fib6_is_reject(): a way to others over lo is none; who hears of it varies. */
static bool is_reject6(const struct nd_route *route)
{
	static const uint8_t loopback[16] = {[15] = 1};

	return route->family == 6 && nd_eq(route->type, "unicast") && nd_eq(route->dev, "lo") &&
	       memcmp(route->dst.ip.bytes, loopback, 16) != 0;
}

/* kernel: rt_set_nexthop(): by an address of our own means that all are on the link. */
static bool is_own_gateway(const struct nd_space *space, const struct nd_route *route)
{
	return route->family == 4 && route->gateway.family == 4 &&
	       nd_space_has_addr(space, route->gateway, NULL);
}

/* False: no answer from this table, go on with the next rule. */
static bool table_route(const struct nd_space *space, const struct nd_fib_key *key,
			const char *table, const char *table2, struct nd_fib *out)
{
	const struct nd_route *route = lookup(space, key, table, table2);
	const struct kind_row *row = route ? kind_of(route) : NULL;

	if (!route || nd_eq(route->type, "throw"))
		return false;
	out->nequal = 1;
	out->route = route;
	if (!row) {
		out->kind = ND_FIB_UNKNOWN;
		out->unknown = "a route of a type that is not modelled";
		return true;
	}
	out->route = route = choose(space, key, route, &out->nequal);
	out->kind = row->kind;
	if (is_reject6(route)) {
		out->kind = ND_FIB_UNKNOWN;
		out->unknown = "an IPv6 route over lo to other hosts";
	}
	out->dev = route->dev;
	if (!is_own_gateway(space, route))
		out->gateway = route->gateway;
	if (route->dev)
		out->prefsrc = source_of(space, out, key->dst);
	return true;
}

/* ---- policy rules ---- */

static bool name_matches(const char *wanted, const char *name)
{
	return !wanted || nd_eq(wanted, name);
}

static bool prefix_matches(struct nd_prefix wanted, struct nd_ip ip)
{
	return !wanted.ip.family || nd_prefix_has(wanted, ip);
}

/* kernel: net/core/fib_rules.c, fib_rule_match(); fib4_rule_match() */
static bool rule_matches(const struct nd_rule *rule, const struct nd_fib_key *key)
{
	bool is_match = name_matches(rule->iif, key->iif ? key->iif : "lo") &&
			name_matches(rule->oif, key->oif) &&
			((key->mark ^ rule->fwmark) & rule->fwmask) == 0 &&
			prefix_matches(rule->dst, key->dst) && prefix_matches(rule->src, key->src);

	return is_match != rule->is_not;
}

/* True: the rule decided. */
static bool rule_run(const struct nd_space *space, const struct nd_rule *rule,
		     const struct nd_fib_key *key, struct nd_fib *out)
{
	static const struct {
		const char *action;
		enum nd_fib_kind kind;
	} ends[] = {{"blackhole", ND_FIB_BLACKHOLE},
		    {"unreachable", ND_FIB_UNREACHABLE},
		    {"prohibit", ND_FIB_PROHIBIT}};

	out->rule = rule;
	if (nd_eq(rule->action, "lookup"))
		return rule->table && table_route(space, key, rule->table, NULL, out);
	if (nd_eq(rule->action, "nop"))
		return false;
	for (size_t i = 0; i < ND_ARRAY_LEN(ends); i++)
		if (nd_eq(rule->action, ends[i].action)) {
			out->kind = ends[i].kind;
			return true;
		}
	out->kind = ND_FIB_UNKNOWN;
	out->unknown = nd_eq(rule->action, "goto") ? "a policy rule with \"goto\""
						   : "a policy rule whose action is not modelled";
	return true;
}

/* Rules in the order of their priority; equal ones as listed. */
static const struct nd_rule *next_rule(const struct nd_space *space, uint8_t family,
				       const struct nd_rule *last)
{
	const struct nd_rule *best = NULL;

	for (size_t i = 0; i < space->nrules; i++) {
		const struct nd_rule *rule = &space->rules[i];

		if (rule->family != family || (last && rule->priority < last->priority) ||
		    (last && rule->priority == last->priority && rule <= last))
			continue;
		if (!best || rule->priority < best->priority)
			best = rule;
	}
	return best;
}

void nd_space_route(const struct nd_space *space, const struct nd_fib_key *key, struct nd_fib *out)
{
	const struct nd_rule *rule = NULL;

	*out = (struct nd_fib){.nequal = 1};
	if (!key->dst.family)
		return;
	if (space->has_custom_rules[key->dst.family == 6]) {
		while ((rule = next_rule(space, key->dst.family, rule)) != NULL)
			if (rule_matches(rule, key) && rule_run(space, rule, key, out))
				return;
	} else if (key->dst.family == 4) {
		if (table_route(space, key, "local", "main", out) ||
		    table_route(space, key, "default", NULL, out))
			return;
	} else {
		if (table_route(space, key, "local", NULL, out) ||
		    table_route(space, key, "main", NULL, out))
			return;
	}
	*out = (struct nd_fib){.nequal = 1};
}

/* ---- what rules ask ---- */

static bool is_multicast(struct nd_ip ip)
{
	return ip.family == 4 ? ip.bytes[0] >> 4 == 0xe : ip.bytes[0] == 0xff;
}

/*
 * A route that refuses is an error of fib_table_lookup(), and then the type stays unicast; IPv6
 * asks another way, which names it (nft_fib6_eval_type).
 */
static uint32_t type_of(const struct kind_row *row, uint8_t family)
{
	if (!row || (family == 4 && row->rtn >= RTN_BLACKHOLE))
		return RTN_UNICAST;
	return row->rtn;
}

/* kernel: net/ipv4/fib_frontend.c, __inet_dev_addr_type() */
uint32_t nd_space_addr_type(const struct nd_space *space, struct nd_ip ip, const char *dev)
{
	static const uint8_t ones[4] = {255, 255, 255, 255};
	struct nd_fib_key key = {.dst = ip};
	bool is_merged = ip.family == 4 && !space->has_custom_rules[0];
	const struct nd_route *route;
	const struct kind_row *row;

	if (ip.family == 4 && (ip.bytes[0] == 0 || memcmp(ip.bytes, ones, 4) == 0))
		return RTN_BROADCAST;
	if (is_multicast(ip))
		return RTN_MULTICAST;
	route = lookup(space, &key, "local", is_merged ? "main" : NULL);
	row = route ? kind_of(route) : NULL;
	if (!row || row->rtn == RTN_MULTICAST)
		return RTN_UNICAST;
	/* An address may stand on several devices (ptp): limited to one, that one counts. */
	if (dev && route->dev && !nd_eq(route->dev, dev)) {
		key.oif = dev;
		route = lookup(space, &key, "local", is_merged ? "main" : NULL);
		row = route ? kind_of(route) : NULL;
		return type_of(row, ip.family);
	}
	return type_of(row, ip.family);
}

static uint32_t ask_addr_type(void *ctx, struct nd_ip ip, const char *dev)
{
	return nd_space_addr_type(ctx, ip, dev);
}

/* kernel: rpfilter_mt(), nft_fib4_eval(): one look-up, then: is dev among its next hops? */
static const char *ask_oif(void *ctx, struct nd_ip ip, struct nd_ip src, uint32_t mark,
			   const char *dev)
{
	struct nd_fib_key key = {.dst = ip, .src = src, .mark = mark};
	struct nd_fib fib;
	const char *first;
	uint32_t n;

	nd_space_route(ctx, &key, &fib);
	if (fib.kind != ND_FIB_UNICAST)
		return NULL;
	first = fib.dev;
	n = fib.nequal;
	for (key.nth = 1; dev && key.nth < n && !nd_eq(fib.dev, dev); key.nth++)
		nd_space_route(ctx, &key, &fib);
	return nd_eq(fib.dev, dev) ? fib.dev : first;
}

/* kernel: nf_nat_masquerade_ipv4(): the next hop's address decides, scope universe. */
static struct nd_ip ask_source_for(void *ctx, const char *dev, struct nd_ip dst)
{
	struct nd_fib_key key = {.dst = dst, .oif = dev};
	struct nd_fib fib;

	nd_space_route(ctx, &key, &fib);
	if (fib.kind == ND_FIB_UNICAST && fib.gateway.family == dst.family && dst.family == 4)
		dst = fib.gateway;
	return nd_space_source(ctx, dev, dst, NULL);
}

/* kernel: net/netfilter/nf_nat_redirect.c */
static struct nd_ip ask_address_of(void *ctx, const char *dev, uint8_t family)
{
	const struct nd_space *space = ctx;
	struct nd_ip first = {0};

	for (size_t i = 0; i < space->naddrs; i++) {
		const struct nd_address *addr = &space->addrs[i];

		if (addr->prefix.ip.family != family || !nd_eq(addr->dev, dev))
			continue;
		if (!first.family)
			first = addr->prefix.ip;
		if (family == 4 || nd_eq(addr->scope, "global"))
			return addr->prefix.ip;
	}
	return first;
}

static uint32_t ask_ifindex(void *ctx, const char *dev)
{
	const struct nd_link *link = nd_space_link(ctx, dev);

	return link ? link->ifindex : 0;
}

void nd_space_fib_ask(const struct nd_space *space, struct nd_fib_ask *out)
{
	*out = (struct nd_fib_ask){
		.ctx = (void *)space,
		.addr_type = ask_addr_type,
		.oif = ask_oif,
		.source_for = ask_source_for,
		.address_of = ask_address_of,
		.ifindex = ask_ifindex,
	};
}
