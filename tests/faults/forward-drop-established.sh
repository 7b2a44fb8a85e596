#!/bin/bash
# id: forward-drop-established
# cause: ipt-stray-drop
# subject: node/worker
# effects: eff-dns-cluster-fail/STALL
# cni: any
# proxy: any
# quick: yes
# repair: delete the rule: connections of its pods are made (SYN and SYN-ACK pass), then nothing more comes
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rule="FORWARD -p tcp -s 10.244.0.0/16 -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j DROP"
inject() { on "$W1" iptables -I $rule; }
present() { on "$W1" iptables -C $rule 2>/dev/null; }
heal() { on "$W1" iptables -D $rule; }
main "$@"
