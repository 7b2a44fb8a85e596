/*
 * checks_effects.h: rows of t_checks.c's table of faults: what probes and the API's state show.
 * Sources: inode 5 is the namespace of web-1 on w1, and of coredns-1 on cp.
 */
#define PROBE(kind, source, addr, port, outcome, more)                                             \
	"{'kind':'" kind "','source':'" source "','addr':'" addr "','port':" port ",'outcome':'"   \
	outcome "','us':1000000" more "}"
#define SENT(node, probes) {node, "probe", NULL, "[" probes "]"}
#define UNSENT(node) {node, "probe", NULL, NULL}
#define DNS_NAME(name) ",'name':'" name "','rcode':0"
#define CRASHES "'waiting':{'reason':'CrashLoopBackOff'}"
#define CRASHING(ip)                                                                               \
	{API("pods"),                                                                              \
	 ip "'}]," READY ",'containerStatuses':[{'name':'c','ready':true,'restartCount':0,"        \
	    "'state':{" UP,                                                                        \
	 ip "'}]," READY ",'containerStatuses':[{'name':'c','ready':true,'restartCount':5,"        \
	    "'state':{" CRASHES}
#define API_SERVER                                                                                 \
	{API("services"), "'items':[",                                                             \
	 "'items':[{" META("default", "kubernetes") "},'spec':{'type':'ClusterIP',"                \
	 "'clusterIP':'10.96.0.1','ports':[{'name':'https','port':443,'protocol':'TCP',"           \
	 "'targetPort':6443}]}},"},                                                                \
	{API("endpointslices"), "'items':[",                                                       \
	 "'items':[" SLICE("default", "kubernetes", "172.18.0.2", "",                              \
			   "{'name':'https','port':6443,'protocol':'TCP'}") ","}

	{"pods on other nodes out of reach", KINDNET, "eff-pod-pod-cross-node-fail", "node/w1",
	 {SENT("w1", PROBE("tcp", "5", "10.244.0.2", "53", "TIMEOUT", ""))}, UNSENT("w1")},
	{"answered when asked again", KINDNET, NULL, NULL,
	 {SENT("w1", PROBE("tcp", "5", "10.244.0.2", "53", "TIMEOUT", "") ","
	       PROBE("tcp", "5", "10.244.0.2", "53", "ok", ""))}, {0}},
	{"the pod that asks has ended", KINDNET, NULL, NULL,
	 {SENT("w1", PROBE("tcp", "5", "10.244.0.2", "53", "GONE", ""))}, {0}},
	{"the probe could not be sent", KINDNET, NULL, NULL,
	 {SENT("w1", PROBE("tcp", "5", "10.244.0.2", "53", "ERROR", ",'errno':24"))}, {0}},
	{"the pod that is asked has ended", KINDNET, NULL, NULL,
	 {SENT("w1", PROBE("tcp", "5", "10.244.0.2", "53", "TIMEOUT", "")),
	  SENT("cp", PROBE("tcp", "5", "10.244.0.2", "53", "GONE", ""))}, {0}},
	{"the pod does not answer itself", KINDNET, "eff-app-fail", "pod/kube-system/coredns-1",
	 {SENT("w1", PROBE("tcp", "5", "10.244.0.2", "53", "REFUSED", "")),
	  SENT("cp", PROBE("tcp", "5", "10.244.0.2", "53", "REFUSED", ""))}, {0}},
	{"pods on one node", KINDNET, "eff-pod-pod-same-node-fail", "node/w1",
	 {{API("pods"), "'nodeName':'cp'", "'nodeName':'w1'"},
	  SENT("w1", PROBE("tcp", "5", "10.244.0.2", "53", "NOHOST", ""))}, UNSENT("w1")},
	{"node to its pod", KINDNET, "eff-node-pod-fail", "node/w1",
	 {SENT("w1", PROBE("tcp", "node", "10.244.1.2", "8080", "REFUSED", ""))}, UNSENT("w1")},
	{"a service", KINDNET, "eff-clusterip-fail", "service/default/web",
	 {SENT("cp", PROBE("tcp", "5", "10.96.1.1", "80", "TIMEOUT", ""))}, UNSENT("cp")},
	{"a pod and its own service", KINDNET, "eff-app-fail", "service/default/web",
	 {SENT("w1", PROBE("tcp", "5", "10.96.1.1", "80", "TIMEOUT", ""))}, UNSENT("w1")},
	{"hairpin off", FLANNEL, "hairpin-off", "pod/default/web-1",
	 {SENT("w1", PROBE("tcp", "5", "10.96.1.1", "80", "TIMEOUT", "")),
	  {W1("links"), "'mtu':1450,'master':'cni0','linkinfo':{'info_kind':'veth'",
	   "'mtu':1450,'master':'cni0','linkinfo':{'info_kind':'veth','info_slave_kind':'bridge',"
	   "'info_slave_data':{'hairpin':false}"}}, UNSENT("w1")},
	{"hairpin on", FLANNEL, "eff-app-fail", "service/default/web",
	 {SENT("w1", PROBE("tcp", "5", "10.96.1.1", "80", "TIMEOUT", "")),
	  {W1("links"), "'mtu':1450,'master':'cni0','linkinfo':{'info_kind':'veth'",
	   "'mtu':1450,'master':'cni0','linkinfo':{'info_kind':'veth','info_slave_kind':'bridge',"
	   "'info_slave_data':{'hairpin':true}"}}, {0}},
	{"nobody listens behind a service", KINDNET, "eff-conn-refused", "service/default/web",
	 {{W1("pods"), "'port':8080", "'port':9090"},
	  SENT("cp", PROBE("tcp", "5", "10.96.1.1", "80", "REFUSED", ""))}, {W1("pods"), NULL, NULL}},
	{"API server's service", KINDNET, "eff-api-vip-unreachable", "node/w1",
	 {API_SERVER, SENT("w1", PROBE("tcp", "5", "10.96.0.1", "443", "TIMEOUT", ""))}, UNSENT("w1")},
	{"pods and the API server's node", KINDNET, "eff-egress-fail", "node/w1",
	 {API_SERVER, SENT("w1", PROBE("tcp", "5", "172.18.0.2", "6443", "TIMEOUT", ""))}, UNSENT("w1")},
	{"node and the API server's node", KINDNET, "eff-node-node-fail", "node/w1",
	 {API_SERVER, SENT("w1", PROBE("tcp", "node", "172.18.0.2", "6443", "NOHOST", ""))}, UNSENT("w1")},
	{"cluster DNS", KINDNET, "eff-dns-cluster-fail", "node/w1",
	 {SENT("w1", PROBE("dns-udp", "5", "10.96.0.10", "53", "TIMEOUT",
			   DNS_NAME("kubernetes.default.svc.cluster.local.")))}, UNSENT("w1")},
	{"DNS of the world", KINDNET, "eff-dns-external-fail", "node/w1",
	 {SENT("w1", PROBE("dns-udp", "5", "10.96.0.10", "53", "SERVFAIL", DNS_NAME("example.com.")))},
	 UNSENT("w1")},
	{"a node port", KINDNET, "eff-external-access-fail", "service/default/web",
	 {{API("services"), "'type':'ClusterIP','selector'", "'type':'NodePort','selector'"},
	  {API("services"), "'port':80,", "'port':80,'nodePort':30080,"},
	  SENT("cp", PROBE("tcp", "node", "172.18.0.3", "30080", "TIMEOUT", ""))}, UNSENT("cp")},
	{"large packets vanish", KINDNET, "eff-large-transfer-stall", "node/w1",
	 {SENT("w1", PROBE("pmtu", "5", "10.244.0.2", "0", "ok", ",'mtu':1400"))}, UNSENT("w1")},
	{"large packets are told of", KINDNET, NULL, NULL,
	 {SENT("w1", PROBE("pmtu", "5", "10.244.0.2", "0", "ok", ",'mtu':1400,'hop':'172.18.0.2'"))}, {0}},
	{"a transfer stops", KINDNET, "eff-large-transfer-stall", "node/w1",
	 {SENT("w1", PROBE("bulk", "5", "10.244.0.2", "80", "STALL", ",'bytes':4096"))}, {0}},
	{"now and then", KINDNET, "eff-intermittent-timeout", "node/w1",
	 {SENT("w1", PROBE("tcp", "5", "10.244.0.2", "1", "TIMEOUT", "") ","
	       PROBE("tcp", "5", "10.244.0.2", "2", "TIMEOUT", "") ","
	       PROBE("tcp", "5", "10.244.0.2", "3", "TIMEOUT", "") ","
	       PROBE("tcp", "5", "10.244.0.2", "1", "ok", "") ","
	       PROBE("tcp", "5", "10.244.0.2", "2", "ok", "") ","
	       PROBE("tcp", "5", "10.244.0.2", "3", "ok", ""))}, UNSENT("w1")},
	{"a node is not ready", KINDNET, "eff-node-notready", "node/w1",
	 {{NOT_READY("no disk")}}, {API("nodes"), NULL, NULL}},
	{"CoreDNS crashes", KINDNET, "eff-coredns-crashloop", "pod/kube-system/coredns-1",
	 {CRASHING("10.244.0.2")}, {API("pods"), NULL, NULL}},
	{"kube-proxy crashes", KINDNET, "eff-kubeproxy-crashloop", "pod/kube-system/kube-proxy-1",
	 {CRASHING("172.18.0.2")}, {API("pods"), NULL, NULL}},
	{"the CNI's pod crashes", KINDNET, "eff-cni-crashloop", "pod/kube-system/coredns-1",
	 {CRASHING("10.244.0.2"),
	  {API("pods"), "'name':'coredns-1','uid':'coredns-1'",
	   "'name':'coredns-1','uid':'coredns-1','ownerReferences':[{'kind':'DaemonSet','name':'kindnet',"
	   "'controller':true}]"}}, {API("daemonsets"), NULL, NULL}},
	{"no sandbox", KINDNET, "eff-pod-sandbox-fail", "pod/default/web-1",
	 {{API("pods"), "'phase':'Running','podIPs':[{'ip':'10.244.1.2'",
	   "'phase':'Pending','podIPs':[{'ip':'10.244.1.2'"},
	  {API("events"), "'items':[]", "'items':[{" META("default", "e1") "},'involvedObject':{'kind':'Pod',"
	   "'namespace':'default','name':'web-1','uid':'web-1'},'reason':'FailedCreatePodSandBox',"
	   "'message':'plugin failed'}]"}}, {API("events"), NULL, NULL}},
	{"no sandbox, long ago", KINDNET, NULL, NULL,
	 {{API("events"), "'items':[]", "'items':[{" META("default", "e1") "},'involvedObject':{'kind':'Pod',"
	   "'namespace':'default','name':'web-1','uid':'web-1'},'reason':'FailedCreatePodSandBox',"
	   "'message':'plugin failed'}]"}}, {0}},
