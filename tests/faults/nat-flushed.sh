#!/bin/bash
# id: nat-flushed
# cause: ipt-kube-chains-flushed
# subject: node/worker2
# effects: eff-external-access-fail/REFUSED
# cni: any
# proxy: iptables
# quick: no
# repair: restart kube-proxy on the node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# All services at once: the first chain is empty.
inject() { on "$W2" iptables -t nat -F KUBE-SERVICES; }
present() { ! on "$W2" iptables -t nat -S KUBE-SERVICES | grep -q -- '-j KUBE-SVC'; }
heal() { restart_kube_proxy "$W2"; }
main "$@"
