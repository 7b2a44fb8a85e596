#!/bin/bash
# id: kube-proxy-frozen
# cause: kp-stale-rules
# subject: node/worker2
# also: kp-not-running
# cni: any
# proxy: iptables
# quick: no
# repair: restart the kube-proxy pod of the node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# kube-proxy hangs (its pod counts as running) and the endpoints of a service have changed since.
inject() {
	stop_process "$W2" kube-proxy
	K -n $NS rollout restart deploy/iceberg-rest-catalog >/dev/null
	wait_ready $NS deploy/iceberg-rest-catalog
}
settle() { sleep 4; }
present() { is_stopped "$W2" kube-proxy; }
heal() {
	cont_process "$W2" kube-proxy
	sleep 3
}
main "$@"
