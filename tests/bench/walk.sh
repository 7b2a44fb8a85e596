#!/bin/bash
# Rules of SERVICES (10,000) services: parse, compile, index, and packets through them; whole walks through a recorded cluster
# without and with them. Parsing against iptables-xml and iptables-restore --test, CPU time, in the same run: iptables-xml fails
# above 10,240 chains, so with 2,000 services (10,007 chains) and again with all. B: where the objects are.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build} services=${SERVICES:-10000} walks=${WALKS:-200000}
make --no-print-directory B="$B" all >/dev/null
mapfile -t objects < <(find common plugin -name '*.c' ! -path plugin/main.c | sed "s|^|$B/obj/|; s|c$|o|")
mkdir -p "$B/bench"
for p in walk_bench way_bench; do
	# shellcheck disable=SC2046
	${CC:-gcc} -std=gnu11 -O2 -g -I. -D_GNU_SOURCE -o "$B/bench/$p" tests/bench/$p.c "${objects[@]}" \
		$(pkg-config --libs libcurl yaml-0.1 libcjson libarchive)
done
"$B/bench/walk_bench" "$services" "$walks"
"$B/bench/way_bench" "${BUNDLE:-tests/cases/healthy-nd-kindnet/bundle.tar.gz}" "$services" "$((walks / 10))"

rules=$(mktemp)
trap 'rm -f "$rules"' EXIT
cpu() { # cpu COMMAND...: user + system seconds, or why not
	local out status=0
	TIMEFORMAT='%U %S'
	out=$({ time timeout 300 "$@" <"$rules" >/dev/null 2>&1 || echo "fails $?"; } 2>&1) || status=$?
	[[ $status == 0 && $out != *fails* ]] || { echo "fails (status ${out##*fails })" | head -1; return; }
	awk '{print $1 + $2}' <<<"$out"
}
ratio() { # ratio NAME OURS THEIRS
	if [[ $3 == fails* ]]; then echo "  $1: ${3//$'\n'/ }"; else awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN {printf "  %s: %.3f s; ours is %.2f of it\n", n, b, a / b}'; fi
}
for n in 2000 "$services"; do
	"$B/bench/walk_bench" --save "$n" >"$rules"
	ours=$("$B/bench/walk_bench" "$n" 1000 | sed -n "s/^$n services:.*together \([0-9.]*\) s.*/\1/p")
	echo "parse, compile and index $n services, $(wc -c <"$rules") bytes: $ours s"
	ratio iptables-xml "$ours" "$(cpu iptables-xml)"
	for backend in nft legacy; do # --test changes nothing; in a namespace of its own all the same
		ratio "iptables-$backend-restore --test" "$ours" "$(cpu unshare -n iptables-$backend-restore --test)"
	done
done
