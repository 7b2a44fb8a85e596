/*
 * What kube-proxy must have programmed for addresses of the outside: external and load balancer
 * addresses, source ranges, both policies Local. As iptables-save prints it and as nft -j does; the
 * node is w1, endpoints are 10.244.1.2 there and 10.244.2.2 on w2.
 */
#include "common/base.h"
#include "plugin/evidence/bundle.h"
#include "plugin/model/programmed.h"
#include "tests/unit/model.h"

#define LB ",'type':'LoadBalancer'"
#define FROM(ranges) LB ",'loadBalancerSourceRanges':[" ranges "]"
#define EXTERNAL LB ",'externalIPs':['203.0.113.1']"
#define LOCAL ",'externalTrafficPolicy':'Local'"

/* ---- iptables ---- */
#define NAT_OF(ip, chain) "-A KUBE-SERVICES -d " ip "/32 -p tcp -m tcp --dport 80 -j " chain "\n"
#define TO_ALL NAT_OF("10.96.1.1", "KUBE-SVC-W")
#define EXT_ALL "-A KUBE-EXT-W -j KUBE-MARK-MASQ\n-A KUBE-EXT-W -j KUBE-SVC-W\n"
#define EXT_OWN                                                                                    \
	"-A KUBE-EXT-W -s 10.244.0.0/16 -j KUBE-SVC-W\n"                                           \
	"-A KUBE-EXT-W -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ\n"                           \
	"-A KUBE-EXT-W -m addrtype --src-type LOCAL -j KUBE-SVC-W\n"
#define TO_LB NAT_OF("203.0.113.10", "KUBE-EXT-W")
#define TO_FW NAT_OF("203.0.113.10", "KUBE-FW-W")
#define FW(match) "-A KUBE-FW-W " match "-j KUBE-EXT-W\n"
#define FW_END "-A KUBE-FW-W -m comment --comment \"other traffic is dropped\"\n"
#define DROP_OF(chain, ip) "-A " chain " -d " ip "/32 -p tcp -m tcp --dport 80 -j DROP\n"
#define GUARD DROP_OF("KUBE-PROXY-FIREWALL", "203.0.113.10")
#define NO_LOCAL DROP_OF("KUBE-EXTERNAL-SERVICES", "203.0.113.10")

/* ---- nftables ---- */
#define ELEMENT(ip, verdict) "[{'concat':['" ip "','tcp',80]}," verdict "]"
#define GOTO(chain) "{'goto':{'target':'" chain "'}}"
#define ALL ELEMENT("10.96.1.1", GOTO("service-W"))
#define BALANCER ELEMENT("203.0.113.10", GOTO("external-W"))
#define RULE(chain, expr)                                                                          \
	",{'rule':{'family':'ip','table':'kube-proxy','chain':'" chain                             \
	"','handle':1,'expr':[" expr "]}}"
#define SADDR(op, right)                                                                           \
	"{'match':{'op':'" op "','left':{'payload':{'protocol':'ip','field':'saddr'}},"            \
	"'right':" right "}}"
#define BUT(list) RULE("firewall-W", SADDR("!=", list) ",{'drop':null}")
#define PREFIX(addr, len) "{'prefix':{'addr':'" addr "','len':" len "}}"
#define WALL ELEMENT("203.0.113.10", GOTO("firewall-W"))
#define EXTN_ALL RULE("external-W", GOTO("service-W"))
#define EXTN_OWN RULE("external-W", SADDR("==", PREFIX("10.244.0.0", "16")) "," GOTO("service-W"))

struct row {
	const char *name, *spec;
	bool is_local;				  /* the endpoint on w1 is ready, too */
	const char *nat, *filter;		  /* iptables; NULL: not tried */
	const char *ips, *no_ips, *walls, *rules; /* nftables; ips NULL: not tried */
	const char *want; /* verdicts of the port's addresses, one behind the other */
};

static const struct row rows[] = {
	{"a load balancer", LB, true, TO_ALL TO_LB EXT_ALL, "", ALL "," BALANCER, "", "", EXTN_ALL,
	 "ok;ok;"},
	{"no rule for it", LB, true, TO_ALL, "", ALL, "", "", "", "ok;missing;"},
	{"a rule to nowhere", LB, true, TO_ALL TO_LB, "", ALL "," BALANCER, "", "", "",
	 "ok;lacks endpoints;"},
	{"an external address", EXTERNAL, true,
	 TO_ALL TO_LB NAT_OF("203.0.113.1", "KUBE-EXT-W") EXT_ALL, "",
	 ALL "," BALANCER "," ELEMENT("203.0.113.1", GOTO("external-W")), "", "", EXTN_ALL,
	 "ok;ok;ok;"},
	{"an address that is gone", LB, true,
	 TO_ALL TO_LB NAT_OF("203.0.113.9", "KUBE-EXT-W") EXT_ALL, "",
	 ALL "," BALANCER "," ELEMENT("203.0.113.9", GOTO("external-W")), "", "", EXTN_ALL,
	 "ok;ok;unexpected;"},
	{"Local", LB LOCAL, true, TO_ALL TO_LB EXT_OWN "-A KUBE-EXT-W -j KUBE-SVL-W\n", "",
	 ALL "," BALANCER, "", "", EXTN_OWN RULE("external-W", GOTO("local-W")), "ok;ok;"},
	{"Local, sent to all", LB LOCAL, true, TO_ALL TO_LB EXT_ALL, "", ALL "," BALANCER, "", "",
	 EXTN_ALL, "ok;stale;"},
	{"Local, none here", LB LOCAL, false, TO_ALL TO_LB EXT_OWN, NO_LOCAL, ALL "," BALANCER,
	 ELEMENT("203.0.113.10", "{'drop':null}"), "", EXTN_OWN, "ok;ok;"},
	{"Local, none here, nothing drops", LB LOCAL, false, TO_ALL TO_LB EXT_OWN, "",
	 ALL "," BALANCER, "", "", EXTN_OWN, "ok;not rejected;"},
	{"ranges", FROM("'198.51.100.0/24','192.0.2.7/25'"), true,
	 TO_ALL TO_FW EXT_ALL FW("-s 192.0.2.0/25 ") FW("-s 198.51.100.0/24 ") FW_END, GUARD,
	 ALL "," BALANCER, "", WALL,
	 EXTN_ALL BUT("{'set':[" PREFIX("192.0.2.0", "25") "," PREFIX("198.51.100.0", "24") "]}"),
	 "ok;ok;"},
	{"ranges with the node", FROM("'172.18.0.0/16'"), true,
	 TO_ALL TO_FW EXT_ALL FW("-s 172.18.0.0/16 ") FW("-s 203.0.113.10/32 ") FW_END, GUARD,
	 ALL "," BALANCER, "", WALL,
	 EXTN_ALL BUT("{'set':[" PREFIX("172.18.0.0", "16") ",'203.0.113.10']}"), "ok;ok;"},
	{"a range of all", FROM("'0.0.0.0/0'"), true, TO_ALL TO_FW EXT_ALL FW("") FW_END, GUARD,
	 ALL "," BALANCER, "", WALL, EXTN_ALL BUT("{'set':[" PREFIX("0.0.0.0", "0") "]}"),
	 "ok;ok;"},
	{"ranges side by side", FROM("'10.0.0.0/9','10.128.0.0/9','10.1.0.0/16'"), true,
	 TO_ALL TO_FW EXT_ALL FW("-s 10.0.0.0/8 ") FW_END, GUARD, ALL "," BALANCER, "", WALL,
	 EXTN_ALL BUT("{'set':[{'range':['10.0.0.0','10.127.255.255']},"
		      "{'range':['10.128.0.0','10.255.255.255']}]}"),
	 "ok;ok;"},
	{"one range as it is", FROM("'198.51.100.0/24'"), true, NULL, NULL, ALL "," BALANCER, "",
	 WALL, EXTN_ALL BUT("{'range':['198.51.100.0','198.51.100.255']}"), "ok;ok;"},
	{"one range as a prefix", FROM("'198.51.100.0/24'"), true, NULL, NULL, ALL "," BALANCER, "",
	 WALL, EXTN_ALL BUT(PREFIX("198.51.100.0", "24")), "ok;ok;"},
	{"one other range as a prefix", FROM("'198.51.100.0/24'"), true, NULL, NULL,
	 ALL "," BALANCER, "", WALL, EXTN_ALL BUT(PREFIX("198.51.100.0", "25")),
	 "ok;other senders;"},
	{"one sender", FROM("'198.51.100.7/32'"), true, NULL, NULL, ALL "," BALANCER, "", WALL,
	 EXTN_ALL BUT("'198.51.100.7'"), "ok;ok;"},
	{"ranges of the other family", FROM("'2001:db8::/32'"), true, TO_ALL TO_LB EXT_ALL, "",
	 ALL "," BALANCER, "", "", EXTN_ALL, "ok;ok;"},
	{"other ranges", FROM("'198.51.100.0/24'"), true,
	 TO_ALL TO_FW EXT_ALL FW("-s 198.51.100.0/25 ") FW_END, GUARD, ALL "," BALANCER, "", WALL,
	 EXTN_ALL BUT("{'set':[" PREFIX("198.51.100.0", "25") "]}"), "ok;other senders;"},
	{"one range too many", FROM("'198.51.100.0/24'"), true,
	 TO_ALL TO_FW EXT_ALL FW("-s 198.51.100.0/24 ") FW("-s 192.0.2.0/24 ") FW_END, GUARD,
	 ALL "," BALANCER, "", WALL,
	 EXTN_ALL BUT("{'set':[" PREFIX("192.0.2.0", "24") "," PREFIX("198.51.100.0", "24") "]}"),
	 "ok;other senders;"},
	{"open to all", FROM("'198.51.100.0/24'"), true, TO_ALL TO_LB EXT_ALL, "", ALL "," BALANCER,
	 "", "", EXTN_ALL, "ok;other senders;"},
	{"closed to some", LB, true, TO_ALL TO_FW EXT_ALL FW("-s 198.51.100.0/24 ") FW_END, GUARD,
	 ALL "," BALANCER, "", WALL, EXTN_ALL BUT("{'set':[" PREFIX("198.51.100.0", "24") "]}"),
	 "ok;other senders;"},
	{"nothing drops the others", FROM("'198.51.100.0/24'"), true,
	 TO_ALL TO_FW EXT_ALL FW("-s 198.51.100.0/24 ") FW_END, "", NULL, NULL, NULL, NULL,
	 "ok;other senders;"},
	{"a firewall in other words", FROM("'198.51.100.0/24'"), true, NULL, NULL, ALL "," BALANCER,
	 "", WALL,
	 EXTN_ALL RULE("firewall-W", "{'match':{'op':'==','left':{'meta':{'key':'iifname'}},"
				     "'right':'eth9'}},{'drop':null}"),
	 "ok;ok;"},
};

static void swap_quotes(char *text)
{
	for (; *text; text++)
		if (*text == '\'')
			*text = '"';
}

static void feed_quoted(struct nd_model *model, const char *name, bool is_api, const char *fmt, ...)
	ND_PRINTF(4, 5);
static void feed_quoted(struct nd_model *model, const char *name, bool is_api, const char *fmt, ...)
{
	nd_auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	assert_true(vasprintf(&text, fmt, args) > 0);
	va_end(args);
	if (!nd_eq(name, "iptables"))
		swap_quotes(text);
	if (is_api)
		feed_api(model, name, text);
	else
		feed_section(model, name, text);
}

static void feed_objects(struct nd_model *model, const struct row *row)
{
	feed_quoted(model, "services", true,
		    "{'items':[{'metadata':{'namespace':'default','name':'web'},'spec':{"
		    "'clusterIP':'10.96.1.1','ports':[{'port':80,'targetPort':8080}]%s},'status':{"
		    "'loadBalancer':{'ingress':[{'ip':'203.0.113.10'}]}}}]}",
		    row->spec);
	feed_quoted(model, "endpointslices", true,
		    "{'items':[{'metadata':{'namespace':'default','name':'web-1','labels':{"
		    "'kubernetes.io/service-name':'web'}},'addressType':'IPv4','endpoints':["
		    "{'addresses':['10.244.1.2'],'nodeName':'w1','conditions':{'ready':%s}},"
		    "{'addresses':['10.244.2.2'],'nodeName':'w2'}],'ports':[{'name':'','protocol':"
		    "'TCP','port':8080}]}]}",
		    row->is_local ? "true" : "false");
}

static void feed_iptables(struct nd_model *model, const struct row *row)
{
	feed_quoted(
		model, "iptables", false,
		"# netdoctor backend=nft family=4\n*nat\n:PREROUTING ACCEPT [0:0]\n"
		":KUBE-SERVICES - [0:0]\n:KUBE-EXT-W - [0:0]\n:KUBE-FW-W - [0:0]\n:KUBE-SVC-W - "
		"[0:0]\n:KUBE-SVL-W - [0:0]\n:KUBE-A - [0:0]\n:KUBE-B - [0:0]\n"
		":KUBE-MARK-MASQ - [0:0]\n%s"
		"%s-A KUBE-SVC-W -j KUBE-B\n-A KUBE-SVL-W -j KUBE-A\n"
		"-A KUBE-A -p tcp -m tcp -j DNAT --to-destination 10.244.1.2:8080\n"
		"-A KUBE-B -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:8080\nCOMMIT\n"
		"*filter\n:INPUT ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n"
		":KUBE-EXTERNAL-SERVICES - [0:0]\n:KUBE-PROXY-FIREWALL - [0:0]\n%sCOMMIT\n",
		row->nat,
		row->is_local ? "-A KUBE-SVC-W -m statistic --mode random --probability "
				"0.50000000000 -j KUBE-A\n"
			      : "",
		row->filter);
}

#define MAP(name)                                                                                  \
	",{'map':{'family':'ip','table':'kube-proxy','name':'" name "','type':['ipv4_addr',"       \
	"'inet_proto','inet_service'],'map':'verdict','elem':[%s]}}"
#define CHAIN(name) ",{'chain':{'family':'ip','table':'kube-proxy','name':'" name "'}}"

static void feed_nft(struct nd_model *model, const struct row *row)
{
	feed_quoted(
		model, "nft", false,
		"{'nftables':[{'table':{'family':'ip','name':'kube-proxy'}}" CHAIN(
			"service-W") CHAIN("local-W") CHAIN("external-W") CHAIN("firewall-W")
			CHAIN("a") CHAIN("b") MAP("service-ips") MAP("no-endpoint-services") MAP(
				"firewall-ips") RULE("service-W", "%s" GOTO("b")) RULE("local-W",
										       GOTO("a"))
				RULE("a", "{'dnat':{'addr':'10.244.1.2','port':8080}}") RULE(
					"b", "{'dnat':{'addr':'10.244.2.2','port':8080}}") "%s]}",
		row->ips, row->no_ips, row->walls,
		row->is_local ? "{'vmap':{'key':{'numgen':{'mode':'random','mod':2,'offset':0}},"
				"'data':{'set':[[0," GOTO("a") "],[1," GOTO("b") "]]}}},"
			      : "",
		row->rules);
}

static void try_row(const struct row *row, enum nd_proxy_mode mode)
{
	struct nd_model *model = nd_model_new();
	struct nd_arena arena = {0};
	struct nd_programmed diff;
	char got[200] = "";

	feed_objects(model, row);
	if (mode == ND_PROXY_IPTABLES)
		feed_iptables(model, row);
	else
		feed_nft(model, row);
	const struct nd_cluster *cluster = nd_model_finish(model);

	for (size_t i = 0; i < cluster->ngaps; i++)
		fail_msg("%s: gap %s %s", row->name, cluster->gaps[i].what, cluster->gaps[i].why);
	struct nd_programmed_ask ask = {nd_look_host(cluster, "w1"), mode, ND_IPT_NFT, 4};

	assert_true(nd_programmed_diff(&arena, nd_expected_new(&arena, cluster), &ask, &diff));
	for (size_t i = 0; i < diff.nports; i++) {
		size_t n = strlen(got);

		snprintf(got + n, sizeof(got) - n, "%s;",
			 nd_programmed_verdict_name(diff.ports[i].verdict));
	}
	if (!nd_eq(got, row->want))
		fail_msg("%s (%s): %s, wanted %s", row->name,
			 mode == ND_PROXY_IPTABLES ? "iptables" : "nftables", got, row->want);
	nd_arena_free(&arena);
	nd_model_free(model);
}

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		if (rows[i].nat)
			try_row(&rows[i], ND_PROXY_IPTABLES);
		if (rows[i].ips)
			try_row(&rows[i], ND_PROXY_NFTABLES);
	}
}

/* Real clusters with all kinds of such services: each address of each port is right. */
static void is_right_on(const char *path, enum nd_proxy_mode mode)
{
	static const size_t want[] = {[ND_PROGRAMMED_CLUSTER_IP] = 19,
				      [ND_PROGRAMMED_NODE_PORT] = 9,
				      [ND_PROGRAMMED_EXTERNAL_IP] = 4,
				      [ND_PROGRAMMED_LB_IP] = 7};
	struct nd_model *model = nd_model_new();
	struct nd_sink sink = nd_model_sink(model);
	struct nd_err err = {0};
	struct nd_arena arena = {0};

	assert_int_equal(nd_bundle_read(path, &sink, &err), 0);
	const struct nd_cluster *cluster = nd_model_finish(model);
	const struct nd_expected *expected = nd_expected_new(&arena, cluster);

	assert_true(cluster->nhosts >= 2);
	for (size_t i = 0; i < cluster->nhosts; i++) {
		struct nd_programmed_ask ask = {&cluster->hosts[i], mode, ND_IPT_NFT, 4};
		struct nd_programmed diff;
		size_t have[ND_ARRAY_LEN(want)] = {0};

		assert_true(nd_programmed_diff(&arena, expected, &ask, &diff));
		for (size_t k = 0; k < diff.nports; k++) {
			have[diff.ports[k].kind]++;
			if (diff.ports[k].verdict != ND_PROGRAMMED_OK)
				fail_msg("%s %s: port %u: %s", path, cluster->hosts[i].node,
					 diff.ports[k].number,
					 nd_programmed_verdict_name(diff.ports[k].verdict));
		}
		assert_memory_equal(have, want, sizeof(want));
	}
	nd_arena_free(&arena);
	nd_model_free(model);
}

static void real_clusters_are_right(void **state)
{
	(void)state;
	is_right_on("tests/cases/svc-outside/bundle.tar.gz", ND_PROXY_IPTABLES);
	is_right_on("tests/cases/nft-svc-outside/bundle.tar.gz", ND_PROXY_NFTABLES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_row),
					   cmocka_unit_test(real_clusters_are_right)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
