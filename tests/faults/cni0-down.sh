#!/bin/bash
# id: cni0-down
# cause: cni0-down
# subject: node/worker
# cni: flannel
# proxy: any
# quick: yes
# repair: ip link set cni0 up
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W1" ip link set cni0 down; }
present() { ! on "$W1" ip link show cni0 | grep -q '[<,]UP'; }
heal() { on "$W1" ip link set cni0 up; }
main "$@"
