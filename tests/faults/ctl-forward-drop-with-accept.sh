#!/bin/bash
# id: ctl-forward-drop-with-accept
# cause: new:none
# subject: node/worker
# cni: flannel
# proxy: any
# quick: yes
# repair: nothing to repair
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Policy DROP is harmless where flannel's FLANNEL-FWD accepts the pod network before the end.
inject() { on "$W1" iptables -P FORWARD DROP; }
settle() { sleep 2; }
present() { on "$W1" iptables -S FORWARD | grep -q -- '-P FORWARD DROP'; }
heal() { on "$W1" iptables -P FORWARD ACCEPT; }
main "$@"
