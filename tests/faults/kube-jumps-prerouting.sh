#!/bin/bash
# id: kube-jumps-prerouting
# cause: ipt-kube-jumps-missing
# subject: node/worker2
# cni: any
# proxy: iptables
# quick: yes
# repair: restart kube-proxy on the node, or delete its canary chains
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() {
	onsh "$W2" 'iptables-save -t nat | sed -n "/^-A PREROUTING .*-j KUBE-SERVICES/s/^-A/-D/p" |
		while read -r l; do eval iptables -t nat "$l"; done'
}
present() { ! on "$W2" iptables-save -t nat | grep -q '^-A PREROUTING .*-j KUBE-SERVICES'; }
heal() { restart_kube_proxy "$W2"; }
main "$@"
