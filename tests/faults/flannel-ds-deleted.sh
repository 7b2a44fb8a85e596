#!/bin/bash
# id: flannel-ds-deleted
# cause: cni-not-installed
# subject: cluster
# cni: flannel
# proxy: any
# quick: no
# repair: kubectl apply -f kube-flannel.yml
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The DaemonSet is gone, and the worker rebooted since: no tunnel device, no file for the runtime.
inject() {
	save_object kube-flannel ds kube-flannel-ds
	K -n kube-flannel delete ds kube-flannel-ds >/dev/null
	sleep 3
	onsh "$W1" 'ip link del flannel.1; rm -rf /run/flannel/subnet.env /etc/cni/net.d/10-flannel.conflist'
}
settle() { sleep 20; }
present() { ! K -n kube-flannel get ds kube-flannel-ds >/dev/null 2>&1; }
heal() {
	restore_object kube-flannel-ds
	wait_ready kube-flannel ds/kube-flannel-ds
	sleep 4
}
main "$@"
