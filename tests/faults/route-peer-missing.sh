#!/bin/bash
# id: route-peer-missing
# cause: route-pod-cidr-missing
# subject: node/worker2
# also: cni-agent-crash
# effects: eff-pod-pod-cross-node-fail/TIMEOUT
# cni: kindnet
# proxy: any
# quick: yes
# repair: ip route add <podCIDR of worker> via <address of worker>; or let kindnetd run on worker2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# kindnetd hangs on the node, it would write the route again within 10 s.
inject() { stop_process "$W2" kindnetd && on "$W2" ip route del "$(pod_cidr "$W1")"; }
present() { [[ -z $(on "$W2" ip route show "$(pod_cidr "$W1")") ]]; }
heal() {
	on "$W2" ip route replace "$(pod_cidr "$W1")" via "$(node_ip "$W1")"
	cont_process "$W2" kindnetd
}
main "$@"
