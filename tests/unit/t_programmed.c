/*
 * What kube-proxy must have programmed, against rules. Each case is written once, in a small
 * language, and tried as iptables-save prints it and as nft -j prints it:
 *
 *	vip IP PROTO PORT CHAIN   rej IP PROTO PORT    np PROTO PORT CHAIN    nprej PROTO PORT
 *	to CHAIN CHAIN...         for CHAIN CIDR CHAIN ep CHAIN IP PROTO PORT chain CHAIN
 */
#include "common/base.h"
#include "plugin/evidence/bundle.h"
#include "plugin/model/programmed.h"
#include "tests/unit/model.h"

#define A(more) "{'addresses':['10.244.1.2'],'nodeName':'w1','conditions':{" more "}}"
#define B(more) "{'addresses':['10.244.2.2'],'nodeName':'w2','conditions':{" more "}}"
#define READY "'ready':true"
#define NOT_READY "'ready':false"
#define ENDING "'ready':false,'serving':true,'terminating':true"
#define SEP_A "ep SEP-A 10.244.1.2 tcp 8080;"
#define SEP_B "ep SEP-B 10.244.2.2 tcp 8080;"
#define SEP_X "ep SEP-X 10.244.2.99 tcp 8080;"
#define VIP "vip 10.96.1.1 tcp 80 SVC-W;"
#define REJ "rej 10.96.1.1 tcp 80;"
#define BOTH VIP SEP_A SEP_B "to SVC-W SEP-A SEP-B;"
#define EXT "np tcp 30080 EXT-W;to EXT-W SVC-W;"

struct row {
	const char *name, *spec, *endpoints, *rules;
	/* "VERDICT LACKING LIVE STALE" of each port, one behind the other */
	const char *want;
};

static const struct row rows[] = {
	{"right", "", A(READY) "," B(READY), BOTH, "ok 0 0 0;"},
	{"no rule", "", A(READY) "," B(READY), "", "missing 2 2 0;"},
	{"rejected though ready", "", A(READY), REJ, "missing 1 1 0;"},
	{"empty chain", "", A(READY), VIP "chain SVC-W;", "lacks endpoints 1 1 0;"},
	{"no chain", "", A(READY), VIP, "lacks endpoints 1 1 0;"},
	{"empty endpoint chain", "", A(READY) "," B(READY),
	 VIP SEP_A "chain SEP-B;to SVC-W SEP-A SEP-B;", "lacks endpoints 1 1 0;"},
	{"lacks one", "", A(READY) "," B(READY), VIP SEP_A "to SVC-W SEP-A;",
	 "lacks endpoints 1 1 0;"},
	{"stale one", "", A(READY), VIP SEP_A SEP_X "to SVC-W SEP-A SEP-X;", "stale 0 0 1;"},
	{"stale and lacks", "", A(READY) "," B(READY), VIP SEP_A SEP_X "to SVC-W SEP-X SEP-A;",
	 "stale 1 1 1;"},
	{"wrong port", "", A(READY), VIP "ep SEP-A 10.244.1.2 tcp 9;to SVC-W SEP-A;",
	 "stale 1 1 1;"},
	{"none ready", "", A(NOT_READY), REJ, "ok 0 0 0;"},
	{"none ready, nothing rejects", "", A(NOT_READY), "", "not rejected 0 0 0;"},
	{"none ready, still there", "", A(NOT_READY), VIP SEP_A "to SVC-W SEP-A;", "stale 0 0 1;"},
	{"no endpoints", "", "", REJ, "ok 0 0 0;"},
	{"ready is what is not said", "", A("") "," B(NOT_READY), VIP SEP_A "to SVC-W SEP-A;",
	 "ok 0 0 0;"},
	{"serving while ending", "", A(ENDING) "," B(NOT_READY), VIP SEP_A "to SVC-W SEP-A;",
	 "ok 0 0 0;"},
	{"ready before serving", "", A(ENDING) "," B(READY), VIP SEP_B "to SVC-W SEP-B;",
	 "ok 0 0 0;"},
	{"lacks what ends", "", A(ENDING), "", "missing 1 0 0;"},
	{"hints leave a part", "",
	 A(READY) ",{'addresses':['10.244.2.2'],'nodeName':'w2','hints':{'forZones':[{'name':'z'}]}"
		  "}",
	 VIP SEP_A "to SVC-W SEP-A;", "ok 0 0 0;"},
	{"hints leave not nothing", "",
	 "{'addresses':['10.244.2.2'],'nodeName':'w2','hints':{'forZones':[{'name':'z'}]}}",
	 VIP "chain SVC-W;", "lacks endpoints 1 1 0;"},
	{"internal local", ",'internalTrafficPolicy':'Local'", A(READY) "," B(READY),
	 "vip 10.96.1.1 tcp 80 SVL-W;" SEP_A "to SVL-W SEP-A;", "ok 0 0 0;"},
	{"internal local, none here", ",'internalTrafficPolicy':'Local'", B(READY), REJ,
	 "ok 0 0 0;"},
	{"internal local, all of them", ",'internalTrafficPolicy':'Local'", A(READY) "," B(READY),
	 BOTH, "stale 0 0 1;"},
	{"node port", ",'type':'NodePort'", A(READY) "," B(READY), BOTH EXT, "ok 0 0 0;ok 0 0 0;"},
	{"no node port", ",'type':'NodePort'", A(READY) "," B(READY), BOTH,
	 "ok 0 0 0;missing 2 2 0;"},
	{"node port without endpoints", ",'type':'NodePort'", "", REJ "nprej tcp 30080;",
	 "ok 0 0 0;ok 0 0 0;"},
	{"external local", ",'type':'NodePort','externalTrafficPolicy':'Local'",
	 A(READY) "," B(READY),
	 BOTH "np tcp 30080 EXT-W;chain EXT-W;for EXT-W 10.244.0.0/16 SVC-W;to EXT-W SVL-W;to "
	      "SVL-W SEP-A;",
	 "ok 0 0 0;ok 0 0 0;"},
	{"external local, none here", ",'type':'NodePort','externalTrafficPolicy':'Local'",
	 B(READY),
	 VIP SEP_B "to SVC-W SEP-B;np tcp 30080 EXT-W;chain EXT-W;for EXT-W 10.244.0.0/16 SVC-W;"
		   "nprej tcp 30080;",
	 "ok 0 0 0;ok 0 0 0;"},
	{"affinity", ",'sessionAffinity':'ClientIP'", A(READY) "," B(READY),
	 VIP SEP_A SEP_B "chain SVC-W;for SVC-W 10.244.1.7/32 SEP-A;to SVC-W SEP-A SEP-B;",
	 "ok 0 0 0;"},
	{"another protocol", "", A(READY), "vip 10.96.1.1 udp 80 SVC-W;" SEP_A "to SVC-W SEP-A;",
	 "missing 1 1 0;unexpected 0 0 1;"},
	{"a service that is gone", "", A(READY),
	 VIP SEP_A "to SVC-W SEP-A;vip 10.96.7.7 tcp 80 SVC-OLD;to SVC-OLD SEP-X;" SEP_X,
	 "ok 0 0 0;unexpected 0 0 1;"},
	{"an external address that is gone", "", A(READY),
	 VIP SEP_A "to SVC-W SEP-A;vip 192.0.2.1 tcp 80 EXT-W;", "ok 0 0 0;unexpected 0 0 0;"},
	{"headless", ",'clusterIP':'None'", A(READY), "", ""},
	{"external name", ",'type':'ExternalName'", "", "", ""},
	{"another proxy's", ",'labels':1", A(READY), "", ""},
	{"rules that go round", "", A(READY), VIP "to SVC-W SVC-W SEP-A;" SEP_A, "ok 0 0 0;"},
	{"SCTP and a named port", ",'protocol':'SCTP'", A(READY),
	 "vip 10.96.1.1 sctp 80 SVC-W;ep SEP-A 10.244.1.2 sctp 8080;to SVC-W SEP-A;", "ok 0 0 0;"},
	{"IPv6", ",'family':6",
	 "{'addresses':['fd00::2'],'nodeName':'w1'},{'addresses':['fd00::3']}",
	 "vip fd96::1 tcp 80 SVC-W;ep SEP-A fd00::2 tcp 8080;ep SEP-B fd00::3 tcp 8080;to SVC-W "
	 "SEP-A SEP-B;",
	 "ok 0 0 0;"},
	{"IPv6 without rules", ",'family':6", "{'addresses':['fd00::2'],'nodeName':'w1'}", "",
	 "missing 1 1 0;"},
};

/* ---- the objects ---- */
static char *quoted(char *text)
{
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	return text;
}

static bool is_six(const struct row *row)
{
	return strstr(row->spec, "'family':6") != NULL;
}

static void feed_objects(struct nd_model *model, const struct row *row)
{
	bool is_node_port = strstr(row->spec, "NodePort"), is_sctp = strstr(row->spec, "SCTP");
	const char *proto = is_sctp ? "SCTP" : "TCP", *name = is_sctp ? "http" : "";
	const char *ip = strstr(row->spec, "None") ? ""
			 : is_six(row)		   ? "'clusterIP':'fd96::1',"
						   : "'clusterIP':'10.96.1.1',";
	nd_auto_free char *services = NULL, *slices = NULL;
	size_t n;
	FILE *f = open_memstream(&services, &n);

	fprintf(f,
		"{'items':[{'metadata':{'namespace':'default','name':'web','uid':'1','labels':{%s}}"
		","
		"'spec':{%s'ports':[{'name':'%s','protocol':'%s','port':80,'targetPort':8080%s}]%s}"
		"}]}",
		strstr(row->spec, "labels") ? "'service.kubernetes.io/service-proxy-name':'other'"
					    : "",
		ip, name, proto, is_node_port ? ",'nodePort':30080" : "", row->spec);
	fclose(f);
	/* Two slices that both have the endpoints, and ports of which one is another service
	 * port's. */
	f = open_memstream(&slices, &n);
	for (int i = 0; i < 2; i++)
		fprintf(f,
			"%s{'metadata':{'namespace':'default','labels':{'kubernetes.io/"
			"service-name':'web'},'uid':'2',"
			"'name':'web-%d'},'addressType':'%s','endpoints':[%s],'ports':[{'name':'%s'"
			",'protocol':'%s',"
			"'port':8080},{'name':'other','protocol':'%s','port':1}]}",
			i ? "," : "{'items':[", i, is_six(row) ? "IPv6" : "IPv4", row->endpoints,
			name, proto, proto);
	fprintf(f, "]}");
	fclose(f);
	feed_api(model, "services", quoted(services));
	feed_api(model, "endpointslices", quoted(slices));
}

/* ---- the rules ---- */
#define MAX_WORDS 8
struct texts {
	FILE *chains, *rules, *filter, *ips, *ports, *no_ips, *no_ports;
	char *chains_text, *rules_text, *filter_text, *ips_text, *ports_text, *no_ips_text,
		*no_ports_text;
	size_t n;
	bool is_six;
};

static const char *nft_chain(const char *name)
{
	static char texts[4][40];
	static unsigned at;
	char *text = texts[at++ % 4];

	snprintf(text, 40, "%s%s",
		 nd_starts(name, "SVC")	  ? "service-"
		 : nd_starts(name, "SVL") ? "local-"
		 : nd_starts(name, "EXT") ? "external-"
					  : "endpoint-",
		 name + 4);
	return text;
}

static void ipt_line(struct texts *t, char words[MAX_WORDS][32], size_t n)
{
	const char *what = words[0], *bits = t->is_six ? "128" : "32";

	if (nd_eq(what, "chain") || nd_eq(what, "to") || nd_eq(what, "ep"))
		if (!t->chains_text || !strstr(t->chains_text, words[1]))
			fprintf(t->chains, ":KUBE-%s - [0:0]\n", words[1]);
	if (nd_eq(what, "vip"))
		fprintf(t->rules,
			"-A KUBE-SERVICES -d %s/%s -p %s -m comment --comment \"x cluster IP\" -m "
			"%s "
			"--dport %s -j KUBE-%s\n",
			words[1], bits, words[2], words[2], words[3], words[4]);
	else if (nd_eq(what, "rej"))
		fprintf(t->filter,
			"-A KUBE-SERVICES -d %s/%s -p %s -m %s --dport %s -j REJECT --reject-with "
			"icmp-port-unreachable\n",
			words[1], bits, words[2], words[2], words[3]);
	else if (nd_eq(what, "np"))
		fprintf(t->rules,
			"-A KUBE-NODEPORTS -d 127.0.0.0/8 -p %s -m %s --dport %s -m nfacct "
			"--nfacct-name  l "
			"-j KUBE-%s\n-A KUBE-NODEPORTS -p %s -m %s --dport %s -j KUBE-%s\n",
			words[1], words[1], words[2], words[3], words[1], words[1], words[2],
			words[3]);
	else if (nd_eq(what, "nprej"))
		fprintf(t->filter,
			"-A KUBE-EXTERNAL-SERVICES -p %s -m addrtype --dst-type LOCAL -m %s "
			"--dport %s "
			"-j REJECT --reject-with icmp-port-unreachable\n",
			words[1], words[1], words[2]);
	else if (nd_eq(what, "for"))
		fprintf(t->rules, "-A KUBE-%s -s %s -j KUBE-%s\n", words[1], words[2], words[3]);
	else if (nd_eq(what, "ep"))
		fprintf(t->rules,
			"-A KUBE-%s -s %s/%s -j KUBE-MARK-MASQ\n-A KUBE-%s -p %s -m %s -j DNAT "
			"--to-destination %s%s%s:%s\n",
			words[1], words[2], bits, words[1], words[3], words[3],
			t->is_six ? "[" : "", words[2], t->is_six ? "]" : "", words[4]);
	for (size_t i = 2; nd_eq(what, "to") && i < n; i++)
		fprintf(t->rules, "-A KUBE-%s %s-j KUBE-%s\n", words[1],
			i + 1 < n ? "-m statistic --mode random --probability 0.50000000000 " : "",
			words[i]);
}

static void nft_rule(struct texts *t, const char *chain, const char *match, const char *verdict)
{
	fprintf(t->rules,
		",{'rule':{'family':'%s','table':'kube-proxy','chain':'%s','handle':1,'expr':[%s%s%"
		"s]}}",
		t->is_six ? "ip6" : "ip", chain, match, *match ? "," : "", verdict);
}

static void nft_line(struct texts *t, char words[MAX_WORDS][32], size_t n)
{
	const char *what = words[0], *ip = t->is_six ? "ip6" : "ip";
	char match[300], verdict[300];
	FILE *map = nd_eq(what, "vip")	 ? t->ips
		    : nd_eq(what, "np")	 ? t->ports
		    : nd_eq(what, "rej") ? t->no_ips
					 : t->no_ports;

	if (nd_eq(what, "chain") || nd_eq(what, "to") || nd_eq(what, "ep"))
		if (!t->chains_text || !strstr(t->chains_text, nft_chain(words[1])))
			fprintf(t->chains,
				",{'chain':{'family':'%s','table':'kube-proxy','name':'%s'}}", ip,
				nft_chain(words[1]));
	if (nd_eq(what, "vip") || nd_eq(what, "rej"))
		fprintf(map, "%s[{'concat':['%s','%s',%s]},{'goto':{'target':'%s'}}]",
			ftell(map) ? "," : "", words[1], words[2], words[3],
			n > 4 ? nft_chain(words[4]) : "reject-chain");
	else if (nd_eq(what, "np") || nd_eq(what, "nprej"))
		fprintf(map, "%s[{'concat':['%s',%s]},{'goto':{'target':'%s'}}]",
			ftell(map) ? "," : "", words[1], words[2],
			n > 3 ? nft_chain(words[3]) : "reject-chain");
	else if (nd_eq(what, "for")) {
		char address[ND_IP_TEXT + 8], *slash;

		snprintf(address, sizeof(address), "%s", words[2]);
		slash = strchr(address, '/');
		if (slash)
			*slash = '\0';
		snprintf(match, sizeof(match),
			 "{'match':{'op':'==','left':{'payload':{'protocol':'%s','field':'saddr'}},"
			 "'right':{'prefix':{'addr':'%s','len':16}}}}",
			 ip, address);
		snprintf(verdict, sizeof(verdict), "{'goto':{'target':'%s'}}", nft_chain(words[3]));
		nft_rule(t, nft_chain(words[1]), match, verdict);
	} else if (nd_eq(what, "ep")) {
		snprintf(match, sizeof(match),
			 "{'match':{'op':'==','left':{'payload':{'protocol':'%s','field':'saddr'}},"
			 "'right':'%s'}}",
			 ip, words[2]);
		nft_rule(t, nft_chain(words[1]), match,
			 "{'jump':{'target':'mark-for-masquerade'}}");
		snprintf(match, sizeof(match),
			 "{'match':{'op':'==','left':{'meta':{'key':'l4proto'}},'right':'%s'}}",
			 words[3]);
		snprintf(verdict, sizeof(verdict), "{'dnat':{'addr':'%s','port':%s}}", words[2],
			 words[4]);
		nft_rule(t, nft_chain(words[1]), match, verdict);
	} else if (nd_eq(what, "to") && n == 3) {
		snprintf(verdict, sizeof(verdict), "{'goto':{'target':'%s'}}", nft_chain(words[2]));
		nft_rule(t, nft_chain(words[1]), "", verdict);
	} else if (nd_eq(what, "to")) {
		snprintf(verdict, sizeof(verdict),
			 "{'vmap':{'key':{'numgen':{'mode':'random','mod':2,'offset':0}},'data':{"
			 "'set':[[0,{'goto':{'target':'%s'}}],[1,{'goto':{'target':'%s'}}]]}}}",
			 nft_chain(words[2]), nft_chain(words[3]));
		nft_rule(t, nft_chain(words[1]), "", verdict);
	}
}

static void write_rules(struct texts *t, const struct row *row,
			void (*line)(struct texts *t, char words[MAX_WORDS][32], size_t n))
{
	struct nd_str word;

	t->is_six = is_six(row);
	t->chains = open_memstream(&t->chains_text, &t->n);
	t->rules = open_memstream(&t->rules_text, &t->n);
	t->filter = open_memstream(&t->filter_text, &t->n);
	t->ips = open_memstream(&t->ips_text, &t->n);
	t->ports = open_memstream(&t->ports_text, &t->n);
	t->no_ips = open_memstream(&t->no_ips_text, &t->n);
	t->no_ports = open_memstream(&t->no_ports_text, &t->n);
	for (const char *p = row->rules; *p; p += strcspn(p, ";") + 1) {
		char words[MAX_WORDS][32] = {{0}};
		struct nd_str rest = {p, strcspn(p, ";")};
		size_t n = 0;

		while (n < MAX_WORDS && nd_str_word(&rest, &word))
			snprintf(words[n++], 32, "%.*s", (int)word.n, word.p);
		line(t, words, n);
		fflush(t->chains);
	}
	FILE *all[] = {t->chains, t->rules, t->filter, t->ips, t->ports, t->no_ips, t->no_ports};
	for (size_t i = 0; i < ND_ARRAY_LEN(all); i++)
		fclose(all[i]);
}

static void texts_free(struct texts *t)
{
	char *all[] = {t->chains_text, t->rules_text,  t->filter_text,	t->ips_text,
		       t->ports_text,  t->no_ips_text, t->no_ports_text};

	for (size_t i = 0; i < ND_ARRAY_LEN(all); i++)
		free(all[i]);
}

static void feed_iptables(struct nd_model *model, const struct row *row)
{
	struct texts t = {0};
	nd_auto_free char *text = NULL;

	write_rules(&t, row, ipt_line);
	assert_true(asprintf(&text,
			     "# netdoctor backend=nft family=%s\n*nat\n:PREROUTING ACCEPT [0:0]\n"
			     ":KUBE-SERVICES - [0:0]\n:KUBE-NODEPORTS - [0:0]\n:KUBE-MARK-MASQ - "
			     "[0:0]\n%s%sCOMMIT\n"
			     "*filter\n:INPUT ACCEPT [0:0]\n:KUBE-SERVICES - "
			     "[0:0]\n:KUBE-EXTERNAL-SERVICES - [0:0]\n"
			     "%sCOMMIT\n",
			     t.is_six ? "6" : "4", t.chains_text, t.rules_text, t.filter_text) > 0);
	feed_section(model, "iptables", text);
	texts_free(&t);
}

static void put_map(FILE *f, bool six, const char *name, bool has_addr, const char *elements)
{
	fprintf(f,
		",{'map':{'family':'%s','table':'kube-proxy','name':'%s','type':[%s'inet_proto','"
		"inet_service'],"
		"'map':'verdict'%s%s%s}}",
		six ? "ip6" : "ip", name,
		!has_addr ? ""
		: six	  ? "'ipv6_addr',"
			  : "'ipv4_addr',",
		*elements ? ",'elem':[" : "", elements, *elements ? "]" : "");
}

static void feed_nft(struct nd_model *model, const struct row *row)
{
	struct texts t = {0};
	nd_auto_free char *text = NULL;
	size_t n;

	write_rules(&t, row, nft_line);
	FILE *f = open_memstream(&text, &n);
	const char *ip = t.is_six ? "ip6" : "ip";

	fprintf(f, "{'nftables':[{'table':{'family':'%s','name':'kube-proxy'}}", ip);
	fprintf(f, ",{'chain':{'family':'%s','table':'kube-proxy','name':'reject-chain'}}", ip);
	fprintf(f, ",{'chain':{'family':'%s','table':'kube-proxy','name':'mark-for-masquerade'}}%s",
		ip, t.chains_text);
	put_map(f, t.is_six, "service-ips", true, t.ips_text);
	put_map(f, t.is_six, "service-nodeports", false, t.ports_text);
	put_map(f, t.is_six, "no-endpoint-services", true, t.no_ips_text);
	put_map(f, t.is_six, "no-endpoint-nodeports", false, t.no_ports_text);
	fprintf(f, "%s]}", t.rules_text);
	fclose(f);
	feed_section(model, "nft", quoted(text));
	texts_free(&t);
}

static void write_got(FILE *f, const struct nd_programmed *diff)
{
	for (size_t i = 0; i < diff->nports; i++)
		fprintf(f, "%s %zu %zu %zu;", nd_programmed_verdict_name(diff->ports[i].verdict),
			diff->ports[i].nlacking, diff->ports[i].nlacking_live,
			diff->ports[i].nstale);
}

static void try_row(const struct row *row, enum nd_proxy_mode mode)
{
	struct nd_model *model = nd_model_new();
	struct nd_arena arena = {0};
	nd_auto_free char *got = NULL;
	struct nd_programmed diff;
	size_t n;

	feed_objects(model, row);
	if (mode == ND_PROXY_IPTABLES)
		feed_iptables(model, row);
	else
		feed_nft(model, row);
	const struct nd_cluster *cluster = nd_model_finish(model);

	for (size_t i = 0; i < cluster->ngaps; i++)
		fail_msg("%s: gap %s %s", row->name, cluster->gaps[i].what, cluster->gaps[i].why);
	struct nd_programmed_ask ask = {nd_look_host(cluster, "w1"), mode, ND_IPT_NFT,
					is_six(row) ? 6 : 4};
	const struct nd_expected *expected = nd_expected_new(&arena, cluster);

	assert_true(nd_programmed_diff(&arena, expected, &ask, &diff));
	FILE *f = open_memstream(&got, &n);
	write_got(f, &diff);
	fclose(f);
	if (!nd_eq(got, row->want))
		fail_msg("%s (%s): %s, wanted %s", row->name,
			 mode == ND_PROXY_IPTABLES ? "iptables" : "nftables", got, row->want);
	/* What is not there is not known. */
	ask.mode = mode == ND_PROXY_IPTABLES ? ND_PROXY_NFTABLES : ND_PROXY_IPTABLES;
	assert_false(nd_programmed_diff(&arena, expected, &ask, &diff));
	nd_arena_free(&arena);
	nd_model_free(model);
}

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		try_row(&rows[i], ND_PROXY_IPTABLES);
		try_row(&rows[i], ND_PROXY_NFTABLES);
	}
}

/* ---- real clusters ---- */
static void is_right_on(const char *path, enum nd_proxy_mode mode, size_t nservices)
{
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

		assert_true(nd_programmed_diff(&arena, expected, &ask, &diff));
		for (size_t k = 0; k < diff.nports; k++)
			if (diff.ports[k].verdict != ND_PROGRAMMED_OK)
				fail_msg("%s %s: port %u: %s", path, cluster->hosts[i].node,
					 diff.ports[k].number,
					 nd_programmed_verdict_name(diff.ports[k].verdict));
		assert_int_equal(diff.summary.nservices, nservices);
		assert_int_equal(diff.summary.nservices_ok, nservices);
		assert_true(diff.nports > nservices && diff.summary.nports == diff.nports);
		assert_false(diff.is_empty);
	}
	nd_arena_free(&arena);
	nd_model_free(model);
}

static void real_clusters_are_right(void **state)
{
	(void)state;
	is_right_on("tests/cases/healthy-nd-kindnet/bundle.tar.gz", ND_PROXY_IPTABLES, 8);
	is_right_on("tests/cases/healthy-nd-flannel/bundle.tar.gz", ND_PROXY_IPTABLES, 8);
	is_right_on("tests/cases/healthy-nd-nft/bundle.tar.gz", ND_PROXY_NFTABLES, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_row),
					   cmocka_unit_test(real_clusters_are_right)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
