/*
 * NetworkPolicies that are a fault, and those that are meant, on a real cluster whose policies are
 * enforced: the bundle of a case, with other policies put in. JSON is written with ' for ".
 */
#include "common/base.h"
#include "plugin/checks/run.h"
#include "plugin/evidence/bundle.h"
#include "tests/unit/model.h"

#define BUNDLE "tests/cases/ctl-netpol-allow/bundle.tar.gz"
#define NS "data-platform"

#define POLICY_IN(ns, name, spec) "{'metadata':{'namespace':'" ns "','name':'" name "'},'spec':{" spec "}}"
#define POLICY(name, spec) POLICY_IN(NS, name, spec)
#define APP(app) "'podSelector':{'matchLabels':{'app':'" app "'}}"
#define INGRESS(app, rules) APP(app) ",'policyTypes':['Ingress'],'ingress':[" rules "]"
#define EGRESS(app, rules) APP(app) ",'policyTypes':['Egress'],'egress':[" rules "]"
#define FROM(peers) "{'from':[" peers "]}"
#define FROM_PORT(peers, port) "{'from':[" peers "],'ports':[{'port':" port "}]}"
#define TO_PORT(peers, port) "{'to':[" peers "],'ports':[{'port':" port "}]}"
#define TO(peers) "{'to':[" peers "]}"
#define POD(app) "{" APP(app) "}"
#define BLOCK(cidr) "{'ipBlock':{'cidr':'" cidr "'}}"
#define EVERY_NS "{'namespaceSelector':{}}"
#define DNS(proto)                                                                                                     \
	"{'to':[{'namespaceSelector':{},'podSelector':{'matchLabels':{'k8s-app':'kube-dns'}}}],'ports':["              \
	"{'protocol':'" proto "','port':53}]}"
#define DENY_IN "'podSelector':{},'policyTypes':['Ingress']"
#define OUT(rules) EGRESS("client", rules)
#define IN(rules) INGRESS("iceberg-rest-catalog", rules)
#define AS_IS NULL, NULL, NULL, NULL
#define NO_RULES "iptables", NULL, NULL, NULL
#define CATALOG "service/" NS "/iceberg-rest-catalog"

/* As kube-network-policies writes them, but before the iptables of the case: theirs are at 95. */
#define KNP "'family':'inet','table':'kindnet-network-policies'"
#define KNP_RULE(expr) ",{'rule':{" KNP ",'chain':'postrouting','expr':[" expr "]}}"
#define KNP_QUEUE(field)                                                                                               \
	KNP_RULE("{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'" field "'}},'right':'@podips-v4'}},"\
		 "{'queue':{'num':101,'flags':'bypass'}}")
#define ENGINE_TABLE                                                                                                   \
	"{'table':{'family':'inet','name':'kindnet-network-policies'}},"                                               \
	"{'set':{" KNP ",'name':'podips-v4','type':'ipv4_addr','elem':[{'prefix':{'addr':'10.244.0.0','len':16}}],"    \
	"'flags':['interval']}},"                                                                                      \
	"{'chain':{" KNP ",'name':'postrouting','type':'filter','hook':'postrouting','prio':-160,'policy':'accept'}}"  \
	KNP_RULE("{'match':{'op':'==','left':{'meta':{'key':'skuid'}},'right':0}},{'accept':null}")                    \
	KNP_RULE("{'match':{'op':'in','left':{'ct':{'key':'state'}},'right':['established','related']}},{'accept':"    \
		 "null}") KNP_QUEUE("saddr") KNP_QUEUE("daddr") ","

struct row {
	const char *name;
	const char *want; /* "ID SUBJECT", "" for nothing; hazards with "! " before */
	const char *policies;
	const char *without; /* this section or list is absent */
	const char *in, *old, *new; /* all old in that item become new */
};

static const struct row rows[] = {
	{"no policy", "", "", AS_IS},
	/* np-default-deny */
	{"a namespace that denies all", "np-default-deny " CATALOG, POLICY("deny", DENY_IN), AS_IS},
	{"asked by nft, as kindnet does", "np-default-deny " CATALOG, POLICY("deny", DENY_IN), NULL, "nft",
	 "{'nftables': [", "{'nftables': [" ENGINE_TABLE},
	{"one service is shut", "np-default-deny " CATALOG, POLICY("deny", IN("")), AS_IS},
	{"a rule without anybody", "np-default-deny " CATALOG,
	 POLICY("deny", IN(FROM_PORT(POD("client"), "9999"))), AS_IS},
	{"denied, and somebody let in", "",
	 POLICY("deny", IN("")) ","
	 POLICY("let", IN(FROM_PORT(POD("client"), "'http'"))), AS_IS},
	{"only from outside", "",
	 POLICY("let", IN(FROM(BLOCK("192.0.2.0/24")))), AS_IS},
	{"only its own namespace, where only it is", "",
	 POLICY_IN("locked", "same", "'podSelector':{},'ingress':[" FROM("{'podSelector':{}}") "]"), AS_IS},
	{"only namespaces that are still empty", "",
	 POLICY("let", IN(FROM("{'namespaceSelector':{'matchLabels':{"
	 "'kubernetes.io/metadata.name':'kube-public'}}}"))), AS_IS},
	{"pods without a service", "", POLICY("deny", INGRESS("client", "")), AS_IS},
	{"another port is open: this one is closed on purpose", "",
	 POLICY("let", INGRESS("echo", "{'from':[" POD("client") "],'ports':[{'port':8081,'protocol':'UDP'}]}")),
	 AS_IS},
	{"only to be measured", "", POLICY("deny", IN("")), NULL, "services",
	 "iceberg-rest-catalog", "iceberg-metrics"},
	{"nobody enforces it", "! np-not-enforced cluster", POLICY("deny", DENY_IN), NULL, "iptables",
	 "-j NFQUEUE --queue-num 101 --queue-bypass", "-j ACCEPT"},
	{"another program's queue", "", POLICY("deny", DENY_IN), NULL, "iptables", "--queue-num 101", "--queue-num 7"},
	{"the engine is gone", "", POLICY("deny", DENY_IN), NULL, "daemonsets", "kindnet", "flannel"},
	{"rules not read", "", POLICY("deny", DENY_IN), NO_RULES},
	{"namespaces not read", "", POLICY("deny", DENY_IN), "namespaces", NULL, NULL, NULL},
	{"policies not read", "", NULL, "networkpolicies", NULL, NULL, NULL},
	{"slices not read", "", POLICY("deny", DENY_IN), "endpointslices", NULL, NULL, NULL},
	{"pods not entered", "", POLICY("deny", DENY_IN), "pods", NULL, NULL, NULL},
	/* np-wrong-labels */
	{"a slip in a label", "np-wrong-labels " CATALOG,
	 POLICY("let", IN(FROM_PORT(POD("clients"), "8181"))), AS_IS},
	{"a slip beside a default-deny", "np-wrong-labels " CATALOG,
	 POLICY("deny", IN("")) ","
	 POLICY("let", IN(FROM(POD("clients")))), AS_IS},
	{"they have not come yet", "! np-wrong-labels " CATALOG,
	 POLICY("let", IN(FROM(POD("trino-coordinator")))), AS_IS},
	{"a slip, but others are let in", "",
	 POLICY("let", IN(FROM(POD("clients") "," POD("echo")))), AS_IS},
	{"a slip, not enforced", "! np-not-enforced cluster",
	 POLICY("let", IN(FROM(POD("clients")))), NULL, "iptables",
	 "-j NFQUEUE --queue-num 101 --queue-bypass", "-j ACCEPT"},
	{"a slip, rules not read", "", POLICY("let", IN(FROM(POD("clients")))), NO_RULES},
	{"a slip where they may send", "np-wrong-labels pod/" NS "/client",
	 POLICY("out", OUT(DNS("UDP") "," TO_PORT(POD("ecko"), "8080"))), AS_IS},
	{"a slip where they may send, and allowed by another rule", "",
	 POLICY("out", OUT(DNS("UDP") "," TO_PORT(POD("ecko"), "8080") "," TO(POD("echo")))), AS_IS},
	{"they may send to those who have not come yet", "",
	 POLICY("out", OUT(DNS("UDP") "," TO_PORT(POD("trino-coordinator"), "8080"))), AS_IS},
	/* np-egress-dns */
	{"DNS forgotten", "np-egress-dns pod/" NS "/client", POLICY("out", OUT(TO(POD("echo")))), AS_IS},
	{"asked by nft, as kindnet does", "np-egress-dns pod/" NS "/client",
	 POLICY("out", OUT(TO(POD("echo")))), NULL, "nft", "{'nftables': [", "{'nftables': [" ENGINE_TABLE},
	{"only TCP", "np-egress-dns pod/" NS "/client",
	 POLICY("out", OUT(TO(POD("echo")) "," DNS("TCP"))), AS_IS},
	{"only UDP", "", POLICY("out", OUT(TO(POD("echo")) "," DNS("UDP"))), AS_IS},
	{"DNS by another policy", "",
	 POLICY("a", OUT(TO(POD("echo")))) "," POLICY("b", OUT(DNS("UDP"))), AS_IS},
	{"nothing at all is allowed", "", POLICY("out", OUT("")), AS_IS},
	{"only single addresses", "", POLICY("out", OUT(TO_PORT(BLOCK("192.0.2.1/32"), "5432"))), AS_IS},
	{"a pod that asks others", "", POLICY("out", OUT(TO(POD("echo")))), NULL, "pods",
	 "'dnsPolicy':'ClusterFirst'", "'dnsPolicy':'Default'"},
	{"kubelet names other servers", "", POLICY("out", OUT(TO(POD("echo")))), NULL, "files", "10.96.0.10",
	 "192.0.2.53"},
	{"DNS forgotten, rules not read", "", POLICY("out", OUT(TO(POD("echo")))), NO_RULES},
	/* np-post-dnat-port */
	{"by the port of the service", "np-post-dnat-port pod/" NS "/client",
	 POLICY("out", OUT(DNS("UDP") "," TO_PORT(POD("echo"), "80"))), AS_IS},
	{"by both ports", "",
	 POLICY("out", OUT(DNS("UDP") "," TO_PORT(POD("echo"), "80") "," TO_PORT(POD("echo"), "8080"))), AS_IS},
	{"by the address of the service", "np-post-dnat-port pod/" NS "/client",
	 POLICY("out", OUT(DNS("UDP") "," TO_PORT(BLOCK("10.96.0.1/32"), "443"))), AS_IS},
	{"by the addresses of all services", "np-post-dnat-port pod/" NS "/client",
	 POLICY("out", OUT(TO(BLOCK("10.96.0.0/16")) "," DNS("UDP"))), AS_IS},
	{"DNS by the address of its service", "np-post-dnat-port pod/" NS "/client",
	 POLICY("out", OUT(TO(BLOCK("10.96.0.10/32")))), AS_IS},
	{"by address, and the API server itself", "",
	 POLICY("out", OUT(DNS("UDP") "," TO_PORT(BLOCK("10.96.0.1/32"), "443") ","
		TO_PORT(BLOCK("172.18.0.0/16"), "6443"))), AS_IS},
	{"a port of anybody", "", POLICY("out", OUT(DNS("UDP") ",{'ports':[{'port':80},{'port':443}]}")), AS_IS},
	{"a port of the world", "",
	 POLICY("out", OUT(DNS("UDP") "," TO_PORT(BLOCK("0.0.0.0/0"), "443"))), AS_IS},
	{"to those who are asked", "np-post-dnat-port service/" NS "/echo",
	 POLICY("in", INGRESS("echo", FROM_PORT(POD("client"), "80"))), AS_IS},
	{"to those who are asked, by name", "",
	 POLICY("in", INGRESS("echo", FROM_PORT(POD("client"), "'http'"))), AS_IS},
	{"by the port of the service, rules not read", "",
	 POLICY("out", OUT(DNS("UDP") "," TO_PORT(POD("echo"), "80"))), NO_RULES},
};

/* ---- the evidence, edited ---- */

struct edit {
	const struct row *row;
	struct nd_sink sink;
};

static char *straight(const char *text)
{
	char *copy = strdup(text);

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return copy;
}

/* A new text with every old replaced. */
static char *replaced(const char *text, const char *old, const char *new)
{
	nd_auto_free char *from = straight(old), *to = straight(new);
	char *out = strdup("");

	for (const char *next; (next = strstr(text, from)); text = next + strlen(from)) {
		char *more = NULL;

		assert_true(asprintf(&more, "%s%.*s%s", out, (int)(next - text), text, to) >= 0);
		free(out);
		out = more;
	}
	char *all = NULL;

	assert_true(asprintf(&all, "%s%s", out, text) >= 0);
	free(out);
	return all;
}

static int pass(void *ctx, const struct nd_item *item, struct nd_err *err)
{
	struct edit *edit = ctx;
	const struct row *row = edit->row;
	struct nd_item out = *item;
	nd_auto_free char *text = strndup(item->bytes, item->len), *other = NULL, *list = NULL;
	/* "pods" is a list and a section: the section is what is left out, the list what is edited. */
	bool is_pods = nd_eq(item->name, "pods"), is_section = item->kind == ND_ITEM_SECTION;

	if (nd_eq(item->name, row->without) && (!is_pods || is_section))
		return 0;
	if (nd_eq(item->name, "networkpolicies")) {
		assert_true(asprintf(&list, "{'items':[%s]}", row->policies) >= 0);
		other = straight(list);
	} else if (nd_eq(item->name, row->in) && (!is_pods || !is_section)) {
		other = replaced(text, row->old, row->new);
	}
	if (other) {
		out.bytes = other;
		out.len = strlen(other);
	}
	return nd_sink_item(&edit->sink, &out, err);
}

static int gap(void *ctx, const struct nd_gap *gap, struct nd_err *err)
{
	struct edit *edit = ctx;

	return edit->sink.gap(edit->sink.ctx, gap, err);
}

static bool has_proof(const struct nd_finding *f, const char *text)
{
	for (size_t i = 0; i < f->nproof; i++)
		if (strstr(f->proof[i].text, text))
			return true;
	return false;
}

static void check(const struct row *row)
{
	struct nd_model *model = nd_model_new();
	struct edit edit = {.row = row, .sink = nd_model_sink(model)};
	struct nd_sink sink = {.ctx = &edit, .item = pass, .gap = gap};
	struct nd_finding_list list = {0};
	struct nd_arena arena = {0};
	struct nd_err err = {0};
	const char *got = "";

	if (nd_bundle_read(BUNDLE, &sink, &err) < 0)
		fail_msg("%s", err.text);
	nd_checks_run(nd_model_finish(model), &arena, &list);
	for (size_t i = 0; i < list.n; i++) {
		const struct nd_finding *f = list.items[i];

		if (!nd_starts(f->check->id, "np-"))
			continue;
		assert_true(f->nproof >= 2 && !f->is_likely);
		if (nd_eq(row->in, "nft") && f->kind == ND_CAUSE)
			assert_true(has_proof(f, "queue") && has_proof(f, "@podips-v4"));
		got = nd_arena_printf(&arena, "%s%s%s%s %s", got, *got ? "; " : "", f->kind == ND_HAZARD ? "! " : "",
				      f->check->id, f->subject);
	}
	/* Pods have chance in their names. */
	if (!nd_starts(got, row->want) || (!*row->want && *got) || strchr(got, ';'))
		fail_msg("%s: wanted \"%s\", got \"%s\"", row->name, row->want, got);
	nd_arena_free(&arena);
	nd_model_free(model);
}

static void tells_faults_from_intent(void **state)
{
	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

static void each_check_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < nd_nchecks; i++) {
		bool fires = !nd_starts(nd_checks[i]->id, "np-");

		for (size_t k = 0; k < ND_ARRAY_LEN(rows); k++)
			fires = fires || strstr(rows[k].want, nd_checks[i]->id);
		if (!fires)
			fail_msg("%s never fires", nd_checks[i]->id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(tells_faults_from_intent),
					   cmocka_unit_test(each_check_has_a_row)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
