#!/bin/bash
# id: forward-policy-drop
# cause: ipt-forward-policy-drop
# subject: node/worker2
# cni: kindnet
# proxy: any
# quick: yes
# repair: iptables -P FORWARD ACCEPT
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W2" iptables -P FORWARD DROP; }
present() { on "$W2" iptables -S FORWARD | grep -q -- '-P FORWARD DROP'; }
heal() { on "$W2" iptables -P FORWARD ACCEPT; }
main "$@"
