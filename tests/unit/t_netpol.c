/*
 * NetworkPolicy: what decides, one row a rule of the API. The pods, their labels and addresses are
 * those of netpol_world.h; a row is its policies and one flow.
 */
#include "common/base.h"
#include "tests/unit/netpol_world.h"

enum want { DENY, ALLOW, UNKNOWN };
enum { QUEUED = 1, NO_POLICIES = 2, NO_PODS = 4, NO_NAMESPACES = 8 };

struct row {
	const char *name, *policies, *src, *dst;
	uint8_t proto;
	uint16_t dport;
	enum want want;
	const char *by; /* the policy that decides, "ns/name"; NULL: none */
	int with;
};

/* A policy of namespace app. */
#define POLICY_OF(ns, name, spec) "{'metadata':{'namespace':'" ns "','name':'" name "'},'spec':{" spec "}}"
#define POLICY(name, spec) POLICY_OF("app", name, spec)
#define ALL "'podSelector':{}"
#define OF_WEB "'podSelector':{'matchLabels':{'app':'web'}}"
#define IN ",'policyTypes':['Ingress']"
#define OUT ",'policyTypes':['Egress']"
#define BOTH ",'policyTypes':['Ingress','Egress']"
#define DENY_IN POLICY("deny-in", ALL IN)
#define FROM(peers) ",'ingress':[{'from':[" peers "]}]"
#define TO(peers) ",'egress':[{'to':[" peers "]}]"
#define ON(ports) ",'ingress':[{'ports':[" ports "]}]"
#define PODS(labels) "{'podSelector':{'matchLabels':{" labels "}}}"
#define SPACES(labels) "{'namespaceSelector':{'matchLabels':{" labels "}}}"
#define BLOCK(cidr) "{'ipBlock':{'cidr':'" cidr "'}}"
#define BLOCK_BUT(cidr, except) "{'ipBlock':{'cidr':'" cidr "','except':[" except "]}}"
#define WHO(term) ",'ingress':[{'from':[{'podSelector':{'matchExpressions':[" term "]}}]}]"
#define TERM(key, op, values) "{'key':'" key "','operator':'" op "','values':[" values "]}"

/* clang-format off */
static const struct row rows[] = {
	{"no policies at all", "", CLIENT, WEB, 6, 8080, ALLOW, NULL, 0},
	{"a policy of another namespace", POLICY_OF("bare", "deny", ALL BOTH), CLIENT, WEB, 6, 8080, ALLOW, NULL, 0},
	{"a policy of other pods", POLICY("x", OF_WEB BOTH), OTHER_WEB, API, 6, 9090, ALLOW, NULL, 0},

	/* default deny */
	{"deny in", DENY_IN, API, WEB, 6, 8080, DENY, "app/deny-in", 0},
	{"deny in, from outside", DENY_IN, OUTSIDE, WEB, 6, 8080, DENY, "app/deny-in", 0},
	{"deny in, udp", DENY_IN, CLIENT, WEB, 17, 53, DENY, "app/deny-in", 0},
	{"deny in, icmp", DENY_IN, CLIENT, WEB, 1, 0, DENY, "app/deny-in", 0},
	{"deny in leaves egress alone", DENY_IN, WEB, CLIENT, 6, 80, ALLOW, NULL, 0},
	{"deny in, selected by label", POLICY("x", OF_WEB IN), CLIENT, WEB, 6, 8080, DENY, "app/x", 0},
	{"deny in, not selected by label", POLICY("x", OF_WEB IN), CLIENT, API, 6, 9090, ALLOW, NULL, 0},
	{"deny out", POLICY("x", ALL OUT), WEB, CLIENT, 6, 80, DENY, "app/x", 0},
	{"deny out, to outside", POLICY("x", ALL OUT), WEB, OUTSIDE, 6, 443, DENY, "app/x", 0},
	{"deny out, dns", POLICY("x", ALL OUT), WEB, DNS, 17, 53, DENY, "app/x", 0},
	{"deny out leaves ingress alone", POLICY("x", ALL OUT), CLIENT, WEB, 6, 8080, ALLOW, NULL, 0},
	{"deny both, egress is first", POLICY("x", ALL BOTH), WEB, API, 6, 9090, DENY, "app/x", 0},

	/* policyTypes by default */
	{"no types: ingress", POLICY("x", ALL), CLIENT, WEB, 6, 8080, DENY, "app/x", 0},
	{"no types: no egress", POLICY("x", ALL), WEB, CLIENT, 6, 80, ALLOW, NULL, 0},
	{"no types, egress rules: both", POLICY("x", ALL ",'egress':[{}]"), CLIENT, WEB, 6, 8080, DENY, "app/x", 0},
	{"no types, egress rules: allow", POLICY("x", ALL ",'egress':[{}]"), WEB, CLIENT, 6, 80, ALLOW, "app/x", 0},
	{"empty types are none", POLICY("x", ALL ",'policyTypes':[]"), CLIENT, WEB, 6, 8080, DENY, "app/x", 0},
	{"no types, no egress rules", POLICY("x", ALL ",'egress':[]"), WEB, CLIENT, 6, 80, ALLOW, NULL, 0},
	{"egress rules without the type", POLICY("x", ALL IN TO(PODS(""))), WEB, OUTSIDE, 6, 80, ALLOW, NULL, 0},

	/* rules without parts */
	{"one empty rule lets all in", POLICY("x", ALL IN ",'ingress':[{}]"), OUTSIDE, WEB, 6, 1, ALLOW, "app/x", 0},
	{"empty from is everybody", POLICY("x", ALL IN FROM("")), OUTSIDE, WEB, 6, 1, ALLOW, "app/x", 0},
	{"empty list of rules", POLICY("x", ALL IN ",'ingress':[]"), CLIENT, WEB, 6, 8080, DENY, "app/x", 0},
	{"null list of rules", POLICY("x", ALL IN ",'ingress':null"), CLIENT, WEB, 6, 8080, DENY, "app/x", 0},
	{"an empty peer is nobody", POLICY("x", ALL IN FROM("{}")), CLIENT, WEB, 6, 8080, DENY, "app/x", 0},

	/* peers by label */
	{"by pod", POLICY("x", OF_WEB IN FROM(PODS("'app':'api'"))), API, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"by pod, another", POLICY("x", OF_WEB IN FROM(PODS("'app':'apj'"))), API, WEB, 6, 8080, DENY, "app/x", 0},
	{"by pod: of the own namespace only", POLICY("x", OF_WEB IN FROM(PODS("'app':'web'"))), OTHER_WEB, WEB, 6, 8080,
	 DENY, "app/x", 0},
	{"all pods: of the own namespace only", POLICY("x", OF_WEB IN FROM("{'podSelector':{}}")), CLIENT, WEB, 6, 8080,
	 DENY, "app/x", 0},
	{"all pods", POLICY("x", OF_WEB IN FROM("{'podSelector':{}}")), API, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"all pods are no address", POLICY("x", OF_WEB IN FROM("{'podSelector':{}}")), OUTSIDE, WEB, 6, 8080, DENY,
	 "app/x", 0},
	{"by namespace", POLICY("x", OF_WEB IN FROM(SPACES("'team':'ops'"))), CLIENT, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"by namespace, another", POLICY("x", OF_WEB IN FROM(SPACES("'team':'ops'"))), API, WEB, 6, 8080, DENY, "app/x",
	 0},
	{"by name of namespace", POLICY("x", OF_WEB IN FROM(SPACES("'kubernetes.io/metadata.name':'bare'"))), BARE, WEB,
	 6, 8080, ALLOW, "app/x", 0},
	{"all namespaces", POLICY("x", OF_WEB IN FROM("{'namespaceSelector':{}}")), BARE, WEB, 6, 8080, ALLOW, "app/x",
	 0},
	{"all namespaces are no address", POLICY("x", OF_WEB IN FROM("{'namespaceSelector':{}}")), OUTSIDE, WEB, 6,
	 8080, DENY, "app/x", 0},
	{"both must hold",
	 POLICY("x", OF_WEB IN FROM("{'namespaceSelector':{'matchLabels':{'team':'ops'}},'podSelector':{"
				    "'matchLabels':{'app':'web'}}}")),
	 OTHER_WEB, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"both must hold, one does",
	 POLICY("x", OF_WEB IN FROM("{'namespaceSelector':{'matchLabels':{'team':'ops'}},"
				    "'podSelector':{'matchLabels':{'app':'web'}}}")),
	 CLIENT, WEB, 6, 8080, DENY, "app/x", 0},
	{"two peers: one is enough", POLICY("x", OF_WEB IN FROM(SPACES("'team':'ops'") "," PODS("'app':'web'"))),
	 CLIENT, WEB, 6, 8080, ALLOW, "app/x", 0},

	/* ipBlock */
	{"in the block", POLICY("x", ALL IN FROM(BLOCK("192.0.2.0/24"))), OUTSIDE, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"not in the block", POLICY("x", ALL IN FROM(BLOCK("192.0.3.0/24"))), OUTSIDE, WEB, 6, 8080, DENY, "app/x", 0},
	{"excepted", POLICY("x", ALL IN FROM(BLOCK_BUT("0.0.0.0/0", "'10.0.0.0/8','192.0.2.7/32'"))), OUTSIDE, WEB, 6,
	 8080, DENY, "app/x", 0},
	{"beside the exception", POLICY("x", ALL IN FROM(BLOCK_BUT("0.0.0.0/0", "'10.0.0.0/8','192.0.2.8/32'"))),
	 OUTSIDE, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"excepted here, let in there",
	 POLICY("x", ALL IN FROM(BLOCK_BUT("192.0.2.0/24", "'192.0.2.7/32'") "," BLOCK("192.0.2.4/30"))), OUTSIDE, WEB,
	 6, 8080, ALLOW, "app/x", 0},
	{"a block also takes pods", POLICY("x", ALL IN FROM(BLOCK("10.1.0.0/16"))), CLIENT, WEB, 6, 8080, ALLOW,
	 "app/x", 0},
	{"egress by block", POLICY("x", ALL OUT TO(BLOCK("192.0.2.7/32"))), WEB, OUTSIDE, 6, 443, ALLOW, "app/x", 0},
	{"a block of the other family", POLICY("x", ALL IN FROM(BLOCK("::/0"))), OUTSIDE, WEB, 6, 8080, DENY, "app/x",
	 0},
	{"host bits", POLICY("x", ALL IN FROM(BLOCK("192.0.2.200/24"))), OUTSIDE, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"not a block", POLICY("x", ALL IN FROM(BLOCK("192.0.2.0"))), OUTSIDE, WEB, 6, 8080, UNKNOWN, "app/x", 0},

	/* ports */
	{"port", POLICY("x", ALL IN ON("{'protocol':'TCP','port':8080}")), CLIENT, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"another port", POLICY("x", ALL IN ON("{'protocol':'TCP','port':8080}")), CLIENT, WEB, 6, 8081, DENY, "app/x",
	 0},
	{"another protocol", POLICY("x", ALL IN ON("{'protocol':'UDP','port':8080}")), CLIENT, WEB, 6, 8080, DENY,
	 "app/x", 0},
	{"tcp by default", POLICY("x", ALL IN ON("{'port':8080}")), CLIENT, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"tcp by default, not udp", POLICY("x", ALL IN ON("{'port':53}")), CLIENT, WEB, 17, 53, DENY, "app/x", 0},
	{"all ports of a protocol", POLICY("x", ALL IN ON("{'protocol':'UDP'}")), CLIENT, WEB, 17, 999, ALLOW, "app/x",
	 0},
	{"sctp", POLICY("x", ALL IN ON("{'protocol':'SCTP','port':9}")), CLIENT, WEB, 132, 9, ALLOW, "app/x", 0},
	{"icmp has no port", POLICY("x", ALL IN ON("{'protocol':'TCP'},{'protocol':'UDP'}")), CLIENT, WEB, 1, 0, DENY,
	 "app/x", 0},
	{"icmp in a rule without ports", POLICY("x", ALL IN FROM(SPACES("'team':'ops'"))), CLIENT, WEB, 1, 0, ALLOW,
	 "app/x", 0},
	{"range, first", POLICY("x", ALL IN ON("{'port':8000,'endPort':8080}")), CLIENT, WEB, 6, 8000, ALLOW, "app/x",
	 0},
	{"range, last", POLICY("x", ALL IN ON("{'port':8000,'endPort':8080}")), CLIENT, WEB, 6, 8080, ALLOW, "app/x",
	 0},
	{"range, before", POLICY("x", ALL IN ON("{'port':8000,'endPort':8080}")), CLIENT, WEB, 6, 7999, DENY, "app/x",
	 0},
	{"range, behind", POLICY("x", ALL IN ON("{'port':8000,'endPort':8080}")), CLIENT, WEB, 6, 8081, DENY, "app/x",
	 0},
	{"range, backwards", POLICY("x", ALL IN ON("{'port':8080,'endPort':80}")), CLIENT, WEB, 6, 8080, UNKNOWN,
	 "app/x", 0},
	{"port too large", POLICY("x", ALL IN ON("{'port':65536}")), CLIENT, WEB, 6, 8080, UNKNOWN, "app/x", 0},
	{"named", POLICY("x", ALL IN ON("{'port':'http'}")), CLIENT, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"named, of another pod", POLICY("x", ALL IN ON("{'port':'http'}")), CLIENT, API, 6, 9090, ALLOW, "app/x", 0},
	{"named, the other pod's number", POLICY("x", ALL IN ON("{'port':'http'}")), CLIENT, API, 6, 8080, DENY,
	 "app/x", 0},
	{"named, of another protocol", POLICY("x", ALL IN ON("{'port':'dns'}")), CLIENT, WEB, 6, 53, DENY, "app/x", 0},
	{"named, udp", POLICY("x", ALL IN ON("{'port':'dns','protocol':'UDP'}")), CLIENT, WEB, 17, 53, ALLOW, "app/x",
	 0},
	{"named, nobody has it", POLICY("x", ALL IN ON("{'port':'https'}")), CLIENT, WEB, 6, 8080, DENY, "app/x", 0},
	{"named by an init container", POLICY("x", ALL IN ON("{'port':'early'}")), CLIENT, WEB, 6, 7070, DENY, "app/x",
	 0},
	{"named for egress: of the target", POLICY("x", ALL OUT ",'egress':[{'ports':[{'port':'http'}]}]"), WEB,
	 OTHER_WEB, 6, 8080, ALLOW, "app/x", 0},
	{"named for egress: no pod", POLICY("x", ALL OUT ",'egress':[{'ports':[{'port':'http'}]}]"), WEB, OUTSIDE, 6,
	 8080, DENY, "app/x", 0},
	{"port and peer of one rule",
	 POLICY("x", ALL IN ",'ingress':[{'from':[" SPACES("'team':'ops'") "],'ports':[{'port':80"
									   "}]}]"),
	 CLIENT, WEB, 6, 8080, DENY, "app/x", 0},
	{"port and peer of two rules",
	 POLICY("x",
		ALL IN ",'ingress':[{'from':[" SPACES("'team':'data'") "],'ports':[{'port':8080}]},{'from':[" SPACES(
			"'team':'ops'") "],'ports':[{'port':80}]}]"),
	 CLIENT, WEB, 6, 8080, DENY, "app/x", 0},

	/* dns, before and behind DNAT */
	{"egress to dns",
	 POLICY("x",
		ALL OUT ",'egress':[{'to':[{'namespaceSelector':{'matchLabels':{'kubernetes.io/metadata.name':'kube-"
			"system'}},'podSelector':{'matchLabels':{'k8s-app':'kube-dns'}}}],'ports':[{'protocol':'UDP',"
			"'port':53}]}]"),
	 WEB, DNS, 17, 53, ALLOW, "app/x", 0},
	{"egress to dns by tcp",
	 POLICY("x", ALL OUT ",'egress':[{'to':[{'namespaceSelector':{}}],'ports':[{'protocol':'UDP','port':53}]}]"),
	 WEB, DNS, 6, 53, DENY, "app/x", 0},
	{"egress to the service's address", POLICY("x", ALL OUT TO(BLOCK("10.96.0.10/32"))), WEB, DNS, 17, 53, DENY,
	 "app/x", 0},

	/* expressions */
	{"In", POLICY("x", ALL IN WHO(TERM("app", "In", "'x','api'"))), API, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"In, not", POLICY("x", ALL IN WHO(TERM("app", "In", "'x','y'"))), API, WEB, 6, 8080, DENY, "app/x", 0},
	{"In, without the label", POLICY("x", ALL IN WHO(TERM("tier", "In", "'front'"))), API, WEB, 6, 8080, DENY,
	 "app/x", 0},
	{"NotIn", POLICY("x", ALL IN WHO(TERM("app", "NotIn", "'x'"))), API, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"NotIn, in", POLICY("x", ALL IN WHO(TERM("app", "NotIn", "'api'"))), API, WEB, 6, 8080, DENY, "app/x", 0},
	{"NotIn, without the label", POLICY("x", ALL IN WHO(TERM("tier", "NotIn", "'front'"))), API, WEB, 6, 8080,
	 ALLOW, "app/x", 0},
	{"Exists", POLICY("x", ALL IN WHO(TERM("app", "Exists", ""))), API, WEB, 6, 8080, ALLOW, "app/x", 0},
	{"Exists, not", POLICY("x", ALL IN WHO(TERM("tier", "Exists", ""))), API, WEB, 6, 8080, DENY, "app/x", 0},
	{"DoesNotExist", POLICY("x", ALL IN WHO(TERM("tier", "DoesNotExist", ""))), API, WEB, 6, 8080, ALLOW, "app/x",
	 0},
	{"DoesNotExist, does", POLICY("x", ALL IN WHO(TERM("app", "DoesNotExist", ""))), API, WEB, 6, 8080, DENY,
	 "app/x", 0},
	{"two terms", POLICY("x", ALL IN WHO(TERM("app", "Exists", "") "," TERM("tier", "Exists", ""))), API, WEB, 6,
	 8080, DENY, "app/x", 0},
	{"no such operator", POLICY("x", ALL IN WHO(TERM("app", "Gt", "'1'"))), API, WEB, 6, 8080, UNKNOWN, "app/x", 0},
	{"no such operator, no matter", POLICY("x", ALL IN WHO(TERM("app", "Gt", "'1'") "," TERM("app", "In", "'x'"))),
	 API, WEB, 6, 8080, DENY, "app/x", 0},
	{"selected by expression",
	 POLICY("x", "'podSelector':{'matchExpressions':[" TERM("tier", "In", "'front'") "]}" IN), CLIENT, WEB, 6, 8080,
	 DENY, "app/x", 0},
	{"not selected by expression",
	 POLICY("x", "'podSelector':{'matchExpressions':[" TERM("tier", "In", "'front'") "]}" IN), CLIENT, API, 6, 9090,
	 ALLOW, NULL, 0},
	{"maybe selected", POLICY("x", "'podSelector':{'matchExpressions':[{}]}" IN), CLIENT, WEB, 6, 8080, UNKNOWN,
	 "app/x", 0},
	{"maybe selected, denied anyway", DENY_IN "," POLICY("x", "'podSelector':{'matchExpressions':[{}]}" IN), CLIENT,
	 WEB, 6, 8080, DENY, "app/deny-in", 0},
	{"maybe selected, allowed anyway",
	 POLICY("a", "'podSelector':{'matchExpressions':[{}]}" IN) "," POLICY("b", ALL IN ",'ingress':[{}]"), CLIENT,
	 WEB, 6, 8080, ALLOW, "app/b", 0},

	/* hostNetwork, nodes, the pod itself */
	{"hostNetwork pods are not isolated", POLICY("x", ALL BOTH), CLIENT, HOST, 6, 22, ALLOW, NULL, 0},
	{"hostNetwork pods do not match", POLICY("x", ALL IN FROM(PODS("'app':'web'"))), HOST, API, 6, 9090, DENY,
	 "app/x", 0},
	{"hostNetwork pods match by address", POLICY("x", ALL IN FROM(BLOCK(HOST "/32"))), HOST, API, 6, 9090, ALLOW,
	 "app/x", 0},
	{"the own node", DENY_IN, HOST, WEB, 6, 8080, ALLOW, NULL, 0},
	{"the own node by the bridge's address", DENY_IN, "10.1.0.254", WEB, 6, 8080, ALLOW, NULL, 0},
	{"the other node", DENY_IN, NODE2, WEB, 6, 8080, DENY, "app/deny-in", 0},
	{"the other node's bridge", DENY_IN, "10.1.0.254", API, 6, 9090, DENY, "app/deny-in", 0},
	{"to the own node", POLICY("x", ALL OUT), WEB, HOST, 6, 10250, ALLOW, NULL, 0},
	{"to the other node", POLICY("x", ALL OUT), WEB, NODE2, 6, 10250, DENY, "app/x", 0},
	{"to itself", POLICY("x", ALL BOTH), WEB, WEB, 6, 8080, ALLOW, NULL, 0},
	{"the own node, queued", DENY_IN, HOST, WEB, 6, 8080, DENY, "app/deny-in", QUEUED},
	{"to itself, queued", POLICY("x", ALL BOTH), WEB, WEB, 6, 8080, DENY, "app/x", QUEUED},

	/* more than one */
	{"they add up", DENY_IN "," POLICY("some", OF_WEB IN FROM(SPACES("'team':'ops'"))), CLIENT, WEB, 6, 8080, ALLOW,
	 "app/some", 0},
	{"they add up, in any order", POLICY("z", ALL IN) "," POLICY("a", OF_WEB IN ON("{'port':8080}")), CLIENT, WEB,
	 6, 8080, ALLOW, "app/a", 0},
	{"an allowance of other pods", DENY_IN "," POLICY("some", OF_WEB IN ",'ingress':[{}]"), CLIENT, API, 6, 9090,
	 DENY, "app/deny-in", 0},
	{"both ends must allow",
	 POLICY_OF("other", "out", ALL OUT TO(SPACES("'team':'data'"))) "," POLICY("in",
										   ALL IN FROM(SPACES("'team':'ops'"))),
	 CLIENT, WEB, 6, 8080, ALLOW, "app/in", 0},
	{"both ends must allow: source",
	 POLICY_OF("other", "out", ALL OUT) "," POLICY("in", ALL IN FROM(SPACES("'team':'ops'"))), CLIENT, WEB, 6, 8080,
	 DENY, "other/out", 0},
	{"both ends must allow: target", POLICY_OF("other", "out", ALL OUT TO(SPACES("'team':'data'"))) "," DENY_IN,
	 CLIENT, WEB, 6, 8080, DENY, "app/deny-in", 0},

	/* IPv6 */
	{"ipv6, deny", DENY_IN, "fd00::3", "fd00::1", 6, 8080, DENY, "app/deny-in", 0},
	{"ipv6, by namespace", POLICY("x", ALL IN FROM(SPACES("'team':'ops'"))), "fd00::3", "fd00::1", 6, 8080, ALLOW,
	 "app/x", 0},
	{"ipv6, in the block", POLICY("x", ALL IN FROM(BLOCK_BUT("2001:db8::/32", "'2001:db8:1::/48'"))), "2001:db8::7",
	 "fd00::1", 6, 8080, ALLOW, "app/x", 0},
	{"ipv6, excepted", POLICY("x", ALL IN FROM(BLOCK_BUT("2001:db8::/32", "'2001:db8:1::/48'"))), "2001:db8:1::7",
	 "fd00::1", 6, 8080, DENY, "app/x", 0},
	{"ipv6, everything", POLICY("x", ALL IN FROM(BLOCK("::/0"))), "2001:db8::7", "fd00::1", 58, 0, ALLOW, "app/x",
	 0},

	/* lists that are not whole */
	{"no list of policies", "", CLIENT, WEB, 6, 8080, UNKNOWN, NULL, NO_POLICIES},
	{"no list of pods", DENY_IN, CLIENT, WEB, 6, 8080, UNKNOWN, NULL, NO_PODS},
	{"no list of pods, no policies", "", CLIENT, WEB, 6, 8080, ALLOW, NULL, NO_PODS},
	{"no list of namespaces", POLICY("x", ALL IN FROM(SPACES("'team':'ops'"))), CLIENT, WEB, 6, 8080, UNKNOWN,
	 "app/x", NO_NAMESPACES},
	{"no list of namespaces, not asked for", DENY_IN, CLIENT, WEB, 6, 8080, DENY, "app/deny-in", NO_NAMESPACES},
	{"no list of namespaces, all of them", POLICY("x", ALL IN FROM("{'namespaceSelector':{}}")), CLIENT, WEB, 6,
	 8080, ALLOW, "app/x", NO_NAMESPACES},
};
/* clang-format on */

static struct nd_model *build(const struct row *row)
{
	struct nd_model *model = nd_model_new();

	feed_list(model, "nodes", nodes);
	if (!(row->with & NO_NAMESPACES))
		feed_list(model, "namespaces", namespaces);
	if (!(row->with & NO_PODS))
		feed_list(model, "pods", pods);
	if (!(row->with & NO_POLICIES))
		feed_list(model, "networkpolicies", row->policies);
	feed_section(model, "addrs",
		     "[{\"ifindex\":2,\"ifname\":\"cni0\",\"addr_info\":[{\"family\":\"inet\",\"local\":\"10.1.0.254\","
		     "\"prefixlen\":24,\"scope\":\"global\"}]}]");
	return model;
}

static void check(const struct row *row)
{
	struct nd_model *model = build(row);
	const struct nd_cluster *cluster = nd_model_finish(model);
	struct nd_netpol_flow flow = {.proto = row->proto, .dport = row->dport, .is_queued = row->with & QUEUED};
	struct nd_netpol_answer got, silent;
	struct nd_arena arena = {0};
	char by[64] = "";

	assert_true(nd_ip_parse(row->src, &flow.src) && nd_ip_parse(row->dst, &flow.dst));
	nd_netpol_check(&arena, cluster, &flow, &got);
	nd_netpol_check(NULL, cluster, &flow, &silent);
	enum want is = got.is_unknown ? UNKNOWN : got.is_allowed ? ALLOW : DENY;

	if (got.policy)
		snprintf(by, sizeof(by), "%s/%s", got.policy->meta.ns, got.policy->meta.name);
	if (is != row->want || (got.is_unknown && got.is_allowed) || strcmp(by, row->by ? row->by : "") || !got.why)
		fail_msg("%s: got %d by \"%s\": %s", row->name, is, by, got.why);
	assert_true(silent.is_allowed == got.is_allowed && silent.is_unknown == got.is_unknown);
	assert_true(silent.policy == got.policy && !silent.why);
	nd_arena_free(&arena);
	nd_model_free(model);
}

static void decides_as_the_api_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

/* ---- words ---- */

static void check_words(const char *policies, const char *src, uint8_t proto, uint16_t dport, const char *why)
{
	struct row row = {.policies = policies};
	struct nd_model *model = build(&row);
	struct nd_netpol_flow flow = {.proto = proto, .dport = dport};
	struct nd_netpol_answer got;
	struct nd_arena arena = {0};

	assert_true(nd_ip_parse(src, &flow.src) && nd_ip_parse(WEB, &flow.dst));
	nd_netpol_check(&arena, nd_model_finish(model), &flow, &got);
	assert_string_equal(got.why, why);
	nd_arena_free(&arena);
	nd_model_free(model);
}

static void says_which_policy(void **state)
{
	(void)state;
	check_words(DENY_IN, CLIENT, 6, 8080,
		    "networkpolicy/app/deny-in isolates pod app/web for ingress, no rule allows tcp 8080 from pod "
		    "other/client");
	check_words(DENY_IN, OUTSIDE, 1, 0,
		    "networkpolicy/app/deny-in isolates pod app/web for ingress, no rule allows icmp from 192.0.2.7");
	check_words(
		POLICY_OF("other", "out", ALL OUT), CLIENT, 17, 53,
		"networkpolicy/other/out isolates pod other/client for egress, no rule allows udp 53 to pod app/web");
	check_words(POLICY("x", ALL IN ",'ingress':[{}]"), CLIENT, 47, 0,
		    "networkpolicy/app/x allows to pod app/web protocol 47 from pod other/client");
	check_words("", CLIENT, 6, 80, "no NetworkPolicy isolates either end");
}

/* ---- who is isolated ---- */

static void knows_who_is_isolated(void **state)
{
	struct row row = {.policies = POLICY("x", OF_WEB IN) "," POLICY_OF("other", "y", ALL OUT)};
	struct nd_model *model = build(&row);
	const struct nd_cluster *c = nd_model_finish(model);

	(void)state;
	assert_true(nd_netpol_isolates(c, nd_look_pod(c, "app", "web"), true));
	assert_false(nd_netpol_isolates(c, nd_look_pod(c, "app", "web"), false));
	assert_false(nd_netpol_isolates(c, nd_look_pod(c, "app", "api"), true));
	assert_false(nd_netpol_isolates(c, nd_look_pod(c, "app", "agent"), true));
	assert_true(nd_netpol_isolates(c, nd_look_pod(c, "other", "client"), false));
	assert_false(nd_netpol_isolates(c, nd_look_pod(c, "other", "client"), true));
	nd_model_free(model);
	row.with = NO_POLICIES;
	model = build(&row);
	c = nd_model_finish(model);
	assert_true(nd_netpol_isolates(c, nd_look_pod(c, "app", "api"), true));
	nd_model_free(model);
}

/* ---- hostile policies ---- */

/* More parts than are kept: the policy is unknown, and nothing is read past the end. */
static void caps_what_it_keeps(void **state)
{
	struct row row = {.with = NO_POLICIES};
	struct nd_model *model = build(&row);
	struct nd_netpol_flow flow = {.proto = 6, .dport = 1};
	struct nd_netpol_answer got;
	struct nd_buf text = {0};

	(void)state;
	nd_buf_puts(&text, "{'metadata':{'namespace':'app','name':'many'},'spec':{" ALL IN ",'ingress':[{'ports':[");
	for (int i = 0; i < 70000; i++)
		nd_buf_printf(&text, "%s{'port':2}", i ? "," : "");
	nd_buf_puts(&text, "]}]}}");
	feed_list(model, "networkpolicies", text.data);
	const struct nd_cluster *c = nd_model_finish(model);

	assert_int_equal(c->npolicies, 1);
	assert_true(c->policies[0].ingress[0].nports <= 65536);
	assert_true(nd_ip_parse(CLIENT, &flow.src) && nd_ip_parse(WEB, &flow.dst));
	nd_netpol_check(NULL, c, &flow, &got);
	assert_true(got.is_unknown && !got.is_allowed);
	nd_buf_free(&text);
	nd_model_free(model);
}

static void keeps_names_of_namespaces(void **state)
{
	struct row row = {.policies = ""};
	struct nd_model *model = build(&row);
	const struct nd_cluster *c = nd_model_finish(model);

	(void)state;
	assert_int_equal(c->nnamespaces, 4);
	assert_string_equal(c->namespaces[0].meta.name, "app");
	assert_string_equal(nd_labels_get(&c->namespaces[3].meta.labels, "team"), "ops");
	nd_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides_as_the_api_says),   cmocka_unit_test(says_which_policy),
		cmocka_unit_test(knows_who_is_isolated),     cmocka_unit_test(caps_what_it_keeps),
		cmocka_unit_test(keeps_names_of_namespaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
