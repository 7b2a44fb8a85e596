#!/bin/bash
# id: forward-reject-port
# cause: ipt-stray-drop
# subject: node/worker
# effects: eff-clusterip-fail/NOHOST,eff-pod-pod-cross-node-fail/NOHOST
# cni: any
# proxy: any
# quick: no
# repair: delete the rule
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rule="FORWARD -p tcp --dport 8181 -j REJECT --reject-with icmp-host-prohibited"
inject() { on "$W1" iptables -I $rule; }
present() { on "$W1" iptables -C $rule 2>/dev/null; }
heal() { on "$W1" iptables -D $rule; }
main "$@"
