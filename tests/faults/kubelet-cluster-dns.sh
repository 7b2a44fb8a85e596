#!/bin/bash
# id: kubelet-cluster-dns
# cause: dns-kubelet-clusterdns
# subject: node/worker2
# cni: any
# proxy: any
# quick: no
# repair: clusterDNS: [10.96.0.10] in /var/lib/kubelet/config.yaml, restart kubelet, recreate the pods made since
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
restart() {
	on "$W2" systemctl restart kubelet
	sleep 4
	restart_pod $NS app=client "$W2"
	wait_ready $NS ds/client
}
inject() {
	on "$W2" cp /var/lib/kubelet/config.yaml /root/config.yaml
	on "$W2" sed -i 's/^- 10.96.0.10$/- 10.96.0.53/' /var/lib/kubelet/config.yaml
	restart
}
present() { on "$W2" grep -q 10.96.0.53 /var/lib/kubelet/config.yaml; }
heal() {
	on "$W2" mv /root/config.yaml /var/lib/kubelet/config.yaml
	restart
}
main "$@"
