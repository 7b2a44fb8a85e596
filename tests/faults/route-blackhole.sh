#!/bin/bash
# id: route-blackhole
# cause: route-blackhole
# subject: node/worker
# effects: eff-pod-pod-cross-node-fail/
# cni: kindnet
# proxy: any
# quick: yes
# repair: ip route del blackhole <first half of the podCIDR of worker2>
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# More specific than kindnet's own route, so kindnet leaves it alone.
half() {
	local c
	c=$(pod_cidr "$W2")
	echo "${c%/*}/25"
}
inject() { on "$W1" ip route add blackhole "$(half)"; }
present() { on "$W1" ip route show type blackhole | grep -q "$(half)"; }
heal() { on "$W1" ip route del blackhole "$(half)"; }
main "$@"
