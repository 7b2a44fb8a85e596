#!/bin/bash
# id: kube-jumps-output
# cause: ipt-kube-jumps-missing
# subject: node/worker
# cni: any
# proxy: iptables
# quick: no
# repair: restart kube-proxy on the node, or delete its canary chains
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() {
	onsh "$W1" 'iptables-save -t nat | sed -n "/^-A OUTPUT .*-j KUBE-SERVICES/s/^-A/-D/p" |
		while read -r l; do eval iptables -t nat "$l"; done'
}
present() { ! on "$W1" iptables-save -t nat | grep -q '^-A OUTPUT .*-j KUBE-SERVICES'; }
heal() { restart_kube_proxy "$W1"; }
main "$@"
