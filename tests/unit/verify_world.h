/* verify_world.h: two nodes with pods, services and results of probes, for the tests of verify. */
#ifndef ND_TESTS_UNIT_VERIFY_WORLD_H
#define ND_TESTS_UNIT_VERIFY_WORLD_H

#include "plugin/report/verify.h"
#include "tests/unit/model.h"

static struct nd_arena arena;
static struct nd_err err;
static struct nd_model *model;
static const struct nd_cluster *cluster;
static struct nd_verify_options options;

/* ' stands for " */
static inline void feed_text(enum nd_item_kind kind, const char *node, const char *name,
			     const char *text)
{
	char *copy = strdup(text);

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	feed(model, kind, node, name, copy, strlen(copy));
	free(copy);
}

#define NODE(name, ip, cidr, ready)                                                                \
	"{'metadata':{'name':'" name "'},'spec':{'podCIDRs':['" cidr                               \
	"']},'status':{'addresses':[{'type':"                                                      \
	"'InternalIP','address':'" ip "'}],'conditions':[{'type':'Ready','status':'" ready "'}]}}"
#define POD(ns, name, node, ip, labels, state)                                                     \
	"{'metadata':{'namespace':'" ns "','name':'" name "','uid':'" name "','labels':{" labels   \
	"}},'spec':{'nodeName':'" node                                                             \
	"','containers':[{'name':'c','image':'i'}]},'status':{'phase':"                            \
	"'Running','podIPs':[{'ip':'" ip "'}],'conditions':[{'type':'Ready','status':'True'}],"    \
	"'containerStatuses':[{'name':'c','image':'i','ready':true,'restartCount':7,'state':"      \
	"{" state "}}]}}"
#define SERVICE(ns, name, ip, port, more)                                                          \
	"{'metadata':{'namespace':'" ns "','name':'" name                                          \
	"'},'spec':{'type':'NodePort','clusterIP':'" ip "','selector':{'app':'" name               \
	"'},'ports':[{'name':'main','protocol':'TCP','port':" port more "}]}}"
#define SLICE(ns, name, ip)                                                                        \
	"{'metadata':{'namespace':'" ns "','name':'" name                                          \
	"-1','labels':{'kubernetes.io/service-name':'" name                                        \
	"'}},'addressType':'IPv4','endpoints':[{'addresses':['" ip                                 \
	"'],'conditions':{'ready':true}}],"                                                        \
	"'ports':[{'name':'main','protocol':'TCP','port':8080}]}"
#define WORKLOAD(name, label, wanted, ready)                                                       \
	"{'metadata':{'namespace':'kube-system','name':'" name "'},'spec':{'replicas':" wanted     \
	",'selector':{'matchLabels':{'k8s-app':'" label                                            \
	"'}},'template':{'metadata':{'labels':{'k8s-app':'" label                                  \
	"'}},'spec':{'containers':[{'name':'c','image':'i'}]}}},'status':{'replicas':" wanted      \
	",'readyReplicas':" ready ",'desiredNumberScheduled':" wanted ",'numberReady':" ready "}}"
#define LIST(items) "{'items':[" items "]}"

struct world {
	const char *nodeport;  /* ",'nodePort':30080" or "" */
	const char *idle;      /* one more service, with a comma before it, or "" */
	const char *crash;     /* state of the kube-system pod, or "" */
	const char *dns_ready; /* NULL: "1"; not 1: no endpoints either */
	const char *w2_ready;  /* NULL: "True" */
	bool no_w2, no_api, no_dns_service, no_proxy;
};

#define PROXY(node)                                                                                \
	"," POD("kube-system", "kube-proxy-" node, node, "", "'k8s-app':'kube-proxy'", "")

static inline void feed_workloads(const struct world *w)
{
	const char *ready = w->dns_ready ? w->dns_ready : "1";
	char *text = NULL;

	feed_text(ND_ITEM_API, NULL, "daemonsets",
		  LIST(WORKLOAD("kindnet", "kindnet", "2",
				"2") "," WORKLOAD("kube-proxy", "kube-proxy", "2", "2")));
	assert_true(asprintf(&text, LIST(WORKLOAD("coredns", "kube-dns", "1", "%s")), ready,
			     ready) > 0);
	feed_text(ND_ITEM_API, NULL, "deployments", text);
	free(text);
}

static inline void feed_services(const struct world *w)
{
	char *text = NULL;

	assert_true(asprintf(&text, LIST(SERVICE("a", "web", "10.96.0.50", "80", "%s") "%s%s"),
			     w->nodeport ? w->nodeport : "", w->idle ? w->idle : "",
			     w->no_dns_service ? ""
					       : "," SERVICE("kube-system", "kube-dns",
							     "10.96.0.10", "53", "")) > 0);
	feed_text(ND_ITEM_API, NULL, "services", text);
	free(text);
	feed_text(ND_ITEM_API, NULL, "endpointslices",
		  w->dns_ready ? LIST(SLICE("a", "web", "10.244.1.5"))
			       : LIST(SLICE("a", "web", "10.244.1.5") "," SLICE(
					 "kube-system", "kube-dns", "10.244.1.9")));
}

static inline void feed_lists(const struct world *w)
{
	char *text = NULL;

	assert_true(asprintf(&text,
			     LIST(NODE("w1", "172.18.0.2", "10.244.1.0/24",
				       "True") "," NODE("w2", "172.18.0.3", "10.244.2.0/24", "%s")),
			     w->w2_ready ? w->w2_ready : "True") > 0);
	feed_text(ND_ITEM_API, NULL, "nodes", text);
	free(text);
	assert_true(
		asprintf(&text,
			 LIST(POD("a", "p1", "w1", "10.244.1.5", "'app':'web'", "") "," POD(
				 "a", "p2", "w2", "10.244.2.5", "",
				 "") "," POD("b", "q", "w2", "10.244.2.6", "",
					     "") "," POD("kube-system", "dns", "w1", "10.244.1.9",
							 "'k8s-app':'kube-dns'", "%s") "%s"),
			 w->crash ? w->crash : "", w->no_proxy ? "" : PROXY("w1") PROXY("w2")) > 0);
	feed_text(ND_ITEM_API, NULL, "pods", text);
	free(text);
	feed_services(w);
	feed_workloads(w);
	feed_text(ND_ITEM_API, NULL, "networkpolicies", LIST(""));
}

#define PODNS(uid, inode) "{'uids':['" uid "'],'netns_inode':" inode ",'is_host_network':false}"
static const char healthy_w1[] =
	"[{'id':1,'kind':'tcp','source':'101','addr':'10.244.2.5','port':8080,'outcome':'ok','us':"
	"300},"
	"{'id':2,'kind':'tcp','source':'101','addr':'10.96.0.50','port':80,'outcome':'ok','us':500}"
	","
	"{'id':3,'kind':'tcp','source':'101','addr':'10.244.2.6','port':8080,'outcome':'ok','us':"
	"400},"
	"{'id':4,'kind':'icmp','source':'101','addr':'10.244.2.5','port':0,'outcome':'ok','us':90},"
	"{'id':5,'kind':'tcp','source':'node','addr':'172.18.0.3','port':30080,'outcome':'ok','us':"
	"90}]";
static const char healthy_w2[] = "[{'id':1,'kind':'tcp','source':'202','addr':'10.244.1.5','port':"
				 "8080,'outcome':'ok','us':1300},"
				 "{'id':2,'kind':'icmp','source':'202','addr':'10.244.1.5','port':"
				 "0,'outcome':'ok','us':80}]";

static inline void build(const struct world *w, const char *w1, const char *w2)
{
	nd_model_free(model);
	model = nd_model_new();
	if (!w->no_api)
		feed_lists(w);
	feed_text(ND_ITEM_SECTION, "w1", "pods",
		  "[" PODNS("p1", "101") "," PODNS("dns", "102") "]");
	if (w1)
		feed_text(ND_ITEM_SECTION, "w1", "probe", w1);
	if (!w->no_w2) {
		feed_text(ND_ITEM_SECTION, "w2", "pods",
			  "[" PODNS("p2", "202") "," PODNS("q", "203") "]");
		if (w2)
			feed_text(ND_ITEM_SECTION, "w2", "probe", w2);
	}
	cluster = nd_model_finish(model);
	options = (struct nd_verify_options){.max_time_us = 2000000};
}

static const struct nd_verify *answer;

static inline const struct nd_verify_outcome *outcome(const char *id)
{
	for (size_t i = 0; i < answer->noutcomes; i++)
		if (nd_eq(nd_verify_test_id(answer->outcomes[i].test), id))
			return &answer->outcomes[i];
	return NULL;
}

static inline void run(void)
{
	answer = nd_verify_run(&arena, cluster, &options);
}

static inline void check(const char *id, enum nd_verify_result result, size_t nok, size_t ntotal)
{
	const struct nd_verify_outcome *o = outcome(id);

	if (!o)
		fail_msg("%s is not listed", id);
	if (o->result != result || o->nok != nok || o->ntotal != ntotal)
		fail_msg("%s: %s, %zu of %zu (%s) %s", id, nd_verify_result_name(o->result), o->nok,
			 o->ntotal, o->why ? o->why : "", o->nfailures ? o->failures[0] : "");
}

#endif
