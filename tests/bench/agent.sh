#!/bin/bash
# The agent on a node with PODS (110) pod namespaces and SERVICES (500) services, against `iptables-save -c` alone, in one run.
# Goal: at most 1.5 times plus 50 ms, and 16 MiB. Everything lives in network namespaces made here and removed at the end.
set -u
cd "$(dirname "$0")/../.." || exit 1
pods=${PODS:-110} services=${SERVICES:-500} n=${N:-7} agent=$PWD/${AGENT:-build/bin/netdoctor-agent-amd64}
[[ $(id -u) == 0 ]] || { echo "agent bench: needs root"; exit 1; }
cgroup=/sys/fs/cgroup/pids
[[ -d $cgroup ]] || cgroup=/sys/fs/cgroup
node=ndbench pids=()
cleanup() {
	kill "${pids[@]}" 2>/dev/null
	wait 2>/dev/null
	for ((i = 0; i < pods; i++)); do ip netns del $node-$i 2>/dev/null; rmdir "$cgroup/kubepods/pod00000000-0000-0000-0000-$(printf %012d $i)" 2>/dev/null; done
	ip netns del $node 2>/dev/null
	rmdir "$cgroup/kubepods" 2>/dev/null
}
trap cleanup EXIT
ip netns add $node || exit 1
for ((i = 0; i < pods; i++)); do
	ip netns add $node-$i
	ip -n $node link add veth$i type veth peer name eth0 netns $node-$i
	ip -n $node link set veth$i up
	ip -n $node-$i link set eth0 up
	ip -n $node-$i addr add 10.244.$((i / 200)).$((i % 200 + 2))/24 dev eth0
	c=$cgroup/kubepods/pod00000000-0000-0000-0000-$(printf %012d $i)
	mkdir -p "$c"
	ip netns exec $node-$i sleep 600 &
	pids+=($!)
	echo $! >"$c/cgroup.procs"
done
{
	echo '*nat'; echo ':KUBE-SERVICES - [0:0]'
	for ((i = 0; i < services; i++)); do printf ':KUBE-SVC-%016d - [0:0]\n:KUBE-SEP-%016d - [0:0]\n' $i $i; done
	for ((i = 0; i < services; i++)); do
		printf -- '-A KUBE-SERVICES -d 10.96.%d.%d/32 -p tcp -m comment --comment "ns/s%d:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-%016d\n' $((i / 250)) $((i % 250)) $i $i
		printf -- '-A KUBE-SVC-%016d -m comment --comment "ns/s%d:http -> x" -j KUBE-SEP-%016d\n-A KUBE-SEP-%016d -p tcp -m tcp -j DNAT --to-destination 10.244.0.2:80\n' $i $i $i $i
	done
	echo COMMIT
} | ip netns exec $node iptables-nft-restore

median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
run() { # run FILE COMMAND...: n times; wall seconds and peak KiB
	local f=$1; shift
	for ((i = 0; i < n; i++)); do ip netns exec $node /usr/bin/time -f '%e %M' -o "$f.1" "$@" >/dev/null </tmp/nd-bench-request; tail -1 "$f.1"; done >"$f"
}
command -v /usr/bin/time >/dev/null || apt-get install -y --no-install-recommends time >/dev/null
printf 'netdoctor 1\ncollect all\ngo\n' >/tmp/nd-bench-request
run /tmp/nd-bench-save iptables-nft-save -c
run /tmp/nd-bench-agent "$agent"
s=$(median </tmp/nd-bench-save) a=$(median </tmp/nd-bench-agent) m=$(awk '{if ($2 > m) m = $2} END {print m / 1024}' /tmp/nd-bench-agent)
awk -v s="$s" -v a="$a" -v m="$m" -v p="$pods" 'BEGIN {printf "agent, %d pods: %.2f s, iptables-save -c alone %.2f s; limit 1.5 x + 0.05 = %.2f s; peak %.1f MiB (limit 16)\n", p, a, s, 1.5 * s + 0.05, m}'
