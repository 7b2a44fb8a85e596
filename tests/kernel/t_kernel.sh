#!/bin/bash
# t_kernel.sh: the kept cases, then 500 random cases of a fixed seed, each a packet through the kernel and through the walk.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
if [[ ! -x $build/kernel-test ]]; then
	echo "not ok walk-against-kernel: $build/kernel-test is not built"
	exit 1
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

replays() { tests/kernel/run.sh "$build" --replay "$@" 2>"$tmp/err"; }
out=$(replays tests/kernel/cases/*.txt)
case $? in
0 | 1) grep -v '^not generated' <<<"$out" ;; # of the generators
77) echo "skip kernel-case: $out" && exit 0 ;;
*) echo "not ok kernel-case: $out $(head -3 "$tmp/err")" ;;
esac

# A replay must be able to fail: by what the kernel does, by what the walk says, and by a file that is none.
good=tests/kernel/cases/target-ttl.txt
# fails NAME STATUS PATTERN SED
fails() {
	local said
	sed "$4" "$good" >"$tmp/changed.txt"
	said=$(replays "$tmp/changed.txt")
	if [[ $? == "$2" && $said =~ $3 && $(grep -c '^not ok' <<<"$said") == 1 ]]; then
		echo "ok kernel-case-fails $1"
	else
		echo "not ok kernel-case-fails $1: $said"
	fi
}
fails "another expectation" 1 'expected ttl=5, the kernel:.* ttl=4' 's/ttl=4$/ttl=5/'
fails "a walk that takes another value" 1 'rule hit 1 times, walk says 0|ttl: kernel 4, walk 3' $'$a lie\t--ttl-set 5\t--ttl-set 4'
fails "a walk that misses a rule" 1 'rule hit 1 times, walk says 0' $'$a lie\t-m ttl --ttl-eq 4\t-m ttl --ttl-eq 3'
fails "a rule that is none" 1 'the tools do not load it' 's/-j TTL/-j NOSUCH/'
fails "no such line" 2 'changed.txt:2: no such kind of line' 's/^route/rout/'
fails "a byte that is none" 2 'changed.txt:2: a byte that is not printable' '2s/$/\x01/'
fails "a packet of nothing" 2 'a packet has no such field' 's/proto=6/proto=300/'
fails "a packet too long" 2 'a packet has no such field' 's/flags=0x2/payload=1401/'
fails "a packet that follows itself" 2 'a packet follows one above it' 's/from=A/follows=0 from=A/'
fails "a packet that follows to elsewhere" 2 'has the addresses of the first' $'$a packet\tfollows=0 src=10.1.0.2'
fails "nine packets" 2 'too many packets' '/^packet/{p;p;p;p;p;p;p;p}'
fails "fields without end" 2 'too many fields' 's/^rule/rule\ta\ta\ta\ta\ta\ta\ta\ta\ta\ta\ta/'
fails "an expectation of no packet" 2 'number of a packet above' $'s/^expect\t0/expect\t1/'
fails "another command" 2 'wanted: route' 's/route add/netns exec/'
fails "no packet" 2 'no packet' '/^packet/d;/^expect/d'
[[ ${1:-} == --replay ]] && exit 0

out=$(KERNEL_FOUND=$tmp/found tests/kernel/run.sh "$build" 500 1 2>&1)
rc=$?
grep -q 'NO IPSETS' <<<"$out" && echo "skip walk-against-kernel-ipsets: no program ipset, or no ip_set in this kernel"
case $rc in
0) echo "ok walk-against-kernel" ;;
77) echo "skip walk-against-kernel: $out" ;;
*)
	echo "not ok walk-against-kernel"
	tail -60 <<<"$out"
	;;
esac
