/*
 * Each check: it fires on its fault and names its subject, it says nothing about a healthy cluster
 * or about what only looks like the fault, and nothing when its evidence is missing.
 */
#include "common/base.h"
#include "plugin/checks/run.h"
#include "plugin/checks/walks.h"
#include "tests/unit/checks_evidence.h"
#include "tests/unit/model.h"

#define MAX_EDITS 5
struct edit {
	const char *node, *name; /* of the item; node NULL: not of a node */
	const char *old, *new;	 /* the first old becomes new; old NULL: new is all, or the item is absent */
};
struct fault {
	const char *name;
	enum base base;
	const char *id, *subject; /* id NULL: nothing may be found */
	struct edit edits[MAX_EDITS];
	struct edit without; /* with this item absent as well, the check must say nothing */
};

#define W1(item) "w1", item
#define API(list) NULL, list
#define RULE(text) "[7:420] -A " text "\n"
/* At the head of the chain: after the last chain's name. */
#define FILTER_RULE(text) W1("iptables"), ":KUBE-FORWARD - [0:0]\n",                               \
	":KUBE-FORWARD - [0:0]\n" RULE(text)
#define NOT_READY(message)                                                                         \
	API("nodes"), "'172.18.0.3'}],'conditions':[{'type':'Ready','status':'True'}]",            \
	"'172.18.0.3'}],'conditions':[{'type':'Ready','status':'False','message':'" message "'}]"
#define NO_CNI NOT_READY("NetworkReady=false reason:NetworkPluginNotReady")
#define UNREADY(pod)                                                                               \
	API("pods"), pod "'}]," READY, pod "'}],'conditions':[{'type':'Ready','status':'False'}]"
#define WEB_RULE "[0:0] -A KUBE-SERVICES -d 10.96.1.1/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-WEB\n"
#define NO_WEB_RULE W1("iptables"), WEB_RULE, ""
#define BORN(when)                                                                                 \
	API("services"), "'name':'web',", "'name':'web','creationTimestamp':'" when "',"
#define NFT_CHAIN(hook, policy)                                                                    \
	"{'nftables':[{'table':{'family':'inet','name':'hardening'}},{'chain':{'family':'inet',"   \
	"'table':'hardening','name':'f','type':'filter','hook':'" hook "','prio':-10,"             \
	"'policy':'" policy "'}}"
#define NFT_RULE(match, verdict)                                                                   \
	",{'rule':{'family':'inet','table':'hardening','chain':'f','expr':[" match "{'" verdict    \
	"':null}]}}"
#define FROM(addr, len)                                                                            \
	"{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'saddr'}},"                \
	"'right':{'prefix':{'addr':'" addr "','len':" len "}}}},"

/* web-1 and its node speak IPv6 as well. */
#define ROUTE6(type, dst, more) "{'type':'" type "','dst':'" dst "'," more "'family':'inet6'},"
#define ADDR6(dev, ip)                                                                             \
	"{'ifindex':9,'ifname':'" dev "','addr_info':[{'family':'inet6','local':'" ip              \
	"','prefixlen':64,'scope':'global'}]}"
#define LOCAL6(ip, dev) ROUTE6("local", ip, "'dev':'" dev "','table':'local',")
#define DUAL_STACK                                                                                 \
	{API("pods"), "{'ip':'10.244.1.2'}", "{'ip':'10.244.1.2'},{'ip':'fd00:1::2'}"},            \
	{W1("addrs"), "[", "[" ADDR6("veth1", "fd00:1::1") ","},                                   \
	{W1("routes"), "[", "[" ROUTE6("unicast", "fd00:1::2", "'dev':'veth1','table':'main',")    \
	 LOCAL6("fd00:1::1", "veth1")},                                                            \
	{W1("pods"), "],'routes':[", "," ADDR6("eth0", "fd00:1::2") "],'routes':["                 \
	 ROUTE6("unicast", "fd00:1::/64", "'dev':'eth0','table':'main',") LOCAL6("fd00:1::2", "eth0")}
#define DUMP6(rule)                                                                                \
	"# netdoctor backend=nft family=6\n*filter\n" FILTER_BASE RULE(rule) "COMMIT\n# netdoctor"

static const struct fault faults[] = {
	{"healthy kindnet", KINDNET, NULL, NULL, {{0}}, {0}},
	{"healthy flannel", FLANNEL, NULL, NULL, {{0}}, {0}},
	/* host, node */
	{"node paused", KINDNET, "kind-node-container-down", "node/w1",
	 {{API("containers"), "'w1','State':'running'", "'w1','State':'paused'"}},
	 {API("containers"), NULL, NULL}},
	{"containerd stopped", KINDNET, "containerd-down", "node/w1",
	 {{W1("units"), "[11]", "[]"}}, {W1("units"), NULL, NULL}},
	{"kubelet stopped", KINDNET, "kubelet-down", "node/w1",
	 {{W1("units"), "[10]", "[]"}, {NOT_READY("Kubelet stopped posting node status.")}},
	 {W1("units"), NULL, NULL}},
	{"kubelet stopped, not yet noticed", KINDNET, "kubelet-down", "node/w1",
	 {{W1("units"), "[10]", "[]"}}, {0}},
	/* kernel */
	{"no forwarding", KINDNET, "ip-forward-off", "node/w1",
	 {{W1("sysctls"), "ip_forward = 1", "ip_forward = 0"}}, {W1("sysctls"), NULL, NULL}},
	{"no forwarding by eth0", FLANNEL, "ip-forward-off", "node/w1",
	 {{W1("sysctls"), "eth0.forwarding = 1", "eth0.forwarding = 0"}},
	 {W1("addrs"), NULL, NULL}},
	{"arp_ignore 2", KINDNET, "arp-ignore-ptp", "node/w1",
	 {{W1("sysctls"), "arp_ignore = 0", "arp_ignore = 2"}}, {W1("sysctls"), NULL, NULL}},
	{"arp_ignore 1", KINDNET, NULL, NULL,
	 {{W1("sysctls"), "arp_ignore = 0", "arp_ignore = 1"}}, {0}},
	{"arp_ignore 2 on a bridge", FLANNEL, NULL, NULL,
	 {{W1("sysctls"), "arp_ignore = 0", "arp_ignore = 2"}}, {0}},
	{"asymmetric and strict", FLANNEL, "rp-filter-drop", "node/w1",
	 {{W1("routes"), "'10.244.0.0','dev':'flannel.1'", "'172.18.0.2','dev':'eth0'"},
	  {W1("sysctls"), "all.rp_filter = 0", "all.rp_filter = 1"}},
	 {"cp", "routes", NULL, NULL}},
	{"asymmetric and loose", FLANNEL, NULL, NULL,
	 {{W1("routes"), "'10.244.0.0','dev':'flannel.1'", "'172.18.0.2','dev':'eth0'"}}, {0}},
	{"symmetric and strict", FLANNEL, NULL, NULL,
	 {{W1("sysctls"), "all.rp_filter = 0", "all.rp_filter = 1"}}, {0}},
	/* iptables */
	{"legacy policy", KINDNET, "ipt-backend-conflict", "node/w1",
	 {{W1("iptables"), "# netdoctor", LEGACY_DUMP("DROP") "# netdoctor"}},
	 {W1("iptables"), NULL, NULL}},
	{"empty legacy tables", KINDNET, NULL, NULL,
	 {{W1("iptables"), "# netdoctor", LEGACY_DUMP("ACCEPT") "# netdoctor"}}, {0}},
	{"policy of FORWARD", KINDNET, "ipt-forward-policy-drop", "node/w1",
	 {{W1("iptables"), ":FORWARD ACCEPT", ":FORWARD DROP"}}, {W1("iptables"), NULL, NULL}},
	{"policy of FORWARD with flannel", FLANNEL, NULL, NULL,
	 {{W1("iptables"), ":FORWARD ACCEPT", ":FORWARD DROP"}}, {0}},
	{"chain flushed", KINDNET, "ipt-kube-chains-flushed", "node/w1",
	 {{W1("iptables"), "[0:0] -A KUBE-SVC-WEB -j KUBE-SEP-WEB\n", ""}},
	 {API("endpointslices"), NULL, NULL}},
	{"jump gone", KINDNET, "ipt-kube-jumps-missing", "node/w1",
	 {{W1("iptables"), "[0:0] -A OUTPUT -j KUBE-SERVICES\n", ""}}, {W1("iptables"), NULL, NULL}},
	{"drop tcp", KINDNET, "ipt-stray-drop", "node/w1",
	 {{FILTER_RULE("FORWARD -s 10.244.0.0/16 -p tcp -j DROP")}}, {W1("iptables"), NULL, NULL}},
	{"drop behind accept", KINDNET, NULL, NULL,
	 {{FILTER_RULE("FORWARD -s 10.244.0.0/16 -p tcp -j DROP")},
	  {FILTER_RULE("FORWARD -p tcp -j ACCEPT")}}, {0}},
	{"drop behind what may accept", KINDNET, NULL, NULL,
	 {{FILTER_RULE("FORWARD -p tcp -j DROP")},
	  {FILTER_RULE("FORWARD -m set --match-set good src -j ACCEPT")}}, {0}},
	{"drop in a chain", KINDNET, "ipt-stray-drop", "node/w1",
	 {{FILTER_RULE("EVIL -p tcp -j REJECT")}, {FILTER_RULE("FORWARD -s 10.244.1.2/32 -j EVIL")},
	  {W1("iptables"), ":KUBE-FORWARD", ":EVIL - [0:0]\n:KUBE-FORWARD"}}, {0}},
	{"a chain that calls itself", KINDNET, NULL, NULL,
	 {{FILTER_RULE("EVIL -j EVIL")}, {FILTER_RULE("FORWARD -j EVIL")},
	  {W1("iptables"), ":KUBE-FORWARD", ":EVIL - [0:0]\n:KUBE-FORWARD"}}, {0}},
	{"drop kubelet", KINDNET, "ipt-stray-drop", "node/w1",
	 {{FILTER_RULE("INPUT -i eth0 -p tcp -m tcp --dport 10250 -j DROP")}}, {0}},
	{"drop from pods", KINDNET, "ipt-stray-drop", "node/w1",
	 {{FILTER_RULE("INPUT -s 10.244.0.0/16 -j DROP")}}, {0}},
	{"drop the tunnel", FLANNEL, "ipt-stray-drop", "node/w1",
	 {{FILTER_RULE("INPUT -p udp -m udp --dport 8472 -j DROP")}}, {0}},
	{"drop dns before it is translated", KINDNET, "ipt-stray-drop", "node/w1",
	 {{W1("iptables"), ":KUBE-IPTABLES-HINT - [0:0]\n", ":KUBE-IPTABLES-HINT - [0:0]\n"
	   RULE("PREROUTING -p udp -m udp --dport 53 -j DROP")}}, {0}},
	{"drop some ports", KINDNET, "ipt-stray-drop", "node/w1",
	 {{FILTER_RULE("FORWARD -p tcp -m multiport --dports 22,8000:8090 -j DROP")}}, {0}},
	{"drop too big", KINDNET, "ipt-stray-drop", "node/w1",
	 {{FILTER_RULE("OUTPUT -p icmp -m icmp --icmp-type 3/4 -j DROP")}}, {0}},
	{"drop all in KUBE-FIREWALL", KINDNET, "ipt-stray-drop", "node/w1",
	 {{FILTER_RULE("KUBE-FIREWALL -j DROP")}}, {0}},
	{"drop telnet", KINDNET, NULL, NULL,
	 {{FILTER_RULE("INPUT -p tcp -m tcp --dport 23 -j DROP")}}, {0}},
	{"drop invalid", KINDNET, NULL, NULL,
	 {{FILTER_RULE("FORWARD -m conntrack --ctstate INVALID -j DROP")}}, {0}},
	{"drop strangers", KINDNET, NULL, NULL,
	 {{FILTER_RULE("INPUT -s 203.0.113.0/24 -j DROP")}}, {0}},
	{"drop ping", KINDNET, NULL, NULL,
	 {{FILTER_RULE("INPUT -p icmp -m icmp --icmp-type 8 -j DROP")}}, {0}},
	{"drop another device", KINDNET, NULL, NULL,
	 {{FILTER_RULE("FORWARD -i docker0 -j DROP")}}, {0}},
	{"drop answers only", KINDNET, "ipt-stray-drop", "node/w1",
	 {{FILTER_RULE("FORWARD -s 10.244.1.2/32 -m conntrack --ctstate ESTABLISHED -j DROP")}}, {0}},
	{"drop in a chain of Docker's", KINDNET, "ipt-stray-drop", "node/w1",
	 {{FILTER_RULE("DOCKER-USER -p tcp -j DROP")}, {FILTER_RULE("FORWARD -j DOCKER-USER")},
	  {W1("iptables"), ":KUBE-FORWARD", ":DOCKER-USER - [0:0]\n:KUBE-FORWARD"}}, {0}},
	{"drop in a chain of a policy engine", KINDNET, NULL, NULL,
	 {{FILTER_RULE("cali-fw-1 -p tcp -j DROP")}, {FILTER_RULE("FORWARD -j cali-fw-1")},
	  {W1("iptables"), ":KUBE-FORWARD", ":cali-fw-1 - [0:0]\n:KUBE-FORWARD"}}, {0}},
	{"what kube-proxy refuses", KINDNET, NULL, NULL,
	 {{FILTER_RULE("KUBE-SERVICES -d 10.244.0.2/32 -j REJECT --reject-with icmp-port-unreachable")},
	  {FILTER_RULE("FORWARD -j KUBE-SERVICES")},
	  {W1("iptables"), ":KUBE-FORWARD", ":KUBE-SERVICES - [0:0]\n:KUBE-FORWARD"}}, {0}},
	{"both families", KINDNET, NULL, NULL,
	 {DUAL_STACK, {W1("iptables"), "# netdoctor", DUMP6("OUTPUT -p tcp -j ACCEPT")}}, {0}},
	{"drop IPv6", KINDNET, "ipt-stray-drop", "node/w1",
	 {DUAL_STACK, {W1("iptables"), "# netdoctor", DUMP6("OUTPUT -d fd00:1::/64 -p tcp -j DROP")}}, {0}},
	{"no masquerade for pods", KINDNET, "masq-missing", "node/w1",
	 {{W1("iptables"), "[0:0] -A KIND-MASQ-AGENT -j MASQUERADE\n", ""}}, {W1("nft"), NULL, NULL}},
	{"no masquerade for services", FLANNEL, "masq-missing", "node/w1",
	 {{W1("iptables"), "[0:0] -A KUBE-POSTROUTING -j MASQUERADE\n", ""}},
	 {W1("iptables"), NULL, NULL}},
	{"nft policy", KINDNET, "nft-native-drop", "node/w1",
	 {{W1("nft"), NULL, NFT_CHAIN("forward", "drop") "]}"}}, {W1("nft"), NULL, NULL}},
	{"nft rule", KINDNET, "nft-native-drop", "node/w1",
	 {{W1("nft"), NULL, NFT_CHAIN("forward", "accept")
	   NFT_RULE(FROM("10.244.0.0", "16"), "drop") "]}"}}, {0}},
	{"nft rule for both families", KINDNET, "nft-native-drop", "node/w1",
	 {DUAL_STACK, {W1("nft"), NULL, NFT_CHAIN("output", "accept")
	   NFT_RULE("{'match':{'op':'==','left':{'payload':{'protocol':'ip6','field':'daddr'}},"
		    "'right':'fd00:1::2'}},", "drop") "]}"}}, {0}},
	{"nft policy that spares the cluster", KINDNET, NULL, NULL,
	 {{W1("nft"), NULL, NFT_CHAIN("input", "drop") NFT_RULE(FROM("10.244.0.0", "16"), "accept")
	   NFT_RULE(FROM("172.18.0.0", "16"), "accept") "]}"}}, {0}},
	/* CNI */
	{"plugin missing", KINDNET, "cni-bin-missing", "node/w1",
	 {{W1("cni"), BIN("ptp", "0755") ",", ""}}, {W1("cni"), NULL, NULL}},
	{"plugin not executable", FLANNEL, "cni-bin-missing", "node/w1",
	 {{W1("cni"), BIN("host-local", "0755"), BIN("host-local", "0644")}}, {0}},
	{"broken file first", KINDNET, "cni-conf-invalid", "node/w1",
	 {{W1("cni"), "'conf':[", "'conf':[{'name':'00-x.conflist','content':'{'},"}},
	 {W1("cni"), NULL, NULL}},
	{"broken file last", KINDNET, NULL, NULL,
	 {{W1("cni"), "'conf':[", "'conf':[{'name':'99-x.conflist','content':'{'},"}}, {0}},
	{"no file", KINDNET, "cni-conf-missing", "node/w1",
	 {{W1("cni"), "10-kindnet.conflist','content'", "x.bak','other'"}, {NO_CNI}},
	 {W1("cni"), NULL, NULL}},
	{"no file where a ready node needs none", KINDNET, NULL, NULL,
	 {{W1("cni"), "10-kindnet.conflist','content'", "x.bak','other'"}}, {0}},
	{"no CNI", KINDNET, "cni-not-installed", "cluster",
	 {{API("daemonsets"), DS("kindnet") ",", ""},
	  {W1("cni"), "10-kindnet.conflist','content'", "x.bak','other'"}, {NO_CNI}},
	 {API("daemonsets"), NULL, NULL}},
	{"bridge down", FLANNEL, "cni0-down", "node/w1",
	 {{W1("links"), "'cni0','flags':['UP']", "'cni0','flags':['MULTICAST']"}},
	 {W1("links"), NULL, NULL}},
	{"bridge of another range", FLANNEL, "cni0-wrong-ip", "node/w1",
	 {{W1("addrs"), "10.244.1.1", "10.244.99.1"}}, {W1("addrs"), NULL, NULL}},
	{"pods too big and nobody says so", FLANNEL, "overlay-mtu-mismatch", "node/w1",
	 {{W1("pods"), "'mtu':1450", "'mtu':1500"}, {"cp", "pods", "'mtu':1450", "'mtu':1500"},
	  {FILTER_RULE("OUTPUT -p icmp -m icmp --icmp-type 3/4 -j DROP")}},
	 {W1("pods"), NULL, NULL}},
	{"pods of one node too big", FLANNEL, NULL, NULL,
	 {{W1("pods"), "'mtu':1450", "'mtu':1500"}}, {0}},
	{"tunnel down", FLANNEL, "vxlan-dev-missing", "node/w1",
	 {{W1("links"), "'flannel.1','flags':['UP']", "'flannel.1','flags':['MULTICAST']"}},
	 {W1("links"), NULL, NULL}},
	{"tunnel to nowhere", FLANNEL, "vxlan-fdb-wrong", "node/w1",
	 {{W1("fdb"), "172.18.0.2", "172.18.255.250"}}, {W1("fdb"), NULL, NULL}},
	/* routes */
	{"blackhole", KINDNET, "route-blackhole", "node/w1",
	 {{W1("routes"), "[", "[" ROUTE("blackhole", "10.244.0.0/25", "") ","}},
	 {API("nodes"), NULL, NULL}},
	{"services prohibited", KINDNET, "route-blackhole", "node/w1",
	 {{W1("routes"), "[", "[" ROUTE("prohibit", "10.96.0.0/12", "") ","}},
	 {API("services"), NULL, NULL}},
	{"blackhole below the routes", KINDNET, NULL, NULL,
	 {{W1("routes"), "[", "[" ROUTE("unreachable", "10.244.0.0/16", "") ","}}, {0}},
	{"blackhole for the own range", KINDNET, NULL, NULL,
	 {{W1("routes"), "[", "[" ROUTE("blackhole", "10.244.1.64/26", "") ","}}, {0}},
	{"no default route", KINDNET, "route-default-missing", "node/w1",
	 {{W1("routes"), DEFAULT ",", ""}}, {W1("routes"), NULL, NULL}},
	{"node cut off", KINDNET, NULL, NULL,
	 {{W1("routes"), DEFAULT ",", ""}, {W1("addrs"), "172.18.0.3", "172.18.0.99"}}, {0}},
	{"no route to a peer", KINDNET, "route-pod-cidr-missing", "node/w1",
	 {{W1("routes"), "10.244.0.0/24", "10.250.0.0/24"}}, {W1("routes"), NULL, NULL}},
	{"route to the wrong address", KINDNET, "route-pod-cidr-wrong-gw", "node/w1",
	 {{W1("routes"), "'gateway':'172.18.0.2'", "'gateway':'172.18.0.99'"}},
	 {W1("routes"), NULL, NULL}},
	/* kube-proxy */
	{"kube-proxy absent", KINDNET, "kp-not-running", "node/w1",
	 {{API("pods"), "'hostNetwork':true,'containers':[{'name':'c','image':'img:1','ports':["
	   "{'containerPort':8080}]}]},'status':{'phase':'Running','podIPs':[{'ip':'172.18.0.3'",
	   "'x':[]},'status':{'phase':'Failed','podIPs':[{'ip':'172.18.0.3'"}},
	 {API("daemonsets"), NULL, NULL}},
	{"kube-proxy crashes", KINDNET, "kp-not-running", "node/w1",
	 {{API("pods"), "'running':{'of':'w1'}", "'waiting':{'reason':'CrashLoopBackOff'}"}},
	 {API("pods"), NULL, NULL}},
	{"rules of a dead proxy", KINDNET, "kp-stale-rules", "node/w1",
	 {{API("pods"), "'running':{'of':'w1'}", "'waiting':{'reason':'CrashLoopBackOff'}"},
	  {W1("iptables"), "10.244.1.2:8080", "10.244.1.77:8080"}},
	 {API("endpointslices"), NULL, NULL}},
	{"a rollout's second", KINDNET, NULL, NULL,
	 {{W1("iptables"), ":KUBE-SEP-WEB", ":KUBE-SEP-OLD - [0:0]\n:KUBE-SEP-WEB"},
	  {W1("iptables"), "[0:0] -A KUBE-SVC-WEB", RULE("KUBE-SVC-WEB -m statistic --mode random "
	   "--probability 0.5 -j KUBE-SEP-OLD") RULE("KUBE-SEP-OLD -p tcp -m tcp -j DNAT "
	   "--to-destination 10.244.1.77:8080") "[0:0] -A KUBE-SVC-WEB"}}, {0}},
	{"a service that a dead proxy never knew", KINDNET, "kp-stale-rules", "node/w1",
	 {{API("pods"), "'running':{'of':'w1'}", "'waiting':{'reason':'CrashLoopBackOff'}"}, {NO_WEB_RULE}},
	 {API("endpointslices"), NULL, NULL}},
	/* Born 100 s before the rules were read. */
	{"a service that one node lacks", KINDNET, "kp-stale-rules", "node/w1",
	 {{NO_WEB_RULE}, {BORN("2026-01-01T00:00:00Z")}}, {W1("host"), NULL, NULL}},
	{"a service that one node lacks yet", KINDNET, NULL, NULL,
	 {{NO_WEB_RULE}, {BORN("2026-01-01T00:00:50Z")}}, {0}},
	{"a service that was deleted a second ago", KINDNET, NULL, NULL,
	 {{NO_WEB_RULE}, {"cp", "iptables", WEB_RULE, ""}, {BORN("2026-01-01T00:00:00Z")}}, {0}},
	{"an endpoint that just became ready", KINDNET, NULL, NULL,
	 {{NO_WEB_RULE}, {BORN("2026-01-01T00:00:00Z")},
	  {W1("iptables"), ":KUBE-FORWARD - [0:0]\n", ":KUBE-FORWARD - [0:0]\n:KUBE-SERVICES - [0:0]\n"
	   RULE("KUBE-SERVICES -d 10.96.1.1/32 -p tcp -m tcp --dport 80 -j REJECT")}}, {0}},
	/* services, DNS, images */
	{"pods not ready", KINDNET, "svc-pods-not-ready", "service/default/web",
	 {{UNREADY("10.244.1.2")}, {API("endpointslices"), "{'ready':true}", "{'ready':false}"}},
	 {API("endpointslices"), NULL, NULL}},
	{"endpoints that lag", KINDNET, NULL, NULL,
	 {{API("endpointslices"), "{'ready':true}", "{'ready':false}"}}, {0}},
	{"selector typo", KINDNET, "svc-selector-mismatch", "service/default/web",
	 {{API("services"), "{'app':'web'}", "{'app':'wep'}"},
	  {API("endpointslices"), "default','name':'web-x'", "default','name':'gone'"},
	  {API("endpointslices"), "'kubernetes.io/service-name':'web'", "'x':'y'"}},
	 {API("pods"), NULL, NULL}},
	{"wrong target port", KINDNET, "svc-targetport-mismatch", "service/default/web",
	 {{W1("pods"), "'port':8080", "'port':9090"}}, {W1("pods"), NULL, NULL}},
	{"listens on loopback only", KINDNET, NULL, NULL,
	 {{W1("pods"), "'tcp6','addr':'::'", "'tcp','addr':'127.0.0.1'"}}, {0}},
	{"wrong clusterDNS", KINDNET, "dns-kubelet-clusterdns", "node/w1",
	 {{W1("files"), "10.96.0.10", "10.96.0.53"}}, {W1("files"), NULL, NULL}},
	{"node-local DNS", KINDNET, NULL, NULL, {{W1("files"), "10.96.0.10", "169.254.20.10"}}, {0}},
	{"no DNS pods ready", KINDNET, "dns-no-replicas", "cluster",
	 {{UNREADY("10.244.0.2")},
	  {API("endpointslices"), "10.244.0.2'],'conditions':{'ready':true}",
	   "10.244.0.2'],'conditions':{'ready':false}"}},
	 {API("endpointslices"), NULL, NULL}},
	{"no DNS service", KINDNET, "dns-service-broken", "service/kube-system/kube-dns",
	 {{API("services"), "'name':'kube-dns'", "'name':'kube-dnz'"},
	  {API("services"), "'name':'dns','port':53", "'name':'dns','port':54"}},
	 {API("services"), NULL, NULL}},
	{"DNS without TCP", KINDNET, "dns-service-broken", "service/kube-system/kube-dns",
	 {{API("services"), "'name':'tcp','port':53", "'name':'tcp','port':54"}}, {0}},
	{"image never loaded", KINDNET, "img-not-network", "pod/default/web-1",
	 {{API("pods"), "'running':{}", "'waiting':{'reason':'ErrImageNeverPull','message':'no'}"}},
	 {API("pods"), NULL, NULL}},
	{"registry out of reach", KINDNET, NULL, NULL,
	 {{API("pods"), "'running':{}", "'waiting':{'reason':'ErrImagePull','message':"
	   "'not found: dial tcp 1.2.3.4:443: i/o timeout'}"}}, {0}},
	/* effects */
#include "tests/unit/checks_effects.h"
#include "tests/unit/checks_outside.h"
};

static bool is_same(const char *a, const char *b)
{
	return (!a && !b) || nd_eq(a, b);
}

/* The first old in text, or a failed test: an edit that does nothing proves nothing. */
static char *replace(char *text, const struct edit *e)
{
	char *at = strstr(text, e->old), *out = NULL;
	if (!at)
		fail_msg("%s: no \"%s\" to replace", e->name, e->old);
	int n = asprintf(&out, "%.*s%s%s", (int)(at - text), text, e->new, at + strlen(e->old));
	assert_true(n >= 0);
	free(text);
	return out;
}

static void feed_one(struct nd_model *model, const struct evidence *ev, const struct fault *fault,
		     const struct edit *without)
{
	char *text = strdup(ev->text);
	for (size_t i = 0; i <= MAX_EDITS; i++) {
		const struct edit *e = i < MAX_EDITS ? &fault->edits[i] : without;
		if (!e || !e->name || !nd_eq(e->name, ev->name) || !is_same(e->node, ev->node))
			continue;
		if (e->old) {
			text = replace(text, e);
		} else {
			free(text);
			text = e->new ? strdup(e->new) : NULL;
			if (!text)
				return;
		}
	}
	for (char *p = text; *p && !nd_eq(ev->name, "iptables"); p++)
		*p = *p == '\'' ? '"' : *p;
	feed(model, ev->kind, ev->node, ev->name, text, strlen(text));
	free(text);
}

static struct nd_model *build(const struct fault *fault, const struct edit *without)
{
	struct nd_model *model = nd_model_new();
	for (size_t i = 0; i < ND_ARRAY_LEN(healthy); i++)
		if (healthy[i].base == BOTH || healthy[i].base == fault->base)
			feed_one(model, &healthy[i], fault, without);
	return model;
}

static bool explains(const struct nd_check *check, const char *id)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(check->explains) && check->explains[i].id; i++)
		if (nd_eq(check->explains[i].id, id))
			return true;
	return false;
}

/* One explains the other. */
static bool is_kin(const char *id, const struct nd_check *other)
{
	return id && (explains(nd_check_find(id), other->id) || explains(other, id));
}

/* How often the check spoke; anything else it does not explain fails the test. */
static size_t count(const struct fault *fault, const struct nd_finding_list *found, bool is_strict)
{
	size_t n = 0;
	for (size_t i = 0; i < found->n; i++) {
		const struct nd_finding *f = found->items[i];
		assert_true(f->nproof >= 1);
		if (f->kind == ND_HAZARD)
			continue;
		if (nd_eq(f->check->id, fault->id)) {
			if (is_strict && !nd_eq(f->subject, fault->subject))
				fail_msg("%s: subject %s", fault->name, f->subject);
			n++;
		} else if (f->kind == ND_CAUSE && is_strict && !is_kin(fault->id, f->check) &&
			   !nd_eq(f->check->id, "kp-not-running")) {
			fail_msg("%s: also %s %s: %s", fault->name, f->check->id, f->subject,
				 f->proof[0].text);
		}
	}
	return n;
}

static void try_fault(void **state)
{
	const struct fault *fault = *state;
	struct nd_arena arena = {0};
	struct nd_finding_list found;
	struct nd_model *model = build(fault, NULL);
	const struct nd_cluster *cluster = nd_model_finish(model);
	for (size_t i = 0; i < cluster->ngaps; i++)
		fail_msg("%s: gap %s %s: %s", fault->name, cluster->gaps[i].what,
			 cluster->gaps[i].where, cluster->gaps[i].why);
	nd_checks_run(cluster, &arena, &found);
	assert_int_equal(count(fault, &found, true), fault->id ? 1 : 0);
	nd_arena_free(&arena);
	nd_model_free(model);
	if (!fault->without.name)
		return;
	model = build(fault, &fault->without);
	nd_checks_run(nd_model_finish(model), &arena, &found);
	if (count(fault, &found, false) != 0)
		fail_msg("%s: speaks without %s", fault->name, fault->without.name);
	nd_arena_free(&arena);
	nd_model_free(model);
}

/* A new check without a fault here has no test. */
static void each_check_has_a_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < nd_nchecks; i++) {
		bool fires = nd_starts(nd_checks[i]->id, "np-"), is_silenced = fires; /* t_policies.c has theirs */
		for (size_t k = 0; k < ND_ARRAY_LEN(faults); k++)
			if (nd_eq(faults[k].id, nd_checks[i]->id)) {
				fires = true;
				is_silenced = is_silenced || faults[k].without.name;
			}
		if (!fires || !is_silenced)
			fail_msg("%s: %s", nd_checks[i]->id, fires ? "evidence never missing" : "never fires");
	}
}

/* Whom a check explains must exist, or the finding would never be explained. */
static void explained_ids_exist(void **state)
{
	(void)state;
	for (size_t i = 0; i < nd_nchecks; i++)
		for (size_t k = 0; k < ND_ARRAY_LEN(nd_checks[i]->explains); k++)
			if (nd_checks[i]->explains[k].id && !nd_check_find(nd_checks[i]->explains[k].id))
				fail_msg("%s explains %s", nd_checks[i]->id, nd_checks[i]->explains[k].id);
}

static void nothing_known_nothing_said(void **state)
{
	(void)state;
	struct nd_arena arena = {0};
	struct nd_finding_list found;
	struct nd_model *model = nd_model_new();
	nd_checks_run(nd_model_finish(model), &arena, &found);
	assert_int_equal(found.n, 0);
	nd_arena_free(&arena);
	nd_model_free(model);
}

/* Else a fault would be found for a reason that is not its own. */
static void healthy_walks_arrive(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct nd_arena arena = {0};
		struct nd_walk_list list = {0};
		struct nd_model *model = build(&faults[i], NULL);
		const struct nd_cluster *cluster = nd_model_finish(model);
		struct nd_world *world = nd_world_new(&arena, cluster);

		nd_walk_list_build(&arena, cluster, &list);
		assert_in_range(list.n, 20, 100);
		for (size_t k = 0; k < list.n; k++) {
			struct nd_walk walk;

			nd_walk_run(world, &list.items[k], &walk);
			assert_int_equal(walk.npaths, 1);
			if (walk.paths[0].verdict != ND_WALK_DELIVERED)
				fail_msg("%s: %s", faults[i].name, walk.paths[0].reason);
			if (walk.paths[0].back_verdict != ND_WALK_DELIVERED &&
			    !nd_walk_ask_is_too_big(&list.items[k]))
				fail_msg("%s: back: %s", faults[i].name, walk.paths[0].back_reason);
		}
		nd_arena_free(&arena);
		nd_model_free(model);
	}
}

int main(void)
{
	struct CMUnitTest tests[ND_ARRAY_LEN(faults) + 4] = {
		cmocka_unit_test(each_check_has_a_fault), cmocka_unit_test(explained_ids_exist),
		cmocka_unit_test(nothing_known_nothing_said), cmocka_unit_test(healthy_walks_arrive)};
	for (size_t i = 0; i < ND_ARRAY_LEN(faults); i++)
		tests[i + 4] = (struct CMUnitTest){.name = faults[i].name, .test_func = try_fault,
						   .initial_state = (void *)(uintptr_t)&faults[i]};
	return _cmocka_run_group_tests("checks", tests, ND_ARRAY_LEN(tests), NULL, NULL);
}
