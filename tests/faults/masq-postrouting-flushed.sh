#!/bin/bash
# id: masq-postrouting-flushed
# cause: masq-missing
# subject: node/worker
# also: ipt-kube-chains-flushed
# cni: any
# proxy: iptables
# quick: yes
# repair: restart kube-proxy on the node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W1" iptables -t nat -F KUBE-POSTROUTING; }
present() { ! on "$W1" iptables -t nat -S KUBE-POSTROUTING | grep -q MASQUERADE; }
heal() { restart_kube_proxy "$W1"; }
main "$@"
