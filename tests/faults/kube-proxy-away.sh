#!/bin/bash
# id: kube-proxy-away
# cause: kp-not-running
# subject: node/worker2
# cni: any
# proxy: iptables
# quick: yes
# repair: remove the nodeSelector from ds/kube-proxy
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Scheduled away from the node: its rules stay and grow old. The stale rules are an effect here, not the cause.
inject() {
	pin_ds kube-system kube-proxy "$W2"
	K -n $NS rollout restart deploy/iceberg-rest-catalog >/dev/null
	wait_ready $NS deploy/iceberg-rest-catalog
}
present() { ! K -n kube-system get pods -l k8s-app=kube-proxy -o wide --no-headers | grep -q " $W2 "; }
heal() { unpin_ds kube-system kube-proxy; }
main "$@"
