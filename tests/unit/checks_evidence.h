/*
 * checks_evidence.h: a small healthy cluster as evidence, once with kindnet and once with flannel.
 * JSON is written with ' for ", which is put right when it is fed. Nodes: cp and w1.
 */
#ifndef ND_TESTS_UNIT_CHECKS_EVIDENCE_H
#define ND_TESTS_UNIT_CHECKS_EVIDENCE_H

#include "plugin/evidence/item.h"

enum base { BOTH, KINDNET, FLANNEL };
struct evidence {
	enum base base; /* which cluster it is part of */
	enum nd_item_kind kind;
	const char *node, *name, *text;
};

#define META(ns, name) "'metadata':{'namespace':'" ns "','name':'" name "','uid':'" name "'"
#define READY "'conditions':[{'type':'Ready','status':'True'}]"
#define NODE(name, role, cidr, ip, more)                                                           \
	"{'metadata':{'name':'" name "','labels':{'node-role.kubernetes.io/" role "':''}" more     \
	"},'spec':{'podCIDR':'" cidr                                                               \
	"','podCIDRs':['" cidr "'],'providerID':'kind://docker/nd/" name                           \
	"'},'status':{'addresses':[{'type':'InternalIP','address':'" ip "'}]," READY "}}"
#define VXLAN(mac, ip)                                                                             \
	",'annotations':{'flannel.alpha.coreos.com/backend-type':'vxlan',"                         \
	"'flannel.alpha.coreos.com/public-ip':'" ip "','flannel.alpha.coreos.com/backend-data':"   \
	"'{\\'VNI\\':1,\\'VtepMAC\\':\\'" mac "\\'}'}"
#define POD(ns, name, labels, node, more, ip, state)                                               \
	"{" META(ns, name) ",'labels':{" labels "}},'spec':{'nodeName':'" node "'" more            \
			   ",'containers':[{'name':'c','image':'img:1','ports':[{'containerPort':" \
			   "8080}]}]},"                                                            \
			   "'status':{'phase':'Running','podIPs':[{'ip':'" ip "'}]," READY         \
			   ",'containerStatuses':[{'name':'c','ready':true,'restartCount':0,'"     \
			   "state':{" state "}}]}}"
#define UP "'running':{}"
#define SLICE(ns, service, ip, ref, ports)                                                         \
	"{" META(ns, service "-x") ",'labels':{'kubernetes.io/service-name':'" service             \
				   "'}},'addressType':'IPv4','endpoints':[{'addresses':['" ip      \
				   "'],'conditions':{'ready':true}" ref "}],'ports':[" ports "]}"
#define DS(name)                                                                                   \
	"{" META("kube-system",                                                                    \
		 name) "},'spec':{'selector':{'matchLabels':{'app':'" name                         \
		       "'}},'template':{'metadata':{'labels':{'app':'" name                        \
		       "'}},'spec':{'containers':[{'name':'c','image':'" name                      \
		       ":1'}]}}},'status':{'desiredNumberScheduled':2,'numberReady':2}}"
#define DEPLOYMENT(ns, name, label, value)                                                         \
	"{" META(ns, name) "},'spec':{'replicas':1,'selector':{'matchLabels':{'" label "':'" value \
			   "'}},'template':{'metadata':{'labels':{'" label "':'" value             \
			   "'}},'spec':{'containers':[{'name':'c','image':'img:1'}]}}},'status':{" \
			   "'readyReplicas':1}}"

#define LINK(index, name, up, more)                                                                \
	"{'ifindex':" index ",'ifname':'" name "','flags':[" up "]," more "}"
#define ROUTE(type, dst, more)                                                                     \
	"{'type':'" type "','dst':'" dst "'," more "'table':'main','family':'inet'}"
#define LOCAL(dst, dev)                                                                            \
	"{'type':'local','dst':'" dst "','dev':'" dev                                              \
	"','scope':'host','table':'local','family':'inet'}"
#define ADDR(dev, ip, len)                                                                         \
	"{'ifindex':9,'ifname':'" dev "','addr_info':[{'family':'inet','local':'" ip               \
	"','prefixlen':" len ",'scope':'global'}]}"
#define BIN(name, mode) "{'name':'" name "','mode':'" mode "','size':9,'elf_machine':62}"
/* net: "10.244.1". The other end of its eth0 is veth1 of the node. */
#define LO LINK("1", "lo", "'LOOPBACK','UP'", "'mtu':65536")
#define NETNS(uid, net, mtu, port)                                                                 \
	"[{'uids':['" uid "'],'netns_inode':5,'pid':7,'is_host_network':false,'links':[" LO        \
	"," LINK("2", "eth0", "'UP'",                                                              \
		 "'mtu':" mtu ",'link_index':4,'linkinfo':{'info_kind':'veth'}") "],'addrs':["     \
	ADDR("eth0", net ".2", "24") "],'routes':["                                                \
	ROUTE("unicast", "default", "'gateway':'" net ".1','dev':'eth0',") ","                     \
	ROUTE("unicast", net ".1", "'dev':'eth0','scope':'link',") ","                             \
	LOCAL(net ".2", "eth0") "],'sockets':[{'proto':'tcp6','addr':'::','port':" port            \
	"},{'proto':'udp6','addr':'::','port':" port "}]}]"

#define KUBE_NAT                                                                                   \
	":KUBE-SERVICES - [0:0]\n:KUBE-SVC-WEB - [0:0]\n:KUBE-SEP-WEB - [0:0]\n"                   \
	":KUBE-SVC-DNS - [0:0]\n:KUBE-SEP-DNS - [0:0]\n:KUBE-SVC-TCP - [0:0]\n"                    \
	":KUBE-SEP-TCP - [0:0]\n:KUBE-POSTROUTING - [0:0]\n:KUBE-MARK-MASQ - [0:0]\n"              \
	"[0:0] -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n"                              \
	"[0:0] -A PREROUTING -j KUBE-SERVICES\n[0:0] -A OUTPUT -j KUBE-SERVICES\n"                 \
	"[0:0] -A POSTROUTING -j KUBE-POSTROUTING\n"                                               \
	"[0:0] -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n"                     \
	"[0:0] -A KUBE-POSTROUTING -j MASQUERADE\n"                                                \
	"[0:0] -A KUBE-SERVICES -d 10.96.1.1/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-WEB\n"        \
	"[0:0] -A KUBE-SVC-WEB -j KUBE-SEP-WEB\n"                                                  \
	"[0:0] -A KUBE-SEP-WEB -s 10.244.1.2/32 -j KUBE-MARK-MASQ\n"                                 \
	"[0:0] -A KUBE-SEP-WEB -p tcp -m tcp -j DNAT --to-destination 10.244.1.2:8080\n"         \
	"[0:0] -A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m udp --dport 53 -j KUBE-SVC-DNS\n"       \
	"[0:0] -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m tcp --dport 53 -j KUBE-SVC-TCP\n"       \
	"[0:0] -A KUBE-SVC-DNS -j KUBE-SEP-DNS\n[0:0] -A KUBE-SVC-TCP -j KUBE-SEP-TCP\n"           \
	"[0:0] -A KUBE-SEP-DNS -s 10.244.0.2/32 -j KUBE-MARK-MASQ\n"                                 \
	"[0:0] -A KUBE-SEP-DNS -p udp -m udp -j DNAT --to-destination 10.244.0.2:53\n"             \
	"[0:0] -A KUBE-SEP-TCP -s 10.244.0.2/32 -j KUBE-MARK-MASQ\n"                                 \
	"[0:0] -A KUBE-SEP-TCP -p tcp -m tcp -j DNAT --to-destination 10.244.0.2:53\n"
#define KUBE_FILTER                                                                                \
	":KUBE-FIREWALL - [0:0]\n:KUBE-FORWARD - [0:0]\n"                                          \
	"[0:0] -A INPUT -j KUBE-FIREWALL\n[0:0] -A FORWARD -j KUBE-FORWARD\n"                      \
	"[0:0] -A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate "         \
	"RELATED,ESTABLISHED,DNAT -j DROP\n"                                                       \
	"[0:0] -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n"                           \
	"[0:0] -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT\n"                           \
	"[0:0] -A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
#define FILTER_BASE ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
#define NAT_BASE                                                                                   \
	":PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"                    \
	":POSTROUTING ACCEPT [0:0]\n"
#define NFT_DUMP(nat, filter)                                                                      \
	"# netdoctor backend=nft family=4\n*nat\n" NAT_BASE KUBE_NAT nat "COMMIT\n*mangle\n"       \
	":PREROUTING ACCEPT [0:0]\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n*filter\n" FILTER_BASE     \
		KUBE_FILTER filter "COMMIT\n"
#define LEGACY_DUMP(policy)                                                                        \
	"# netdoctor backend=legacy family=4\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD " policy      \
	" [6:504]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
#define KIND_MASQ                                                                                  \
	":KIND-MASQ-AGENT - [0:0]\n"                                                               \
	"[0:0] -A POSTROUTING -m addrtype ! --dst-type LOCAL -j KIND-MASQ-AGENT\n"                 \
	"[0:0] -A KIND-MASQ-AGENT -d 10.244.0.0/16 -j RETURN\n"                                    \
	"[0:0] -A KIND-MASQ-AGENT -j MASQUERADE\n"
#define FLANNEL_MASQ                                                                               \
	":FLANNEL-POSTRTG - [0:0]\n[0:0] -A POSTROUTING -j FLANNEL-POSTRTG\n"                      \
	"[0:0] -A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE\n"
#define FLANNEL_FWD                                                                                \
	":FLANNEL-FWD - [0:0]\n[0:0] -A FORWARD -j FLANNEL-FWD\n"                                  \
	"[0:0] -A FLANNEL-FWD -s 10.244.0.0/16 -j ACCEPT\n"                                        \
	"[0:0] -A FLANNEL-FWD -d 10.244.0.0/16 -j ACCEPT\n"

#define SYSCTLS                                                                                    \
	"counter.Ip.InAddrErrors = 54\nnet.ipv4.conf.all.arp_ignore = 0\n"                         \
	"net.ipv4.conf.all.rp_filter = 0\nnet.ipv4.conf.eth0.forwarding = 1\n"                     \
	"net.ipv4.conf.eth0.rp_filter = 0\nnet.ipv4.conf.flannel/1.rp_filter = 0\n"                \
	"net.ipv4.ip_forward = 1\n"
#define UNITS                                                                                      \
	"[{'unit':'kubelet','pids':[10],'is_installed':true},"                                     \
	"{'unit':'containerd','pids':[11],'is_installed':true}]"
#define KUBELET                                                                                    \
	"[{'path':'/var/lib/kubelet/config.yaml','content':'clusterDNS:\\n- 10.96.0.10\\n"         \
	"clusterDomain: cluster.local\\n'},"                                                       \
	"{'path':'/run/flannel/subnet.env','content':'FLANNEL_IPMASQ=true\\n'}]"
#define NO_NFT "{'nftables':[]}"
#define ALWAYS(node, name, text)                                                                   \
	{                                                                                          \
		BOTH, ND_ITEM_SECTION, node, name, text                                            \
	}
#define SECTION(base, node, name, text)                                                            \
	{                                                                                          \
		base, ND_ITEM_SECTION, node, name, text                                            \
	}
#define LIST(base, name, text)                                                                     \
	{                                                                                          \
		base, ND_ITEM_API, NULL, name, "{'items':[" text "]}"                              \
	}

static const struct evidence healthy[] = {
	LIST(KINDNET, "nodes",
	     NODE("cp", "control-plane", "10.244.0.0/24", "172.18.0.2", "") "," NODE("w1", "worker", "10.244.1.0/24",
								    "172.18.0.3", "")),
	LIST(FLANNEL, "nodes",
	     NODE("cp", "control-plane", "10.244.0.0/24", "172.18.0.2",
		  VXLAN("aa:00:00:00:00:01",
			"172.18.0.2")) "," NODE("w1", "worker", "10.244.1.0/24", "172.18.0.3",
						VXLAN("aa:00:00:00:00:02", "172.18.0.3"))),
	LIST(BOTH, "pods",
	     POD("default", "web-1", "'app':'web'", "w1", "", "10.244.1.2", UP) "," POD(
		     "kube-system", "coredns-1", "'k8s-app':'kube-dns'", "cp", "", "10.244.0.2",
		     UP) "," POD("kube-system", "kube-proxy-1", "'k8s-app':'kube-proxy'", "cp",
				 ",'hostNetwork':true", "172.18.0.2",
				 UP) "," POD("kube-system", "kube-proxy-2",
					     "'k8s-app':'kube-proxy'", "w1", ",'hostNetwork':true",
					     "172.18.0.3", "'running':{'of':'w1'}")),
	LIST(BOTH, "services",
	     "{" META("default",
		      "web") "},'spec':{'clusterIP':'10.96.1.1',"
			     "'type':'ClusterIP','selector':{'app':'web'},'ports':[{'port':80,'"
			     "protocol':'TCP',"
			     "'targetPort':8080}]}},{" META(
				     "kube-system",
				     "kube-dns") "},'spec':{'type':"
						 "'ClusterIP','clusterIP':'10.96.0.10','selector':{"
						 "'k8s-app':'kube-dns'},'ports':["
						 "{'name':'dns','port':53,'protocol':'UDP','"
						 "targetPort':53},"
						 "{'name':'tcp','port':53,'protocol':'TCP','"
						 "targetPort':53}]}}"),
	LIST(BOTH, "endpointslices",
	     SLICE("default", "web", "10.244.1.2",
		   ",'nodeName':'w1','targetRef':{'kind':'Pod','namespace':'default','name':'web-1'"
		   "}",
		   "{'name':'','port':8080,'protocol':'TCP'}") "," SLICE("kube-system", "kube-dns",
									 "10.244.0.2",
									 ",'nodeName':'cp'",
									 "{'name':'dns','port':53,'"
									 "protocol':'UDP'},"
									 "{'name':'tcp','port':53,'"
									 "protocol':'TCP'}")),
	LIST(KINDNET, "daemonsets", DS("kindnet") "," DS("kube-proxy")),
	LIST(FLANNEL, "daemonsets", DS("kube-flannel-ds") "," DS("kube-proxy")),
	LIST(BOTH, "deployments",
	     DEPLOYMENT("default", "web", "app", "web") "," DEPLOYMENT("kube-system", "coredns",
								       "k8s-app", "kube-dns")),
	LIST(BOTH, "events", ""),
	LIST(BOTH, "networkpolicies", ""),
	LIST(BOTH, "namespaces", ""),
	LIST(BOTH, "configmap-kube-proxy",
	     "{" META("kube-system", "kube-proxy") "},'data':{'config.conf':'clusterCIDR: "
						   "10.244.0.0/16\\nmode: iptables\\n'}}"),
	{BOTH, ND_ITEM_HOST, NULL, "containers",
	 "{'Names':'cp','State':'running','Status':'Up','Labels':'io.x-k8s.kind.role=control-plane'"
	 "}\n"
	 "{'Names':'w1','State':'running','Status':'Up','Labels':'io.x-k8s.kind.role=worker'}\n"},
	ALWAYS("cp", "host", "{'time_unix_s':1767225700}"),
	ALWAYS("w1", "host", "{'time_unix_s':1767225700}"),
	ALWAYS("cp", "sysctls", SYSCTLS),
	ALWAYS("w1", "sysctls", SYSCTLS),
	ALWAYS("cp", "units", UNITS),
	ALWAYS("w1", "units", UNITS),
	ALWAYS("cp", "files", KUBELET),
	ALWAYS("w1", "files", KUBELET),
	ALWAYS("cp", "nft", NO_NFT),
	ALWAYS("w1", "nft", NO_NFT),
	ALWAYS("cp", "probe", "[]"),
	ALWAYS("w1", "probe", "[]"),
	ALWAYS("cp", "pods", NETNS("coredns-1", "10.244.0", "1450", "53")),
	ALWAYS("w1", "pods", NETNS("web-1", "10.244.1", "1450", "8080")),
#define LISTENS(port) "{'proto':'tcp6','addr':'::','port':" port "}"
	ALWAYS("cp", "sockets", "[" LISTENS("6443") "," LISTENS("10250") "]"),
	ALWAYS("w1", "sockets", "[" LISTENS("10250") "]"),
	SECTION(KINDNET, "cp", "addrs",
		"[" ADDR("eth0", "172.18.0.2", "16") "," ADDR("veth1", "10.244.0.1", "32") "]"),
	SECTION(KINDNET, "w1", "addrs",
		"[" ADDR("eth0", "172.18.0.3", "16") "," ADDR("veth1", "10.244.1.1", "32") "]"),
	SECTION(FLANNEL, "cp", "addrs",
		"[" ADDR("eth0", "172.18.0.2", "16") "," ADDR("cni0", "10.244.0.1", "24") ","
		ADDR("flannel.1", "10.244.0.0", "32") "]"),
	SECTION(FLANNEL, "w1", "addrs",
		"[" ADDR("eth0", "172.18.0.3", "16") "," ADDR("cni0", "10.244.1.1", "24") ","
		ADDR("flannel.1", "10.244.1.0", "32") "]"),
#define ETH0 LINK("3", "eth0", "'UP'", "'mtu':1500")
#define VETH LINK("4", "veth1", "'UP'", "'mtu':1450,'link_index':2,'linkinfo':{'info_kind':'veth'}")
#define BRIDGE(ip)                                                                                 \
	LINK("5", "cni0", "'UP'", "'mtu':1450,'linkinfo':{'info_kind':'bridge'}")                  \
	"," LINK("4", "veth1", "'UP'",                                                             \
		 "'link_index':2,'mtu':1450,'master':'cni0','linkinfo':{'info_kind':'veth'}")      \
	"," LINK("6", "flannel.1", "'UP'",                                                         \
		 "'mtu':1450,'linkinfo':{'info_kind':'vxlan','info_data':{'id':1,'port':8472,"     \
		 "'local':'" ip "'}}")
	SECTION(KINDNET, "cp", "links", "[" LO "," ETH0 "," VETH "]"),
	SECTION(KINDNET, "w1", "links", "[" LO "," ETH0 "," VETH "]"),
	SECTION(FLANNEL, "cp", "links", "[" LO "," ETH0 "," BRIDGE("172.18.0.2") "]"),
	SECTION(FLANNEL, "w1", "links", "[" LO "," ETH0 "," BRIDGE("172.18.0.3") "]"),
#define DEFAULT ROUTE("unicast", "default", "'gateway':'172.18.0.1','dev':'eth0',")
#define OWN(ip, gateway, dev)                                                                      \
	ROUTE("unicast", "172.18.0.0/16", "'dev':'eth0','scope':'link','prefsrc':'" ip "',")       \
	"," LOCAL(ip, "eth0") "," LOCAL(gateway, dev) "," LOCAL("127.0.0.0/8", "lo")
	SECTION(KINDNET, "cp", "routes",
		"[" DEFAULT "," ROUTE("unicast", "10.244.0.2", "'dev':'veth1','scope':'host',") ","
		ROUTE("unicast", "10.244.1.0/24", "'gateway':'172.18.0.3','dev':'eth0',") ","
		OWN("172.18.0.2", "10.244.0.1", "veth1") "]"),
	SECTION(KINDNET, "w1", "routes",
		"[" DEFAULT "," ROUTE("unicast", "10.244.1.2", "'dev':'veth1','scope':'host',") ","
		ROUTE("unicast", "10.244.0.0/24", "'gateway':'172.18.0.2','dev':'eth0',") ","
		OWN("172.18.0.3", "10.244.1.1", "veth1") "]"),
	SECTION(FLANNEL, "cp", "routes",
		"[" DEFAULT "," ROUTE("unicast", "10.244.0.0/24", "'dev':'cni0','scope':'link',") ","
		ROUTE("unicast", "10.244.1.0/24", "'gateway':'10.244.1.0','dev':'flannel.1',") ","
		OWN("172.18.0.2", "10.244.0.1", "cni0") "," LOCAL("10.244.0.0", "flannel.1") "]"),
	SECTION(FLANNEL, "w1", "routes",
		"[" DEFAULT "," ROUTE("unicast", "10.244.1.0/24", "'dev':'cni0','scope':'link',") ","
		ROUTE("unicast", "10.244.0.0/24", "'gateway':'10.244.0.0','dev':'flannel.1',") ","
		OWN("172.18.0.3", "10.244.1.1", "cni0") "," LOCAL("10.244.1.0", "flannel.1") "]"),
#define NEIGH(ip, mac)                                                                             \
	"[{'dst':'" ip "','dev':'flannel.1','lladdr':'" mac "','state':['PERMANENT'],"             \
	"'family':'inet'}]"
	SECTION(FLANNEL, "cp", "neigh", NEIGH("10.244.1.0", "aa:00:00:00:00:02")),
	SECTION(FLANNEL, "w1", "neigh", NEIGH("10.244.0.0", "aa:00:00:00:00:01")),
#define FDB(mac, ip) "[{'mac':'" mac "','ifname':'flannel.1','dst':'" ip "','flags':['self']}]"
	SECTION(FLANNEL, "cp", "fdb", FDB("aa:00:00:00:00:02", "172.18.0.3")),
	SECTION(FLANNEL, "w1", "fdb", FDB("aa:00:00:00:00:01", "172.18.0.2")),
#define CNI(file, type)                                                                            \
	"{'conf_dir':'/etc/cni/net.d','conf_dir_exists':true,'conf':[{'name':'" file               \
	"','content':'{\\'name\\':\\'n\\',\\'plugins\\':[{\\'type\\':\\'" type                     \
	"\\',\\'ipam\\':{\\'type\\':\\'host-local\\'}}]}'}],'bin_dir':'/opt/cni/bin',"             \
	"'bin_dir_exists':true,'bin':[" BIN(type, "0755") "," BIN("host-local", "0755") "]}"
	SECTION(KINDNET, "cp", "cni", CNI("10-kindnet.conflist", "ptp")),
	SECTION(KINDNET, "w1", "cni", CNI("10-kindnet.conflist", "ptp")),
	SECTION(FLANNEL, "cp", "cni", CNI("10-flannel.conflist", "bridge")),
	SECTION(FLANNEL, "w1", "cni", CNI("10-flannel.conflist", "bridge")),
	SECTION(KINDNET, "cp", "iptables", NFT_DUMP(KIND_MASQ, "")),
	SECTION(KINDNET, "w1", "iptables", NFT_DUMP(KIND_MASQ, "")),
	SECTION(FLANNEL, "cp", "iptables", NFT_DUMP(FLANNEL_MASQ, FLANNEL_FWD)),
	SECTION(FLANNEL, "w1", "iptables", NFT_DUMP(FLANNEL_MASQ, FLANNEL_FWD)),
};

#endif
