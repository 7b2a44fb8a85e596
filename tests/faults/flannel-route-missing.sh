#!/bin/bash
# id: flannel-route-missing
# cause: route-pod-cidr-missing
# subject: node/control-plane
# cni: flannel
# proxy: any
# quick: yes
# repair: ip route replace <podCIDR of worker> via <its .0> dev flannel.1 onlink
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$CP" ip route del "$(pod_cidr "$W1")"; }
present() { [[ -z $(on "$CP" ip route show "$(pod_cidr "$W1")") ]]; }
heal() {
	local c
	c=$(pod_cidr "$W1")
	on "$CP" ip route replace "$c" via "${c%/*}" dev flannel.1 onlink
}
main "$@"
