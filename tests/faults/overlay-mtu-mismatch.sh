#!/bin/bash
# id: overlay-mtu-mismatch
# cause: overlay-mtu-mismatch
# subject: node/worker
# also: pmtud-blackhole
# effects: eff-large-transfer-stall/fragmentation
# cni: flannel
# proxy: any
# quick: yes
# repair: MTU of cni0 and of the pods = MTU of flannel.1; let fragmentation-needed through
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Pods and bridges of all nodes with 1500 over a tunnel of 1450, and the worker keeps quiet about it. With one side at
# 1450 TCP would agree on the smaller segment and nothing would show.
mtu() { # mtu BYTES: pods and bridges of all nodes
	local m
	for m in "${NODES[@]}"; do
		onsh "$m" "for n in /run/netns/cni-*; do ip -n \${n##*/} link set eth0 mtu $1; done
			for v in \$(ls /sys/class/net/cni0/brif); do ip link set \$v mtu $1; done
			ip link set cni0 mtu $1"
	done
}
inject() {
	mtu 1500
	on "$W1" iptables -I OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP
}
present() { on "$W1" ip link show cni0 | grep -q 'mtu 1500'; }
heal() {
	on "$W1" iptables -D OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP
	mtu 1450
}
main "$@"
