#!/bin/bash
# id: forward-reject-dns-tcp
# cause: ipt-stray-drop
# subject: node/worker
# also: dns-tcp-blocked
# cni: any
# proxy: any
# quick: no
# repair: delete the rule
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rule="FORWARD -p tcp --dport 53 -j REJECT --reject-with tcp-reset"
inject() { on "$W1" iptables -I $rule; }
present() { on "$W1" iptables -C $rule 2>/dev/null; }
heal() { on "$W1" iptables -D $rule; }
main "$@"
