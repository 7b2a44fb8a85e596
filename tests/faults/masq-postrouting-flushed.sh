#!/bin/bash
# id: masq-postrouting-flushed
# cause: masq-missing
# subject: node/worker
# also: ipt-kube-chains-flushed
# cni: any
# proxy: iptables
# quick: yes
# repair: restart kube-proxy on the node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Every sync of kube-proxy writes this chain again: a sync that the last fault left behind may undo the first try.
inject() {
	local _
	for _ in 1 2 3 4 5; do
		on "$W1" iptables -t nat -F KUBE-POSTROUTING
		sleep 5
		present && return
	done
}
present() { ! on "$W1" iptables -t nat -S KUBE-POSTROUTING | grep -q MASQUERADE; }
heal() { restart_kube_proxy "$W1"; }
main "$@"
