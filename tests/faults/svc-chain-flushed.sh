#!/bin/bash
# id: svc-chain-flushed
# cause: ipt-kube-chains-flushed
# subject: node/worker
# effects: eff-clusterip-fail/
# cni: any
# proxy: iptables
# quick: yes
# repair: restart kube-proxy on the node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
chain() {
	on "$W1" iptables-save -t nat | sed -n \
		's/^-A KUBE-SERVICES .*data-platform\/iceberg-rest-catalog:http cluster IP.* -j \(KUBE-SVC-[A-Z0-9]*\)$/\1/p' | head -1
}
inject() { on "$W1" iptables -t nat -F "$(chain)"; }
present() {
	local c
	c=$(chain)
	[[ -n $c ]] && ! on "$W1" iptables -t nat -S "$c" | grep -q -- '-j KUBE-SEP'
}
heal() { restart_kube_proxy "$W1"; }
main "$@"
