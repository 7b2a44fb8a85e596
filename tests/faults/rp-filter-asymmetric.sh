#!/bin/bash
# id: rp-filter-asymmetric
# cause: rp-filter-drop
# subject: node/worker
# also: route-pod-cidr-wrong-gw
# cni: flannel
# proxy: any
# quick: no
# repair: ip route replace <peer podCIDR> via <its .0> dev flannel.1 onlink; or rp_filter=2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The worker sends to the control plane's pods past the tunnel while the answers come through it, and filters strictly.
inject() {
	on "$W1" ip route replace "$(pod_cidr "$CP")" via "$(node_ip "$CP")" dev eth0
	on "$W1" sysctl -qw net.ipv4.conf.all.rp_filter=1
}
present() {
	[[ $(on "$W1" cat /proc/sys/net/ipv4/conf/all/rp_filter) == 1 ]] &&
		on "$W1" ip route show "$(pod_cidr "$CP")" | grep -q eth0
}
heal() {
	local c
	c=$(pod_cidr "$CP")
	on "$W1" ip route replace "$c" via "${c%/*}" dev flannel.1 onlink
	on "$W1" sysctl -qw net.ipv4.conf.all.rp_filter=0
}
main "$@"
