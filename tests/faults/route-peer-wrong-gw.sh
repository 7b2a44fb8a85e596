#!/bin/bash
# id: route-peer-wrong-gw
# cause: route-pod-cidr-wrong-gw
# subject: node/worker2
# also: cni-agent-crash
# cni: kindnet
# proxy: any
# quick: yes
# repair: ip route replace <podCIDR of worker> via <address of worker>
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# kindnetd hangs on the node, it would correct the route within 10 s.
inject() { stop_process "$W2" kindnetd && on "$W2" ip route replace "$(pod_cidr "$W1")" via "$(dead_ip "$W1")"; }
present() { on "$W2" ip route show "$(pod_cidr "$W1")" | grep -qw "$(dead_ip "$W1")"; }
heal() {
	on "$W2" ip route replace "$(pod_cidr "$W1")" via "$(node_ip "$W1")"
	cont_process "$W2" kindnetd
}
main "$@"
