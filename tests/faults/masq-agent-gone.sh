#!/bin/bash
# id: masq-agent-gone
# cause: masq-missing
# subject: node/worker2
# also: cni-agent-crash
# cni: kindnet
# proxy: any
# quick: no
# repair: let kindnetd run on the node again: it writes KIND-MASQ-AGENT within 60 s
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# kindnetd hangs on the node, it would write the chain again.
inject() { stop_process "$W2" kindnetd && on "$W2" iptables -t nat -F KIND-MASQ-AGENT; }
present() { ! on "$W2" iptables -t nat -S KIND-MASQ-AGENT | grep -q MASQUERADE; }
heal() {
	cont_process "$W2" kindnetd
	restart_pod kube-system app=kindnet "$W2"
	for _ in $(seq 80); do present || return 0; sleep 1; done
}
main "$@"
