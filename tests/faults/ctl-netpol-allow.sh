#!/bin/bash
# id: ctl-netpol-allow
# cause: new:none
# subject: cluster
# cni: kindnet
# proxy: any
# quick: yes
# repair: nothing to repair
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# A policy selects everything and admits everything, and policies are enforced.
inject() {
	netpol_on && K apply -f - >/dev/null <<-Y
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: allow-all, namespace: $NS}
		spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}
	Y
}
settle() { sleep 2; }
present() { K -n $NS get netpol allow-all >/dev/null 2>&1; }
heal() {
	K -n $NS delete netpol allow-all --ignore-not-found >/dev/null
	netpol_off
}
main "$@"
