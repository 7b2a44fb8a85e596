#!/bin/bash
# id: coredns-on-bad-node
# cause: ip-forward-off
# subject: node/worker2
# cni: kindnet
# proxy: any
# quick: no
# repair: sysctl -w net.ipv4.ip_forward=1 on worker2; nothing is wrong with CoreDNS
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# CoreDNS lives on worker2 alone, and worker2 does not forward: looks like DNS everywhere, is a sysctl on one node.
inject() {
	K label node "$W2" netdoctor-lab/dns=yes --overwrite >/dev/null
	K -n kube-system patch deploy coredns --type=merge \
		-p '{"spec":{"template":{"spec":{"nodeSelector":{"netdoctor-lab/dns":"yes"}}}}}' >/dev/null
	wait_ready kube-system deploy/coredns
	sleep 2
	on "$W2" sysctl -qw net.ipv4.ip_forward=0
}
present() { [[ $(on "$W2" cat /proc/sys/net/ipv4/ip_forward) == 0 ]]; }
heal() {
	on "$W2" sysctl -qw net.ipv4.ip_forward=1
	K -n kube-system patch deploy coredns --type=json \
		-p '[{"op":"remove","path":"/spec/template/spec/nodeSelector/netdoctor-lab~1dns"}]' >/dev/null 2>&1
	K label nodes --all netdoctor-lab/dns- >/dev/null
}
main "$@"
