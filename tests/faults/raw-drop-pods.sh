#!/bin/bash
# id: raw-drop-pods
# cause: ipt-stray-drop
# subject: node/worker2
# cni: any
# proxy: any
# quick: no
# repair: delete the rule
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W2" iptables -t raw -I PREROUTING -s "$(pod_cidr "$W2")" -j DROP; }
present() { on "$W2" iptables -t raw -C PREROUTING -s "$(pod_cidr "$W2")" -j DROP 2>/dev/null; }
heal() { on "$W2" iptables -t raw -D PREROUTING -s "$(pod_cidr "$W2")" -j DROP; }
main "$@"
