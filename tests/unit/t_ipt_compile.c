#include "common/base.h"

#include "tests/unit/ipt_text.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

/* Behind "-A X ", and the steps it must become. */
struct row {
	const char *rule, *steps;
};

/* clang-format off */
/* As iptables-nft-save 1.8.9 printed them; iptables-legacy-save prints the same. */
static const struct row saved4[] = {
	{"-j MARK --set-xmark 0x5/0xf", "mark 5/f"},
	{"-j MARK --set-xmark 0x10/0x10", "mark 10/10"},
	{"-j MARK --set-xmark 0x0/0xffffff0f", "mark 0/ffffff0f"},
	{"-j MARK --set-xmark 0x1/0x0", "mark 1/0"},
	{"-j CONNMARK --set-xmark 0x7/0xffffffff", "ctmark 7/ffffffff"},
	{"-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff", "save ffffffff to ffffffff"},
	{"-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf", "restore f to ff"},
	{"-j TTL --ttl-set 64", "ttl 40/ff"},
	{"-j TEE --gateway 10.0.0.1", "nothing"},
	{"-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu",
	 "l4proto == 06; tcpflags&17 == 02; nothing"},
	{"-p udp -m udp --dport 68 -j CHECKSUM --checksum-fill", "l4proto == 11; dport == 0044; nothing"},
	{"-j CLASSIFY --set-class 0001:0001", "nothing"},
	{"-j TOS --set-tos 0x10/0xff", "dscp 4/3f"},
	{"-j DSCP --set-dscp 0x05", "dscp 5/3f"},
	{"-j ACCEPT", "accept"},
	{"-m rpfilter --invert -j DROP", "sfiboif:1 == 00000000; drop"},
	{"-m rpfilter --loose --validmark -j ACCEPT", "sfiboif:4 != 00000000; accept"},
	{"-m rpfilter --accept-local -j ACCEPT", "unknown -m rpfilter --accept-local"},
	{"-j NOTRACK", "notrack"},
	{"-j CT --notrack", "notrack"},
	{"-j CT --zone 5", "unknown -j CT --zone 5"},
	{"-j TRACE", "nothing"},
	{"-s 10.0.0.0/8 -d 192.168.1.1/32 -i eth0 -j ACCEPT",
	 "saddr&ff000000 == 0a000000; daddr == c0a80101; iif == \"eth0\"/16; accept"},
	{"! -s 10.0.0.1/32 ! -d 10.0.0.0/24 ! -i eth+ -j DROP",
	 "saddr != 0a000001; daddr&ffffff00 != 0a000000; iif !^ \"eth\"/3; drop"},
	{"-s 10.0.0.0/255.0.255.0 -j DROP", "saddr&ff00ff00 == 0a000000; drop"},
	{"-p tcp -m tcp --sport 1024:65535 ! --dport 22 -j ACCEPT",
	 "l4proto == 06; sport in 0400-ffff; dport != 0016; accept"},
	{"-p tcp -m tcp --dport 0:1023 --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT",
	 "l4proto == 06; dport in 0000-03ff; tcpflags&17 == 02; accept"},
	{"-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT", "l4proto == 06; tcpflags&17 != 02; accept"},
	{"-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP", "l4proto == 06; tcpflags&3f == 00; drop"},
	{"-p tcp -m tcp ! --tcp-flags SYN,RST SYN,RST -j ACCEPT", "l4proto == 06; tcpflags&06 != 06; accept"},
	{"-p tcp -m tcp --tcp-option 8 -j ACCEPT", "l4proto == 06; unknown -m tcp --tcp-option 8"},
	{"-p udp -m udp --sport 53 --dport 65535 -j ACCEPT", "l4proto == 11; sport == 0035; dport == ffff; accept"},
	{"-p sctp -m sctp --dport 80 -j ACCEPT", "l4proto == 84; dport == 0050; accept"},
	{"-p icmp -m icmp --icmp-type 8 -j ACCEPT", "l4proto == 01; icmptype == 08; accept"},
	{"-p icmp -m icmp ! --icmp-type 3/4 -j ACCEPT", "l4proto == 01; icmptype.icmpcode != 0304; accept"},
	{"-p icmp -m icmp --icmp-type any -j ACCEPT", "l4proto == 01; accept"},
	{"-p tcp -m multiport --dports 22,80,8000:9000 -j ACCEPT",
	 "l4proto == 06; dport in {0016,0050,1f40-2328}; accept"},
	{"-p udp -m multiport ! --ports 1,2:3 -j ACCEPT",
	 "l4proto == 11; sport.dport not in "
	 "{00010000-0001ffff,00000001-ffff0001,00020000-0003ffff,00000002-ffff0003}; accept"},
	{"-m conntrack --ctstate NEW,DNAT -j ACCEPT", "ctstate:1 & 00000108; accept"},
	{"-m conntrack ! --ctstate INVALID,UNTRACKED -j ACCEPT", "ctstate !& 00000041; accept"},
	{"-m conntrack --ctproto 6 --ctorigsrc 10.0.0.0/8 ! --ctorigdst 10.0.0.1 --ctreplsrc 1.2.3.4 "
	 "--ctrepldst 1.2.0.0/16 --ctorigsrcport 1:2 ! --ctorigdstport 80 --ctreplsrcport 5 --ctrepldstport 6 "
	 "--ctstatus SEEN_REPLY,ASSURED --ctdir REPLY -j ACCEPT",
	 "ctproto == 06; ctsaddr&ff000000 == 0a000000; ctdaddr != 0a000001; ctsaddr:1 == 01020304; "
	 "ctdaddr:1&ffff0000 == 01020000; ctsport in 0001-0002; ctdport != 0050; ctsport:1 == 0005; ctdport:1 "
	 "== 0006; ctstatus & 00000006; ctdir == 01; accept"},
	{"-m state --state RELATED,ESTABLISHED -j ACCEPT", "ctstate & 00000006; accept"},
	{"-m mark --mark 0x1/0xff -j ACCEPT", "mark&000000ff == 00000001; accept"},
	{"-m mark ! --mark 0x5 -j ACCEPT", "mark != 00000005; accept"},
	{"-m connmark ! --mark 0x10/0x10 -j ACCEPT", "ctmark&00000010 != 00000010; accept"},
	{"-m addrtype ! --src-type UNICAST --dst-type LOCAL,BROADCAST -j ACCEPT",
	 "stype != 00000001; dtype in {00000002,00000003}; accept"},
	{"-m addrtype --dst-type LOCAL --limit-iface-in -j ACCEPT", "dtype:1 == 00000002; accept"},
	{"-m statistic --mode random --probability 0.33330000006 -j ACCEPT", "random:80000000 < 2aa9930c; accept"},
	{"-m statistic --mode random ! --probability 0.50000000000 -j ACCEPT", "random:80000000 >= 40000000; accept"},
	{"-m statistic --mode nth --every 3 --packet 1 -j ACCEPT", "counter:3 == 00000000; accept"},
	{"-m comment --comment \"-j DROP \\\"quoted\\\" it\\'s \\\\ back\" -j ACCEPT", "accept"},
	{"-m comment --comment -j -j ACCEPT", "accept"},
	{"-m limit --limit 5/min --limit-burst 7 -j LOG --log-prefix \"in: \"", "limit; nothing"},
	{"-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name a "
	 "-j ACCEPT",
	 "limit; accept"},
	{"-m hashlimit --hashlimit-above 5/sec --hashlimit-burst 9 --hashlimit-mode srcip,dstport "
	 "--hashlimit-name b -j DROP",
	 "limit over; drop"},
	{"-m pkttype --pkt-type broadcast -j ACCEPT", "pkttype == 01; accept"},
	{"-m pkttype ! --pkt-type unicast -j ACCEPT", "pkttype != 00; accept"},
	{"-m length --length 100:200 -j ACCEPT", "length in 0064-00c8; accept"},
	{"-m length ! --length 64 -j ACCEPT", "length != 0040; accept"},
	{"-m ttl --ttl-lt 5 -j ACCEPT", "ttl < 05; accept"},
	{"-m ttl ! --ttl-eq 5 -j ACCEPT", "ttl != 05; accept"},
	{"-m dscp --dscp 0x0a -j ACCEPT", "dscp == 0a; accept"},
	{"-m dscp ! --dscp 0x2e -j ACCEPT", "dscp != 2e; accept"},
	{"-m tos --tos 0x10/0xfc -j ACCEPT", "dscp == 04; accept"},
	{"-m iprange --src-range 10.0.0.1-10.0.0.9 ! --dst-range 1.1.1.1-1.1.1.2 -j ACCEPT",
	 "saddr in 0a000001-0a000009; daddr !in 01010101-01010102; accept"},
	{"-p tcp -m ecn --ecn-tcp-ece ! --ecn-tcp-cwr -j ACCEPT",
	 "l4proto == 06; tcpflags & 40; tcpflags !& 80; accept"},
	{"-m ecn --ecn-ip-ect 1 -j ACCEPT", "unknown -m ecn --ecn-ip-ect 1"},
	{"-f -j DROP", "fragoff&1fff != 0000; drop"},
	{"! -f -j ACCEPT", "fragoff&1fff == 0000; accept"},
	{"-m mac --mac-source 00:11:22:33:44:55 -j ACCEPT", "unknown -m mac --mac-source 00:11:22:33:44:55"},
	{"-m recent --set --name x --mask 255.255.255.255 --rsource -j ACCEPT",
	 "unknown -m recent --set --name x --mask 255.255.255.255 --rsource"},
	{"-m time --timestart 10:00:00 --timestop 23:59:59 --datestop 2038-01-19T03:14:07 -j DROP",
	 "unknown -m time --timestart 10:00:00 --timestop 23:59:59 --datestop 2038-01-19T03:14:07"},
	{"-m socket --transparent -j ACCEPT", "unknown -m socket --transparent"},
	{"-m cgroup --cgroup 5 -j ACCEPT", "unknown -m cgroup --cgroup 5"},
	{"-j REJECT --reject-with icmp-port-unreachable", "reject icmp-port-unreachable"},
	{"-p tcp -j REJECT --reject-with tcp-reset", "l4proto == 06; reject tcp-reset"},
	{"-j REJECT --reject-with icmp-admin-prohibited", "reject icmp-admin-prohibited"},
	{"-j NFQUEUE --queue-num 100 --queue-bypass", "queue 100 bypass"},
	{"-j NFQUEUE --queue-balance 1:3 --queue-cpu-fanout", "queue 1"},
	{"", "nothing"},
	{"-j NFLOG --nflog-group 3", "nothing"},
	{"-i veth+ ! -o eth1 -p tcp -g USER", "iif =^ \"veth\"/4; oif != \"eth1\"/16; l4proto == 06; goto USER"},
	{"-m physdev --physdev-in veth0 --physdev-is-bridged -j ACCEPT",
	 "physin == \"veth0\"/16; physout != \"\"/16; accept"},
	{"-m physdev ! --physdev-is-in --physdev-out v+ -j ACCEPT", "physin == \"\"/16; physout =^ \"v\"/1; accept"},
	{"-m physdev ! --physdev-in veth0 -j ACCEPT", "physin != \"veth0\"/16; accept"},
	{"-m owner --uid-owner 0 -j ACCEPT", "owner == 00000000; accept"},
	{"-p gre -j RETURN", "l4proto == 2f; return"},
	{"-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90",
	 "l4proto == 06; dport == 0050; dnat 10.0.0.1-10.0.0.9 port 80-90"},
	{"-j DNAT --to-destination 10.0.0.1 --random --persistent", "dnat 10.0.0.1 random persistent"},
	{"-p tcp -j DNAT --to-destination :80", "l4proto == 06; dnat port 80"},
	{"-p tcp -m tcp --dport 100:200 -j DNAT --to-destination 1.1.1.1:5000-5100/100",
	 "l4proto == 06; dport in 0064-00c8; unknown -j DNAT --to-destination 1.1.1.1:5000-5100/100"},
	{"-p tcp -j REDIRECT --to-ports 8080", "l4proto == 06; redirect port 8080"},
	{"-j REDIRECT", "redirect"},
	{"-j SNAT --to-source 1.1.1.1", "snat 1.1.1.1"},
	{"-p udp -j REDIRECT --to-ports 1-2 --random", "l4proto == 11; redirect port 1-2 random"},
	{"-j SNAT --to-source 10.0.0.1-10.0.0.2 --random-fully --persistent",
	 "snat 10.0.0.1-10.0.0.2 random persistent"},
	{"-p tcp -j SNAT --to-source 10.0.0.1:1024-65535", "l4proto == 06; snat 10.0.0.1 port 1024-65535"},
	{"-j MASQUERADE", "masq"},
	{"-p tcp -j MASQUERADE --to-ports 100-200 --random", "l4proto == 06; masq port 100-200 random"},
};
/* Typed by hand: negations, boundaries, and what cannot be read. */
static const struct row typed4[] = {
	{"-s 0.0.0.0/0 -d 1.2.3.4/31 -j DROP", "daddr&fffffffe == 01020304; drop"},
	{"! -s 0.0.0.0/0 -j DROP", "saddr&00000000 != 00000000; drop"},
	{"-s 1.2.3.4/33 -j DROP", "unknown -s 1.2.3.4/33"},
	{"-s 1.2.3/8 -j DROP", "unknown -s 1.2.3/8"},
	{"-d fd00::1 -j DROP", "unknown -d fd00::1"},
	{"-i + -o eth0+ -j DROP", "oif =^ \"eth0\"/4; drop"},
	{"! -i + -j DROP", "nfproto == 00; drop"},
	{"-i 123456789012345 -j DROP", "iif == \"123456789012345\"/16; drop"},
	{"-i 1234567890123456 -j DROP", "unknown -i 1234567890123456"},
	{"! -o cni0 ! -p tcp -j DROP", "oif != \"cni0\"/16; l4proto != 06; drop"},
	{"-p all -p 0 -j DROP", "drop"},
	{"-p 255 -j DROP", "l4proto == ff; drop"},
	{"-p 256 -j DROP", "unknown -p 256"},
	{"-p nosuch -j DROP", "unknown -p nosuch"},
	{"-p tcp --dport 80 -j DROP", "l4proto == 06; dport == 0050; drop"},
	{"-m tcp --dport 80 -j DROP", "l4proto == 06; dport == 0050; drop"},
	{"-p tcp -m tcp --sport 0 --dport 65535 -j DROP", "l4proto == 06; sport == 0000; dport == ffff; drop"},
	{"-p tcp -m tcp --dport 65536 -j DROP", "l4proto == 06; unknown -m tcp --dport 65536"},
	{"-p tcp -m tcp --dport 0:65535 -j DROP", "l4proto == 06; dport in 0000-ffff; drop"},
	{"-p tcp -m tcp ! --dport 1:2 -j DROP", "l4proto == 06; dport !in 0001-0002; drop"},
	{"-p tcp -m tcp --dport 2:1 -j DROP", "l4proto == 06; unknown -m tcp --dport 2:1"},
	{"-p tcp -m tcp --dport 080 -j DROP", "l4proto == 06; unknown -m tcp --dport 080"},
	{"-p tcp -m tcp --dport -j DROP", "l4proto == 06; unknown -m tcp --dport -j DROP"},
	{"-p tcp -m tcp --tcp-flags SYN,BAD SYN -j DROP", "l4proto == 06; unknown -m tcp --tcp-flags SYN,BAD SYN"},
	{"-p icmp -m icmp ! --icmp-type any -j DROP", "l4proto == 01; nfproto == 00; drop"},
	{"-p icmp -m icmp --icmp-type 255 -j DROP", "l4proto == 01; drop"},
	{"-p icmp -m icmp --icmp-type 256 -j DROP", "l4proto == 01; unknown -m icmp --icmp-type 256"},
	{"-p icmp -m icmp --icmp-type host-unreachable -j DROP", "l4proto == 01; icmptype.icmpcode == 0301; drop"},
	{"-p udp -m multiport --sports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 -j DROP",
	 "l4proto == 11; sport in "
	 "{0001,0002,0003,0004,0005,0006,0007,0008,0009,000a,000b,000c,000d,000e,000f}; drop"},
	{"-p udp -m multiport --sports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j DROP",
	 "l4proto == 11; unknown -m multiport --sports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"},
	{"-p udp -m multiport --sports 1,,2 -j DROP", "l4proto == 11; unknown -m multiport --sports 1,,2"},
	{"-p udp -m multiport ! --dports 5:6 -j DROP", "l4proto == 11; dport not in {0005-0006}; drop"},
	{"-p tcp -m multiport --ports 80 -j DROP",
	 "l4proto == 06; sport.dport in {00500000-0050ffff,00000050-ffff0050}; drop"},
	{"-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP", "ctstate:1 !& 00000106; drop"},
	{"-m conntrack --ctstatus NONE -j DROP", "ctstatus & 00000000; drop"},
	{"-m conntrack --ctexpire 5 -j DROP", "unknown -m conntrack --ctexpire 5"},
	{"-m conntrack --ctstate FOO -j DROP", "unknown -m conntrack --ctstate FOO"},
	{"-m conntrack --ctorigsrc 0.0.0.0/0 -j DROP", "ctsaddr&00000000 == 00000000; drop"},
	{"-m state ! --state INVALID -j DROP", "ctstate !& 00000001; drop"},
	{"-m mark --mark 0x4000/0x4000 -j DROP", "mark&00004000 == 00004000; drop"},
	{"-m mark --mark 0x100000000 -j DROP", "unknown -m mark --mark 0x100000000"},
	{"-m statistic --mode random --probability 0.33333333349 -j DROP", "random:80000000 < 2aaaaaab; drop"},
	{"-m statistic --mode random --probability 1.00000000000 -j DROP", "random:80000000 < 80000000; drop"},
	{"-m statistic --mode random --probability 0.00000000000 -j DROP", "random:80000000 < 00000000; drop"},
	{"-m statistic --mode random --probability 1.00000000001 -j DROP",
	 "unknown -m statistic --mode random --probability 1.00000000001"},
	{"-m statistic --mode nth --every 0 -j DROP", "unknown -m statistic --mode nth --every 0"},
	{"-m owner --gid-owner 1-4294967295 -j DROP", "owner in 00000001-ffffffff; drop"},
	{"-m owner ! --uid-owner 0 -j DROP", "unknown -m owner ! --uid-owner 0"},
	{"-m owner --uid-owner root -j DROP", "unknown -m owner --uid-owner root"},
	{"-m owner --socket-exists -j DROP", "unknown -m owner --socket-exists"},
	{"-m hashlimit ! --hashlimit-upto 5/sec -j DROP", "limit over; drop"},
	{"-m physdev ! --physdev-out v0 -j DROP", "physout != \"v0\"/16; unknown -m physdev ! --physdev-out v0"},
	{"-m physdev ! --physdev-out v0 --physdev-is-bridged -j DROP",
	 "physout != \"v0\"/16; physout != \"\"/16; drop"},
	{"-m physdev ! --physdev-is-bridged -j DROP", "physout == \"\"/16; drop"},
	{"-m pkttype --pkt-type nosuch -j DROP", "unknown -m pkttype --pkt-type nosuch"},
	{"-m length --length 0:65535 -j DROP", "length in 0000-ffff; drop"},
	{"-m length --length :65536 -j DROP", "unknown -m length --length :65536"},
	{"-m ttl --ttl-gt 255 -j DROP", "ttl > ff; drop"},
	{"-m ttl --ttl-eq 256 -j DROP", "unknown -m ttl --ttl-eq 256"},
	{"-m dscp --dscp 64 -j DROP", "unknown -m dscp --dscp 64"},
	{"-m tos --tos 0x10/0x3f -j DROP", "unknown -m tos --tos 0x10/0x3f"},
	{"-m iprange --src-range 10.0.0.9-10.0.0.1 -j DROP", "unknown -m iprange --src-range 10.0.0.9-10.0.0.1"},
	{"-m rpfilter -j DROP", "sfiboif:1 != 00000000; drop"},
	{"-m hl --hl-eq 1 -j DROP", "unknown -m hl --hl-eq 1"},
	{"-m nfacct --nfacct-name  ct_state_invalid_dropped_pkts -j DROP", "drop"},
	{"-m set --match-set KUBE-CLUSTER-IP src,dst -m mark --mark 1 -j DROP",
	 "src,dst in ipset KUBE-CLUSTER-IP; mark == 00000001; drop"},
	{"-m set ! --match-set A src -m set --match-set B dst -d 1.1.1.1 -j DNAT --to-destination 2.2.2.2",
	 "not src in ipset A; dst in ipset B; daddr == 01010101; dnat 2.2.2.2"},
	{"-m set --match-set A src,dst,dst --return-nomatch ! --update-counters ! --update-subcounters -j DROP",
	 "src,dst,dst in ipset A nomatch; drop"},
	{"-m set --match-set A src --packets-gt 5 -j DROP", "unknown -m set --match-set A src --packets-gt 5"},
	{"-m set --match-set A any -j DROP", "unknown -m set --match-set A any"},
	{"-m set --match-set A src,src,src,src,src,src,src -j DROP",
	 "unknown -m set --match-set A src,src,src,src,src,src,src"},
	{"-m set --match-set A -j DROP", "unknown -m set --match-set A -j DROP"},
	{"-m set -j DROP", "unknown -m set"},
	{"-j SET --add-set A src --exist", "unknown -j SET --add-set A src --exist"},
	{"-j SET --map-set A src --map-mark", "unknown -j SET --map-set A src --map-mark"},
	{"-m comment --comment \"a \\\"b\\\" \\\\ c\" -d 1.1.1.1/32 -j USER", "daddr == 01010101; jump USER"},
	{"-m comment --comment \"\" -g USER", "goto USER"},
	{"-m comment --comment \"open -j DROP", "unknown -A X -m comment --comment \"open -j DROP"},
	{"--nosuch 1 -j DROP", "unknown --nosuch 1"},
	{"-j DROP --nosuch", "unknown -j DROP --nosuch"},
	{"-j USER --nosuch", "unknown --nosuch"},
	{"-j", "unknown -j"},
	{"!", "unknown !"},
	{"-j DROP -j ACCEPT", "unknown -j DROP -j ACCEPT"},
	{"-j REJECT", "reject icmp-port-unreachable"},
	{"-j REJECT --reject-with icmp6-no-route", "unknown -j REJECT --reject-with icmp6-no-route"},
	{"-j NFQUEUE", "queue 0"},
	{"-j NFQUEUE --queue-num 65536", "unknown -j NFQUEUE --queue-num 65536"},
	{"-j QUEUE", "queue 0"},
	{"-j MARK --set-mark 0x5/0xa", "mark 5/f"},
	{"-j MARK --set-xmark 1/2 --and-mark 3", "unknown -j MARK --set-xmark 1/2 --and-mark 3"},
	{"-j MARK", "unknown -j MARK"},
	{"-j CONNMARK --save-mark --mask 0xff", "save ff to ff"},
	{"-j CONNMARK --save-mark --left-shift-mark 2", "unknown -j CONNMARK --save-mark --left-shift-mark 2"},
	{"-j CONNMARK --and-mark 0xff", "ctmark 0/ffffff00"},
	{"-j DNAT", "unknown -j DNAT"},
	{"-j DNAT --to-destination 1.1.1.1:0", "unknown -j DNAT --to-destination 1.1.1.1:0"},
	{"-j DNAT --to-destination 1.1.1.1:65535", "dnat 1.1.1.1 port 65535"},
	{"-j DNAT --to-destination 1.1.1.1:65536", "unknown -j DNAT --to-destination 1.1.1.1:65536"},
	{"-j DNAT --to-destination 1.1.1.1:", "unknown -j DNAT --to-destination 1.1.1.1:"},
	{"-j DNAT --to-destination 1.1.1.1 --to-destination 1.1.1.2",
	 "unknown -j DNAT --to-destination 1.1.1.1 --to-destination 1.1.1.2"},
	{"-j DNAT --to-destination fd00::1", "unknown -j DNAT --to-destination fd00::1"},
	{"-j SNAT --to-source 1.1.1.2-1.1.1.1", "unknown -j SNAT --to-source 1.1.1.2-1.1.1.1"},
	{"-j MASQUERADE --random-fully", "masq random"},
	{"-j MASQUERADE --to-ports 2-1", "unknown -j MASQUERADE --to-ports 2-1"},
	{"-j CT --helper ftp", "nothing"},
	{"-j TTL --ttl-dec 2", "ttl fffffffe/0"},
	{"-j TTL --ttl-inc 255", "ttl ff/0"},
	{"-j TTL --ttl-set 256", "unknown -j TTL --ttl-set 256"},
	{"-j TTL", "unknown -j TTL"},
	{"-j TOS --set-tos 0x10/0x3f", "dscp 4/f"},
	{"-j DSCP --set-dscp 63", "dscp 3f/3f"},
	{"-j DSCP --set-dscp 64", "unknown -j DSCP --set-dscp 64"},
	{"-j LOG --log-prefix \"-j ACCEPT\"", "nothing"},
};
static const struct row saved6[] = {
	{"-m rpfilter --invert -j DROP", "sfiboif:1 == 00000000; drop"},
	{"-s fd00::/8 -d fd00::1/128 -i eth0 -j ACCEPT",
	 "saddr6&ff000000000000000000000000000000 == fd000000000000000000000000000000; daddr6 == "
	 "fd000000000000000000000000000001; iif == \"eth0\"/16; accept"},
	{"! -s fd00::1/128 -d ffff::1/ffff::ffff -j ACCEPT",
	 "saddr6 != fd000000000000000000000000000001; daddr6&ffff000000000000000000000000ffff == "
	 "ffff0000000000000000000000000001; accept"},
	{"-p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT", "l4proto == 3a; icmptype == 80; accept"},
	{"-p ipv6-icmp -m icmp6 ! --icmpv6-type 1/4 -j ACCEPT", "l4proto == 3a; icmptype.icmpcode != 0104; accept"},
	{"-p ipv6-icmp -j USER", "l4proto == 3a; jump USER"},
	{"-m addrtype --dst-type LOCAL -j ACCEPT", "dtype == 00000002; accept"},
	{"-m addrtype ! --dst-type MULTICAST -j ACCEPT",
	 "daddr6&ff000000000000000000000000000000 != ff000000000000000000000000000000; accept"},
	{"-m addrtype --src-type UNICAST -j ACCEPT",
	 "saddr6&ff000000000000000000000000000000 != ff000000000000000000000000000000; saddr6 != "
	 "00000000000000000000000000000000; accept"},
	{"-m addrtype ! --src-type UNICAST -j ACCEPT", "unknown -m addrtype ! --src-type UNICAST"},
	{"-m addrtype --src-type LOCAL,MULTICAST -j ACCEPT", "unknown -m addrtype --src-type LOCAL,MULTICAST"},
	{"-m hl --hl-lt 5 -j ACCEPT", "ttl < 05; accept"},
	{"-m hl ! --hl-eq 5 -j ACCEPT", "ttl != 05; accept"},
	{"-m iprange --src-range fd00::1-fd00::9 -j ACCEPT",
	 "saddr6 in fd000000000000000000000000000001-fd000000000000000000000000000009; accept"},
	{"-m conntrack --ctorigsrc fd00::/16 --ctreplsrc fd00::1 -j ACCEPT",
	 "ctsaddr6&ffff0000000000000000000000000000 == fd000000000000000000000000000000; ctsaddr6:1 == "
	 "fd000000000000000000000000000001; accept"},
	{"-m frag --fragid 5 -j DROP", "unknown -m frag --fragid 5"},
	{"-m eui64 -j DROP", "unknown -m eui64"},
	{"-j REJECT --reject-with icmp6-port-unreachable", "reject icmp6-port-unreachable"},
	{"-p tcp -j REJECT --reject-with tcp-reset", "l4proto == 06; reject tcp-reset"},
	{"-j REJECT --reject-with icmp6-adm-prohibited", "reject icmp6-adm-prohibited"},
	{"-p tcp -j DNAT --to-destination [fd00::1]:80", "l4proto == 06; dnat fd00::1 port 80"},
	{"-p tcp -j DNAT --to-destination [fd00::1-fd00::9]:80-90", "l4proto == 06; dnat fd00::1-fd00::9 port 80-90"},
	{"-j DNAT --to-destination fd00::1-fd00::9", "dnat fd00::1-fd00::9"},
	{"-j DNAT --to-destination ::1", "dnat ::1"},
	{"-p udp -j DNAT --to-destination :53", "l4proto == 11; dnat port 53"},
	{"-p tcp -j REDIRECT --to-ports 80", "l4proto == 06; redirect port 80"},
	{"-j SNAT --to-source fd00::1", "snat fd00::1"},
	{"-j MASQUERADE --random-fully", "masq random"},
};
static const struct row typed6[] = {
	{"-s ::/0 -d fd00::/127 -j DROP",
	 "daddr6&fffffffffffffffffffffffffffffffe == fd000000000000000000000000000000; drop"},
	{"-s fd00::/129 -j DROP", "unknown -s fd00::/129"},
	{"-s 10.0.0.1 -j DROP", "unknown -s 10.0.0.1"},
	{"-j DNAT --to-destination [fd00::1]", "dnat fd00::1"},
	{"-j DNAT --to-destination [fd00::1", "unknown -j DNAT --to-destination [fd00::1"},
	{"-j DNAT --to-destination []:80", "unknown -j DNAT --to-destination []:80"},
	{"-j DNAT --to-destination [fd00::1]80", "unknown -j DNAT --to-destination [fd00::1]80"},
	{"-j DNAT --to-destination 1.1.1.1:80", "unknown -j DNAT --to-destination 1.1.1.1:80"},
	{"-j REJECT", "reject icmp6-port-unreachable"},
	{"-p icmpv6 -m icmp6 --icmpv6-type any -j DROP", "l4proto == 3a; unknown -m icmp6 --icmpv6-type any"},
	{"-m icmp --icmp-type 8 -j DROP", "unknown -m icmp --icmp-type 8"},
	{"-m physdev --physdev-in + -j DROP", "physin != \"\"/16; drop"},
	{"-m conntrack --ctrepldst fd00::1 -j DROP", "ctdaddr6:1 == fd000000000000000000000000000001; drop"},
};
/* clang-format on */

static void check_rows(const struct row *rows, size_t n, uint8_t family)
{
	for (size_t i = 0; i < n; i++) {
		struct nd_arena arena = {0};
		struct nd_rrule rule;
		char *text = nd_arena_printf(&arena, "-A X %s", rows[i].rule);

		nd_ipt_compile_rule(&arena, text, family, &rule);
		char *got = ipt_text(&rule);

		if (strcmp(got, rows[i].steps) != 0)
			print_error("%s\n", text);
		assert_string_equal(got, rows[i].steps);
		assert_string_equal(rule.text, text);
		free(got);
		nd_arena_free(&arena);
	}
}

static void compiles_what_iptables_prints(void **state)
{
	(void)state;
	check_rows(saved4, ND_ARRAY_LEN(saved4), 4);
	check_rows(saved6, ND_ARRAY_LEN(saved6), 6);
}

static void compiles_what_people_type(void **state)
{
	(void)state;
	check_rows(typed4, ND_ARRAY_LEN(typed4), 4);
	check_rows(typed6, ND_ARRAY_LEN(typed6), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compiles_what_iptables_prints),
		cmocka_unit_test(compiles_what_people_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
