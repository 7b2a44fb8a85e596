/* netpol_world.h: pods, namespaces and nodes for the tests of NetworkPolicy; JSON with ' for ". */
#ifndef ND_TESTS_UNIT_NETPOL_WORLD_H
#define ND_TESTS_UNIT_NETPOL_WORLD_H

#include "common/buf.h"
#include "plugin/model/netpol.h"
#include "tests/unit/model.h"

/* clang-format off */
#define NS(name, labels) \
	"{'metadata':{'name':'" name "','labels':{'kubernetes.io/metadata.name':'" name "'" labels "}}}"
#define POD(ns, name, node, labels, spec, ip, ip6) \
	"{'metadata':{'namespace':'" ns "','name':'" name "','uid':'" ns "-" name "','labels':{" labels "}}," \
	"'spec':{'nodeName':'" node "'," spec "},'status':{'phase':'Running'," \
	"'podIPs':[{'ip':'" ip "'},{'ip':'" ip6 "'}]}}"
#define PORTS(list) "'containers':[{'name':'c','image':'i','ports':[" list "]}]"
#define PORT(name, number, proto) "{'name':'" name "','containerPort':" number ",'protocol':'" proto "'}"
#define INIT(port) ",'initContainers':[{'name':'i','ports':[" port "]}]"
#define NODE(name, ip, cidr) \
	"{'metadata':{'name':'" name "'},'spec':{'podCIDRs':['" cidr "']},'status':{'addresses':[" \
	"{'type':'InternalIP','address':'" ip "'}]}}"

static const char nodes[] = NODE("w1", "172.18.0.2", "10.1.0.0/24") "," NODE("w2", "172.18.0.3", "10.1.1.0/24");
static const char namespaces[] =
	NS("app", ",'team':'data'") "," NS("bare", "") "," NS("kube-system", "") "," NS("other", ",'team':'ops'");
static const char pods[] =
	POD("app", "web", "w1", "'app':'web','tier':'front'",
	    PORTS(PORT("http", "8080", "TCP") "," PORT("dns", "53", "UDP")) INIT(PORT("early", "7070", "TCP")),
	    "10.1.0.1", "fd00::1") ","
	POD("app", "api", "w2", "'app':'api'", PORTS(PORT("http", "9090", "TCP")), "10.1.1.2", "fd00::2") ","
	POD("app", "agent", "w1", "'app':'web'", "'hostNetwork':true," PORTS(""), "172.18.0.2", "") ","
	POD("other", "web", "w2", "'app':'web'", PORTS(PORT("http", "8080", "TCP")), "10.1.1.4", "fd00::4") ","
	POD("other", "client", "w1", "'app':'client'", PORTS(""), "10.1.0.3", "fd00::3") ","
	POD("bare", "x", "w2", "", PORTS(""), "10.1.1.5", "fd00::5") ","
	POD("kube-system", "dns", "w2", "'k8s-app':'kube-dns'", PORTS(PORT("dns", "53", "UDP")), "10.1.1.9", "fd00::9");
/* clang-format on */

#define WEB "10.1.0.1"
#define API "10.1.1.2"
#define HOST "172.18.0.2" /* w1, and app/agent on it */
#define NODE2 "172.18.0.3"
#define OTHER_WEB "10.1.1.4"
#define CLIENT "10.1.0.3"
#define BARE "10.1.1.5"
#define DNS "10.1.1.9"
#define OUTSIDE "192.0.2.7"

static inline void feed_list(struct nd_model *model, const char *name, const char *items)
{
	char *text = NULL;

	assert_true(asprintf(&text, "{'items':[%s]}", items) > 0);
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	feed_api(model, name, text);
	free(text);
}

#endif
