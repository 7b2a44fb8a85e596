#!/bin/bash
# id: nft-rule-drop
# cause: nft-native-drop
# subject: node/worker2
# cni: any
# proxy: any
# quick: no
# repair: nft delete table ip filter2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Policy accept, and a rule that drops: after kube-proxy and the CNI said yes.
inject() {
	on "$W2" nft 'add table ip filter2
		add chain ip filter2 guard { type filter hook forward priority 5; policy accept; }
		add rule ip filter2 guard ip saddr 10.244.0.0/16 counter drop'
}
present() { on "$W2" nft list table ip filter2 2>/dev/null | grep -q drop; }
heal() { on "$W2" nft delete table ip filter2; }
main "$@"
