#!/bin/bash
# id: route-prohibit-services
# cause: route-blackhole
# subject: node/worker2
# effects: eff-api-vip-unreachable/EACCES,eff-dns-cluster-fail/EACCES
# cni: any
# proxy: any
# quick: no
# repair: ip route del prohibit 10.96.0.0/12
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Pods do not notice (DNAT comes before routing), the node itself and its hostNetwork pods do.
inject() { on "$W2" ip route add prohibit 10.96.0.0/12; }
present() { on "$W2" ip route show type prohibit | grep -q 10.96; }
heal() { on "$W2" ip route del prohibit 10.96.0.0/12; }
main "$@"
