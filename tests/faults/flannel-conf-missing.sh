#!/bin/bash
# id: flannel-conf-missing
# cause: cni-conf-missing
# subject: node/worker
# cni: flannel
# proxy: any
# quick: no
# repair: restart the flannel pod of the node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W1" mv /etc/cni/net.d/10-flannel.conflist /root/; }
settle() { sleep 15; }
present() { ! on "$W1" test -e /etc/cni/net.d/10-flannel.conflist; }
# containerd loads a file that is written, not one that is moved into the directory.
heal() { onsh "$W1" 'cat /root/10-flannel.conflist >/etc/cni/net.d/10-flannel.conflist && rm /root/10-flannel.conflist'; }
main "$@"
