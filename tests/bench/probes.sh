#!/bin/bash
# 10,000 TCP probes, SPACES (100) namespaces x TARGETS (100) open ports, all in one agent request, against `nmap -sT` in each
# namespace and against one `nc -zw1` process a pair (NC_PAIRS of them, scaled up). All in namespaces made and removed here.
set -u
cd "$(dirname "$0")/../.." || exit 1
spaces=${SPACES:-100} targets=${TARGETS:-100} nc_pairs=${NC_PAIRS:-500} n=${N:-5} agent=$PWD/${AGENT:-build/bin/netdoctor-agent-amd64}
[[ $(id -u) == 0 ]] || { echo "probe bench: needs root"; exit 1; }
for p in nmap nc; do
	command -v $p >/dev/null && continue
	apt-get install -y --no-install-recommends nmap netcat-openbsd >/dev/null 2>&1 || { echo "probe bench: no $p"; exit 1; }
done
node=ndpb tmp=$(mktemp -d) pids=()
cleanup() {
	kill "${pids[@]}" 2>/dev/null
	wait 2>/dev/null
	for ((i = 0; i < spaces; i++)); do ip netns del $node-$i 2>/dev/null; done
	ip netns del $node-t 2>/dev/null
	ip netns del $node 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
join() { # join NAME ADDRESS/LEN: a namespace at the bridge
	ip netns add "$node-$1"
	ip -n $node link add "v$1" type veth peer name eth0 netns "$node-$1"
	ip -n $node link set "v$1" master br0 up
	ip -n "$node-$1" addr add "$2" dev eth0
	ip -n "$node-$1" link set eth0 up
	ip -n "$node-$1" link set lo up
}
ip netns add $node || exit 1
ip -n $node link add br0 type bridge
ip -n $node link set br0 up
join t 10.99.0.1/16
# Behind a gateway: 100 x 100 neighbours would not fit into the kernel's table (gc_thresh3, 1024).
for ((i = 0; i < targets; i++)); do ip -n $node-t addr add 10.98.1.$((i + 1))/32 dev lo; done
# The kernel completes connections up to the backlog by itself: no server's speed is measured.
ip netns exec $node-t python3 -c "
import socket, time
held = []
for i in range($targets):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('10.98.1.%d' % (i + 1), 8080)); s.listen(4096); held.append(s)
import select
while True:
    for s in select.select(held, [], [])[0]: s.accept()[0].close()
" &
pids+=($!)
for ((i = 0; i < spaces; i++)); do
	join $i 10.99.2.$((i + 1))/16
	ip -n $node-$i route add 10.98.0.0/16 via 10.99.0.1
	ip netns exec $node-$i sleep 900 &
	pids+=($!)
done
sleep 2
{
	echo 'netdoctor 1'; echo 'probe-rate 100000'; id=0
	for ((i = 0; i < spaces; i++)); do
		inode=$(ip netns exec $node-$i stat -Lc %i /proc/self/ns/net)
		for ((k = 1; k <= targets; k++)); do echo "probe $((++id)) tcp $inode 10.98.1.$k 8080"; done
	done
	echo go
} >"$tmp/request"
for ((k = 1; k <= targets; k++)); do echo 10.98.1.$k; done >"$tmp/targets"

median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
timed() { # timed COMMAND...: wall seconds
	local t0=$EPOCHREALTIME
	"$@" >"$tmp/out" 2>&1
	awk -v a="$t0" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.3f\n", b - a}'
}
ask() { ip netns exec $node "$agent" <"$tmp/request"; }
scan() { for ((i = 0; i < spaces; i++)); do echo $i; done | xargs -P "$(nproc)" -I{} ip netns exec $node-{} nmap -sT -Pn -n -p8080 -T5 --min-rate 100000 -oG - -iL "$tmp/targets"; }
ncs() { for ((j = 0; j < nc_pairs; j++)); do echo "$((j % spaces)) 10.98.1.$((j % targets + 1))"; done | xargs -P "$(nproc)" -L1 sh -c 'ip netns exec '$node'-$0 nc -zw1 $1 8080'; }
for ((r = 0; r < n; r++)); do timed ask; done >"$tmp/agent"
ok=$(grep -ao '"outcome":"ok"' "$tmp/out" | wc -l)
for ((r = 0; r < (n + 1) / 2; r++)); do timed scan; done >"$tmp/nmap"
seen=$(grep -c '8080/open' "$tmp/out")
timed ncs >"$tmp/nc"
a=$(median <"$tmp/agent") m=$(median <"$tmp/nmap") c=$(median <"$tmp/nc")
awk -v a="$a" -v m="$m" -v c="$c" -v p=$((spaces * targets)) -v np="$nc_pairs" -v ok="$ok" -v seen="$seen" 'BEGIN {
	printf "%d TCP probes: agent %.2f s (%d ok), nmap -sT %.2f s (%d open), nc -zw1 %.2f s scaled from %d\n", p, a, ok, m, seen, c * p / np, np
	printf "ratio: %.2f of nmap (goal 1.2), %.3f of nc (goal 0.1)\n", a / m, a / (c * p / np)}'
