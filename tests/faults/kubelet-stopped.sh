#!/bin/bash
# id: kubelet-stopped
# cause: kubelet-down
# subject: node/worker2
# cni: any
# proxy: any
# quick: no
# repair: systemctl start kubelet
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The API notices after 40 to 50 s.
inject() { on "$W2" systemctl stop kubelet; }
settle() { sleep 50; }
present() { ! on "$W2" systemctl is-active -q kubelet; }
heal() { on "$W2" systemctl start kubelet; }
main "$@"
