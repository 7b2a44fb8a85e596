#!/bin/bash
# id: forward-drop-tcp
# cause: ipt-stray-drop
# subject: node/worker
# effects: eff-pod-pod-cross-node-fail/TIMEOUT,eff-clusterip-fail/TIMEOUT,eff-api-vip-unreachable/TIMEOUT
# cni: any
# proxy: any
# quick: yes
# repair: delete the rule
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rule="FORWARD -p tcp -s 10.244.0.0/16 -j DROP"
inject() { on "$W1" iptables -I $rule; }
present() { on "$W1" iptables -C $rule 2>/dev/null; }
heal() { on "$W1" iptables -D $rule; }
main "$@"
