#!/bin/bash
# The section `ipsets` against what `ipset save` prints, in a namespace made here.
# AGENT: the binary to test. Wants root, ip, ipset and a kernel with ip_set; else it skips.
set -u
AGENT=$(realpath "${AGENT:-build/bin/netdoctor-agent-amd64}")
a=nds$$
tmp=$(mktemp -d) || exit 1
failed=0
trap 'ip netns del $a 2>/dev/null; rm -rf "$tmp"' EXIT

skip() {
	echo "skip ipsets: $1"
	exit 0
}
check() { # NAME STATUS DETAIL
	if [ "$2" = 0 ]; then echo "ok $1"; else echo "not ok $1: $3"; failed=1; fi
}
[ -x "$AGENT" ] || { echo "not ok agent: no binary at $AGENT"; exit 1; }
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in ip ipset; do command -v $tool >/dev/null || skip "needs $tool"; done
ip netns add $a 2>/dev/null || skip "cannot make network namespaces"

ns() { ip netns exec $a "$@"; }
collect() { # [COMMAND...]: the section; a gap goes to stderr
	printf 'netdoctor 1\ncollect ipsets\ngo\n' | "$@" "$AGENT" >"$tmp/reply"
	awk '$1 == "section" && $2 == "ipsets" {want = 1; next} $1 == "gap" {getline; print "gap: " $0 > "/dev/stderr"; exit}
		$1 == "end" {exit} want && $0 != ""' "$tmp/reply"
}

# None: an empty section, no gap, and nothing is loaded for it.
collect ns >"$tmp/none" 2>"$tmp/gap"
[ ! -s "$tmp/none" ] && [ ! -s "$tmp/gap" ] && grep -q '^section ipsets 0$' "$tmp/reply"
check ipsets-none $? "$(head -c 300 "$tmp/none" "$tmp/gap")"

ns ipset create try hash:ip 2>/dev/null || skip "this kernel has no ip_set"
ns ipset destroy try

# Every type this kernel has; what does not tell what is in a set is left out of both sides.
make_sets() {
	while read -r name rest; do
		ns ipset create "$name" $rest 2>/dev/null || { echo "# not in this kernel: $rest"; continue; }
		for element in $(sed -n "s/^$name //p" "$tmp/elements"); do
			ns ipset add "$name" ${element//+/ } || failed=1
		done
	done
}
cat >"$tmp/elements" <<-END
ip 10.0.0.1 10.0.0.200+timeout+0
mask 10.1.2.3 10.9.9.9
bits 10.1.2.3
net 10.0.0.0/8 10.1.0.0/16+nomatch 10.1.1.1
net6 fd00::/64 fd00::1 2001:db8::/32+nomatch
port 10.0.0.1,80 10.0.0.1,udp:53 10.0.0.1,icmp:100/3 10.0.0.1,sctp:9 10.0.0.1,udplite:7 10.0.0.1,200:0
port6 fd00::1,icmpv6:99/1 fd00::1,tcp:65535
ipi 10.0.0.1,80,10.0.0.2
ipn 10.0.0.1,80,10.0.0.0/24 10.0.0.1,80,10.0.0.9+nomatch
np 10.0.0.0/24,udp:80 10.1.1.1,tcp:1
nn 10.0.0.0/8,10.0.0.0/9 10.0.0.1,0.0.0.0/0+nomatch
npn 10.0.0.0/8,tcp:80,10.0.0.0/9+nomatch
ni 10.0.0.0/24,eth0 10.0.0.0/24,physdev:eth0 0.0.0.0/0,eth+wildcard 10.3.0.0/16,eth1+nomatch+wildcard
mark 10.0.0.1,0xff00
markm 10.0.0.1,0xff00
ipmac 10.0.0.1,00:11:22:33:44:55
mac 00:11:22:33:44:55
bip 10.0.0.5-10.0.0.7
bnet 10.0.1.0/24
bmac 10.0.0.5,00:11:22:33:44:55 10.0.0.6
bport 80-82
list ip net
END
make_sets <<-END
ip hash:ip timeout 300 counters comment skbinfo
mask hash:ip netmask 24
bits hash:ip bitmask 255.0.255.0
net hash:net
net6 hash:net family inet6 maxelem 99
port hash:ip,port
port6 hash:ip,port family inet6
ipi hash:ip,port,ip
ipn hash:ip,port,net
np hash:net,port
nn hash:net,net
npn hash:net,port,net
ni hash:net,iface
mark hash:ip,mark
markm hash:ip,mark markmask 0x0000ff00
ipmac hash:ip,mac
mac hash:mac
bip bitmap:ip range 10.0.0.0/24
bnet bitmap:ip range 10.0.0.0/16 netmask 24
bmac bitmap:ip,mac range 10.0.0.0/24
bport bitmap:port range 0-1024
list list:set size 8
empty hash:ip
END
plain() { sed -E 's/ bucketsize [0-9]+//; s/ initval 0x[0-9a-f]+//; /^add/ { s/ timeout [0-9]+//; s/ packets [0-9]+ bytes [0-9]+//; }'; }
ns ipset save | plain >"$tmp/want"
collect ns >"$tmp/got"
diff "$tmp/want" "$tmp/got" >"$tmp/diff"
check "ipsets-as-ipset-save ($(grep -c ^create "$tmp/got") sets, $(grep -c ^add "$tmp/got") elements)" $? "$(head -n 20 "$tmp/diff")"

# Without the right to ask: a gap with the reason, never "there are none".
if command -v setpriv >/dev/null; then
	collect ns setpriv --bounding-set=-net_admin --inh-caps=-net_admin >"$tmp/none" 2>"$tmp/gap"
	grep -q 'gap: .*not permitted' "$tmp/gap" && [ ! -s "$tmp/none" ]
	check ipsets-refused $? "$(head -c 300 "$tmp/gap" "$tmp/none")"
fi

# More than are read: cut and said so; the next set is whole.
ns ipset flush
ns ipset destroy
{
	echo "create big hash:ip,port maxelem 200000"
	for i in $(seq 0 99); do for j in $(seq 1 11); do echo "add big 10.0.$i.$j,tcp:1-100"; done; done
	echo "create next hash:ip"
	echo "add next 10.0.0.1"
} | ns ipset restore
collect ns >"$tmp/got"
[ "$(grep -c '^add big' "$tmp/got")" = 100000 ] && [ "$(grep -c '^# netdoctor cut big$' "$tmp/got")" = 1 ] &&
	grep -q '^add next 10.0.0.1$' "$tmp/got"
check ipsets-cut $? "$(grep -c '^add big' "$tmp/got") $(grep '^#' "$tmp/got")"
exit $failed
