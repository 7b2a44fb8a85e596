#!/bin/bash
# id: np-post-dnat-port
# cause: np-post-dnat-port
# subject: pod/data-platform/client-*
# cni: kindnet
# proxy: any
# quick: yes
# repair: allow the pods' own port (8080)
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# DNS is allowed, and the echo service by its port 80: its pods listen on 8080.
inject() {
	netpol_on && K apply -f - >/dev/null <<-Y
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: client-egress, namespace: $NS}
		spec:
		  podSelector: {matchLabels: {app: client}}
		  policyTypes: [Egress]
		  egress:
		  - {to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}
		  - {to: [{podSelector: {matchLabels: {app: echo}}}], ports: [{protocol: TCP, port: 80}]}
	Y
}
settle() { sleep 2; } # kindnetd reads the policy
present() { K -n $NS get netpol client-egress >/dev/null 2>&1; }
heal() {
	K -n $NS delete netpol client-egress --ignore-not-found >/dev/null
	netpol_off
}
main "$@"
