#!/bin/bash
# id: input-drop-from-pods
# cause: ipt-stray-drop
# subject: node/worker2
# cni: any
# proxy: any
# quick: no
# repair: delete the rule
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Pods of the node reach each other and the cluster, only not their own node.
rule="INPUT -s 10.244.0.0/16 -j DROP"
inject() { on "$W2" iptables -I $rule; }
present() { on "$W2" iptables -C $rule 2>/dev/null; }
heal() { on "$W2" iptables -D $rule; }
main "$@"
