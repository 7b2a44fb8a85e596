#!/bin/bash
# id: svc-target-port
# cause: svc-targetport-mismatch
# subject: service/data-platform/iceberg-rest-catalog
# effects: eff-conn-refused/REFUSED
# cni: any
# proxy: any
# quick: yes
# repair: targetPort: http
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
target() {
	K -n $NS patch svc iceberg-rest-catalog --type=json \
		-p "[{\"op\":\"replace\",\"path\":\"/spec/ports/0/targetPort\",\"value\":$1}]" >/dev/null
}
inject() { target 8080; }
settle() { sleep 2; }
present() { [[ $(K -n $NS get svc iceberg-rest-catalog -o jsonpath='{.spec.ports[0].targetPort}') == 8080 ]]; }
heal() { target '"http"'; }
main "$@"
