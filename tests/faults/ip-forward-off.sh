#!/bin/bash
# id: ip-forward-off
# cause: ip-forward-off
# subject: node/worker2
# effects: eff-pod-pod-cross-node-fail/TIMEOUT,eff-node-pod-fail/TIMEOUT
# cni: any
# proxy: any
# quick: yes
# repair: sysctl -w net.ipv4.ip_forward=1
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W2" sysctl -qw net.ipv4.ip_forward=0; }
present() { [[ $(on "$W2" cat /proc/sys/net/ipv4/ip_forward) == 0 ]]; }
heal() { on "$W2" sysctl -qw net.ipv4.ip_forward=1; }
main "$@"
