#!/bin/bash
# What the agent sees of packets that pass: namespaces a (source), r (router), b (servers); later VXLAN between a and b.
# AGENT: the binary to test. Wants root, iproute2, iptables, jq and python3; without them it skips.
set -u
NAME=watch PREFIX=nw
. "$(dirname "$0")/spaces.sh"

# a 10.91.1.2 fd91:1::2 -- toa r tob -- b 10.91.2.2 fd91:2::2
ip -n $a link add eth0 type veth peer name toa netns $r
ip -n $r link add tob type veth peer name eth0 netns $b
for ns in $a $r $b; do ip -n $ns link set lo up; done
for at in $a:eth0 $r:toa $r:tob $b:eth0; do ip -n ${at%:*} link set ${at#*:} up; done
ip -n $a addr add 10.91.1.2/24 dev eth0
ip -n $a addr add fd91:1::2/64 dev eth0 nodad
ip -n $r addr add 10.91.1.1/24 dev toa
ip -n $r addr add fd91:1::1/64 dev toa nodad
ip -n $r addr add 10.91.2.1/24 dev tob
ip -n $r addr add fd91:2::1/64 dev tob nodad
ip -n $b addr add 10.91.2.2/24 dev eth0
ip -n $b addr add fd91:2::2/64 dev eth0 nodad
ip -n $a route add default via 10.91.1.1
ip -n $a -6 route add default via fd91:1::1
ip -n $b route add default via 10.91.2.1
ip -n $b -6 route add default via fd91:2::1
ip netns exec $r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
inr() { ip netns exec $r iptables -w "$@"; }
inr -A FORWARD -p tcp --dport 8081 -j DROP
inr -A FORWARD -p tcp --dport 8082 -j REJECT --reject-with icmp-admin-prohibited
inr -t nat -A PREROUTING -d 10.96.0.1 -p tcp --dport 443 -j DNAT --to-destination 10.91.2.2:8080
ip netns exec $b iptables -w -A INPUT -p tcp --dport 8083 -j DROP
ip netns exec $r ip6tables -w -A FORWARD -p tcp --dport 8082 -j REJECT

ip netns exec $b python3 ./probe_server.py >"$tmp/server" 2>"$tmp/server.err" &
children="$children $!"
for ns in $a $r; do
	ip netns exec $ns sleep 600 &
	children="$children $!"
done
for _ in $(seq 50); do
	sleep 0.1
	grep -qs ready "$tmp/server" && break
done
grep -q ready "$tmp/server" || { not_ok server "$(tail -n 1 "$tmp/server.err")"; exit 1; }
settle_addresses
inode() { stat -Lc %i "/run/netns/$1"; }
ia=$(inode $a) ir=$(inode $r) ib=$(inode $b)

ask() { # LINE...: sections into $tmp/probe and $tmp/watch (one JSON), the gap into $tmp/gap
	{ echo "netdoctor 1"; for line in "$@"; do echo "$line"; done; echo go; } >"$tmp/request"
	timeout 60 "$AGENT" <"$tmp/request" >"$tmp/reply" 2>"$tmp/err"
	rc=$?
	for s in probe watch; do awk -v s=$s '$1 == "section" && $2 == s {getline; print; exit}' "$tmp/reply" >"$tmp/$s"; done
	awk '$1 == "gap" && $2 == "watch" {getline; print}' "$tmp/reply" >"$tmp/gap"
	[ $rc -eq 0 ] && grep -q '^end ' "$tmp/reply" || not_ok "ask: exit $rc" "$(cat "$tmp/err")"
}
# Places are written as words: a:eth0:out. is NAME SELECT PLACE...: exactly there it was seen, in any order.
is() {
	local name=$1 select=$2 got
	shift 2
	got=$(jq -r --arg a "$ia" --arg r "$ir" --arg b "$ib" ".[] | select(\$a != \"\" and ($select)) |
		({(\$a): \"a\", (\$r): \"r\", (\$b): \"b\", node: \"node\"}[.source]) + \":\" + .ifname + \":\" + .direction" "$tmp/watch" | sort | tr '\n' ' ')
	[ "$got" = "$(printf '%s\n' "$@" | sort | sed '/^$/d' | tr '\n' ' ')" ] && ok "$name" || not_ok "$name" "seen at '$got' of $(jq -c ".[] | select($select)" "$tmp/watch")"
}
expr() { # NAME EXPRESSION: on the whole section
	[ "$(jq "$2" "$tmp/watch" 2>&1)" = true ] && ok "$1" || not_ok "$1" "$2: $(cat "$tmp/watch")"
}
all="watch $ia
watch $ir
watch $ib"
way="a:eth0:out r:toa:in r:tob:out b:eth0:in"
back="b:eth0:out r:tob:in r:toa:out a:eth0:in"

# Everything at once: what passed, what was dropped, rejected, rewritten.
ask "watch-ms 300" "probe-timeout-ms 300" $"$all" "probe 1 tcp $ia 10.91.2.2 8080" "probe 2 tcp $ia 10.91.2.2 8081" \
	"probe 3 tcp $ia 10.91.2.2 8082" "probe 4 tcp $ia 10.91.2.2 8083" "probe 5 tcp $ia 10.96.0.1 443" "probe 6 tcp $ia 10.91.2.2 8099" \
	"probe 7 tcp $ia fd91:2::2 8080" "probe 8 tcp $ia fd91:2::2 8082" "probe 9 dns-udp $ia 10.91.2.2 53 ok.test" \
	"probe 10 dns-udp $ia 10.91.2.2 54 ok.test" "probe 11 icmp $ia 10.91.2.2 0"
[ "$(jq -c '[.[].outcome]' "$tmp/probe")" = '["ok","TIMEOUT","NOHOST","TIMEOUT","ok","REFUSED","ok","REFUSED","ok","REFUSED","ok"]' ] && ok probes || not_ok probes "$(cat "$tmp/probe")"
from='.src=="10.91.1.2"and.dst=="10.91.2.2"'
# shellcheck disable=SC2086
{
	# The rewritten SYN of probe 5 goes to port 8080 too; it is told by its source port.
	sport=$(jq 'map(select(.what == "SYN" and .dport == 443))[0].sport' "$tmp/watch")
	is syn ".what==\"SYN\"and.dport==8080and$from and.sport!=$sport" $way
	is syn-ack ".what==\"SYN-ACK\"and.sport==8080and.dst==\"10.91.1.2\"and.dport!=$sport" $back
	is dropped-by-router ".dport==8081" a:eth0:out r:toa:in
	is rejected-syn '.what=="SYN"and.dport==8082and.dst=="10.91.2.2"' a:eth0:out r:toa:in
	is rejected-icmp '.what=="ICMP"and.dport==8082and.from=="10.91.1.1"and.icmp_type==3and.icmp_code==13and'"$from" r:toa:out a:eth0:in
	is dropped-by-target '.what=="SYN"and.dport==8083' $way
	is dnat-before '.what=="SYN"and.dst=="10.96.0.1"and.dport==443' a:eth0:out r:toa:in
	is dnat-behind ".what==\"SYN\"and.dst==\"10.91.2.2\"and.sport==$sport" r:tob:out b:eth0:in
	is dnat-back-behind ".what==\"SYN-ACK\"and.src==\"10.91.2.2\"and.dport==$sport" b:eth0:out r:tob:in
	is dnat-back-before ".what==\"SYN-ACK\"and.src==\"10.96.0.1\"and.sport==443" r:toa:out a:eth0:in
	is closed-syn '.what=="SYN"and.dport==8099' $way
	is closed-rst '.what=="RST"and.sport==8099' $back
	is syn6 '.what=="SYN"and.dst=="fd91:2::2"and.dport==8080' $way
	is syn-ack6 '.what=="SYN-ACK"and.src=="fd91:2::2"' $back
	is rejected6 '.what=="ICMP"and.dst=="fd91:2::2"and.dport==8082and.from=="fd91:1::1"and.icmp_type==1' r:toa:out a:eth0:in
	is dns-question '.what=="UDP"and.dport==53' $way
	is dns-answer '.what=="UDP"and.sport==53' $back
	is udp-refused '.what=="ICMP"and.dport==54and.from=="10.91.2.2"and.icmp_type==3and.icmp_code==3and'"$from" $back
	is other-udp '.what=="UDP"and.dport==54' ''
}
expr ordered 'map(.us) | . == sort and .[0] >= 0 and .[-1] < 5000000'
expr one-each 'all(.[]; .count >= 1) and all(.[] | select(.dport == 8081); .count == 1)'
expr order-of-a-syn 'map(select(.dport == 8083) | .ifname + .direction) == ["eth0out","toain","tobout","eth0in"]'
[ -s "$tmp/gap" ] && not_ok no-gap "$(cat "$tmp/gap")" || ok no-gap

# Nothing but looking; others send. The source is the agent's own namespace, too.
cat >"$tmp/inside" <<-END
	#!/bin/sh
	exec ip netns exec $r "$AGENT"
END
chmod +x "$tmp/inside"
connect() { ip netns exec $a python3 -c 'import socket,sys,time
time.sleep(float(sys.argv[3]))
for i in range(int(sys.argv[4])):
	try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.05).close()
	except OSError: pass' "$@"; }
{ connect 10.91.2.2 8081 0.1 3; } &
start=$(date +%s%N)
AGENT=$tmp/inside ask "watch-ms 1000" "watch node" "watch $ib"
ms=$((($(date +%s%N) - start) / 1000000))
wait $!
[ -s "$tmp/probe" ] && not_ok watch-only-sections "$(cat "$tmp/probe")" || ok watch-only-sections
expr watch-only 'map(select(.dport == 8081)) | length == 3 and all(.[]; .source == "node" and .ifname == "toa" and .direction == "in" and .what == "SYN")'
[ $ms -ge 1000 ] && [ $ms -lt 3000 ] && ok "watch-only-time ($ms ms)" || not_ok watch-only-time "$ms ms"

# The same packet again counts up; the delay of probes; the time of the last probe.
ask "watch-ms 50" "probe-timeout-ms 1500" "probe-delay-ms 400" "watch $ia" "probe 1 tcp $ia 10.91.2.2 8081"
expr counted 'map(select(.what == "SYN" and .dport == 8081)) | length == 1 and .[0].count == 2'
expr delayed '.[0].us >= 400000 and .[0].us < 1400000'
start=$(date +%s%N)
ask "watch-ms 50" "watch $ia"
ms=$((($(date +%s%N) - start) / 1000000))
[ $ms -ge 50 ] && [ $ms -lt 600 ] && ok "short ($ms ms)" || not_ok short "$ms ms"
expr nothing 'length == 0'

# Headers that are rare: IPv4 options, IPv6 extension headers, fragments; an ICMP error of another kind.
ip netns exec $a python3 - <<-END &
	import socket, time
	time.sleep(0.4)
	def udp(family, where, n, *option):
	    s = socket.socket(family, socket.SOCK_DGRAM)
	    s.setsockopt(*option)
	    s.sendto(b"x" * n, where)
	udp(socket.AF_INET, ("10.91.2.2", 53), 12, socket.IPPROTO_IP, socket.IP_OPTIONS, b"\\1" * 40)
	udp(socket.AF_INET6, ("fd91:2::2", 53), 12, socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, b"\\0\\0\\1\\4\\0\\0\\0\\0")
	udp(socket.AF_INET, ("10.91.2.9", 53), 4000, socket.IPPROTO_IP, socket.IP_TTL, 9)
	udp(socket.AF_INET6, ("fd91:2::9", 53), 4000, socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 9)
	udp(socket.AF_INET, ("10.91.2.8", 9), 12, socket.IPPROTO_IP, socket.IP_TTL, 1)
	udp(socket.AF_INET6, ("fd91:2::8", 9), 12, socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1)
END
ask "watch-ms 1200" $"$all"
wait $!
# shellcheck disable=SC2086
{
	is options4 '.what=="UDP"and.dport==53and.dst=="10.91.2.2"' $way
	is extensions6 '.what=="UDP"and.dport==53and.dst=="fd91:2::2"' $way
	is fragments4 '.what=="UDP"and.dst=="10.91.2.9"and.count==1' a:eth0:out r:toa:in
	is fragments6 '.what=="UDP"and.dst=="fd91:2::9"and.count==1' a:eth0:out r:toa:in
	is time-exceeded4 '.what=="ICMP"and.dst=="10.91.2.8"and.dport==9and.icmp_type==11and.from=="10.91.1.1"' r:toa:out a:eth0:in
	is time-exceeded6 '.what=="ICMP"and.dst=="fd91:2::8"and.dport==9and.icmp_type==3and.from=="fd91:1::1"' r:toa:out a:eth0:in
}

# The deadline comes first: said, because more may have passed.
ask "deadline-ms 200" "watch-ms 5000" "watch $ia"
grep -q "deadline" "$tmp/gap" && [ "$(cat "$tmp/watch")" = "[]" ] && ok deadline || not_ok deadline "$(cat "$tmp/gap")"

# A namespace that is gone; one besides it.
ask "watch-ms 100" "watch 4026530000" "watch $ia" "probe 1 tcp $ia 10.91.2.2 8080"
is gone '.dport==8080' a:eth0:out
[ -s "$tmp/gap" ] && not_ok gone-no-gap "$(cat "$tmp/gap")" || ok gone-no-gap

# An interface that comes while it looks has a number.
{ sleep 0.3; ip -n $a link add late type dummy || ip -n $a link add late type bridge; ip -n $a addr add 10.97.0.1/24 dev late; ip -n $a link set late up
	ip -n $a neigh add 10.97.0.2 lladdr 02:00:00:00:00:02 dev late; connect 10.97.0.2 80 0 1; } 2>/dev/null &
children="$children $!"
ask "watch-ms 1500" "watch $ia"
expr late-interface 'map(select(.dst == "10.97.0.2")) | length == 1 and (.[0].ifname | test("^if[0-9]+$"))'
ip -n $a link del late

# More than it keeps: a gap, and what was seen first.
ip netns exec $a python3 - <<-END &
	import socket, time
	time.sleep(0.4)
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	for i in range(6000):
	    s.sendto(b"x", ("10.98.%d.%d" % (i // 200, i % 200 + 1), 53))
	    if i % 50 == 0: time.sleep(0.005)
END
ask "watch-ms 2500" "watch $ia"
wait $!
expr many 'length == 4096'
grep -q "more than 4096 different packets" "$tmp/gap" && ok many-gap || not_ok many-gap "$(cat "$tmp/gap")"
# Faster than it reads: the loss is counted and told.
cat >"$tmp/flood.py" <<-END
	import socket, time
	time.sleep(0.4)
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	end = time.time() + 1
	while time.time() < end: s.sendto(b"x", ("127.0.0.1", 53))
END
ip netns exec $a python3 "$tmp/flood.py" &
flood=$!
ask "watch-ms 1600" "watch $ia"
wait $flood
count=$(jq 'map(.count) | add' "$tmp/watch")
[ "$count" -gt 10000 ] && ok "flood-seen ($count)" || not_ok flood-seen "$count"
lost=$(grep -oE '[0-9]+ packets were lost' "$tmp/gap")
[ -n "$lost" ] && ok "flood-gap ($lost)" || ok "flood-gap # this machine sends slower than the agent reads: $(cat "$tmp/gap")"

# VXLAN: the outer packets on the underlay carry the inner ones.
for family in 4 6; do
	[ $family = 4 ] && la=10.91.1.2 lb=10.91.2.2 || la=fd91:1::2 lb=fd91:2::2
	[ $family = 4 ] && port=8472 || port=4789
	ip -n $a link add vx$family type vxlan id $family local $la remote $lb dstport $port 2>/dev/null &&
		ip -n $b link add vx$family type vxlan id $family local $lb remote $la dstport $port || { echo "skip vxlan$family: this kernel has none"; continue; }
	ip -n $a addr add 10.95.$family.1/24 dev vx$family
	ip -n $b addr add 10.95.$family.2/24 dev vx$family
	ip -n $a addr add fd95:$family::1/64 dev vx$family nodad
	ip -n $b addr add fd95:$family::2/64 dev vx$family nodad
	ip -n $a link set vx$family up
	ip -n $b link set vx$family up
	ask "watch-ms 300" $"$all" "probe 1 tcp $ia 10.95.$family.2 8080" "probe 2 tcp $ia fd95:$family::2 8080" "probe 3 udp $ia 10.95.$family.2 10" \
		"probe 4 dns-udp $ia fd95:$family::2 53 ok.test"
	outer=".vxlan_src==\"$la\"and.vxlan_dst==\"$lb\"" plain='(has("vxlan_src")|not)'
	# shellcheck disable=SC2086
	{
		is vxlan$family-outer ".what==\"SYN\"and.dst==\"10.95.$family.2\"and.dport==8080and$outer" $way
		is vxlan$family-inner ".what==\"SYN\"and.dst==\"10.95.$family.2\"and.dport==8080and$plain" a:vx$family:out b:vx$family:in
		is vxlan$family-outer6 ".what==\"SYN\"and.dst==\"fd95:$family::2\"and.dport==8080and$outer" $way
		is vxlan$family-dns ".what==\"UDP\"and.dst==\"fd95:$family::2\"and.dport==53and$outer" $way
		is vxlan$family-icmp ".what==\"ICMP\"and.dst==\"10.95.$family.2\"and.dport==10and.from==\"10.95.$family.2\"and.vxlan_src==\"$lb\"" $back
	}
	ip -n $a link del vx$family
	ip -n $b link del vx$family
done

# What it has left while it looks: no capability, no way to get one, and a filter; its own namespace.
printf 'netdoctor 1\nwatch-ms 1500\nwatch %s\ngo\n' "$ia" | "$AGENT" >"$tmp/out" &
pid=$!
sleep 0.5
none=0000000000000000
for p in $pid $(pgrep -P $pid); do
	status=$(grep -hE '^(Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/$p/status | tr -s '\t\n' ' ')
	[ "$status" = "CapPrm: $none CapEff: $none CapBnd: $none CapAmb: $none NoNewPrivs: 1 Seccomp: 2 " ] && ok no-capabilities ||
		not_ok no-capabilities "$status"
done
[ "$p" != $pid ] && ok child || not_ok child "there is none"
[ "$(stat -Lc %i /proc/$pid/ns/net)" = "$(stat -Lc %i /proc/self/ns/net)" ] && ok own-namespace || not_ok own-namespace "it is in another"
wait $pid
# The child that closes its sockets, which the kernel makes slow, has gone too.
for _ in $(seq 30); do
	left=$(pgrep -c -f -x "$AGENT")
	[ "$left" = 0 ] && break
	sleep 0.1
done
[ "$left" = 0 ] && ok nothing-left || not_ok nothing-left "$(pgrep -a -f -x "$AGENT")"
# Without the right to open packet sockets: a gap that names the namespace, and the probes go on.
if command -v setpriv >/dev/null; then
	cat >"$tmp/bare" <<-END
		#!/bin/sh
		exec ip netns exec $r setpriv --bounding-set -net_raw --inh-caps -net_raw "$AGENT"
	END
	chmod +x "$tmp/bare"
	AGENT=$tmp/bare ask "watch-ms 50" "watch node" "probe 1 tcp node 10.91.2.2 8080"
	grep -q "^node: .*not permitted" "$tmp/gap" && [ "$(jq -r '.[0].outcome' "$tmp/probe")" = ok ] && [ "$(cat "$tmp/watch")" = "[]" ] && ok no-right ||
		not_ok no-right "$(cat "$tmp/gap" "$tmp/err")"
fi

# A bad request: exit 2, nothing looked at, one line that names the place.
bad() { # NAME TEXT LINE...
	local name=$1 text=$2
	shift 2
	{ echo "netdoctor 1"; for line in "$@"; do echo "$line"; done; echo go; } | timeout 20 "$AGENT" >"$tmp/out" 2>"$tmp/err"
	if [ $? -eq 2 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q -- "$text" "$tmp/err"; then
		ok "bad-$name"
	else
		not_ok "bad-$name" "$(cat "$tmp/err")"
	fi
}
bad too-many "line 66, 'watch': more than 64 sources" "$(seq 4026540000 4026540064 | sed 's/^/watch /')"
bad twice "line 3, 'watch': another line watches the same source" "watch node" "watch node"
bad source "source must be node or" "watch eth0"
bad source-zero "source must be node or" "watch 0"
bad no-source "wants one source" "watch"
bad many-words "wants one source" "watch node eth0"
bad ms-small "wants a number, 50 to 10000" "watch-ms 5" "watch node"
bad ms-large "wants a number, 50 to 10000" "watch-ms 10001" "watch node"
bad delay-large "wants a number, 0 to 2000" "probe-delay-ms 2001" "watch node"
bad delay-word "wants a number, 0 to 2000" "probe-delay-ms soon" "watch node"
bad unknown-word "line 2, 'watch-all': unknown word" "watch-all"
bad nothing "nothing was asked for" "watch-ms 100"
bad both "collects or probes, not both" "collect host" "watch node"
# As many as it takes, all gone.
# shellcheck disable=SC2046
ask "watch-ms 50" "$(seq 4026540000 4026540063 | sed 's/^/watch /')"
expr sixty-four 'length == 0'

exit $failed
