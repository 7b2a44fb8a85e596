#include "common/base.h"

#include "tests/unit/model.h"

/*
 * nft -j list ruleset of nft 1.0.6: tables of iptables-nft (one with a native rule in it, one with
 * a base chain of its own), kube-proxy's nftables mode in small, and a table of somebody else.
 */
static const char sample[] =
	"{\"nftables\":[{\"metainfo\":{\"version\":\"1.0.6\",\"release_name\":\"Lester Goo"
	"ch #5\",\"json_schema_version\":1}},"
	"{\"table\":{\"family\":\"ip\",\"name\":\"filter\",\"handle\":1}},"
	"{\"chain\":{\"family\":\"ip\",\"table\":\"filter\",\"name\":\"FORWARD\",\"handle\":3"
	",\"type\":\"filter\",\"hook\":\"forward\",\"prio\":0,\"policy\":\"drop\"}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"filter\",\"chain\":\"FORWARD\",\"handle\":4"
	",\"expr\":[{\"xt\":{\"type\":\"match\",\"name\":\"conntrack\"}},{\"xt\":{\"type\":\""
	"match\",\"name\":\"comment\"}},{\"counter\":{\"packets\":0,\"bytes\":0}},{\"jump\":"
	"{\"target\":\"KUBE-SERVICES\"}}]}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"filter\",\"chain\":\"FORWARD\",\"handle\":5"
	",\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"iifname\"}},\"rig"
	"ht\":\"eth*\"}},{\"match\":{\"op\":\"!=\",\"left\":{\"meta\":{\"key\":\"oifname\"}},"
	"\"right\":\"eth0\"}},{\"match\":{\"op\":\"!=\",\"left\":{\"payload\":{\"protocol\":"
	"\"ip\",\"field\":\"saddr\"}},\"right\":{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":8}"
	"}}},{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"tcp\",\"field\":"
	"\"dport\"}},\"right\":{\"range\":[80,90]}}},{\"xt\":{\"type\":\"match\",\"name\":\"c"
	"omment\"}},{\"counter\":{\"packets\":0,\"bytes\":0}},{\"drop\":null}]}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"filter\",\"chain\":\"FORWARD\",\"handle\":1"
	"3,\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"concat\":[{\"payload\":{\"protocol"
	"\":\"ip\",\"field\":\"saddr\"}},{\"payload\":{\"protocol\":\"ip\",\"field\":\"daddr"
	"\"}}]},\"right\":{\"set\":[{\"concat\":[\"1.2.3.4\",\"5.6.7.8\"]}]}}},{\"drop\":nul"
	"l}]}},"
	"{\"table\":{\"family\":\"ip\",\"name\":\"raw\",\"handle\":5}},"
	"{\"chain\":{\"family\":\"ip\",\"table\":\"raw\",\"name\":\"myhook\",\"handle\":1,\"t"
	"ype\":\"filter\",\"hook\":\"prerouting\",\"prio\":-300,\"policy\":\"accept\"}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"raw\",\"chain\":\"myhook\",\"handle\":2,\"e"
	"xpr\":[{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"ip\",\"field"
	"\":\"saddr\"}},\"right\":\"1.2.3.4\"}},{\"drop\":null}]}},"
	"{\"table\":{\"family\":\"ip\",\"name\":\"kube-proxy\",\"handle\":1}},"
	"{\"map\":{\"family\":\"ip\",\"name\":\"service-ips\",\"table\":\"kube-proxy\",\"type"
	"\":[\"ipv4_addr\",\"inet_proto\",\"inet_service\"],\"handle\":7,\"map\":\"verdict\""
	",\"elem\":[[{\"concat\":[\"10.96.0.1\",\"tcp\",443]},{\"goto\":{\"target\":\"servic"
	"e-A\"}}]]}},"
	"{\"map\":{\"family\":\"ip\",\"name\":\"no-endpoint-services\",\"table\":\"kube-prox"
	"y\",\"type\":[\"ipv4_addr\",\"inet_proto\",\"inet_service\"],\"handle\":8,\"map\":\""
	"verdict\",\"elem\":[[{\"concat\":[\"10.96.0.9\",\"udp\",53]},{\"drop\":null}]]}},"
	"{\"set\":{\"family\":\"ip\",\"name\":\"cluster-ips\",\"table\":\"kube-proxy\",\"type"
	"\":\"ipv4_addr\",\"handle\":9,\"elem\":[\"10.96.0.1\",\"10.96.0.10\"]}},"
	"{\"chain\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"name\":\"markit\",\"handle"
	"\":1}},"
	"{\"chain\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"name\":\"endpoint-A\",\"han"
	"dle\":2}},"
	"{\"chain\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"name\":\"endpoint-B\",\"han"
	"dle\":3}},"
	"{\"chain\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"name\":\"service-A\",\"hand"
	"le\":4}},"
	"{\"chain\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"name\":\"filter-forward\","
	"\"handle\":5,\"type\":\"filter\",\"hook\":\"forward\",\"prio\":-110,\"policy\":\"acc"
	"ept\"}},"
	"{\"chain\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"name\":\"services\",\"handl"
	"e\":6}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"chain\":\"markit\",\"handle"
	"\":10,\"expr\":[{\"mangle\":{\"key\":{\"meta\":{\"key\":\"mark\"}},\"value\":{\"|\":"
	"[{\"meta\":{\"key\":\"mark\"}},16384]}}}]}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"chain\":\"endpoint-A\",\"han"
	"dle\":11,\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"i"
	"p\",\"field\":\"saddr\"}},\"right\":\"10.244.1.5\"}},{\"jump\":{\"target\":\"markit"
	"\"}}]}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"chain\":\"endpoint-A\",\"han"
	"dle\":12,\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"l4proto\""
	"}},\"right\":\"tcp\"}},{\"dnat\":{\"addr\":\"10.244.1.5\",\"port\":6443}}]}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"chain\":\"endpoint-B\",\"han"
	"dle\":13,\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"l4proto\""
	"}},\"right\":\"tcp\"}},{\"dnat\":{\"addr\":\"10.244.1.6\",\"port\":6443}}]}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"chain\":\"service-A\",\"hand"
	"le\":15,\"expr\":[{\"vmap\":{\"key\":{\"numgen\":{\"mode\":\"random\",\"mod\":2,\"of"
	"fset\":0}},\"data\":{\"set\":[[0,{\"goto\":{\"target\":\"endpoint-A\"}}],[1,{\"got"
	"o\":{\"target\":\"endpoint-B\"}}]]}}}]}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"chain\":\"filter-forward\","
	"\"handle\":16,\"expr\":[{\"match\":{\"op\":\"in\",\"left\":{\"ct\":{\"key\":\"state"
	"\"}},\"right\":\"new\"}},{\"jump\":{\"target\":\"markit\"}}]}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"chain\":\"services\",\"handl"
	"e\":17,\"expr\":[{\"vmap\":{\"key\":{\"concat\":[{\"payload\":{\"protocol\":\"ip\","
	"\"field\":\"daddr\"}},{\"meta\":{\"key\":\"l4proto\"}},{\"payload\":{\"protocol\":\""
	"th\",\"field\":\"dport\"}}]},\"data\":\"@service-ips\"}}]}},"
	"{\"rule\":{\"family\":\"ip\",\"table\":\"kube-proxy\",\"chain\":\"services\",\"handl"
	"e\":19,\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"fib\":{\"result\":\"type\",\""
	"flags\":[\"daddr\"]}},\"right\":\"local\"}},{\"match\":{\"op\":\"!=\",\"left\":{\"pa"
	"yload\":{\"protocol\":\"ip\",\"field\":\"daddr\"}},\"right\":{\"prefix\":{\"addr\":"
	"\"127.0.0.0\",\"len\":8}}}},{\"vmap\":{\"key\":{\"concat\":[{\"meta\":{\"key\":\"l4p"
	"roto\"}},{\"payload\":{\"protocol\":\"th\",\"field\":\"dport\"}}]},\"data\":{\"set\""
	":[[{\"concat\":[\"tcp\",30000]},{\"drop\":null}]]}}}]}},"
	"{\"table\":{\"family\":\"inet\",\"name\":\"stray\",\"handle\":2}},"
	"{\"chain\":{\"family\":\"inet\",\"table\":\"stray\",\"name\":\"strayfwd\",\"handle\""
	":1,\"type\":\"filter\",\"hook\":\"forward\",\"prio\":0,\"policy\":\"drop\"}},"
	"{\"rule\":{\"family\":\"inet\",\"table\":\"stray\",\"chain\":\"strayfwd\",\"handle\""
	":2,\"comment\":\"oops\",\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{"
	"\"protocol\":\"ip\",\"field\":\"saddr\"}},\"right\":{\"prefix\":{\"addr\":\"10.244.0"
	".0\",\"len\":16}}}},{\"counter\":{\"packets\":0,\"bytes\":0}},{\"drop\":null}]}},"
	"{\"rule\":{\"family\":\"inet\",\"table\":\"stray\",\"chain\":\"strayfwd\",\"handle\""
	":3,\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"iifname\"}},\"r"
	"ight\":\"cni0\"}},{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"tc"
	"p\",\"field\":\"dport\"}},\"right\":{\"range\":[80,90]}}},{\"reject\":{\"type\":\"ic"
	"mp\",\"expr\":\"port-unreachable\"}}]}},"
	"{\"rule\":{\"family\":\"inet\",\"table\":\"stray\",\"chain\":\"strayfwd\",\"handle\""
	":5,\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"tcp\","
	"\"field\":\"dport\"}},\"right\":{\"set\":[1,2]}}},{\"match\":{\"op\":\"in\",\"left\""
	":{\"ct\":{\"key\":\"state\"}},\"right\":[\"established\",\"related\"]}},{\"accept\":"
	"null}]}},"
	"{\"rule\":{\"family\":\"inet\",\"table\":\"stray\",\"chain\":\"strayfwd\",\"handle\""
	":6,\"expr\":[{\"limit\":{\"rate\":5,\"burst\":5,\"per\":\"second\"}},{\"accept\":nul"
	"l}]}},"
	"{\"rule\":{\"family\":\"inet\",\"table\":\"stray\",\"chain\":\"strayfwd\",\"handle\""
	":7,\"expr\":[{\"match\":{\"op\":\"!=\",\"left\":{\"payload\":{\"protocol\":\"ip6\","
	"\"field\":\"daddr\"}},\"right\":{\"prefix\":{\"addr\":\"fd00::\",\"len\":8}}}},{\"dr"
	"op\":null}]}}]}";

static const struct nd_nft_chain *chain_of(const struct nd_host *host, const char *family,
					   const char *table, const char *chain)
{
	const struct nd_nft_chain *found =
		nd_look_nft_chain(nd_look_nft_table(host, family, table), chain);

	assert_non_null(found);
	return found;
}

static void reads_native_tables(void **state)
{
	struct nd_model *model = nd_model_new();
	char text[ND_PREFIX_TEXT];

	(void)state;
	feed_section(model, "nft", sample);
	const struct nd_host *host = host_of(model);

	assert_true(nd_host_has(host, ND_SECTION_nft));
	assert_false(nd_look_nft_table(host, "inet", "stray")->is_iptables);
	const struct nd_nft_chain *chain = chain_of(host, "inet", "stray", "strayfwd");

	assert_string_equal(chain->hook, "forward");
	assert_string_equal(chain->policy, "drop");
	assert_int_equal(chain->nrules, 5);
	const struct nd_nft_rule *r = chain->rules;

	assert_string_equal(r[0].text, "ip saddr 10.244.0.0/16 counter drop comment \"oops\"");
	assert_string_equal(r[0].verdict, "drop");
	assert_string_equal(nd_prefix_text(r[0].src, text), "10.244.0.0/16");
	assert_true(r[0].has_counter);
	assert_false(r[0].has_other_match);
	assert_string_equal(r[1].text, "iifname cni0 tcp dport 80-90 reject with icmp "
				       "port-unreachable");
	assert_string_equal(r[1].in, "cni0");
	assert_string_equal(r[1].proto, "tcp");
	assert_int_equal(r[1].dport_min, 80);
	assert_int_equal(r[1].dport_max, 90);
	assert_string_equal(r[1].verdict, "reject");
	assert_string_equal(r[2].text, "tcp dport { 1, 2 } ct state established,related accept");
	assert_true(r[2].has_other_match);
	assert_string_equal(r[3].text, "limit rate 5/second accept");
	assert_true(r[3].has_other_match);
	assert_true(r[4].dst_not);
	assert_false(r[4].has_other_match);
	nd_model_free(model);
}

static void reads_kube_proxy(void **state)
{
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_section(model, "nft", sample);
	const struct nd_host *host = host_of(model);
	const struct nd_nft_table *table = nd_look_nft_table(host, "ip", "kube-proxy");
	const struct nd_nft_set *map = nd_look_nft_set(table, "service-ips");
	const struct nd_nft_set *set = nd_look_nft_set(table, "cluster-ips");

	assert_false(table->is_iptables);
	assert_int_equal(table->nmaps, 2);
	assert_int_equal(table->nsets, 1);
	assert_true(map->is_map);
	assert_int_equal(map->nelements, 1);
	assert_string_equal(map->elements[0], "10.96.0.1 . tcp . 443 : goto service-A");
	assert_string_equal(nd_look_nft_set(table, "no-endpoint-services")->elements[0],
			    "10.96.0.9 . udp . 53 : drop");
	assert_false(set->is_map);
	assert_string_equal(set->elements[1], "10.96.0.10");
	assert_string_equal(
		chain_of(host, "ip", "kube-proxy", "service-A")->rules[0].text,
		"numgen random mod 2 vmap { 0 : goto endpoint-A, 1 : goto endpoint-B }");
	assert_string_equal(chain_of(host, "ip", "kube-proxy", "endpoint-A")->rules[1].text,
			    "meta l4proto tcp dnat to 10.244.1.5:6443");
	assert_string_equal(chain_of(host, "ip", "kube-proxy", "endpoint-A")->rules[0].verdict,
			    "jump markit");
	nd_model_free(model);
}

/* What iptables-nft-save printed beside the sample. */
static const char saved[] = "# netdoctor backend=nft family=4\n*filter\n:FORWARD DROP [0:0]\n"
			    "-A FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES\n"
			    "-A FORWARD ! -s 10.0.0.0/8 -i eth+ -j DROP\n"
			    "-A FORWARD -j DROP\nCOMMIT\n";

static void tells_iptables_tables(void **state)
{
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_section(model, "nft", sample);
	feed_section(model, "iptables", saved);
	const struct nd_host *host = host_of(model);

	assert_true(nd_look_nft_table(host, "ip", "filter")->is_iptables);
	assert_false(nd_look_nft_table(host, "ip", "raw")->is_iptables);
	assert_int_equal(chain_of(host, "ip", "raw", "myhook")->priority, -300);
	const struct nd_ipt_chain *chain =
		nd_look_ipt_chain(&host->ipt[ND_IPT_NFT], "filter", "FORWARD");

	/* nft says that there is more to the last rule than iptables can show. */
	assert_false(chain->rules[0].has_other_match);
	assert_false(chain->rules[1].has_other_match);
	assert_true(chain->rules[2].has_other_match);
	nd_model_free(model);
}

/* The agent leaves large tables of iptables out: what iptables-nft-save showed stays as it is. */
static void bears_left_out_tables(void **state)
{
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_section(model, "nft", "{\"nftables\": []}");
	feed_section(model, "iptables", saved);
	const struct nd_host *host = host_of(model);

	assert_true(nd_host_has(host, ND_SECTION_nft));
	assert_int_equal(host->nnft, 0);
	assert_true(host->ipt[ND_IPT_NFT].is_present);
	assert_null(host->ipt[ND_IPT_NFT].error);
	const struct nd_ipt_chain *chain =
		nd_look_ipt_chain(&host->ipt[ND_IPT_NFT], "filter", "FORWARD");

	assert_int_equal(chain->nrules, 3);
	assert_false(chain->rules[2].has_other_match);
	nd_model_free(model);
}

/* One document a table, joined: metainfo comes with each. */
static void reads_joined_documents(void **state)
{
	static const char joined[] =
		"{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\"}}, "
		"{\"table\": {\"family\": \"inet\", \"name\": \"a\"}}, "
		"{\"metainfo\": {\"version\": \"1.0.6\"}}, "
		"{\"table\": {\"family\": \"ip\", \"name\": \"b\"}}]}\n";
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_section(model, "nft", joined);
	assert_non_null(nd_look_nft_table(host_of(model), "inet", "a"));
	assert_non_null(nd_look_nft_table(host_of(model), "ip", "b"));
	nd_model_free(model);
}

static void trusts_no_shape(void **state)
{
	static const char twice[] = "{\"nftables\":[{\"table\":{\"family\":\"ip\",\"name\":\"t\"}},"
				    "{\"table\":{\"family\":\"ip\",\"name\":\"t\"}}]}";
	static const char *const bad[] = {
		"",
		"{}",
		"[1]",
		"{\"nftables\":{}}",
		"{\"nftables\":[{\"table\":7}]}",
		"{\"nftables\":[{\"rule\":{\"family\":\"ip\",\"table\":\"x\",\"chain\":\"y\"}}]}",
		twice,
		"{\"nftables\":[{\"set\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"s\"}}]}",
	};
	static const char odd[] =
		"{\"nftables\":[{\"table\":{\"family\":\"ip\",\"name\":\"t\"}},"
		"{\"chain\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"c\",\"prio\":1e99}},"
		"{\"rule\":{\"family\":\"ip\",\"table\":\"t\",\"chain\":\"c\",\"expr\":"
		"[7,null,[],{},{\"match\":3},{\"jump\":{}},{\"\xff\":{\"a\":[[[[1]]]]}}]}},"
		"{\"quota\":{}},{}]}";

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(bad); i++) {
		struct nd_model *model = nd_model_new();

		feed_section(model, "nft", bad[i]);
		assert_false(nd_host_has(host_of(model), ND_SECTION_nft));
		nd_model_free(model);
	}
	struct nd_model *model = nd_model_new();

	feed_section(model, "nft", odd);
	const struct nd_host *host = host_of(model);

	assert_true(nd_host_has(host, ND_SECTION_nft));
	assert_int_equal(chain_of(host, "ip", "t", "c")->priority, 0);
	assert_true(chain_of(host, "ip", "t", "c")->rules[0].has_other_match);
	nd_model_free(model);
}

static void survives_every_cut(void **state)
{
	(void)state;
	check_cuts("nft", ND_SECTION_nft, sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_native_tables),	 cmocka_unit_test(reads_kube_proxy),
		cmocka_unit_test(tells_iptables_tables), cmocka_unit_test(trusts_no_shape),
		cmocka_unit_test(survives_every_cut),	 cmocka_unit_test(bears_left_out_tables),
		cmocka_unit_test(reads_joined_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
