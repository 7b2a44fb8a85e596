#!/bin/bash
# id: kubelet-just-stopped
# cause: kubelet-down
# subject: node/worker
# cni: any
# proxy: any
# quick: yes
# repair: systemctl start kubelet
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The API still calls the node Ready.
inject() { on "$W1" systemctl stop kubelet; }
present() { ! on "$W1" systemctl is-active -q kubelet; }
heal() { on "$W1" systemctl start kubelet; }
main "$@"
