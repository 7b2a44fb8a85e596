#!/bin/bash
# id: ctl-netpol-zero-trust
# cause: new:none
# subject: cluster
# cni: kindnet
# proxy: any
# quick: yes
# repair: nothing to repair
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# All is denied but what is needed, as people do it who mean it: much is forbidden here, and nothing is wrong. The API
# server, the world by port 443 and other services are not allowed to the clients; solo may talk to nobody; a
# headless service is closed to all.
inject() {
	netpol_on && K apply -f - >/dev/null <<-Y
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: zero-default, namespace: $NS}
		spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
		---
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: zero-dns, namespace: $NS}
		spec:
		  podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [solo]}]}
		  policyTypes: [Egress]
		  egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}]
		---
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: zero-clients, namespace: $NS}
		spec:
		  podSelector: {matchLabels: {app: client}}
		  policyTypes: [Egress]
		  egress:
		  - {to: [{podSelector: {matchLabels: {app: echo}}}], ports: [{port: http}]}
		  - {to: [{podSelector: {matchLabels: {tier: catalog}}}], ports: [{port: 8181}]}
		  - {ports: [{port: 443}]}
		---
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: zero-servers, namespace: $NS}
		spec:
		  podSelector: {matchExpressions: [{key: app, operator: In, values: [echo, iceberg-rest-catalog, solo]}]}
		  policyTypes: [Ingress]
		  ingress:
		  - {from: [{podSelector: {matchLabels: {app: client}}}, {podSelector: {matchLabels: {app: not-here-yet}}}], ports: [{port: http}]}
		  - {from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: udp, protocol: UDP}]}
		---
		apiVersion: v1
		kind: Service
		metadata: {name: zero-headless, namespace: $NS}
		spec: {clusterIP: None, selector: {app: client}, ports: [{name: http, port: 80}]}
	Y
}
settle() { sleep 3; }
present() { K -n $NS get netpol zero-default >/dev/null 2>&1; }
heal() {
	K -n $NS delete netpol zero-default zero-dns zero-clients zero-servers --ignore-not-found >/dev/null
	K -n $NS delete svc zero-headless --ignore-not-found >/dev/null
	netpol_off
}
main "$@"
