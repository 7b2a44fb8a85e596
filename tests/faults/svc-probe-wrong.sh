#!/bin/bash
# id: svc-probe-wrong
# cause: svc-pods-not-ready
# subject: service/data-platform/iceberg-rest-catalog
# cni: any
# proxy: any
# quick: no
# repair: readinessProbe path /hostname
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() {
	save_object $NS deploy iceberg-rest-catalog
	K -n $NS patch deploy iceberg-rest-catalog --type=json -p '[
		{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}},
		{"op":"replace","path":"/spec/template/spec/containers/0/readinessProbe","value":{"tcpSocket":{"port":9},"periodSeconds":2}}
		]' >/dev/null
}
settle() { sleep 10; }
present() { [[ $(K -n $NS get deploy iceberg-rest-catalog -o jsonpath='{.spec.strategy.type}') == Recreate ]]; }
heal() {
	restore_object iceberg-rest-catalog
	wait_ready $NS deploy/iceberg-rest-catalog
}
main "$@"
