#!/bin/bash
# id: cni0-wrong-ip
# cause: cni0-wrong-ip
# subject: node/worker
# cni: flannel
# proxy: any
# quick: yes
# repair: ip addr del <old> dev cni0; ip addr add <podCIDR>.1/24 dev cni0
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() {
	on "$W1" ip -4 -o addr show cni0 | awk '{ print $4 }' >"$SAVE/address"
	on "$W1" ip addr flush dev cni0
	on "$W1" ip addr add 10.244.99.1/24 dev cni0
}
present() { on "$W1" ip -4 addr show cni0 | grep -q 10.244.99.1; }
heal() {
	on "$W1" ip addr flush dev cni0
	on "$W1" ip addr add "$(cat "$SAVE/address")" brd + dev cni0
}
main "$@"
