#!/bin/bash
# id: kube-proxy-old-target
# cause: kp-stale-rules
# subject: node/worker
# cni: any
# proxy: iptables
# quick: yes
# repair: restart the kube-proxy pod of the node
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# One DNAT target of the catalog is an address of the past, as after a restore of saved rules; kube-proxy does not notice.
rule() { on "$W1" iptables-save -t nat | grep -- "-A KUBE-SEP-.*$NS/iceberg-rest-catalog.*--to-destination" | sort | head -1; }
inject() {
	local r c n
	r=$(rule)
	c=$(awk '{ print $2 }' <<<"$r")
	n=$(on "$W1" iptables -t nat -S "$c" | grep '^-A' | grep -n -- '-j DNAT' | cut -d: -f1)
	[[ -n $n ]] || return 1
	on "$W1" iptables -t nat -R "$c" "$n" -p tcp -m comment --comment "$NS/iceberg-rest-catalog:http" \
		-m tcp -j DNAT --to-destination 10.244.250.9:8181
}
present() { on "$W1" iptables-save -t nat | grep -q 'to-destination 10.244.250.9:8181'; }
heal() { restart_kube_proxy "$W1"; }
main "$@"
