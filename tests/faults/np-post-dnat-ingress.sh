#!/bin/bash
# id: np-post-dnat-ingress
# cause: np-post-dnat-port
# subject: service/data-platform/echo
# cni: kindnet
# proxy: any
# repair: allow port 8080, on which the pods are asked
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The echo pods are protected but for port 80, that of their service.
inject() {
	netpol_on && K apply -f - >/dev/null <<-Y
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: echo-clients, namespace: $NS}
		spec:
		  podSelector: {matchLabels: {app: echo}}
		  policyTypes: [Ingress]
		  ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{protocol: TCP, port: 80}]}]
	Y
}
settle() { sleep 2; } # kindnetd reads the policy
present() { K -n $NS get netpol echo-clients >/dev/null 2>&1; }
heal() {
	K -n $NS delete netpol echo-clients --ignore-not-found >/dev/null
	netpol_off
}
main "$@"
