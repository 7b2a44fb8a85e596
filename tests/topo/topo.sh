#!/bin/bash
# topo.sh: sourced by run.sh. Two nodes whose pods hang on a bridge and reach each other over VXLAN (as flannel makes it), one
# node whose pods have a veth and host routes of their own (as kindnet makes it), and the network between them.
#
#   u    172.30.0.1    the network: a bridge, a host outside the cluster, and the nodes' default route, which leads nowhere
#   n1   172.30.0.2    cni0 10.244.1.1/24, flannel.1 10.244.1.0    p1a 10.244.1.2   p1b 10.244.1.3
#   n2   172.30.0.3    cni0 10.244.2.1/24, flannel.1 10.244.2.0    p2a 10.244.2.2
#   n3   172.30.0.4    10.244.3.1/32 on each veth                  p3a 10.244.3.2   p3b 10.244.3.3
#
# Everything is in network namespaces whose names begin with $topo; nothing is made in the machine's own.
# topo_up builds, topo_down removes whatever is there. Node and pod names are commands: `n1 ip route` runs in n1.

topo=nd$$-
topo_spaces=(u n1 n2 n3 p1a p1b p2a p3a p3b)
topo_pids=()
topo_cgroup=
topo_held=
topo_clusters=10.244.0.0/16

u() { nsenter --net="/run/netns/${topo}u" -- "$@"; }
n1() { nsenter --net="/run/netns/${topo}n1" -- "$@"; }
n2() { nsenter --net="/run/netns/${topo}n2" -- "$@"; }
n3() { nsenter --net="/run/netns/${topo}n3" -- "$@"; }
p1a() { nsenter --net="/run/netns/${topo}p1a" -- "$@"; }
p1b() { nsenter --net="/run/netns/${topo}p1b" -- "$@"; }
p2a() { nsenter --net="/run/netns/${topo}p2a" -- "$@"; }
p3a() { nsenter --net="/run/netns/${topo}p3a" -- "$@"; }
p3b() { nsenter --net="/run/netns/${topo}p3b" -- "$@"; }

# A new namespace begins with what the machine has set.
plain_sysctls() { # SPACE
	"$1" sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.default.arp_ignore=0 net.ipv4.conf.all.route_localnet=0 \
		net.bridge.bridge-nf-call-iptables=0
}

# What kind sets in its nodes. So that a row cannot spoil the next ICMP errors are not rationed, and ended connections are
# forgotten: a source port that comes again would be translated as before, whatever the rules say by then.
node_sysctls() { # NODE
	"$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1 \
		net.ipv4.icmp_ratemask=0 net.netfilter.nf_conntrack_udp_timeout=1 net.netfilter.nf_conntrack_tcp_timeout_time_wait=1
	"$1" sysctl -qw net.bridge.bridge-nf-call-iptables=1
}

node_up() { # NODE NUMBER: the node and its leg to u
	local addr=172.30.0.$(($2 + 1))
	"$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
	ip -n "$topo$1" link add eth0 type veth peer name "to-$1" netns "${topo}u"
	ip -n "$topo$1" addr add "$addr/16" dev eth0
	ip -n "$topo$1" link set eth0 up
	ip -n "${topo}u" link set "to-$1" master br0 up
	ip -n "$topo$1" route add default via 172.30.0.1
}

bridge_up() { # NODE NUMBER
	# an address of its own, as the bridge plugin sets it: else it changes with the ports
	ip -n "$topo$1" link add cni0 address "02:00:00:00:02:0$2" mtu 1450 type bridge
	ip -n "$topo$1" addr add "10.244.$2.1/24" dev cni0
	ip -n "$topo$1" link set cni0 up
}

bridge_pod() { # NODE NUMBER POD HOST
	ip -n "$topo$3" link add eth0 mtu 1450 type veth peer name "veth-$3" mtu 1450 netns "$topo$1"
	ip -n "$topo$1" link set "veth-$3" master cni0 up
	bridge -n "$topo$1" link set dev "veth-$3" hairpin on
	ip -n "$topo$3" addr add "10.244.$2.$4/24" dev eth0
	ip -n "$topo$3" link set eth0 up
	ip -n "$topo$3" route add default via "10.244.$2.1"
}

ptp_pod() { # POD HOST, on n3
	ip -n "$topo$1" link add eth0 type veth peer name "veth-$1" netns "${topo}n3"
	ip -n "${topo}n3" addr add 10.244.3.1/32 dev "veth-$1"
	ip -n "${topo}n3" link set "veth-$1" up
	ip -n "${topo}n3" route add "10.244.3.$2" dev "veth-$1" scope host
	ip -n "$topo$1" addr add "10.244.3.$2/24" dev eth0
	ip -n "$topo$1" link set eth0 up
	ptp_routes "$1" "$2"
}
ptp_routes() { # POD HOST
	ip -n "$topo$1" route flush table main
	ip -n "$topo$1" route add 10.244.3.1 dev eth0 scope link src "10.244.3.$2"
	ip -n "$topo$1" route add 10.244.3.0/24 via 10.244.3.1 src "10.244.3.$2"
	ip -n "$topo$1" route add default via 10.244.3.1
}

# The tunnel of n1 or n2, anew: a link that goes down takes its routes along.
flannel_up() { # NODE [VNI [PORT]]
	local own=${1#n} peer=$((3 - ${1#n}))
	ip -n "$topo$1" link del flannel.1 2>/dev/null
	ip -n "$topo$1" link add flannel.1 address "02:00:00:00:01:0$own" mtu 1450 type vxlan id "${2:-1}" dstport "${3:-8472}" \
		local "172.30.0.$((own + 1))" dev eth0 nolearning
	ip -n "$topo$1" addr add "10.244.$own.0/32" dev flannel.1
	ip -n "$topo$1" link set flannel.1 up
	flannel_fdb "$1"
	flannel_neigh "$1"
	flannel_route "$1"
}
flannel_fdb() { bridge -n "$topo$1" fdb replace "02:00:00:00:01:0$((3 - ${1#n}))" dev flannel.1 \
	dst "172.30.0.$((4 - ${1#n}))" self permanent; }
flannel_neigh() { ip -n "$topo$1" neigh replace "10.244.$((3 - ${1#n})).0" \
	lladdr "02:00:00:00:01:0$((3 - ${1#n}))" dev flannel.1 nud permanent; }
flannel_route() { ip -n "$topo$1" route replace "10.244.$((3 - ${1#n})).0/24" \
	via "10.244.$((3 - ${1#n})).0" dev flannel.1 onlink; }

# A name of kube-proxy: KUBE-SVC-$(chain_hash lab/remotetcp)
chain_hash() { printf %s "$1" | openssl dgst -sha256 -binary | base32 | cut -c 1-16; }

nat_service() { # NAME ADDRESS PORT PROTO ENDPOINT: the rules of a service with one endpoint
	local svc sep
	svc=KUBE-SVC-$(chain_hash "$1$4") sep=KUBE-SEP-$(chain_hash "$1$4$5")
	cat <<-END
		:$svc - [0:0]
		:$sep - [0:0]
		-A KUBE-SERVICES -d $2/32 -p $4 -m comment --comment "$1 cluster IP" -m $4 --dport $3 -j $svc
		-A $svc ! -s $topo_clusters -d $2/32 -p $4 -m comment --comment "$1 cluster IP" -m $4 --dport $3 -j KUBE-MARK-MASQ
		-A $svc -m comment --comment "$1 -> $5" -j $sep
		-A $sep -s ${5%:*}/32 -m comment --comment "$1" -j KUBE-MARK-MASQ
		-A $sep -p $4 -m comment --comment "$1" -m $4 -j DNAT --to-destination $5
	END
}

rules_nat() {
	cat <<-END
		*nat
		:PREROUTING ACCEPT [0:0]
		:OUTPUT ACCEPT [0:0]
		:POSTROUTING ACCEPT [0:0]
		:FLANNEL-POSTRTG - [0:0]
		:KUBE-MARK-MASQ - [0:0]
		:KUBE-POSTROUTING - [0:0]
		:KUBE-SERVICES - [0:0]
		-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
		-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
		-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN
		-A FLANNEL-POSTRTG -s $topo_clusters -d $topo_clusters -m comment --comment "flanneld masq" -j RETURN
		-A FLANNEL-POSTRTG -s $topo_clusters ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE
		-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
		-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
		-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
		-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
	END
	nat_service kube-system/kube-dns:dns 10.96.0.10 53 udp 10.244.2.2:53
	nat_service kube-system/kube-dns:dns-tcp 10.96.0.10 53 tcp 10.244.2.2:53
	nat_service lab/remote 10.96.0.11 80 tcp 10.244.2.2:8080
	nat_service lab/near 10.96.0.12 80 tcp 10.244.1.3:8080
	nat_service lab/own 10.96.0.13 80 tcp 10.244.1.2:8080
	echo COMMIT
}

rules_filter() {
	cat <<-END
		*filter
		:INPUT ACCEPT [0:0]
		:FORWARD ACCEPT [0:0]
		:OUTPUT ACCEPT [0:0]
		:KUBE-FIREWALL - [0:0]
		:KUBE-FORWARD - [0:0]
		:KUBE-SERVICES - [0:0]
		-A INPUT -j KUBE-FIREWALL
		-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
		-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A OUTPUT -j KUBE-FIREWALL
		-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
		-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
		-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
		-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A KUBE-SERVICES -d 10.96.0.14/32 -p tcp -m comment --comment "lab/empty has no endpoints" -m tcp --dport 80 -j REJECT
		COMMIT
		*raw
		:PREROUTING ACCEPT [0:0]
		COMMIT
	END
}

rules() { "$1" iptables-nft-restore <"$topo_tmp/rules"; } # NODE: its rules as kube-proxy and flannel left them

# A connection that stays open until let_go.
hold() { # POD ADDRESS PORT
	nsenter --net="/run/netns/$topo$1" -- bash -c 'exec 3<>/dev/tcp/$1/$2 && echo held && exec sleep 60' hold "$2" "$3" \
		>"$topo_tmp/held" 2>&1 </dev/null &
	topo_held=$!
	for _ in {1..40}; do
		grep -q held "$topo_tmp/held" && return 0
		sleep 0.05
	done
	return 1
}
let_go() {
	kill "$topo_held"
	wait "$topo_held" 2>/dev/null
	topo_held=
}

pods_mtu() { # MTU of the pods on bridges, and of the bridges
	local p
	for p in n1:p1a n1:p1b n2:p2a; do
		ip -n "$topo${p#*:}" link set eth0 mtu "$1"
		ip -n "$topo${p%:*}" link set "veth-${p#*:}" mtu "$1"
	done
	for p in n1 n2; do ip -n "$topo$p" link set cni0 mtu "$1"; done
}

# Segments are as large as the device lets them be only without this: whole TCP buffers pass a veth pair.
offloads() { # POD on|off
	"$1" "$topo_python" -c '
import array, fcntl, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for command in (0x17, 0x1f, 0x24, 0x2c):  # ETHTOOL_STXCSUM, STSO, SGSO, SGRO
    value = array.array("B", struct.pack("II", command, sys.argv[1] == "on"))
    fcntl.ioctl(s, 0x8946, struct.pack("16sP", b"eth0", value.buffer_info()[0]))' "$2"
}

# A process in each pod that listens, in a cgroup of the kubelet's shape: that is how the agent finds a pod.
pod_serve() { # POD NUMBER
	local dir=$topo_cgroup/kubepods/pod00000000-0000-4000-8000-00000000000$2
	mkdir -p "$dir" || return 1
	nsenter --net="/run/netns/$topo$1" -- sh -c 'echo $$ >"$1/cgroup.procs" && exec "$2" tests/topo/serve.py' \
		sh "$dir" "$topo_python" >"$topo_tmp/serve-$1" 2>&1 </dev/null &
	topo_pids+=($!)
}

topo_serve() {
	local dir i=0 pod
	for dir in /sys/fs/cgroup /sys/fs/cgroup/pids; do
		[[ -e $dir/cgroup.procs ]] && mkdir "$dir/netdoctor-topo$$" 2>/dev/null && topo_cgroup=$dir/netdoctor-topo$$ && break
	done
	[[ -n $topo_cgroup ]] || return 1
	for pod in p1a p1b p2a p3a p3b; do pod_serve $pod $((++i)) || return 1; done
	# not by u: what is killed must be the server, not a shell that waits for it
	nsenter --net="/run/netns/${topo}u" -- "$topo_python" tests/topo/serve.py >"$topo_tmp/serve-u" 2>&1 </dev/null &
	topo_pids+=($!)
	for i in {1..100}; do
		(($(cat "$topo_tmp"/serve-* | grep -c '^ready$') == 6)) && return 0
		sleep 0.1
	done
	head -n 5 "$topo_tmp"/serve-* >&2
	return 1
}

topo_up() { # TMP: a directory for the servers' words and the rules; 0 when all is there
	local s
	topo_tmp=$1
	topo_python=/usr/bin/python3
	[[ -x $topo_python ]] || topo_python=$(command -v python3)
	for s in "${topo_spaces[@]}"; do
		ip netns add "$topo$s" && plain_sysctls "$s" && ip -n "$topo$s" link set lo up || return 1
	done
	ip -n "${topo}u" link add br0 type bridge
	ip -n "${topo}u" addr add 172.30.0.1/16 dev br0
	ip -n "${topo}u" link set br0 up
	for s in 1 2 3; do node_up n$s $s; done
	for s in 1 2; do bridge_up n$s $s; done
	bridge_pod n1 1 p1a 2
	bridge_pod n1 1 p1b 3
	bridge_pod n2 2 p2a 2
	ptp_pod p3a 2
	ptp_pod p3b 3
	flannel_up n1 || return 1
	flannel_up n2
	ip -n "${topo}n1" route add 10.244.3.0/24 via 172.30.0.4
	ip -n "${topo}n2" route add 10.244.3.0/24 via 172.30.0.4
	ip -n "${topo}n3" route add 10.244.1.0/24 via 172.30.0.2
	ip -n "${topo}n3" route add 10.244.2.0/24 via 172.30.0.3
	{ rules_nat; rules_filter; } >"$topo_tmp/rules"
	# the rules first: conntrack's settings are there once something needs it
	for s in n1 n2 n3; do rules $s && node_sysctls $s || return 1; done
	topo_serve
}

topo_down() {
	local s d
	[[ -z $topo_held ]] || let_go
	((${#topo_pids[@]})) && kill "${topo_pids[@]}" 2>/dev/null
	wait "${topo_pids[@]}" 2>/dev/null
	if [[ -n $topo_cgroup ]]; then
		for d in "$topo_cgroup"/kubepods/pod* "$topo_cgroup/kubepods" "$topo_cgroup"; do rmdir "$d" 2>/dev/null; done
	fi
	for s in "${topo_spaces[@]}"; do
		[[ -e /run/netns/$topo$s ]] && ip netns del "$topo$s"
	done
	return 0
}
