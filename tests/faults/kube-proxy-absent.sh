#!/bin/bash
# id: kube-proxy-absent
# cause: kp-not-running
# subject: node/worker2
# cni: any
# proxy: iptables
# quick: no
# repair: remove the nodeSelector from ds/kube-proxy
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Scheduled away from the node, and the node rebooted since: no rules left.
inject() {
	pin_ds kube-system kube-proxy "$W2"
	onsh "$W2" 'iptables-save | grep -vE "KUBE-(SVC|SEP|EXT|SVL|FW)|KUBE-(SERVICES|NODEPORTS|POSTROUTING|MARK|FORWARD|EXTERNAL|PROXY)" |
		iptables-restore'
}
present() { ! on "$W2" iptables-save -t nat | grep -q KUBE-SVC; }
heal() { unpin_ds kube-system kube-proxy; }
main "$@"
