#!/bin/bash
# id: mangle-drop-dns-udp
# cause: ipt-stray-drop
# subject: node/worker2
# also: dns-udp-blocked
# cni: any
# proxy: any
# quick: no
# repair: delete the rule
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rule="PREROUTING -p udp --dport 53 -j DROP"
inject() { on "$W2" iptables -t mangle -I $rule; }
present() { on "$W2" iptables -t mangle -C $rule 2>/dev/null; }
heal() { on "$W2" iptables -t mangle -D $rule; }
main "$@"
