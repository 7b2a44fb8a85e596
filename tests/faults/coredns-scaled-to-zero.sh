#!/bin/bash
# id: coredns-scaled-to-zero
# cause: dns-no-replicas
# subject: cluster
# effects: eff-dns-cluster-fail/REFUSED
# cni: any
# proxy: any
# quick: yes
# repair: kubectl -n kube-system scale deploy coredns --replicas=2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { K -n kube-system scale deploy coredns --replicas=0 >/dev/null; }
settle() { # they answer until they have ended
	K -n kube-system wait --for=delete pod -l k8s-app=kube-dns --timeout=90s >/dev/null
	sleep 2 # kube-proxy writes its rules
}
present() { [[ $(K -n kube-system get deploy coredns -o jsonpath='{.spec.replicas}') == 0 ]]; }
heal() {
	K -n kube-system scale deploy coredns --replicas=2 >/dev/null
	wait_ready kube-system deploy/coredns
}
main "$@"
