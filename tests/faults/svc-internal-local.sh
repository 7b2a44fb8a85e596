#!/bin/bash
# id: svc-internal-local
# cause: svc-itp-local
# subject: service/data-platform/solo
# target: svc/data-platform/solo:8087
# effects: eff-clusterip-fail/TIMEOUT
# cni: any
# proxy: any
# repair: internalTrafficPolicy: Cluster, or an endpoint on every node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# One pod behind it, on one node; its clients are on all.
policy() { K -n $NS patch svc solo --type=merge -p "{\"spec\":{\"internalTrafficPolicy\":\"$1\"}}" >/dev/null; }
inject() { policy Local; }
settle() { sleep 3; }
present() { [[ $(K -n $NS get svc solo -o jsonpath='{.spec.internalTrafficPolicy}') == Local ]]; }
heal() { policy Cluster; }
main "$@"
