#!/bin/bash
# id: np-egress-without-dns
# cause: np-egress-dns
# subject: pod/data-platform/client-*
# cni: kindnet
# proxy: any
# quick: yes
# repair: allow egress to kube-system pods k8s-app=kube-dns on 53/UDP and 53/TCP
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The clients may talk to what they need, by name, but may not ask for names.
inject() {
	netpol_on && K apply -f - >/dev/null <<-Y
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: client-egress, namespace: $NS}
		spec:
		  podSelector: {matchLabels: {app: client}}
		  policyTypes: [Egress]
		  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{protocol: TCP, port: 8080}, {protocol: TCP, port: 8181}, {protocol: TCP, port: 6443}]}]
	Y
}
settle() { sleep 2; } # kindnetd reads the policy
present() { K -n $NS get netpol client-egress >/dev/null 2>&1; }
heal() {
	K -n $NS delete netpol client-egress --ignore-not-found >/dev/null
	netpol_off
}
main "$@"
