#!/bin/bash
# id: vxlan-dev-missing
# cause: vxlan-dev-missing
# subject: node/worker
# cni: flannel
# proxy: any
# quick: yes
# repair: restart the flannel pod of the node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W1" ip link del flannel.1; }
present() { ! on "$W1" ip link show flannel.1 >/dev/null 2>&1; }
heal() {
	restart_pod kube-flannel app=flannel "$W1"
	wait_ready kube-flannel ds/kube-flannel-ds
	sleep 2
}
main "$@"
