#!/bin/bash
# id: arp-ignore
# cause: arp-ignore-ptp
# subject: node/worker
# cni: kindnet
# proxy: any
# quick: yes
# repair: sysctl -w net.ipv4.conf.all.arp_ignore=0
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() {
	on "$W1" sysctl -qw net.ipv4.conf.all.arp_ignore=2
	onsh "$W1" 'for n in /run/netns/cni-*; do ip -n ${n##*/} neigh flush all; done'
}
present() { [[ $(on "$W1" cat /proc/sys/net/ipv4/conf/all/arp_ignore) == 2 ]]; }
heal() { on "$W1" sysctl -qw net.ipv4.conf.all.arp_ignore=0; }
main "$@"
