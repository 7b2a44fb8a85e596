#!/bin/bash
# id: flannel-dev-down
# cause: vxlan-dev-missing
# subject: node/worker
# cni: flannel
# proxy: any
# quick: no
# repair: restart the flannel pod of the node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W1" ip link set flannel.1 down; }
present() { ! on "$W1" ip link show flannel.1 | grep -q '[<,]UP'; }
heal() {
	on "$W1" ip link set flannel.1 up
	restart_pod kube-flannel app=flannel "$W1"
	wait_ready kube-flannel ds/kube-flannel-ds
}
main "$@"
