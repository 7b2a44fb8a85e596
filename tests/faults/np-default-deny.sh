#!/bin/bash
# id: np-default-deny
# cause: np-default-deny
# subject: service/data-platform/iceberg-rest-catalog
# cni: kindnet
# proxy: any
# quick: yes
# repair: a policy that admits the clients, or delete the default-deny
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Somebody secured the namespace and wrote no policy that lets anybody in again.
inject() {
	netpol_on && K apply -f - >/dev/null <<-Y
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: default-deny-ingress, namespace: $NS}
		spec: {podSelector: {}, policyTypes: [Ingress]}
	Y
}
settle() { sleep 2; } # kindnetd reads the policy
present() { K -n $NS get netpol default-deny-ingress >/dev/null 2>&1; }
heal() {
	K -n $NS delete netpol default-deny-ingress --ignore-not-found >/dev/null
	netpol_off
}
main "$@"
