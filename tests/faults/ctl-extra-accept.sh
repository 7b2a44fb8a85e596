#!/bin/bash
# id: ctl-extra-accept
# cause: new:none
# subject: node/worker2
# cni: any
# proxy: any
# quick: yes
# repair: nothing to repair
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# An administrator's rules that accept and count, and a drop for a port nobody uses.
inject() {
	on "$W2" iptables -I FORWARD -s 10.244.0.0/16 -j ACCEPT
	on "$W2" iptables -I INPUT -p tcp --dport 23 -j DROP
	on "$W2" iptables -A OUTPUT -m comment --comment count
}
present() { on "$W2" iptables -C FORWARD -s 10.244.0.0/16 -j ACCEPT 2>/dev/null; }
heal() {
	on "$W2" iptables -D FORWARD -s 10.244.0.0/16 -j ACCEPT
	on "$W2" iptables -D INPUT -p tcp --dport 23 -j DROP
	on "$W2" iptables -D OUTPUT -m comment --comment count
}
main "$@"
