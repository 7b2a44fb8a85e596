/*
 * checks_outside.h: rows of t_checks.c's table of faults: services that shut somebody out. The
 * only endpoint of default/web is on w1; 7 packets were dropped where a rule says so.
 */
#define IN_CHAIN(node, hook, chain, counter, rule)                                                 \
	{node, "iptables", ":KUBE-FORWARD - [0:0]\n",                                              \
	 ":KUBE-FORWARD - [0:0]\n:" chain " - [0:0]\n[9:540] -A " hook " -j " chain "\n" counter   \
	 " -A " chain " " rule "\n"}
#define WEB_TYPE(type) {API("services"), "'type':'ClusterIP','selector':{'app':'web'}", type}
#define WEB_PORT {API("services"), "'port':80,", "'port':80,'nodePort':30080,"}
#define WEB_ADDRESS                                                                                \
	{API("services"), "'targetPort':8080}]}}",                                                 \
	 "'targetPort':8080}]},'status':{'loadBalancer':{'ingress':[{'ip':'203.0.113.9'}]}}}"}
#define ITP "'type':'ClusterIP','internalTrafficPolicy':'Local','selector':{'app':'web'}"
#define ETP(type) "'type':'" type "','externalTrafficPolicy':'Local','selector':{'app':'web'}"
#define RANGES                                                                                     \
	"'type':'LoadBalancer','loadBalancerSourceRanges':['198.51.100.0/24'],'selector':{'app':'web'}"
#define NOT_IN(node, counter)                                                                      \
	IN_CHAIN(node, "FORWARD", "KUBE-SERVICES", counter,                                        \
		 "-d 10.96.1.1/32 -p tcp -m tcp --dport 80 -j DROP")
#define NOT_FROM_OUTSIDE(counter)                                                                  \
	IN_CHAIN("cp", "INPUT", "KUBE-EXTERNAL-SERVICES", counter,                                 \
		 "-p tcp -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j DROP")
#define NOT_FOR_ALL(counter)                                                                       \
	IN_CHAIN("w1", "FORWARD", "KUBE-PROXY-FIREWALL", counter,                                  \
		 "-d 203.0.113.9/32 -p tcp -m tcp --dport 80 -j DROP")
#define CP_HAS_NO_WEB {"cp", "iptables", WEB_RULE, ""}
#define CP_IS_WORKER {API("nodes"), "node-role.kubernetes.io/control-plane", "x"}
#define OWNED_BY_DAEMONSET                                                                         \
	{API("pods"), "'name':'web-1','uid':'web-1'",                                              \
	 "'name':'web-1','uid':'web-1','ownerReferences':[{'kind':'DaemonSet','name':'web',"       \
	 "'controller':true}]"}
#define TO_BALANCER SENT("w1", PROBE("tcp", "5", "203.0.113.9", "80", "TIMEOUT", ""))

	{"Local, and clients elsewhere", KINDNET, "svc-itp-local", "service/default/web",
	 {WEB_TYPE(ITP), CP_HAS_NO_WEB, NOT_IN("cp", "[7:420]")}, {"cp", "iptables", NULL, NULL}},
	{"Local, and no client known elsewhere", KINDNET, NULL, NULL,
	 {WEB_TYPE(ITP), CP_HAS_NO_WEB, NOT_IN("cp", "[0:0]")}, {0}},
	{"Local, and a neighbour elsewhere", KINDNET, "svc-itp-local", "service/default/web",
	 {WEB_TYPE(ITP), CP_HAS_NO_WEB, NOT_IN("cp", "[0:0]"),
	  {API("pods"), "'namespace':'kube-system','name':'coredns-1'",
	   "'namespace':'default','name':'coredns-1'"}}, {API("endpointslices"), NULL, NULL}},
	{"Local, of a DaemonSet, and a neighbour elsewhere", KINDNET, NULL, NULL,
	 {WEB_TYPE(ITP), CP_HAS_NO_WEB, NOT_IN("cp", "[0:0]"),
	  {API("pods"), "'namespace':'kube-system','name':'coredns-1'",
	   "'namespace':'default','name':'coredns-1'"}, OWNED_BY_DAEMONSET}, {0}},
	{"Local, and rules that are late", KINDNET, NULL, NULL,
	 {WEB_TYPE(ITP), {"w1", "iptables", WEB_RULE, ""}, NOT_IN("w1", "[7:420]")}, {0}},
	{"Local, and asked in vain", KINDNET, "svc-itp-local", "service/default/web",
	 {WEB_TYPE(ITP), CP_HAS_NO_WEB, NOT_IN("cp", "[0:0]"), OWNED_BY_DAEMONSET,
	  SENT("cp", PROBE("tcp", "5", "10.96.1.1", "80", "TIMEOUT", ""))}, {0}},
	{"Local to the outside, and somebody asks", KINDNET, "svc-etp-local", "service/default/web",
	 {CP_IS_WORKER, WEB_TYPE(ETP("NodePort")), WEB_PORT, NOT_FROM_OUTSIDE("[7:420]")},
	 {"cp", "iptables", NULL, NULL}},
	{"Local to the outside, and nobody asks", KINDNET, NULL, NULL,
	 {CP_IS_WORKER, WEB_TYPE(ETP("NodePort")), WEB_PORT, NOT_FROM_OUTSIDE("[0:0]")}, {0}},
	{"Local to the outside, of a DaemonSet", KINDNET, NULL, NULL,
	 {CP_IS_WORKER, WEB_TYPE(ETP("NodePort")), WEB_PORT, NOT_FROM_OUTSIDE("[7:420]"),
	  OWNED_BY_DAEMONSET}, {0}},
	{"Local to the outside, not on the control plane", KINDNET, NULL, NULL,
	 {WEB_TYPE(ETP("NodePort")), WEB_PORT, NOT_FROM_OUTSIDE("[7:420]")}, {0}},
	{"Local to the outside, behind a load balancer", KINDNET, NULL, NULL,
	 {CP_IS_WORKER, WEB_TYPE(ETP("LoadBalancer")), WEB_PORT, WEB_ADDRESS,
	  NOT_FROM_OUTSIDE("[7:420]")}, {0}},
	{"Local to the outside, asked in vain", KINDNET, "svc-etp-local", "service/default/web",
	 {WEB_TYPE(ETP("NodePort")), WEB_PORT, NOT_FROM_OUTSIDE("[0:0]"), OWNED_BY_DAEMONSET,
	  SENT("w1", PROBE("tcp", "node", "172.18.0.2", "30080", "TIMEOUT", ""))}, {0}},
	{"ranges without pods", KINDNET, "ext-source-ranges", "service/default/web",
	 {WEB_TYPE(RANGES), WEB_ADDRESS, NOT_FOR_ALL("[0:0]"), TO_BALANCER},
	 {W1("iptables"), NULL, NULL}},
	{"ranges that keep somebody out", KINDNET, NULL, NULL,
	 {WEB_TYPE(RANGES), WEB_ADDRESS, NOT_FOR_ALL("[7:420]")}, {0}},
