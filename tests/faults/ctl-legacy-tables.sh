#!/bin/bash
# id: ctl-legacy-tables
# cause: new:none
# subject: node/worker
# cni: any
# proxy: any
# quick: yes
# repair: nothing to repair
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Legacy tables exist, empty, with policy ACCEPT. They stay until the node goes.
STAYS=yes
inject() { onsh "$W1" 'for t in filter nat mangle; do iptables-legacy -t $t -S >/dev/null; done'; }
present() { on "$W1" grep -q filter /proc/net/ip_tables_names; }
heal() { :; }
main "$@"
