/*
 * stage_world.h: three nodes, bridge and VXLAN or ptp with service DNAT, and what their agents saw.
 */
#ifndef ND_TESTS_UNIT_STAGE_WORLD_H
#define ND_TESTS_UNIT_STAGE_WORLD_H

#include "common/buf.h"
#include "plugin/probe/stage.h"
#include "tests/unit/model.h"

struct world {
	struct nd_model *model;
	const struct nd_cluster *cluster;
	struct nd_arena arena;
	struct nd_stage stage;
	bool has_stage;
};

static inline void feed_quoted(struct world *w, enum nd_item_kind kind, const char *node,
			       const char *name, const char *text)
{
	char *copy = strdup(text);

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	feed(w->model, kind, node, name, copy, strlen(copy));
	free(copy);
}

#define NODE(name, n)                                                                              \
	"{'metadata':{'name':'" name "'},'spec':{'podCIDRs':['10.244." n                           \
	".0/24']},'status':{'addresses':["                                                         \
	"{'type':'InternalIP','address':'172.18.0." n                                              \
	"'}],'conditions':[{'type':'Ready','status':'True'}]}}"
#define POD(name, node, ip)                                                                        \
	"{'metadata':{'namespace':'app','name':'" name "','uid':'" name                            \
	"'},'spec':{'nodeName':'" node "',"                                                        \
	"'containers':[{'name':'c','image':'i'}]},'status':{'phase':'Running','podIPs':[{'ip':"    \
	"'" ip "'}]}}"
#define SERVICE(name, ip, type, more)                                                              \
	"{'metadata':{'namespace':'app','name':'" name "','uid':'" name "'},'spec':{'type':'" type \
	"','clusterIP':'" ip                                                                       \
	"','selector':{'app':'web'},'ports':[{'port':80,'targetPort':8080" more "}]}}"

static inline void feed_cluster(struct world *w)
{
	w->model = nd_model_new();
	feed_quoted(w, ND_ITEM_API, NULL, "nodes",
		    "{'items':[" NODE("w1", "1") "," NODE("w2", "2") "," NODE("w3", "3") "]}");
	feed_quoted(w, ND_ITEM_API, NULL, "pods",
		    "{'items':[" POD("a", "w1", "10.244.1.5") "," POD(
			    "c", "w1", "10.244.1.6") "," POD("b", "w2", "10.244.2.7") "]}");
	feed_quoted(
		w, ND_ITEM_API, NULL, "services",
		"{'items':[" SERVICE("web", "10.96.0.20", "NodePort", ",'nodePort':30080") "]}");
	feed_quoted(w, ND_ITEM_API, NULL, "endpointslices",
		    "{'items':[{'metadata':{'namespace':'app','name':'web','labels':{'kubernetes."
		    "io/service-name':"
		    "'web'}},'addressType':'IPv4','endpoints':[{'addresses':['10.244.2.7'],'"
		    "nodeName':'w2'}],"
		    "'ports':[{'name':'','port':8080}]}]}");
}

#define LINK(index, name, kind, more)                                                              \
	"{'ifindex':" index ",'ifname':'" name "','flags':['UP'],'linkinfo':{'info_kind':'" kind   \
	"'" more "}}"
#define ADDR(index, name, ip, len)                                                                 \
	"{'ifindex':" index ",'ifname':'" name "','addr_info':[{'family':'inet','local':'" ip      \
	"','prefixlen':" len ",'scope':'global'}]}"
#define ROUTE(dst, gateway, dev)                                                                   \
	"{'type':'unicast','dst':'" dst "','gateway':'" gateway "','dev':'" dev                    \
	"','table':'main','family':'inet'}"

/* n: the node's number; pods: section "pods". */
static inline void feed_host(struct world *w, const char *node, const char *n, bool is_vxlan,
			     const char *pods)
{
	char text[2048];
	const char *other = nd_eq(n, "1") ? "2" : "1";

	feed_quoted(w, ND_ITEM_SECTION, node, "links",
		    is_vxlan ? "[" LINK("2", "eth0", "veth", "") "," LINK(
				       "3", "cni0", "bridge",
				       "") "," LINK("4", "flannel.1", "vxlan",
						    ",'info_data':{'id':1,'port':"
						    "8472}") "," LINK("5", "vethA", "veth", "") "]"
			     : "[" LINK("2", "eth0", "veth", "") "," LINK("5", "vethA", "veth",
									  "") "]");
	snprintf(text, sizeof(text),
		 is_vxlan ? "[" ADDR("2", "eth0", "172.18.0.%s",
				     "16") "," ADDR("3", "cni0", "10.244.%s.1", "24") "]"
			  : "[" ADDR("2", "eth0", "172.18.0.%s",
				     "16") "," ADDR("5", "vethA", "10.244.%s.1", "32") "]",
		 n, n);
	feed_quoted(w, ND_ITEM_SECTION, node, "addrs", text);
	snprintf(text, sizeof(text),
		 is_vxlan ? "[" ROUTE("10.244.%s.0/24", "10.244.%s.0", "flannel.1") "]"
			  : "[" ROUTE("10.244.%s.0/24", "172.18.0.%s", "eth0") "]",
		 other, other);
	feed_quoted(w, ND_ITEM_SECTION, node, "routes", text);
	if (pods)
		feed_quoted(w, ND_ITEM_SECTION, node, "pods", pods);
}

#define NS(uid, inode) "{'uids':['" uid "'],'netns_inode':" inode ",'is_host_network':false}"

static inline void world_make(struct world *w, bool is_vxlan)
{
	*w = (struct world){0};
	feed_cluster(w);
	feed_host(w, "w1", "1", is_vxlan, "[" NS("a", "15") "," NS("c", "16") "]");
	feed_host(w, "w2", "2", is_vxlan, "[" NS("b", "27") "]");
	feed_host(w, "w3", "3", is_vxlan, NULL);
}

/* A packet: where, interface, direction, what, from and to; then more. */
#define SEEN(where, dev, way, what, src, sport, dst, dport, more)                                  \
	"{'source':'" where "','ifname':'" dev "','direction':'" way "','what':'" what             \
	"','src':'" src "','sport':" sport ",'dst':'" dst "','dport':" dport                       \
	",'count':1,'us':100" more "}"
#define SYN(where, dev, way, dst, dport)                                                           \
	SEEN(where, dev, way, "SYN", "10.244.1.5", "40000", dst, dport, "")
#define SYN_B(where, dev, way) SYN(where, dev, way, "10.244.2.7", "8080")
#define TUNNEL ",'vxlan_src':'172.18.0.1','vxlan_dst':'172.18.0.2'"
#define SYN_IN_VXLAN(way)                                                                          \
	SEEN("node", "eth0", way, "SYN", "10.244.1.5", "40000", "10.244.2.7", "8080", TUNNEL)
#define ACK(where, dev, way, what)                                                                 \
	SEEN(where, dev, way, what, "10.244.2.7", "8080", "10.244.1.5", "40000", "")

static inline void watch(struct world *w, const char *node, const char *seen)
{
	char text[4096];

	snprintf(text, sizeof(text), "[%s]", seen);
	feed_quoted(w, ND_ITEM_SECTION, node, "watch-2", text);
}

/* The probe of w1, sent again while packets were watched; and what is said of it. */
static inline const char *text_of(struct world *w, const char *source, const char *to,
				  const char *outcome)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "[{'id':1,'kind':'tcp','source':'%s','addr':'%s,'outcome':'%s','us':400000}]",
		 source, to, outcome);
	feed_quoted(w, ND_ITEM_SECTION, "w1", "probe-2", text);
	w->cluster = nd_model_finish(w->model);
	const struct nd_host *host = nd_look_host(w->cluster, "w1");
	assert_true(host->nprobes > 0);
	w->has_stage = nd_stage_of(&w->arena, w->cluster, host, &host->probes[host->nprobes - 1],
				   &w->stage);
	return w->has_stage ? nd_stage_text(&w->arena, &w->stage) : "";
}

static inline void done(struct world *w)
{
	nd_arena_free(&w->arena);
	nd_model_free(w->model);
}

#define POD_B "10.244.2.7','port':8080"
#define SVC "10.96.0.20','port':80"
#define NODE_PORT_2 "172.18.0.2','port':30080"

#endif
