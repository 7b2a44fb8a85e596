#!/bin/bash
# id: containerd-stopped
# cause: containerd-down
# subject: node/worker
# cni: any
# proxy: any
# quick: yes
# repair: systemctl start containerd
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# systemd restarts it after a crash; this is a stop by an administrator.
inject() { on "$W1" systemctl stop containerd; }
settle() { sleep 20; }
present() { ! on "$W1" systemctl is-active -q containerd; }
heal() { on "$W1" systemctl start containerd; }
main "$@"
