#!/bin/bash
# id: nft-proxy-absent
# cause: kp-not-running
# subject: node/worker
# cni: any
# proxy: nftables
# quick: no
# repair: remove the nodeSelector from ds/kube-proxy
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() {
	pin_ds kube-system kube-proxy "$W1"
	on "$W1" nft delete table ip kube-proxy
}
present() { ! on "$W1" nft list table ip kube-proxy >/dev/null 2>&1; }
heal() { unpin_ds kube-system kube-proxy; }
main "$@"
