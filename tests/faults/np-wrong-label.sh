#!/bin/bash
# id: np-wrong-label
# cause: np-wrong-labels
# subject: service/data-platform/iceberg-rest-catalog
# cni: kindnet
# proxy: any
# quick: yes
# repair: podSelector app: client in the policy
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The rule admits app=clients; the pods have app=client.
inject() {
	netpol_on && K apply -f - >/dev/null <<-Y
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: catalog-clients, namespace: $NS}
		spec:
		  podSelector: {matchLabels: {app: iceberg-rest-catalog}}
		  policyTypes: [Ingress]
		  ingress: [{from: [{podSelector: {matchLabels: {app: clients}}}], ports: [{port: 8181}]}]
	Y
}
settle() { sleep 2; } # kindnetd reads the policy
present() { K -n $NS get netpol catalog-clients >/dev/null 2>&1; }
heal() {
	K -n $NS delete netpol catalog-clients --ignore-not-found >/dev/null
	netpol_off
}
main "$@"
