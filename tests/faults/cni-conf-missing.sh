#!/bin/bash
# id: cni-conf-missing
# cause: cni-conf-missing
# subject: node/worker2
# cni: kindnet
# proxy: any
# quick: yes
# repair: delete the kindnet pod of the node: it writes the file at its start
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W2" mv /etc/cni/net.d/10-kindnet.conflist /root/; }
settle() { sleep 15; }
present() { ! on "$W2" test -e /etc/cni/net.d/10-kindnet.conflist; }
heal() {
	restart_pod kube-system app=kindnet "$W2"
	wait_ready kube-system ds/kindnet
	on "$W2" rm -f /root/10-kindnet.conflist
}
main "$@"
