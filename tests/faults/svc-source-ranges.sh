#!/bin/bash
# id: svc-source-ranges
# cause: ext-source-ranges
# subject: service/data-platform/echo-nodeport
# target: http://203.0.113.80:8080/
# effects: eff-external-access-fail/TIMEOUT
# cni: any
# proxy: any
# repair: the range of those who ask into loadBalancerSourceRanges
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# A load balancer's address (of RFC 5737: kube-proxy catches it on every node) for strangers only; pods and nodes use it too.
ADDRESS=203.0.113.80
patch() { K -n $NS patch svc echo-nodeport --type=merge "$@" >/dev/null; }
inject() {
	patch -p '{"spec":{"type":"LoadBalancer","loadBalancerSourceRanges":["203.0.113.0/24"]}}' &&
		patch --subresource=status -p "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"$ADDRESS\"}]}}}"
}
settle() { sleep 3; }
present() { [[ $(K -n $NS get svc echo-nodeport -o jsonpath='{.spec.loadBalancerSourceRanges[0]}') == 203.0.113.0/24 ]]; }
heal() {
	patch --subresource=status -p '{"status":{"loadBalancer":null}}'
	patch -p '{"spec":{"type":"NodePort","loadBalancerSourceRanges":null}}'
}
main "$@"
