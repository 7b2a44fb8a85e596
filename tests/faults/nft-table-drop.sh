#!/bin/bash
# id: nft-table-drop
# cause: nft-native-drop
# subject: node/worker
# cni: any
# proxy: any
# quick: yes
# repair: nft delete table inet hardening
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() {
	on "$W1" nft 'add table inet hardening
		add chain inet hardening f { type filter hook forward priority -10; policy drop; }'
}
present() { on "$W1" nft list table inet hardening 2>/dev/null | grep -q 'policy drop'; }
heal() { on "$W1" nft delete table inet hardening; }
main "$@"
