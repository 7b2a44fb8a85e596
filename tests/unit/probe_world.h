/*
 * probe_world.h: clusters for the tests of probes, made as evidence, so that addresses and lists
 * are looked up as in life; and their plans as lines.
 */
#ifndef ND_TESTS_UNIT_PROBE_WORLD_H
#define ND_TESTS_UNIT_PROBE_WORLD_H

#include "plugin/probe/flow.h"
#include "plugin/probe/plan.h"
#include "tests/unit/model.h"

/* w: nnodes nodes n00.. with npods pods each in "app" that listen on 8080; DNS on the first two. */
struct world {
	size_t nnodes, npods, nservices;
	bool no_hosts, no_policies, is_dual;
	bool is_kindnet; /* what policies allow is known */
	const char *policy, *service; /* one more of each, JSON with ' for " */
	const char *kubelet;	      /* of every node */
	const char *unready_node;
	const char *unready_pod; /* of every node */
	const char *deaf_pod;	 /* listens on nothing */
	struct nd_model *model;
	const struct nd_cluster *cluster;
	struct nd_arena arena;
	struct nd_probe_options options;
	struct nd_probe_plan plan;
};

#define NAMED(ns, name) "'metadata':{'namespace':'" ns "','name':'" name "','uid':'" ns name "'"
#define SLICE_OF(ns, name, type)                                                                   \
	"{" NAMED(ns, name) ",'labels':{'kubernetes.io/service-name':'" name                       \
			    "'}},'addressType':'" type "','endpoints':["
#define READY_IF(is) (is) ? "True" : "False"

static inline void feed_quoted(struct world *w, enum nd_item_kind kind, const char *node,
			       const char *name, struct nd_buf *json)
{
	for (size_t i = 0; i < json->len; i++)
		if (json->data[i] == '\'')
			json->data[i] = '"';
	feed(w->model, kind, node, name, json->data, json->len);
	nd_buf_free(json);
	*json = (struct nd_buf){0};
}

static inline void feed_nodes(struct world *w)
{
	struct nd_buf out = {0};

	nd_buf_puts(&out, "{'items':[");
	for (size_t i = 0; i < w->nnodes; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%02zu", i);
		nd_buf_printf(&out,
			      "%s{'metadata':{'name':'%s'},'spec':{'podCIDRs':['10.%zu.%zu.0/"
			      "24']},'status':{'addresses':["
			      "{'type':'InternalIP','address':'172.18.%zu.%zu'}],'conditions':[{'"
			      "type':'Ready','status':'%s'}]}}",
			      i ? "," : "", name, 100 + i / 200, i % 200, i / 200, i % 200 + 2,
			      READY_IF(!nd_eq(w->unready_node, name)));
	}
	nd_buf_puts(&out, "]}");
	feed_quoted(w, ND_ITEM_API, NULL, "nodes", &out);
}

static inline void add_pod(struct nd_buf *out, struct world *w, size_t node, const char *ns,
			   const char *name, const char *labels, const char *ports, size_t host)
{
	nd_buf_printf(out,
		      "%s{'metadata':{'namespace':'%s','name':'%s-%zu','uid':'%s-%zu','labels':{%s}"
		      "},'spec':{'nodeName':'n%02zu',"
		      "'containers':[{'name':'c','image':'i','ports':[%s]}]},'status':{'phase':'"
		      "Running','podIPs':[{'ip':'10.%zu.%zu.%zu'}",
		      out->len > 11 ? "," : "", ns, name, node, name, node, labels, node, ports,
		      100 + node / 200, node % 200, host);
	if (w->is_dual)
		nd_buf_printf(out, ",{'ip':'fd00:%zx::%zx'}", node + 1, host);
	nd_buf_printf(out, "],'conditions':[{'type':'Ready','status':'%s'}]}}",
		      READY_IF(!nd_eq(w->unready_pod, name)));
}

static inline void feed_pods(struct world *w)
{
	struct nd_buf out = {0};

	nd_buf_puts(&out, "{'items': [");
	for (size_t i = 0; i < w->nnodes; i++) {
		if (i < 2)
			add_pod(&out, w, i, "kube-system", "dns", "'k8s-app':'kube-dns'",
				"{'containerPort':53,'protocol':'TCP'},{'containerPort':9153}", 9);
		for (size_t j = 0; j < w->npods; j++) {
			char name[32], labels[48];

			snprintf(name, sizeof(name), "p%02zu", j);
			snprintf(labels, sizeof(labels), "'app':'%s'", name);
			add_pod(&out, w, i, "app", name, labels, "{'containerPort':8080}", 10 + j);
		}
	}
	nd_buf_puts(&out, "]}");
	feed_quoted(w, ND_ITEM_API, NULL, "pods", &out);
}

#define SOCKET(proto, port) "{'proto':'" proto "','addr':'::','port':" port "}"

static inline void feed_host(struct world *w, size_t node)
{
	struct nd_buf out = {0};
	char name[32];

	snprintf(name, sizeof(name), "n%02zu", node);
	nd_buf_puts(&out, "[{'uids':['etcd'],'netns_inode':77,'is_host_network':true}");
	if (node < 2)
		nd_buf_printf(&out,
			      ",{'uids':['dns-%zu'],'netns_inode':%zu,'is_host_network':false,'"
			      "sockets':[" SOCKET("udp6", "53") "," SOCKET("tcp6", "53") "," SOCKET(
				      "tcp6", "9153") "]}",
			      node, 1000 * (node + 1) + 9);
	for (size_t j = 0; j < w->npods; j++) {
		char pod[32];

		snprintf(pod, sizeof(pod), "p%02zu", j);
		nd_buf_printf(&out,
			      ",{'uids':['%s-%zu'],'netns_inode':%zu,'is_host_network':false,"
			      "'addrs':[{'ifname':'eth0','addr_info':[{'family':'inet','local':"
			      "'10.%zu.%zu.%zu','prefixlen':24}]}],'sockets':[%s]}",
			      pod, node, 1000 * (node + 1) + 10 + j, 100 + node / 200, node % 200,
			      10 + j, nd_eq(pod, w->deaf_pod) ? "" : SOCKET("tcp6", "8080"));
	}
	nd_buf_puts(&out, "]");
	feed_quoted(w, ND_ITEM_SECTION, name, "pods", &out);
	if (!w->kubelet)
		return;
	nd_buf_printf(&out, "[{'path':'/var/lib/kubelet/config.yaml','content':'%s'}]", w->kubelet);
	feed_quoted(w, ND_ITEM_SECTION, name, "files", &out);
}

static inline void add_service(struct nd_buf *services, struct nd_buf *slices, size_t i)
{
	nd_buf_printf(services,
		      ",{'metadata':{'namespace':'app','name':'s%zu','uid':'s%zu'},'spec':{'type':'"
		      "ClusterIP','clusterIP':"
		      "'10.97.%zu.%zu','selector':{'app':'p01'},'ports':[{'port':80,'targetPort':"
		      "8080}]}}",
		      i, i, i / 250, i % 250 + 1);
	nd_buf_printf(slices,
		      ",{'metadata':{'namespace':'app','name':'s%zu','uid':'s%zu','labels':{'"
		      "kubernetes.io/service-name':"
		      "'s%zu'}},'addressType':'IPv4','endpoints':[{'addresses':['10.100.0.11'],'"
		      "nodeName':'n00'},"
		      "{'addresses':['10.100.1.11'],'nodeName':'n01'}],'ports':[{'name':'','port':"
		      "8080}]}",
		      i, i, i);
}

static inline void feed_services(struct world *w)
{
	struct nd_buf services = {0}, slices = {0};

	nd_buf_puts(
		&services,
		"{'items':[{" NAMED(
			"default",
			"kubernetes") "},'spec':{'type':'ClusterIP','clusterIP':'10.96.0.1',"
				      "'ports':[{'name':'https','port':443,'targetPort':6443}]}},"
				      "{" NAMED(
					      "kube-system",
					      "kube-dns") "},"
							  "'spec':{'clusterIP':'10.96.0.10','"
							  "selector':{'k8s-app':'kube-dns'},'ports'"
							  ":["
							  "{'name':'dns','port':53,'protocol':'UDP'"
							  "},{'name':'dns-tcp','port':53,'protocol'"
							  ":'TCP'}]}},{" NAMED(
								  "app",
								  "web") "},'spec':{'type':'"
									 "NodePort','clusterIP':'"
									 "10.96.0.20','selector':{'"
									 "app':'p01'},"
									 "'ports':[{'port':80,'"
									 "targetPort':8080,'"
									 "nodePort':30080}]}},"
									 "{" NAMED(
										 "app",
										 "solo") "},'spec':"
											 "{"
											 "'clusterI"
											 "P':'10."
											 "96.0.30',"
											 "'selector"
											 "':{'app':"
											 "'p02'},'"
											 "ports':[{"
											 "'port':"
											 "81,'"
											 "targetPor"
											 "t':8080}]"
											 "}}");
	nd_buf_puts(
		&slices,
		"{'items':[" SLICE_OF(
			"default", "kubernetes",
			"IPv4") "{'addresses':['172.18.0.2']}],"
				"'ports':[{'name':'https','port':6443}]}," SLICE_OF(
					"kube-system", "kube-dns",
					"IPv4") "{'addresses':['10.100.0.9']},{'addresses':['10."
						"100.1.9']}],'ports':[{'name':'dns','port':53,"
						"'protocol':'UDP'},{'name':'dns-tcp','port':53}]}"
						"," SLICE_OF(
							"app", "web",
							"IPv4") "{'addresses':['10.100.0.11'],'"
								"nodeName':'n00'},{'addresses':['"
								"10.100.1.11'],'nodeName':'n01'}],"
								"'ports':[{'port':8080}]}"
								"," SLICE_OF(
									"app", "solo",
									"IPv4") "{'addresses':['10."
										"100.0.12']}],"
										"'ports':[{'port':"
										"8080}]}");
	for (size_t i = 0; i < w->nservices; i++)
		add_service(&services, &slices, i);
	nd_buf_printf(&services, "%s]}", w->service ? w->service : "");
	nd_buf_puts(&slices, "]}");
	feed_quoted(w, ND_ITEM_API, NULL, "services", &services);
	feed_quoted(w, ND_ITEM_API, NULL, "endpointslices", &slices);
}

/* All that it takes to rely on policies: whose they are, namespaces, nodes' addresses. */
static inline void feed_kindnet(struct world *w)
{
	struct nd_buf out = {0};

	nd_buf_puts(&out, "{'items':[{" NAMED("kube-system", "kindnet") "}}]}");
	feed_quoted(w, ND_ITEM_API, NULL, "daemonsets", &out);
	nd_buf_puts(&out, "{'items':[{'metadata':{'name':'app','labels':{'team':'data'}}},"
			  "{'metadata':{'name':'kube-system'}}]}");
	feed_quoted(w, ND_ITEM_API, NULL, "namespaces", &out);
	nd_buf_puts(&out, "{'items':[{" NAMED("kube-system", "kube-proxy") "},'data':{"
			  "'config.conf':'mode: iptables'}}]}");
	feed_quoted(w, ND_ITEM_API, NULL, "configmap-kube-proxy", &out);
	for (size_t i = 0; i < w->nnodes; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%02zu", i);
		nd_buf_printf(&out,
			      "[{'ifindex':2,'ifname':'eth0','addr_info':[{'family':'inet','local':"
			      "'172.18.%zu.%zu','prefixlen':16,'scope':'global'}]}]",
			      i / 200, i % 200 + 2);
		feed_quoted(w, ND_ITEM_SECTION, name, "addrs", &out);
	}
}

static inline void build(struct world *w)
{
	struct nd_buf out = {0};

	w->model = nd_model_new();
	feed_nodes(w);
	feed_pods(w);
	feed_services(w);
	nd_buf_printf(&out, "{'items':[%s]}", w->policy ? w->policy : "");
	if (!w->no_policies)
		feed_quoted(w, ND_ITEM_API, NULL, "networkpolicies", &out);
	nd_buf_free(&out);
	for (size_t i = 0; i < w->nnodes && !w->no_hosts; i++)
		feed_host(w, i);
	if (w->is_kindnet)
		feed_kindnet(w);
	w->cluster = nd_model_finish(w->model);
	assert_int_equal(w->cluster->ngaps, 0);
	nd_probe_plan_build(&w->arena, w->cluster, &w->options, &w->plan);
}

static inline void done(struct world *w)
{
	nd_arena_free(&w->arena);
	nd_model_free(w->model);
}

/* The plan as lines, so that a test reads as what it wants. */
static inline char *lines_of(struct world *w, const struct nd_probe_plan *plan)
{
	struct nd_buf out = {0};
	char ip[ND_IP_TEXT], *text;

	for (size_t i = 0; i < plan->nprobes; i++) {
		const struct nd_probe *p = &plan->probes[i];

		nd_buf_printf(&out, "%s %s %llu %s %u%s\n", p->node, nd_probe_kind_name(p->kind),
			      (unsigned long long)p->netns_inode, nd_ip_text(p->ip, ip), p->port,
			      p->name ? " ?" : "");
	}
	text = nd_arena_strdup(&w->arena, out.data ? out.data : "", out.len);
	nd_buf_free(&out);
	return text;
}

static inline void expect(struct world *w, const char *wanted)
{
	assert_string_equal(lines_of(w, &w->plan), wanted);
}

static inline bool has(struct world *w, const char *line)
{
	return strstr(lines_of(w, &w->plan), line) != NULL;
}

static inline void flow_of(struct world *w, const struct nd_probe *p, struct nd_flow *flow)
{
	struct nd_probe_result result = {.kind = p->kind,
					 .netns_inode = p->netns_inode,
					 .ip = p->ip,
					 .port = p->port,
					 .name = p->name};

	nd_flow_of(w->cluster, nd_look_host(w->cluster, p->node), &result, flow);
}

static inline size_t count(struct world *w, const char *node, enum nd_flow_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < w->plan.nprobes; i++) {
		struct nd_flow flow;

		if (w->plan.probes[i].kind == ND_PROBE_pmtu) /* beside a tcp of the same way */
			continue;
		flow_of(w, &w->plan.probes[i], &flow);
		n += flow.kind == kind && (!node || nd_eq(node, w->plan.probes[i].node));
	}
	return n;
}

static inline size_t most_a_node(const struct nd_probe_plan *plan)
{
	size_t most = 0, n = 0;

	for (size_t i = 0; i < plan->nprobes; i++) {
		n = i && nd_eq(plan->probes[i].node, plan->probes[i - 1].node) ? n + 1 : 1;
		most = n > most ? n : most;
	}
	return most;
}

#endif
