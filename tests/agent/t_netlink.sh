#!/bin/bash
# What the agent reads over netlink against what ip, bridge and ss say, in namespaces made here.
# AGENT: the binary to test. Wants root, iproute2 and jq; without them it skips (ND_MUST_RUN=1: fails).
set -u
AGENT=$(realpath "${AGENT:-build/bin/netdoctor-agent-amd64}")
a=ndt$$a b=ndt$$b
tmp=$(mktemp -d) || exit 1
cgroup=
children=
failed=0

cleanup() {
	for pid in $children; do kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; done
	ip netns del $a 2>/dev/null
	ip netns del $b 2>/dev/null
	if [ -n "$cgroup" ]; then find "$cgroup" -depth -type d -exec rmdir {} +; fi
	rm -rf "$tmp"
}
trap cleanup EXIT

skip() {
	echo "ok netlink # skip $1"
	if [ "${ND_MUST_RUN:-0}" = 1 ]; then echo "not ok netlink: may not skip"; exit 1; fi
	exit 0
}
[ -x "$AGENT" ] || { echo "not ok agent: no binary at $AGENT"; exit 1; }
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in ip bridge ss jq; do command -v $tool >/dev/null || skip "needs $tool"; done
ip netns add $a 2>/dev/null && ip netns add $b || skip "cannot make network namespaces"

ns() { ip netns exec $a "$@"; }
collect() { # SECTION [COMMAND...]: the JSON of one section, one line
	section=$1
	shift
	printf 'netdoctor 1\ncollect %s\ngo\n' "$section" | "$@" "$AGENT" |
		awk -v s="$section" '$1 == "section" && $2 == s {getline; print; exit}
			$1 == "gap" && $2 == s {getline; print "gap: " $0 > "/dev/stderr"; exit}'
}
same() { # NAME WANTED GOT: files of JSON
	if [ -s "$2" ] && jq -S . "$2" >"$tmp/w" && jq -S . "$3" >"$tmp/g" && cmp -s "$tmp/w" "$tmp/g"; then
		echo "ok $1"
	else
		echo "not ok $1: < wanted, > got"
		diff "$tmp/w" "$tmp/g" | head -n 20
		failed=1
	fi
}
holds() { # NAME FILE JQ-EXPRESSION
	if [ "$(jq -r "$3" "$2" 2>&1)" = true ]; then echo "ok $1"; else echo "not ok $1: $3"; failed=1; fi
}

# A node in small: a bridge with a port whose other end is a "pod" in another namespace, a tunnel.
ip -n $a link set lo up
ip -n $a link add cni0 type bridge
ip -n $a link add vethp type veth peer name eth0 netns $b
ip -n $a link set vethp master cni0 up
ip -n $a link set cni0 up mtu 1450
ip -n $a addr add 10.244.1.1/24 dev cni0
ip -n $a addr add fd00:10::1/64 dev cni0 nodad
bridge -n $a link set dev vethp hairpin on
ip -n $a link add up0 type veth peer name up1
ip -n $a link set up0 up
ip -n $a link set up1 up
ip -n $a addr add 172.30.0.2/16 dev up0
ip -n $b link set lo up
ip -n $b link set eth0 up
ip -n $b addr add 10.244.1.2/24 dev eth0
ip -n $b route add default via 10.244.1.1
has_vxlan=0
if ip -n $a link add flannel.1 type vxlan id 1 dstport 8472 local 172.30.0.2 dev up0 nolearning 2>/dev/null; then
	has_vxlan=1
	ip -n $a link set flannel.1 up
	ip -n $a addr add 10.244.1.0/32 dev flannel.1
	ip -n $a route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
	ip -n $a neigh add 10.244.2.0 lladdr 02:00:00:00:00:02 dev flannel.1 nud permanent
	bridge -n $a fdb append 02:00:00:00:00:02 dev flannel.1 dst 172.30.0.3
fi
ip -n $a route add default via 172.30.0.1 metric 100
ip -n $a route add blackhole 10.9.0.0/16 proto bird
ip -n $a route add unreachable 10.10.0.0/16
ip -n $a route add prohibit 10.11.0.0/16 table 100
ip -n $a route add throw 10.12.0.0/16 table 1234567
ip -n $a route add 10.13.0.0/16 src 10.244.1.1 nexthop via 172.30.0.1 dev up0 weight 2 nexthop via 10.244.1.9 dev cni0
ip -n $a route add 10.14.0.7 dev up0 scope link proto static
ip -n $a route add fd00:20::/64 via fd00:10::9
ip -n $a rule add fwmark 0x200/0xf00 lookup 2004 pref 9
ip -n $a rule add from 10.1.0.0/16 to 10.2.3.4 iif cni0 lookup 100 pref 10
ip -n $a rule add not from 10.5.0.1 oif up0 blackhole pref 11
ip -n $a -6 rule add from fd00:10::/64 lookup 100 pref 12
ip -n $a neigh add 10.244.1.7 lladdr 02:00:00:00:00:07 dev cni0 nud permanent
ip -n $a neigh add 10.244.1.8 lladdr 02:00:00:00:00:08 dev cni0 nud stale
sleep 2 # the kernel finishes IPv6 address detection and carrier changes

# links
collect links ns >"$tmp/links"
ip -n $a -j -d -s link | jq '[.[] | {ifindex, ifname, flags: (.flags - ["M-DOWN"]), mtu, operstate, link_type, address,
	master, link, link_index, link_netnsid,
	linkinfo: (if .linkinfo then (.linkinfo | {info_kind, info_slave_kind,
		info_slave_data: (if .info_slave_data then (.info_slave_data | {hairpin, state}) else null end),
		info_data: (if .info_kind == "vxlan" then (.info_data | {id, local, port, link, learning})
			elif .info_kind == "bridge" then (.info_data | {vlan_filtering}) else null end)}) else null end),
	rx: (.stats64.rx | {bytes, packets, errors, dropped}), tx: (.stats64.tx | {bytes, packets, errors, dropped})}]
	| map(del(.rx, .tx)) | del(.. | nulls)' >"$tmp/want"
jq 'map(del(.features, .stats64))' "$tmp/links" >"$tmp/got"
same links "$tmp/want" "$tmp/got"
holds links-stats "$tmp/links" 'all(.[]; .stats64.rx | keys == ["bytes", "dropped", "errors", "packets"])'
holds links-stats-count "$tmp/links" '[.[] | select(.ifname == "vethp")][0].stats64.tx.packets > 0'
holds links-features "$tmp/links" \
	'[.[] | select(.ifname == "vethp")][0].features | keys == ["gro", "gso", "rx-checksum", "tso", "tx-checksum", "tx-udp_tnl-segmentation"]'
if command -v ethtool >/dev/null && ns ethtool -K vethp tx off >/dev/null 2>&1; then
	collect links ns >"$tmp/links"
	holds links-features-off "$tmp/links" '[.[] | select(.ifname == "vethp")][0].features["tx-checksum"] == false'
fi

# addrs
collect addrs ns >"$tmp/got"
ip -n $a -j addr | jq 'map({ifindex, ifname, addr_info: [.addr_info[] | {family, local, prefixlen, scope}]})' >"$tmp/want"
same addrs "$tmp/want" "$tmp/got"

# routes: -d so that ip says type and protocol; ip leaves out what we always say
collect routes ns >"$tmp/routes"
routes_of_ip() { # FAMILY NAME
	ip -n $a -j -d $1 route show table all | jq --arg f "$2" '[.[] | {type: (.type // "unicast"), dst, gateway, dev,
		table: (.table // "main"), protocol, scope: (.scope // "global"), prefsrc, metric,
		flags: (.flags | if . == [] then null else . end), family: $f,
		nexthops: (if .nexthops then [.nexthops[] | {gateway, dev, weight, flags: (.flags | if . == [] then null else . end)}]
			else null end)}] | del(.. | nulls)'
}
{ routes_of_ip -4 inet; routes_of_ip -6 inet6; } | jq -s 'add | sort_by(.family, .table, .dst, .type, .dev, .metric)' >"$tmp/want"
jq 'sort_by(.family, .table, .dst, .type, .dev, .metric)' "$tmp/routes" >"$tmp/got"
same routes "$tmp/want" "$tmp/got"
holds routes-v4-first "$tmp/routes" '[.[].family] | . == (sort_by(. == "inet6"))'

# rules
collect rules ns >"$tmp/got"
rules_of_ip() { ip -n $a -j $1 rule | jq --arg f "$2" 'map(. + {family: $f} | if has("not") then .not = true else . end)'; }
{ rules_of_ip -4 inet; rules_of_ip -6 inet6; } | jq -s add >"$tmp/want"
same rules "$tmp/want" "$tmp/got"

# neigh
collect neigh ns | jq '[.[] | select(.state != ["NOARP"])] | sort_by(.dst)' >"$tmp/got"
{ ip -n $a -j -4 neigh | jq 'map(. + {family: "inet"})'; ip -n $a -j -6 neigh | jq 'map(. + {family: "inet6"})'; } |
	jq -s 'add | map({dst, dev, lladdr, state, family} | del(.. | nulls)) | sort_by(.dst)' >"$tmp/want"
same neigh "$tmp/want" "$tmp/got"

# fdb: without the multicast filters of interfaces, which the agent leaves out
collect fdb ns | jq 'sort_by(.mac, .ifname, .vlan, .master)' >"$tmp/got"
bridge -n $a -j fdb | jq '[.[] | select((.mac | test("^.[13579bdf]") | not) or .dst or .master)
	| {mac, ifname, dst, vlan, master, flags: (.flags | if . == [] then null else . end),
	state: (if .state == "" then null else .state end)} | del(.. | nulls)] | sort_by(.mac, .ifname, .vlan, .master)' >"$tmp/want"
same fdb "$tmp/want" "$tmp/got"
if [ $has_vxlan = 1 ]; then
	holds fdb-vxlan "$tmp/got" 'any(.[]; .mac == "02:00:00:00:00:02" and .dst == "172.30.0.3" and .ifname == "flannel.1")'
else
	echo "ok fdb-vxlan # skip this kernel has no vxlan"
fi

# sockets: a listener each, by whatever this machine has
listen() { # FAMILY TYPE ADDRESS PORT, in namespace b
	ip netns exec $b python3 -c 'import socket, sys, time
f, t, a, p = sys.argv[1:]
s = socket.socket(getattr(socket, f), getattr(socket, t))
s.bind((a, int(p)))
if t == "SOCK_STREAM": s.listen()
time.sleep(600)' "$@" &
	children="$children $!"
}
if command -v python3 >/dev/null; then
	listen AF_INET SOCK_STREAM 0.0.0.0 8080
	pod=$!
	listen AF_INET6 SOCK_STREAM :: 8081
	listen AF_INET SOCK_DGRAM 10.244.1.2 5353
	listen AF_INET6 SOCK_DGRAM ::1 5354
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(ip netns exec $b ss -Htuln | wc -l)" -ge 4 ] && break
		sleep 0.2
	done
	collect sockets ip netns exec $b | jq 'sort_by(.port)' >"$tmp/sockets"
	cat >"$tmp/want" <<-END
	[{"proto":"udp","addr":"10.244.1.2","port":5353},{"proto":"udp6","addr":"::1","port":5354},
	{"proto":"tcp","addr":"0.0.0.0","port":8080},{"proto":"tcp6","addr":"::","port":8081}]
	END
	same sockets "$tmp/want" "$tmp/sockets"
else
	echo "ok sockets # skip no python3"
	ip netns exec $b sleep 600 &
	pod=$!
	children="$children $pod"
fi

# pods: a process in a cgroup of the kubelet's shape makes namespace b a pod, seen from a
uid=6273ceba-39ae-4991-9f09-a9d81dcf9e91
for dir in /sys/fs/cgroup /sys/fs/cgroup/pids; do
	[ -e "$dir/cgroup.procs" ] && mkdir "$dir/netdoctor$$" 2>/dev/null && cgroup=$dir/netdoctor$$ && break
done
leaf=$cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid//-/_}.slice/cri-containerd-x.scope
if [ -n "$cgroup" ] && mkdir -p "$leaf" && echo "$pod" >"$leaf/cgroup.procs" 2>/dev/null; then
	inode=$(stat -Lc %i /proc/"$pod"/ns/net)
	collect pods ns | jq --argjson i "$inode" '[.[] | select(.netns_inode == $i)]' >"$tmp/pods"
	holds pods-found "$tmp/pods" 'length == 1'
	holds pods-uid "$tmp/pods" ".[0].uids == [\"$uid\"]"
	holds pods-pid "$tmp/pods" ".[0].pid == $pod and .[0].is_host_network == false"
	collect addrs ip netns exec $b >"$tmp/want"
	jq '.[0].addrs' "$tmp/pods" >"$tmp/got"
	same pods-addrs "$tmp/want" "$tmp/got"
	collect routes ip netns exec $b >"$tmp/want"
	jq '.[0].routes' "$tmp/pods" >"$tmp/got"
	same pods-routes "$tmp/want" "$tmp/got"
	holds pods-peer "$tmp/pods" '.[0].links[] | select(.ifname == "eth0") | has("link_index") and has("link_netnsid")'
	[ -s "$tmp/sockets" ] && jq '.[0].sockets | sort_by(.port)' "$tmp/pods" >"$tmp/got" &&
		same pods-sockets "$tmp/sockets" "$tmp/got"
	# Asked from inside, the same namespace is the node's own.
	collect pods ip netns exec $b | jq --argjson i "$inode" '[.[] | select(.netns_inode == $i)]' >"$tmp/pods"
	holds pods-host-network "$tmp/pods" '.[0].is_host_network and (.[0] | has("links") | not)'
	# And reading pods does not move the agent: its own links are still the node's.
	printf 'netdoctor 1\ncollect pods\ncollect addrs\ngo\n' | ns "$AGENT" |
		awk '$1 == "section" && $2 == "addrs" {getline; print}' >"$tmp/got"
	holds pods-came-back "$tmp/got" 'any(.[]; .ifname == "cni0")'
else
	echo "ok pods # skip cannot make a cgroup"
fi

# Churn while reading: always whole JSON, never a cut list.
( for i in $(seq 1 60); do ip -n $a link add "x$i" type veth peer name "y$i"; ip -n $a link del "x$i"; done ) >/dev/null 2>&1 &
churn=$!
n=0
while kill -0 $churn 2>/dev/null; do
	collect links ns >"$tmp/got" 2>>"$tmp/churn"
	jq -e 'any(.[]; .ifname == "cni0")' "$tmp/got" >/dev/null 2>&1 || echo bad >>"$tmp/churn"
	n=$((n + 1))
done
wait $churn
if [ ! -s "$tmp/churn" ]; then echo "ok churn ($n reads)"; else echo "not ok churn: $(head -n 3 "$tmp/churn")"; failed=1; fi

exit $failed
