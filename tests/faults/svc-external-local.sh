#!/bin/bash
# id: svc-external-local
# cause: svc-etp-local
# subject: service/data-platform/echo-nodeport
# target: http://control-plane:30080/
# effects: eff-external-access-fail/TIMEOUT
# cni: any
# proxy: any
# repair: externalTrafficPolicy: Cluster, or an endpoint on every node that is asked
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The node port of the one solo pod, policy Local: only its node answers those who come from outside.
inject() {
	K -n $NS patch svc echo-nodeport --type=merge \
		-p '{"spec":{"externalTrafficPolicy":"Local","selector":{"app":"solo"},"ports":[{"name":"http","port":8080,"targetPort":8087,"nodePort":30080}]}}' >/dev/null
}
settle() { sleep 3; }
present() { [[ $(K -n $NS get svc echo-nodeport -o jsonpath='{.spec.externalTrafficPolicy}') == Local ]]; }
heal() {
	K -n $NS patch svc echo-nodeport --type=merge \
		-p '{"spec":{"externalTrafficPolicy":"Cluster","selector":{"app":"echo"},"ports":[{"name":"http","port":8080,"targetPort":8080,"nodePort":30080}]}}' >/dev/null
}
main "$@"
