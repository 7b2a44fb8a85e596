#!/bin/bash
# id: np-post-dnat-api
# cause: np-post-dnat-port
# subject: pod/data-platform/client-*
# cni: kindnet
# proxy: any
# repair: allow the API server's own address and port (6443)
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The API server is allowed by its ClusterIP, which no packet has any more when policies are asked.
inject() {
	netpol_on && K apply -f - >/dev/null <<-Y
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: client-egress, namespace: $NS}
		spec:
		  podSelector: {matchLabels: {app: client}}
		  policyTypes: [Egress]
		  egress:
		  - {to: [{namespaceSelector: {}}]}
		  - {to: [{ipBlock: {cidr: $(K -n default get svc kubernetes -o jsonpath='{.spec.clusterIP}')/32}}], ports: [{protocol: TCP, port: 443}]}
	Y
}
settle() { sleep 2; } # kindnetd reads the policy
present() { K -n $NS get netpol client-egress >/dev/null 2>&1; }
heal() {
	K -n $NS delete netpol client-egress --ignore-not-found >/dev/null
	netpol_off
}
main "$@"
