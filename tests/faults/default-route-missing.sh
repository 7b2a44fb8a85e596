#!/bin/bash
# id: default-route-missing
# cause: route-default-missing
# subject: node/worker2
# cni: any
# proxy: any
# quick: yes
# repair: ip route add default via <gateway of the kind network>
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() {
	on "$W2" ip route show default >"$SAVE/route"
	on "$W2" ip route del default
}
present() { [[ -z $(on "$W2" ip route show default) ]]; }
heal() { on "$W2" ip route add $(cat "$SAVE/route"); }
main "$@"
