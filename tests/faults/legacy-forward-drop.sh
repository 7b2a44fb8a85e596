#!/bin/bash
# id: legacy-forward-drop
# cause: ipt-backend-conflict
# subject: node/worker2
# cni: any
# proxy: any
# quick: yes
# repair: iptables-legacy -P FORWARD ACCEPT
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W2" iptables-legacy -P FORWARD DROP; }
present() {
	on "$W2" iptables-legacy -S FORWARD | grep -q -- '-P FORWARD DROP' &&
		! on "$W2" iptables -S FORWARD | grep -q -- '-P FORWARD DROP'
}
heal() { on "$W2" iptables-legacy -P FORWARD ACCEPT; }
main "$@"
