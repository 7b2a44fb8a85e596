#!/bin/bash
# What the agent's probes say of a real kernel: namespaces a (source), r (router), b (servers); the link r-b has a smaller MTU.
# AGENT: the binary to test. Wants root, iproute2, iptables, jq and python3; without them it skips.
set -u
NAME=probe PREFIX=np
. "$(dirname "$0")/spaces.sh"

# a 10.91.1.2 fd91:1::2 -- r .1 -- b 10.91.2.2 .3 fd91:2::2
link() { # NS IF PEER-NS PEER-IF MTU
	ip -n "$1" link add "$2" mtu "$5" type veth peer name "$4" mtu "$5" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}
link $a eth0 $r toa 1500
link $r tob $b eth0 1400
for ns in $a $r $b; do ip -n $ns link set lo up; done
ip -n $a addr add 10.91.1.2/24 dev eth0
ip -n $a addr add fd91:1::2/64 dev eth0 nodad
ip -n $r addr add 10.91.1.1/24 dev toa
ip -n $r addr add fd91:1::1/64 dev toa nodad
ip -n $r addr add 10.91.2.1/24 dev tob
ip -n $r addr add fd91:2::1/64 dev tob nodad
ip -n $b addr add 10.91.2.2/24 dev eth0
ip -n $b addr add 10.91.2.3/24 dev eth0
ip -n $b addr add fd91:2::2/64 dev eth0 nodad
ip -n $a route add 10.91.2.0/24 via 10.91.1.1
ip -n $a route add fd91:2::/64 via fd91:1::1
ip -n $b route add default via 10.91.2.1
ip -n $b -6 route add default via fd91:2::1
ip netns exec $r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
# The kernel sends few ICMP errors to one address; the limit has a test of its own.
ip netns exec $b sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.core.somaxconn=65535
for type in blackhole:10.92 prohibit:10.93 unreachable:10.94; do ip -n $a route add ${type%:*} ${type#*:}.0.0/16; done
ip -n $a -6 route add prohibit fd93::/64
inb() { ip netns exec $b iptables -w "$@"; }
inb -A INPUT -p tcp --dport 8081 -j DROP
inb -A INPUT -p tcp --dport 8082 -j REJECT
inb -A INPUT -p tcp --dport 8083 -j REJECT --reject-with icmp-host-prohibited
inb -A INPUT -p tcp --dport 8084 -j REJECT --reject-with tcp-reset
inb -A INPUT -p tcp --dport 8085 -j REJECT --reject-with icmp-net-unreachable
inb -A INPUT -p udp --dport 8083 -j REJECT --reject-with icmp-host-unreachable
inb -A INPUT -p udp --dport 8085 -j REJECT --reject-with icmp-net-unreachable
inb -A INPUT -p icmp -d 10.91.2.3 -j DROP
ip netns exec $b ip6tables -w -A INPUT -p tcp --dport 8082 -j REJECT
ip netns exec $r iptables -w -A FORWARD -p tcp --dport 8088 -j REJECT --reject-with icmp-host-unreachable
ip netns exec $r iptables -w -A FORWARD -d 10.91.2.4 -j REJECT --reject-with icmp-admin-prohibited
ip netns exec $a iptables -w -A OUTPUT -p udp --dport 8086 -j REJECT
ip netns exec $a iptables -w -A OUTPUT -p udp --dport 8087 -j DROP

ip netns exec $b python3 ./probe_server.py >"$tmp/server" 2>"$tmp/server.err" &
children="$children $!"
ip netns exec $a sleep 600 &
children="$children $!"
for _ in $(seq 50); do
	sleep 0.1
	pid=$(ip netns pids $a | head -n 1)
	grep -qs ready "$tmp/server" && [ -n "$pid" ] && break
done
grep -q ready "$tmp/server" || { not_ok server "$(tail -n 1 "$tmp/server.err")"; exit 1; }
settle_addresses
# The neighbour table is one for all namespaces of the machine: other tests may have filled it for a moment.
for _ in $(seq 300); do
	entries=$((0x$(awk 'NR == 2 {print $1}' /proc/net/stat/arp_cache)))
	[ $entries -lt 900 ] && break
	sleep 0.1
done
inode=$(stat -Lc %i /proc/"$pid"/ns/net)

# Lines "NAME WANTED PROBE-WORDS...", probed together; WANTED is an outcome, or a jq expression on the result in one word.
rows() { # [PREFIX-LINE...]; rows on stdin
	local n=0 name want words
	: >"$tmp/names"
	{
		echo "netdoctor 1"
		for line in "$@"; do echo "$line"; done
		while read -r name want words; do
			[ -n "$name" ] || continue
			n=$((n + 1))
			# shellcheck disable=SC2086
			set -- $words
			kind=$1 source=$2
			shift 2
			[ "$source" = a ] && source=$inode
			echo "probe $n $kind $source $*"
			echo "$n $name $want" >>"$tmp/names"
		done
		echo go
	} >"$tmp/request"
	timeout 60 "$AGENT" <"$tmp/request" >"$tmp/reply" 2>"$tmp/err"
	rc=$?
	awk '$1 == "section" && $2 == "probe" {getline; print; exit}' "$tmp/reply" >"$tmp/json"
	[ $rc -eq 0 ] && [ -s "$tmp/json" ] || { not_ok "rows: exit $rc" "$(cat "$tmp/err")"; return; }
	while read -r n name want; do
		case $want in *[.=]*) ;; *) want=".outcome==\"$want\"" ;; esac
		if [ "$(jq ".[$((n - 1))] | .id == $n and ($want)" "$tmp/json" 2>&1)" = true ]; then
			ok "$name"
		else
			not_ok "$name" "wanted $want, got $(jq -c ".[$((n - 1))]" "$tmp/json")"
		fi
	done <"$tmp/names"
}
T='.outcome==' # for expressions: $T"ok"and.status==200

rows <<END
tcp-open ok tcp a 10.91.2.2 8080
tcp-time .us>10and.us<500000 tcp a 10.91.2.2 8080
tcp-closed $T"REFUSED"and.errno==111and(has("hop")|not) tcp a 10.91.2.2 8099
tcp-drop $T"TIMEOUT"and.us>=1000000and.us<1300000 tcp a 10.91.2.2 8081
tcp-reject $T"REFUSED"and.us<500000and.hop=="10.91.2.2" tcp a 10.91.2.2 8082
tcp-host-prohibited $T"NOHOST"and.errno==113and.us<500000 tcp a 10.91.2.2 8083
tcp-reject-reset $T"REFUSED"and(has("hop")|not) tcp a 10.91.2.2 8084
tcp-net-unreachable NONET tcp a 10.91.2.2 8085
tcp-router-reject $T"NOHOST"and.hop=="10.91.1.1" tcp a 10.91.2.2 8088
icmp-router-reject $T"NOHOST"and.hop=="10.91.1.1" icmp a 10.91.2.4 0
udp-router-reject $T"NOHOST"and.hop=="10.91.1.1" udp a 10.91.2.4 9
tcp-no-route $T"NONET"and.errno==101and(has("hop")|not) tcp a 10.99.0.1 80
tcp-blackhole EINVAL tcp a 10.92.0.1 80
tcp-prohibit EACCES tcp a 10.93.0.1 80
tcp-unreachable NOHOST tcp a 10.94.0.1 80
tcp6-open ok tcp a fd91:2::2 8080
tcp6-closed REFUSED tcp a fd91:2::2 8099
tcp6-reject $T"REFUSED"and.us<500000and.hop=="fd91:2::2" tcp a fd91:2::2 8082
tcp6-prohibit EACCES tcp a fd93::1 80
tcp6-no-route NONET tcp a fd99::1 80
udp-answer ok udp a 10.91.2.2 7
udp6-answer ok udp a fd91:2::2 7
udp-silent TIMEOUT udp a 10.91.2.2 9
udp-closed REFUSED udp a 10.91.2.2 10
udp-host-unreachable NOHOST udp a 10.91.2.2 8083
udp-net-unreachable NONET udp a 10.91.2.2 8085
udp-own-reject EACCES udp a 10.91.2.2 8086
udp-own-drop EACCES udp a 10.91.2.2 8087
udp-no-route NONET udp a 10.99.0.1 7
dns-ok $T"ok"and.answers==2and.rcode==0and.is_truncated==false dns-udp a 10.91.2.2 53 ok.test.
dns-aaaa $T"ok"and.answers==1and.type=="AAAA" dns-udp a 10.91.2.2 53 ok.test AAAA
dns-a $T"ok"and(has("type")|not)and.name=="ok.test" dns-udp a 10.91.2.2 53 ok.test A
dns6 ok dns-udp a fd91:2::2 53 ok.test
dns-nxdomain $T"NXDOMAIN"and.rcode==3 dns-udp a 10.91.2.2 53 nx.test
dns-nodata $T"NODATA"and.answers==0 dns-udp a 10.91.2.2 53 nodata.test
dns-servfail $T"SERVFAIL" dns-udp a 10.91.2.2 53 servfail.test
dns-refused $T"DNSREFUSED"and.rcode==5 dns-udp a 10.91.2.2 53 refused.test
dns-formerr $T"BAD"and.rcode==1 dns-udp a 10.91.2.2 53 formerr.test
dns-silent TIMEOUT dns-udp a 10.91.2.2 53 silent.test
dns-closed REFUSED dns-udp a 10.91.2.2 54 ok.test
dns-garbage BAD dns-udp a 10.91.2.2 53 garbage.test
dns-short BAD dns-udp a 10.91.2.2 53 short.test
dns-cut BAD dns-udp a 10.91.2.2 53 cut.test
dns-other-id BAD dns-udp a 10.91.2.2 53 otherid.test
dns-other-name BAD dns-udp a 10.91.2.2 53 othername.test
dns-case ok dns-udp a 10.91.2.2 53 case.test
dns-truncated $T"ok"and.is_truncated dns-udp a 10.91.2.2 53 trunc.test
dns-tcp-ok $T"ok"and.answers==2and.is_truncated==false dns-tcp a 10.91.2.2 53 trunc.test
dns-tcp-many $T"ok"and.answers==3000 dns-tcp a 10.91.2.2 53 many.test
dns-tcp-nx NXDOMAIN dns-tcp a 10.91.2.2 53 nx.test
dns-tcp-garbage BAD dns-tcp a 10.91.2.2 53 garbage.test
dns-tcp-silent STALL dns-tcp a 10.91.2.2 53 silent.test
dns-tcp-closed REFUSED dns-tcp a 10.91.2.2 54 ok.test
icmp-ok ok icmp a 10.91.2.2 0
icmp-lost TIMEOUT icmp a 10.91.2.3 0
icmp6-ok ok icmp a fd91:2::2 0
icmp-no-route NONET icmp a 10.99.0.1 0
icmp-prohibit EACCES icmp a 10.93.0.1 0
icmp6-prohibit EACCES icmp a fd93::1 0
http-200 $T"ok"and.status==200 http a 10.91.2.2 8080 /ok
http-404 $T"ok"and.status==404 http a 10.91.2.2 8080 /no
http6 .status==200 http a fd91:2::2 8080 /ok
http-host .status==200 http a 10.91.2.2 8080 /host
http-pieces .status==204 http a 10.91.2.2 8080 /pieces
http-silent STALL http a 10.91.2.2 8090 /
http-reset RESET http a 10.91.2.2 8091 /
http-not-http BAD http a 10.91.2.2 8092 /
http-drop TIMEOUT http a 10.91.2.2 8081 /
http-refused REFUSED http a 10.91.2.2 8099 /
bulk-ok $T"ok"and.bytes==1000000and.status==200 bulk a 10.91.2.2 8080 /big
bulk-to-the-end $T"ok"and.bytes==1000000 bulk a 10.91.2.2 8080 /to-the-end
bulk-404 $T"ok"and.bytes==0and.status==404 bulk a 10.91.2.2 8080 /no
bulk-stall $T"STALL"and.bytes==300000and.us>=1000000 bulk a 10.91.2.2 8080 /stall
bulk-short $T"BAD"and.bytes==10 bulk a 10.91.2.2 8080 /short
bulk-endless-head BAD bulk a 10.91.2.2 8080 /endless-head
gone $T"GONE"and.source=="4026530000" tcp 4026530000 10.91.2.2 8080
node-refused $T"REFUSED"and.source=="node" tcp node 127.0.0.1 1
END
# The neighbour that is not there: the kernel asks three times, a second apart.
rows "probe-timeout-ms 4500" <<END
tcp-dead-neighbour NOHOST tcp a 10.91.1.99 80
udp-dead-neighbour NOHOST udp a 10.91.1.98 80
icmp-dead-neighbour NOHOST icmp a 10.91.1.97 0
END
rows "probe-timeout-ms 500" <<END
timeout-short $T"TIMEOUT"and.us>=500000and.us<700000 tcp a 10.91.2.2 8081
bulk-slow $T"ok"and.bytes==8and.us>700000 bulk a 10.91.2.2 8080 /slow
bulk-trickle $T"ok"and.bytes>5and.us>=1500000and.us<1900000 bulk a 10.91.2.2 8080 /trickle
END
[ "$(jq length "$tmp/json")" = 3 ] && ok all-came || not_ok all-came "$(cat "$tmp/json")"

# The agent's own namespace, from inside one.
AGENT_=$AGENT
cat >"$tmp/inside" <<-END
	#!/bin/sh
	exec ip netns exec $a "$AGENT_"
END
chmod +x "$tmp/inside"
AGENT=$tmp/inside
rows <<END
node-source ok tcp node 10.91.2.2 8080
node-gone-besides GONE tcp 4026530000 10.91.2.2 8080
node-and-inode ok tcp a 10.91.2.2 8080
END
AGENT=$AGENT_

# Path MTU: the router says so; then it does not (a black hole); a smaller link at the source.
rows <<END
pmtu-hop $T"ok"and.mtu==1400and.hop=="10.91.1.1" pmtu a 10.91.2.2 0
pmtu6-hop $T"ok"and.mtu==1400and.hop=="fd91:1::1" pmtu a fd91:2::2 0
pmtu-full $T"ok"and.mtu==1500and(has("hop")|not) pmtu a 10.91.1.1 0
pmtu6-full $T"ok"and.mtu==1500and(has("hop")|not) pmtu a fd91:1::1 0
pmtu-lo $T"ok"and.mtu==65535 pmtu a 10.91.1.2 0
pmtu-lost $T"TIMEOUT"and(has("mtu")|not)and.us<3500000 pmtu a 10.91.2.3 0
pmtu-no-route NONET pmtu a 10.99.0.1 0
END
ip netns exec $r iptables -w -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP
ip netns exec $r ip6tables -w -A OUTPUT -p icmpv6 --icmpv6-type packet-too-big -j DROP
rows <<END
pmtu-black-hole $T"ok"and.mtu==1400and(has("hop")|not)and.us<3500000 pmtu a 10.91.2.2 0
pmtu6-black-hole $T"ok"and.mtu==1400and(has("hop")|not) pmtu a fd91:2::2 0
bulk-black-hole $T"ok"or.outcome=="STALL" bulk a 10.91.2.2 8080 /big
END

# More than may be in flight; as many as a request holds sockets for; at a low rate.
many() { # COUNT PORT LINE...
	local count=$1 port=$2
	shift 2
	{ echo "netdoctor 1"; for line in "$@"; do echo "$line"; done
		seq "$count" | sed "s/.*/probe & tcp $inode 10.91.2.2 $port/"; echo go; } >"$tmp/request"
	start=$(date +%s%N)
	timeout 60 "$AGENT" <"$tmp/request" 2>"$tmp/err" | awk '$1 == "section" && $2 == "probe" {getline; print; exit}' >"$tmp/json"
	ms=$((($(date +%s%N) - start) / 1000000))
}
many 300 8080
[ "$(jq '[.[] | select(.outcome == "ok")] | length' "$tmp/json")" = 300 ] && ok "many-300 ($ms ms)" || not_ok many-300 "$(cat "$tmp/err")"
many 5000 8080 "probe-rate 20000"
[ "$(jq '[.[] | select(.outcome == "ok")] | length' "$tmp/json")" = 5000 ] && ok "many-5000 ($ms ms)" ||
	not_ok many-5000 "$(jq -c 'group_by(.outcome) | map({(.[0].outcome): length})' "$tmp/json") $(cat "$tmp/err")"
many 100 8080 "probe-rate 100"
[ $ms -ge 950 ] && [ $ms -lt 1600 ] && ok "rate-100 ($ms ms)" || not_ok rate-100 "$ms ms"
# A deadline gives what is known by then.
{ printf 'netdoctor 1\ndeadline-ms 300\nprobe 1 tcp %s 10.91.2.2 8080\nprobe 2 tcp %s 10.91.2.2 8081\ngo\n' "$inode" "$inode"; } |
	"$AGENT" | awk '$1 == "section" {getline; print}' >"$tmp/json"
[ "$(jq -c '[.[] | [.outcome, .errno]]' "$tmp/json")" = '[["ok",null],["ERROR",125]]' ] && ok deadline || not_ok deadline "$(cat "$tmp/json")"

# A host sends 1000 ICMP errors a second, 50 at once: rejected probes are spaced so that each gets one.
many 400 8082
[ "$(jq '[.[] | select(.outcome == "REFUSED")] | length' "$tmp/json")" = 400 ] && ok "spaced ($ms ms)" ||
	not_ok spaced "$(jq -c 'group_by(.outcome) | map({(.[0].outcome): length})' "$tmp/json")"

# What it has left while it probes: no capability, no way to get one, and a filter.
{ printf 'netdoctor 1\nprobe 1 tcp %s 10.91.2.2 8081\ngo\n' "$inode"; } | "$AGENT" >"$tmp/out" &
sleep 0.4
status=$(grep -hE '^(Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/$!/status | tr -s '\t\n' ' ')
none=0000000000000000
[ "$status" = "CapPrm: $none CapEff: $none CapBnd: $none CapAmb: $none NoNewPrivs: 1 Seccomp: 2 " ] && ok no-capabilities ||
	not_ok no-capabilities "$status"
wait $!

# More sockets than the node allows: refused, and nothing sent.
( ulimit -n 200; seq 500 | sed "s/.*/probe & tcp node 127.0.0.1 1/" | { echo "netdoctor 1"; cat; echo go; } | "$AGENT" >"$tmp/out" 2>"$tmp/err" )
if [ $? -eq 2 ] && [ ! -s "$tmp/out" ] && grep -q "need 53. open sockets" "$tmp/err"; then ok too-many-sockets
elif [ -s "$tmp/out" ]; then ok "too-many-sockets # root may raise the limit here"
else not_ok too-many-sockets "$(cat "$tmp/err")"; fi

# A bad request: exit 2, nothing sent, one line that names the place.
bad() { # NAME TEXT LINE...
	local name=$1 text=$2
	shift 2
	{ echo "netdoctor 1"; for line in "$@"; do echo "$line"; done; echo go; } | "$AGENT" >"$tmp/out" 2>"$tmp/err"
	if [ $? -eq 2 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q -- "$text" "$tmp/err"; then
		ok "bad-$name"
	else
		not_ok "bad-$name" "$(cat "$tmp/err")"
	fi
}
long=$(printf 'a%.0s' $(seq 60))
bad kind "line 2, 'probe': this agent knows no such kind" "probe 1 sctp node 127.0.0.1 80"
bad id-zero "the number must be 1 to 65535" "probe 0 tcp node 127.0.0.1 80"
bad id-large "the number must be 1 to 65535" "probe 65536 tcp node 127.0.0.1 80"
bad id-twice "line 3, .*the same number" "probe 7 tcp node 127.0.0.1 80" "probe 7 tcp node 127.0.0.1 81"
bad port-large "port must be 1 to 65535" "probe 1 tcp node 127.0.0.1 70000"
bad port-zero "port must be 1 to 65535" "probe 1 tcp node 127.0.0.1 0"
bad port-of-icmp "port must be 0" "probe 1 icmp node 127.0.0.1 80"
bad source "source must be node or" "probe 1 tcp pod 127.0.0.1 80"
bad source-zero "source must be node or" "probe 1 tcp 0 127.0.0.1 80"
bad source-large "source must be node or" "probe 1 tcp 18446744073709551616 127.0.0.1 80"
bad address-name "wants an IP address" "probe 1 tcp node localhost 80"
bad address-zone "wants an IP address" "probe 1 tcp node fe80::1%eth0 80"
bad address-multicast "no multicast" "probe 1 udp node 224.0.0.1 80"
bad address-multicast6 "no multicast" "probe 1 udp node ff02::1 80"
bad few-words "wants a number, kind" "probe 1 tcp node 127.0.0.1"
bad many-words "too many words" "probe 1 tcp node 127.0.0.1 80 name"
bad many-words-dns "too many words" "probe 1 dns-udp node 127.0.0.1 53 a.b A x"
bad no-name "wants a name" "probe 1 dns-udp node 127.0.0.1 53"
bad name-long "not a DNS name" "probe 1 dns-udp node 127.0.0.1 53 $long.$long.$long.$long.$long"
bad label-long "not a DNS name" "probe 1 dns-udp node 127.0.0.1 53 ${long}aaaa.b"
bad name-dots "not a DNS name" "probe 1 dns-udp node 127.0.0.1 53 a..b"
bad name-strange "not a DNS name" "probe 1 dns-udp node 127.0.0.1 53 a/b"
bad type "type must be A or AAAA" "probe 1 dns-udp node 127.0.0.1 53 a.b MX"
bad no-path "wants a path" "probe 1 http node 127.0.0.1 80"
bad path "path must begin with /" "probe 1 http node 127.0.0.1 80 index"
bad path-long "path must begin with /" "probe 1 http node 127.0.0.1 80 /$(printf 'a%.0s' $(seq 1030))"
bad timeout-small "wants a number, 50 to 10000" "probe-timeout-ms 49" "probe 1 tcp node 127.0.0.1 80"
bad timeout-large "wants a number, 50 to 10000" "probe-timeout-ms 10001" "probe 1 tcp node 127.0.0.1 80"
bad rate-zero "wants a number, 1 to 100000" "probe-rate 0" "probe 1 tcp node 127.0.0.1 80"
bad both "collects or probes, not both" "collect host" "probe 1 tcp node 127.0.0.1 80"
bad both-turned "collects or probes, not both" "probe 1 tcp node 127.0.0.1 80" "collect host"
bad nothing "nothing was asked for" "probe-rate 10"

exit $failed
