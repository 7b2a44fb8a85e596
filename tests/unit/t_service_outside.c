/*
 * t_service_outside.c: what a service looks like from outside: its external and load balancer
 * addresses and source ranges, and how probes, targets and traces know it by them.
 */
#include "common/base.h"
#include "plugin/probe/flow.h"
#include "plugin/probe/target.h"
#include "plugin/walk/place.h"
#include "tests/unit/model.h"

#define SERVICE(name, ip, spec, status)                                                            \
	"{\"metadata\":{\"namespace\":\"n\",\"name\":\"" name "\"},\"spec\":{\"type\":"            \
	"\"LoadBalancer\",\"clusterIP\":\"" ip "\"" spec "},\"status\":" status "}"
#define PORTS(list) ",\"ports\":[" list "]"
#define BALANCER(list) "{\"loadBalancer\":{\"ingress\":[" list "]}}"
#define IP(ip, more) "{\"ip\":\"" ip "\"" more "}"

static const char services[] = "{\"items\":["
	/* Addresses that kube-proxy does not take are not kept: blanks, ipMode Proxy, host names.
	 */
	SERVICE("a", "10.96.0.1",
		PORTS("{\"port\":80,\"nodePort\":30080},{\"port\":53,\"protocol\":\"UDP\"}") ",\"ex"
											     "terna"
											     "lIPs"
											     "\":["
											     "\"203"
											     ".0."
											     "113."
											     "1\","
											     "\"\","
											     "\" "
											     "203."
											     "0."
											     "113."
											     "2\","
											     "\"x\""
											     ",7,"
											     "\"200"
											     "1:"
											     "db8::"
											     "1\"]"
											     ",\"ex"
											     "terna"
											     "lTraf"
											     "ficPo"
											     "licy"
											     "\":"
											     "\"Loc"
											     "al\","
											     "\"int"
											     "ernal"
											     "Traff"
											     "icPol"
											     "icy\""
											     ":\"Cl"
											     "uster"
											     "\""
											     ",\"lo"
											     "adBal"
											     "ancer"
											     "Sourc"
											     "eRang"
											     "es\":"
											     "[\"19"
											     "8.51."
											     "100."
											     "9/"
											     "24\","
											     "\" "
											     "192."
											     "0.2."
											     "0/"
											     "25\\t"
											     "\","
											     "\"\","
											     "\"10."
											     "0.0."
											     "1\","
											     "\"10."
											     "0.0."
											     "0/"
											     "33\","
											     "9,"
											     "\"200"
											     "1:"
											     "db8::"
											     "/32\""
											     ",\"1."
											     "2.3."
											     "4/8 "
											     "5\"]",
		BALANCER(IP("203.0.113.10", "") "," IP(
			"203.0.113.11",
			",\"ipMode\":\"Proxy\"") "," IP("203.0.113.12",
							",\"ipMode\":\"VIP\"") ",{\"hostname\":"
									       "\"lb\"}," IP("2001:"
											     "db8::"
											     "10",
											     ""))) ","
	/* One address for two services, as load balancers share them. */
	SERVICE("b", "10.96.0.2", PORTS("{\"port\":443}"), BALANCER(IP("203.0.113.10", ""))) ","
	/* A load balancer that has the address of a node. */
	SERVICE("c", "10.96.0.3", PORTS("{\"port\":8080,\"nodePort\":30081}"),
		BALANCER(IP(
			"172.18.0.3",
			""))) "," SERVICE("d", "10.96.0.4",
					  PORTS("{\"port\":80}") ",\"externalIPs\":\"203.0.113.9\"",
					  "{\"loadBalancer\":{\"ingress\":{\"ip\":\"203.0.113.9\"}}"
					  "}") "]}";
static const char nodes[] = "{\"items\":[{\"metadata\":{\"name\":\"w1\"},\"status\":{\"addresses\":"
			    "[{\"type\":\"InternalIP\",\"address\":\"172.18.0.3\"}]}}]}";

static struct nd_model *build(void)
{
	struct nd_model *model = nd_model_new();

	feed_api(model, "nodes", nodes);
	feed_api(model, "services", services);
	feed_section(model, "addrs", "[]");
	return model;
}

static struct nd_ip ip_of(const char *text)
{
	struct nd_ip ip;

	assert_true(nd_ip_parse(text, &ip));
	return ip;
}

static void reads_addresses_and_ranges(void **state)
{
	struct nd_model *model = build();
	const struct nd_cluster *cluster = nd_model_finish(model);
	const struct nd_service *a = nd_look_service(cluster, "n", "a"),
				*d = nd_look_service(cluster, "n", "d");
	char text[ND_PREFIX_TEXT];

	(void)state;
	assert_int_equal(cluster->ngaps, 0);
	assert_int_equal(a->nexternal_ips, 2);
	assert_true(nd_ip_eq(a->external_ips[0], ip_of("203.0.113.1")));
	assert_true(nd_ip_eq(a->external_ips[1], ip_of("2001:db8::1")));
	assert_int_equal(a->nlb_ips, 3);
	assert_true(nd_ip_eq(a->lb_ips[1], ip_of("203.0.113.12")));
	assert_true(nd_ip_eq(a->lb_ips[2], ip_of("2001:db8::10")));
	assert_int_equal(a->nsource_ranges, 3);
	assert_string_equal(nd_prefix_text(a->source_ranges[0], text), "198.51.100.9/24");
	assert_string_equal(nd_prefix_text(a->source_ranges[1], text), "192.0.2.0/25");
	assert_string_equal(nd_prefix_text(a->source_ranges[2], text), "2001:db8::/32");
	assert_string_equal(a->external_policy, "Local");
	assert_string_equal(a->internal_policy, "Cluster");
	assert_int_equal(d->nexternal_ips + d->nlb_ips + d->nsource_ranges, 0);
	nd_model_free(model);
}

/* By address and port; both ways of looking it up give the same. */
static const struct {
	const char *ip;
	uint16_t port;
	const char *service; /* or NULL */
	enum nd_flow_kind kind;
	const char *place; /* what trace calls it */
} ways[] = {
	{"203.0.113.1", 80, "a", ND_FLOW_SERVICE_OUTSIDE, "service n/a (203.0.113.1)"},
	{"203.0.113.1", 81, "a", ND_FLOW_SERVICE_OUTSIDE, "service n/a (203.0.113.1)"},
	{"203.0.113.10", 80, "a", ND_FLOW_SERVICE_OUTSIDE, "service n/a (203.0.113.10)"},
	{"203.0.113.10", 443, "b", ND_FLOW_SERVICE_OUTSIDE, "service n/b (203.0.113.10)"},
	{"203.0.113.11", 80, NULL, ND_FLOW_EXTERNAL, "203.0.113.11"},
	{"203.0.113.2", 80, NULL, ND_FLOW_EXTERNAL, "203.0.113.2"},
	{"203.0.113.9", 80, NULL, ND_FLOW_EXTERNAL, "203.0.113.9"},
	{"10.96.0.1", 80, "a", ND_FLOW_CLUSTERIP, "service n/a (10.96.0.1)"},
	{"172.18.0.3", 8080, "c", ND_FLOW_SERVICE_OUTSIDE, "node w1"},
	{"172.18.0.3", 30081, "c", ND_FLOW_NODEPORT, "node w1"},
	{"172.18.0.3", 22, NULL, ND_FLOW_OTHER, "node w1"},
};

static void knows_it_by_its_addresses(void **state)
{
	struct nd_model *model = build();
	const struct nd_cluster *cluster = nd_model_finish(model);
	const struct nd_host *host = nd_look_host(cluster, "w1");
	struct nd_arena arena = {0};
	struct nd_flow_index index;

	(void)state;
	nd_flow_index_build(&arena, cluster, &index);
	for (size_t i = 0; i < ND_ARRAY_LEN(ways); i++) {
		struct nd_probe_result result = {
			.kind = ND_PROBE_tcp, .ip = ip_of(ways[i].ip), .port = ways[i].port};
		struct nd_flow a, b;
		struct nd_place place;
		struct nd_err err = {0};
		char text[64];

		nd_flow_of(cluster, host, &result, &a);
		nd_flow_find(&index, host, &result, &b);
		if (a.kind != ways[i].kind || b.kind != a.kind || b.service != a.service ||
		    b.service_port != a.service_port ||
		    !nd_eq(a.service ? a.service->meta.name : "",
			   ways[i].service ? ways[i].service : ""))
			fail_msg("%s:%u: kinds %d and %d", ways[i].ip, ways[i].port, a.kind,
				 b.kind);
		snprintf(text, sizeof(text), "%s:%u", ways[i].ip, ways[i].port);
		assert_int_equal(nd_place_find(&arena, cluster, text, "tcp", &place, &err), 0);
		assert_non_null(strstr(place.text, ways[i].place));
		assert_int_equal(place.is_outside, ways[i].kind == ND_FLOW_EXTERNAL);
		assert_true(nd_ip_eq(place.ip, result.ip));
	}
	nd_arena_free(&arena);
	nd_model_free(model);
}

/* Without a port: the first of the protocol; never another family's address beside it. */
static void traces_to_it(void **state)
{
	struct nd_model *model = build();
	const struct nd_cluster *cluster = nd_model_finish(model);
	struct nd_arena arena = {0};
	struct nd_place place;
	struct nd_err err = {0};

	(void)state;
	assert_int_equal(nd_place_find(&arena, cluster, "203.0.113.1", "udp", &place, &err), 0);
	assert_int_equal(place.port, 53);
	assert_int_equal(place.ip6.family, 0);
	assert_int_equal(nd_place_find(&arena, cluster, "[2001:db8::1]:80", "tcp", &place, &err),
			 0);
	assert_int_equal(place.ip.family, 0);
	assert_true(nd_ip_eq(place.ip6, ip_of("2001:db8::1")));
	assert_int_equal(nd_place_is_source(&place, &err), -1);
	nd_arena_free(&arena);
	nd_model_free(model);
}

static void is_of_the_cluster(void **state)
{
	struct nd_model *model = build();
	const struct nd_cluster *cluster = nd_model_finish(model);
	struct nd_arena arena = {0};
	struct nd_target target;
	struct nd_probe_get get;
	struct nd_err err = {0};

	(void)state;
	assert_int_equal(nd_target_parse(&arena, "http://203.0.113.12:80/", &target, &err), 0);
	assert_int_equal(nd_target_resolve(cluster, &target, false, &get, &err), 0);
	assert_int_equal(nd_target_parse(&arena, "http://203.0.113.11:80/", &target, &err), 0);
	assert_int_equal(nd_target_resolve(cluster, &target, false, &get, &err), -1);
	nd_arena_free(&arena);
	nd_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_addresses_and_ranges),
		cmocka_unit_test(knows_it_by_its_addresses),
		cmocka_unit_test(traces_to_it),
		cmocka_unit_test(is_of_the_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
