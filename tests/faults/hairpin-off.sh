#!/bin/bash
# id: hairpin-off
# cause: hairpin-off
# subject: pod/data-platform/solo*
# effects: eff-app-fail/TIMEOUT
# cni: flannel
# proxy: any
# quick: yes
# repair: turn hairpin mode on for the port
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
node() { K -n $NS get pods -l app=solo -o jsonpath='{.items[0].spec.nodeName}'; }
port() { # the bridge port of the pod: its eth0 names the index of its peer
	local pod ip
	ip=$(K -n $NS get pods -l app=solo -o jsonpath='{.items[0].status.podIP}')
	onsh "$(node)" "for n in /var/run/netns/*; do ip netns exec \$(basename \$n) ip -o addr show eth0 | grep -q ' $ip/' && ip netns exec \$(basename \$n) cat /sys/class/net/eth0/iflink; done | head -1 | xargs -I{} sh -c 'ip -o link | grep ^{}:' | sed 's/^[0-9]*: \\([^@:]*\\).*/\\1/'"
}
inject() { port >"$SAVE/port"; node >"$SAVE/node"; on "$(cat "$SAVE/node")" bridge link set dev "$(cat "$SAVE/port")" hairpin off; }
present() { on "$(cat "$SAVE/node")" bridge -d link show dev "$(cat "$SAVE/port")" | grep -q 'hairpin off'; }
heal() { on "$(cat "$SAVE/node")" bridge link set dev "$(cat "$SAVE/port")" hairpin on; }
main "$@"
