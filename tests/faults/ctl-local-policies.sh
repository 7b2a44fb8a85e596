#!/bin/bash
# id: ctl-local-policies
# cause: new:none
# subject: cluster
# cni: any
# proxy: any
# repair: nothing to repair
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Services that shut somebody out, as they should: of a DaemonSet; of one pod whose only client is on its node; a load balancer
# for some senders, with an address that nobody here uses.
spec() { K -n $NS patch svc "$1" --type=merge -p "{\"spec\":$2}" >/dev/null; }
inject() {
	spec echo '{"internalTrafficPolicy":"Local"}' && spec echo-nodeport '{"externalTrafficPolicy":"Local"}' || return 1
	K apply -f - >/dev/null <<-Y
		apiVersion: v1
		kind: Namespace
		metadata: {name: edge}
		---
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: near, namespace: edge}
		spec:
		  selector: {matchLabels: {app: near}}
		  template:
		    metadata: {labels: {app: near}}
		    spec:
		      nodeSelector: {netdoctor-lab/role: w1}
		      terminationGracePeriodSeconds: 0
		      containers:
		      - {name: near, image: $AGNHOST, imagePullPolicy: Never, args: [netexec, --http-port=8080, --udp-port=-1]}
		---
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: asks, namespace: edge}
		spec:
		  selector: {matchLabels: {app: asks}}
		  template:
		    metadata: {labels: {app: asks}}
		    spec:
		      nodeSelector: {netdoctor-lab/role: w1}
		      terminationGracePeriodSeconds: 0
		      containers:
		      - {name: asks, image: $AGNHOST, imagePullPolicy: Never, command: [sleep, "1000003"]}
		---
		apiVersion: v1
		kind: Service
		metadata: {name: near, namespace: edge}
		spec:
		  type: LoadBalancer
		  internalTrafficPolicy: Local
		  externalTrafficPolicy: Local
		  loadBalancerSourceRanges: [198.51.100.0/24, " 192.0.2.0/25"]
		  externalIPs: [203.0.113.82]
		  selector: {app: near}
		  ports: [{name: http, port: 80, targetPort: 8080}]
	Y
	K -n edge patch svc near --subresource=status --type=merge -p '{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.81"}]}}}' >/dev/null
	wait_ready edge deploy/near && wait_ready edge deploy/asks
}
settle() { sleep 3; }
present() { K get ns edge >/dev/null 2>&1 || [[ $(K -n $NS get svc echo -o jsonpath='{.spec.internalTrafficPolicy}') == Local ]]; }
heal() {
	spec echo '{"internalTrafficPolicy":"Cluster"}'
	spec echo-nodeport '{"externalTrafficPolicy":"Cluster"}'
	K delete ns edge --ignore-not-found >/dev/null
}
main "$@"
