#!/bin/bash
# id: dns-internal-local
# cause: svc-itp-local
# subject: service/kube-system/kube-dns
# effects: eff-dns-cluster-fail/TIMEOUT
# cni: any
# proxy: any
# repair: internalTrafficPolicy: Cluster, or CoreDNS (or a cache) on every node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# CoreDNS is on some nodes only; on the others no name is resolved any more.
policy() { K -n kube-system patch svc kube-dns --type=merge -p "{\"spec\":{\"internalTrafficPolicy\":\"$1\"}}" >/dev/null; }
inject() { policy Local; }
settle() { sleep 3; }
present() { [[ $(K -n kube-system get svc kube-dns -o jsonpath='{.spec.internalTrafficPolicy}') == Local ]]; }
heal() { policy Cluster; }
main "$@"
