#!/bin/bash
# id: vxlan-fdb-wrong
# cause: vxlan-fdb-wrong
# subject: node/worker
# cni: flannel
# proxy: any
# quick: yes
# repair: bridge fdb replace <VtepMAC of the peer> dev flannel.1 dst <its public IP> self permanent
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mac() { K get node "$1" -o json | jq -r '.metadata.annotations["flannel.alpha.coreos.com/backend-data"] | fromjson | .VtepMAC'; }
inject() { on "$W1" bridge fdb replace "$(mac "$CP")" dev flannel.1 dst "$(dead_ip "$CP")" self permanent; }
present() { on "$W1" bridge fdb show dev flannel.1 | grep "$(mac "$CP")" | grep -q "$(dead_ip "$CP")"; }
heal() {
	on "$W1" bridge fdb del "$(mac "$CP")" dev flannel.1 dst "$(dead_ip "$CP")" 2>/dev/null
	on "$W1" bridge fdb replace "$(mac "$CP")" dev flannel.1 dst "$(node_ip "$CP")" self permanent
}
main "$@"
