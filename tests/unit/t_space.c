/*
 * Routing in one namespace: tables, policy rules, types, addresses. What must come out is what
 * `ip route get` says on a kernel with the same routes.
 */
#include "common/base.h"
#include "plugin/walk/space.h"
#include "tests/unit/model.h"

#define R(dst, more) "{'type':'unicast','dst':'" dst "'," more ",'table':'main','family':'inet'}"
#define R_TYPE(type, dst, more, table)                                                                                 \
	"{'type':'" type "','dst':'" dst "'," more ",'table':'" table "','family':'inet'}"
#define R6(type, dst, more, table) "{'type':'" type "','dst':'" dst "'," more ",'table':'" table "','family':'inet6'}"
#define LINK(index, name, flags) "{'ifindex':" index ",'ifname':'" name "','flags':[" flags "]}"
#define RULE(prio, more, table) "{'priority':" prio ",'src':'all'," more "'table':'" table "','family':'inet'}"

static const char links[] = "[" LINK("1", "lo", "'UP','LOWER_UP'") "," LINK("2", "eth0", "'UP','LOWER_UP'") "," LINK(
	"3", "cni0", "'UP'") "," LINK("4", "down0", "") "]";
static const char addrs[] = "[{'ifindex':1,'ifname':'lo','addr_info':[{'local':'127.0.0.1','"
			    "prefixlen':8,'scope':'host'},"
			    "{'local':'::1','prefixlen':128,'scope':'host'}]},"
			    "{'ifindex':2,'ifname':'eth0','addr_info':[{'local':'172.18.0.3','"
			    "prefixlen':16,'scope':'global'},"
			    "{'local':'172.18.0.33','prefixlen':16,'scope':'global'},{'local':'192."
			    "168.5.1','prefixlen':24,'scope':'global'},"
			    "{'local':'fc00::3','prefixlen':64,'scope':'global'},{'local':'fe80::3'"
			    ",'prefixlen':64,'scope':'link'}]},"
			    "{'ifindex':3,'ifname':'cni0','addr_info':[{'local':'10.244.1.1','"
			    "prefixlen':24,'scope':'global'}]}]";
#define LOCALS                                                                                                         \
	R_TYPE("local", "127.0.0.0/8", "'dev':'lo','scope':'host','prefsrc':'127.0.0.1'", "local")                     \
	"," R_TYPE("local", "172.18.0.3", "'dev':'eth0','scope':'host','prefsrc':'172.18.0.3'", "local") "," R_TYPE(   \
		"local", "10.244.1.1", "'dev':'cni0','scope':'host'",                                                  \
		"local") "," R_TYPE("broadcast", "172.18.255.255", "'dev':'eth0','scope':'link'", "local")
#define MAIN                                                                                                           \
	R("default", "'gateway':'172.18.0.1','dev':'eth0','scope':'global'")                                           \
	"," R("172.18.0.0/16", "'dev':'eth0','scope':'link','prefsrc':'172.18.0.3'") "," R(                            \
		"10.244.1.0/24",                                                                                       \
		"'dev':'cni0',"                                                                                        \
		"'scope':'link','prefs"                                                                                \
		"rc':'10.244.1.1'") "," R("10.244.2.0/24", "'gateway':'172.18.0.4','dev':'eth0','scope':'global'")

struct world {
	struct nd_model *model;
	struct nd_space space;
};

static void feed_quoted(struct nd_model *model, const char *name, const char *text)
{
	char *copy = strdup(text);

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	feed_section(model, name, copy);
	free(copy);
}

static void world_init(struct world *w, const char *routes, const char *rules)
{
	w->model = nd_model_new();
	feed_quoted(w->model, "links", links);
	feed_quoted(w->model, "addrs", addrs);
	feed_quoted(w->model, "routes", routes);
	if (rules)
		feed_quoted(w->model, "rules", rules);
	assert_true(nd_space_of(host_of(w->model), 0, &w->space));
}

static struct nd_ip ip(const char *text)
{
	struct nd_ip out = {0};

	if (text)
		assert_true(nd_ip_parse(text, &out));
	return out;
}

static struct nd_fib route(const struct world *w, const char *dst, const char *src, uint32_t mark)
{
	struct nd_fib_key key = {.dst = ip(dst), .src = ip(src), .mark = mark};
	struct nd_fib fib;

	nd_space_route(&w->space, &key, &fib);
	return fib;
}

static void check(struct nd_fib fib, enum nd_fib_kind kind, const char *dev, const char *gateway, const char *src)
{
	char text[ND_IP_TEXT];

	assert_int_equal(fib.kind, kind);
	if (dev)
		assert_string_equal(fib.dev, dev);
	assert_string_equal(nd_ip_text(fib.gateway, text), gateway ? gateway : "");
	if (src)
		assert_string_equal(nd_ip_text(fib.prefsrc, text), src);
}

static void longest_prefix_wins(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "[" LOCALS "," MAIN "]", NULL);
	check(route(&w, "8.8.8.8", NULL, 0), ND_FIB_UNICAST, "eth0", "172.18.0.1", "172.18.0.3");
	check(route(&w, "172.18.0.9", NULL, 0), ND_FIB_UNICAST, "eth0", NULL, "172.18.0.3");
	check(route(&w, "10.244.1.7", NULL, 0), ND_FIB_UNICAST, "cni0", NULL, "10.244.1.1");
	check(route(&w, "10.244.2.7", NULL, 0), ND_FIB_UNICAST, "eth0", "172.18.0.4", "172.18.0.3");
	check(route(&w, "172.18.0.3", NULL, 0), ND_FIB_LOCAL, "eth0", NULL, "172.18.0.3");
	check(route(&w, "127.0.0.11", NULL, 0), ND_FIB_LOCAL, "lo", NULL, "127.0.0.1");
	check(route(&w, "172.18.255.255", NULL, 0), ND_FIB_BROADCAST, "eth0", NULL, NULL);
	check(route(&w, "fc00::9", NULL, 0), ND_FIB_NONE, NULL, NULL, NULL);
	nd_model_free(w.model);
}

static void metrics_and_dead_routes(void **state)
{
	struct world w;

	(void)state;
	world_init(
		&w,
		"[" R(
			"10.0.0.0/8",
			"'dev':'cni0','metric':20") "," R("10.0.0.0/8",
							  "'dev':'eth0','"
							  "metric':10") "," R("11.0.0.0/8",
									      "'dev':'down0','flags':['dead','linkdown'"
									      "]") "," R("11.0.0.0/8",
											 "'dev':'eth0','metric':"
											 "5") "," R("12.0.0.0/8",
												    "'dev':'cni0'"
												    ",'flags':['"
												    "linkdown']") "]",
		NULL);
	check(route(&w, "10.1.1.1", NULL, 0), ND_FIB_UNICAST, "eth0", NULL, NULL);
	check(route(&w, "11.1.1.1", NULL, 0), ND_FIB_UNICAST, "eth0", NULL, NULL);
	check(route(&w, "12.1.1.1", NULL, 0), ND_FIB_UNICAST, "cni0", NULL, NULL); /* only without carrier */
	nd_model_free(w.model);
}

static void types_end_the_search(void **state)
{
	struct world w;

	(void)state;
	world_init(
		&w,
		"[" MAIN "," R_TYPE("blackhole", "10.245.0.0/16", "'metric':0", "main") "," R_TYPE(
			"unreachable", "10.246.0.0/16", "'dev':'lo'",
			"main") "," R_TYPE("prohibit", "10.247.0.0/16", "'metric':0",
					   "main") "," R_TYPE("throw", "10.248.0.0/16", "'metric':0",
							      "main") "," R_TYPE("unicast", "10.248.0.0/16",
										 "'dev':'cni0'",
										 "default") "," R_TYPE("nat",
												       "10.249.0.0/16",
												       "'metric':0",
												       "main") "]",
		NULL);
	check(route(&w, "10.245.1.1", NULL, 0), ND_FIB_BLACKHOLE, NULL, NULL, NULL);
	check(route(&w, "10.246.1.1", NULL, 0), ND_FIB_UNREACHABLE, NULL, NULL, NULL);
	check(route(&w, "10.247.1.1", NULL, 0), ND_FIB_PROHIBIT, NULL, NULL, NULL);
	check(route(&w, "10.248.1.1", NULL, 0), ND_FIB_UNICAST, "cni0", NULL, NULL);
	check(route(&w, "10.249.1.1", NULL, 0), ND_FIB_UNKNOWN, NULL, NULL, NULL);
	assert_non_null(route(&w, "10.249.1.1", NULL, 0).unknown);
	nd_model_free(w.model);
}

static void local_and_main_are_one(void **state)
{
	struct world w, w2;

	(void)state;
	/* Without custom rules a longer prefix of main beats the local table; with one it does not.
	 */
	static const char routes[] =
		"[" R_TYPE("local", "10.0.0.0/8", "'dev':'lo'", "local") "," R("10.1.0.0/16", "'dev':'eth0'") "]";
	world_init(&w, routes, NULL);
	check(route(&w, "10.1.1.1", NULL, 0), ND_FIB_UNICAST, "eth0", NULL, NULL);
	world_init(&w2, routes,
		   "[" RULE("0", "", "local") "," RULE("100", "'fwmark':'0x1',", "77") "," RULE(
			   "32766", "", "main") "," RULE("32767", "", "default") "]");
	check(route(&w2, "10.1.1.1", NULL, 0), ND_FIB_LOCAL, "lo", NULL, NULL);
	nd_model_free(w.model);
	nd_model_free(w2.model);
}

static void policy_rules(void **state)
{
	struct world w;

	(void)state;
	world_init(
		&w,
		"[" LOCALS "," MAIN "," R_TYPE("unicast", "default", "'gateway':'10.244.1.9','dev':'cni0'",
					       "100") "," R_TYPE("blackhole", "default", "'metric':0", "200") "]",
		"[" RULE("32767", "", "default") "," RULE("0", "", "local") "," RULE("32766", "", "main") "," RULE(
			"10", "'fwmark':'0x10','fwmask':'0xf0',", "100") ","
									 "{'priority':20,'src':'10.9.0.0','srclen':16,'"
									 "table':'200','family':'inet'},"
									 "{'priority':30,'src':'10.8.0.0','srclen':16,'"
									 "action':'prohibit','family':'inet'},"
									 "{'priority':40,'src':'10.7.0.0','srclen':16,'"
									 "action':'goto','goto':99,'family':'inet'},"
									 "{'priority':50,'src':'10.6.0.0','srclen':16,'"
									 "iif':'eth0','table':'100','family':'inet'},"
									 "{'priority':60,'src':'10.5.0.0','srclen':16,'"
									 "dst':'10.5.0.0','dstlen':16,'not':true,"
									 "'table':'main','family':'inet'}]");
	check(route(&w, "8.8.8.8", NULL, 0x1f), ND_FIB_UNICAST, "cni0", "10.244.1.9", NULL);
	check(route(&w, "8.8.8.8", NULL, 0x20), ND_FIB_UNICAST, "eth0", "172.18.0.1", NULL);
	check(route(&w, "172.18.0.3", NULL, 0x10), ND_FIB_LOCAL, "eth0", NULL, NULL);
	check(route(&w, "8.8.8.8", "10.9.1.1", 0), ND_FIB_BLACKHOLE, NULL, NULL, NULL);
	check(route(&w, "8.8.8.8", "10.8.1.1", 0), ND_FIB_PROHIBIT, NULL, NULL, NULL);
	check(route(&w, "8.8.8.8", "10.7.1.1", 0), ND_FIB_UNKNOWN, NULL, NULL, NULL);
	check(route(&w, "8.8.8.8", "10.6.1.1", 0), ND_FIB_UNICAST, "eth0", "172.18.0.1", NULL);
	struct nd_fib_key key = {.dst = ip("8.8.8.8"), .src = ip("10.6.1.1"), .iif = "eth0"};
	struct nd_fib fib;
	nd_space_route(&w.space, &key, &fib);
	check(fib, ND_FIB_UNICAST, "cni0", "10.244.1.9", NULL);
	assert_int_equal(fib.rule->priority, 50);
	nd_model_free(w.model);
}

static void multipath_is_a_choice(void **state)
{
	struct world w;
	struct nd_fib_key key = {.dst = ip("10.50.0.1")};
	struct nd_fib fib;

	(void)state;
	world_init(&w,
		   "[{'type':'unicast','dst':'10.50.0.0/"
		   "16','table':'main','family':'inet','nexthops':["
		   "{'gateway':'172.18.0.7','dev':'eth0'},{'gateway':'172.18.0.8','dev':'eth0','"
		   "flags':['linkdown']},"
		   "{'gateway':'172.18.0.10','dev':'eth0','flags':['dead','linkdown']},"
		   "{'gateway':'172.18.0.9','dev':'eth0'}]}]",
		   NULL);
	nd_space_route(&w.space, &key, &fib);
	assert_int_equal(fib.nequal, 3); /* also the one without carrier, but none that is dead */
	check(fib, ND_FIB_UNICAST, "eth0", "172.18.0.7", "172.18.0.3");
	key.nth = 2;
	nd_space_route(&w.space, &key, &fib);
	check(fib, ND_FIB_UNICAST, "eth0", "172.18.0.9", "172.18.0.3");
	nd_model_free(w.model);
}

static void bound_to_a_device(void **state)
{
	struct world w;
	struct nd_fib_key key = {.dst = ip("10.244.1.5"), .oif = "eth0"};
	struct nd_fib fib;

	(void)state;
	world_init(&w, "[" LOCALS "," MAIN "]", NULL);
	nd_space_route(&w.space, &key, &fib);
	check(fib, ND_FIB_UNICAST, "eth0", "172.18.0.1", NULL);
	nd_model_free(w.model);
}

static void questions_of_rules(void **state)
{
	struct world w;
	struct nd_fib_ask ask;
	char text[ND_IP_TEXT];

	(void)state;
	world_init(&w, "[" LOCALS "," MAIN "," R_TYPE("unreachable", "10.99.0.0/16", "'metric':0", "main") "]", NULL);
	nd_space_fib_ask(&w.space, &ask);
	assert_int_equal(ask.addr_type(ask.ctx, ip("172.18.0.3"), NULL), 2);
	assert_int_equal(ask.addr_type(ask.ctx, ip("172.18.0.3"), "cni0"), 1);
	assert_int_equal(ask.addr_type(ask.ctx, ip("172.18.0.3"), "eth0"), 2);
	assert_int_equal(ask.addr_type(ask.ctx, ip("127.9.9.9"), NULL), 2);
	assert_int_equal(ask.addr_type(ask.ctx, ip("10.244.1.7"), NULL), 1);
	assert_int_equal(ask.addr_type(ask.ctx, ip("172.18.255.255"), NULL), 3);
	assert_int_equal(ask.addr_type(ask.ctx, ip("255.255.255.255"), NULL), 3);
	assert_int_equal(ask.addr_type(ask.ctx, ip("224.0.0.1"), NULL), 5);
	/* By an unreachable route: the kernel says unicast (seen on 6.18 with -m addrtype). */
	assert_int_equal(ask.addr_type(ask.ctx, ip("10.99.0.1"), NULL), 1);
	assert_string_equal(ask.oif(ask.ctx, ip("10.244.1.7"), (struct nd_ip){0}, 0, NULL), "cni0");
	assert_null(ask.oif(ask.ctx, ip("172.18.0.3"), (struct nd_ip){0}, 0, NULL));
	assert_string_equal(nd_ip_text(ask.source_for(ask.ctx, "eth0", ip("8.8.8.8")), text), "172.18.0.3");
	assert_string_equal(nd_ip_text(ask.source_for(ask.ctx, "eth0", ip("192.168.5.9")), text), "172.18.0.3");
	assert_string_equal(nd_ip_text(nd_space_source(&w.space, "eth0", ip("192.168.5.9"), NULL), text),
			    "192.168.5.1");
	assert_string_equal(nd_ip_text(nd_space_source(&w.space, "down0", ip("8.8.8.8"), NULL), text), "172.18.0.3");
	assert_string_equal(nd_ip_text(nd_space_source(&w.space, "down0", ip("8.8.8.8"), "host"), text), "127.0.0.1");
	assert_string_equal(nd_ip_text(nd_space_source(&w.space, "eth0", ip("fe80::9"), NULL), text), "fe80::3");
	assert_string_equal(nd_ip_text(nd_space_source(&w.space, "cni0", ip("fc00::9"), NULL), text), "fc00::3");
	assert_string_equal(nd_ip_text(ask.address_of(ask.ctx, "eth0", 4), text), "172.18.0.3");
	assert_string_equal(nd_ip_text(ask.address_of(ask.ctx, "eth0", 6), text), "fc00::3");
	assert_int_equal(ask.ifindex(ask.ctx, "cni0"), 3);
	assert_int_equal(ask.ifindex(ask.ctx, "nope"), 0);
	nd_model_free(w.model);
}

static void ipv6_looks_at_local_first(void **state)
{
	struct world w;

	(void)state;
	world_init(&w,
		   "[" R6("local", "::1", "'dev':'lo'",
			  "local") "," R6("multicast", "ff00::/8", "'dev':'eth0'",
					  "local") "," R6("unicast", "fc00::/64", "'dev':'eth0','metric':256",
							  "main") "," R6("unicast", "default",
									 "'gateway':'fe80::1','dev':'eth0','"
									 "metric':1024",
									 "main") "]",
		   NULL);
	check(route(&w, "::1", NULL, 0), ND_FIB_LOCAL, "lo", NULL, "::1");
	check(route(&w, "ff02::1", NULL, 0), ND_FIB_MULTICAST, "eth0", NULL, NULL);
	check(route(&w, "fc00::7", NULL, 0), ND_FIB_UNICAST, "eth0", NULL, "fc00::3");
	check(route(&w, "2001:db8::1", NULL, 0), ND_FIB_UNICAST, "eth0", "fe80::1", "fc00::3");
	nd_model_free(w.model);
}

static void nothing_known(void **state)
{
	struct nd_model *model = nd_model_new();
	struct nd_space space;

	(void)state;
	feed_section(model, "links", "[]");
	feed_section(model, "pods", "[{\"uids\":[\"a\"],\"netns_inode\":9,\"error\":\"gone\"}]");
	const struct nd_host *host = host_of(model);
	assert_false(nd_space_of(NULL, 0, &space));
	assert_false(nd_space_of(host, 0, &space));
	assert_false(nd_space_of(host, 9, &space));
	assert_false(nd_space_of(host, 10, &space));
	nd_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_prefix_wins),
		cmocka_unit_test(metrics_and_dead_routes),
		cmocka_unit_test(types_end_the_search),
		cmocka_unit_test(local_and_main_are_one),
		cmocka_unit_test(policy_rules),
		cmocka_unit_test(multipath_is_a_choice),
		cmocka_unit_test(bound_to_a_device),
		cmocka_unit_test(questions_of_rules),
		cmocka_unit_test(ipv6_looks_at_local_first),
		cmocka_unit_test(nothing_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
