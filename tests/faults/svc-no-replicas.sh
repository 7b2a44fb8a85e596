#!/bin/bash
# id: svc-no-replicas
# cause: svc-pods-not-ready
# subject: service/data-platform/iceberg-rest-catalog
# cni: any
# proxy: any
# quick: yes
# repair: scale deployment iceberg-rest-catalog to 2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Nothing is wrong with the selector: it would match the pods of the Deployment, there are none.
inject() { K -n $NS scale deploy iceberg-rest-catalog --replicas=0 >/dev/null; }
settle() { sleep 4; }
present() { [[ $(K -n $NS get deploy iceberg-rest-catalog -o jsonpath='{.spec.replicas}') == 0 ]]; }
heal() {
	K -n $NS scale deploy iceberg-rest-catalog --replicas=2 >/dev/null
	wait_ready $NS deploy/iceberg-rest-catalog
}
main "$@"
