#!/bin/bash
# run.sh [NAME...]: what the agent's probes say about each fault of rows.def, in namespaces of our own (topo.sh).
# Prints "ok NAME", "not ok NAME: ...", "skip NAME: why". AGENT: the binary to test. SYMPTOMS=FILE: append what was measured, a
# line of the table of docs/symptoms.md a row; without it that page must say the same.
set -u
cd "$(dirname "$0")/../.." || exit 1
agent=$(realpath -e "${AGENT:-build/bin/netdoctor-agent-amd64}") || { echo "not ok topo: no agent"; exit 1; }
. tests/topo/topo.sh
tmp=$(mktemp -d) failed=0 names=("$@")
declare -A kind source target words healthy got
columns=

cleanup() {
	topo_down
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

skip_all() {
	echo "skip topo: $1"
	exit 0
}

# column LETTER HEALTHY KIND SOURCE ADDRESS:PORT [NAME]: a probe of every row and what it says when nothing is wrong
column() {
	columns+=$1 healthy[$1]=$2 kind[$1]=$3 source[$1]=$4 target[$1]=${5/:/ } words[$1]=${6:-}
}

inode() { [[ $1 == node ]] && echo node || stat -Lc %i "/run/netns/$topo$1"; } # SOURCE

# probe LETTERS TIMEOUT_MS: fills got[]; all in one run of the agent, which stands in n1
probe() {
	local c i id outcome
	got=()
	{
		printf 'netdoctor 1\nprobe-timeout-ms %s\n' "$2"
		for ((i = 0; i < ${#1}; i++)); do
			c=${1:i:1}
			echo "probe $((i + 1)) ${kind[$c]} ${inodes[${source[$c]}]} ${target[$c]}${words[$c]:+ ${words[$c]}}"
		done
		echo go
	} >"$tmp/request"
	timeout 30 nsenter --net="/run/netns/${topo}n1" -- "$agent" <"$tmp/request" >"$tmp/reply" 2>"$tmp/stderr"
	while read -r id outcome; do got[${1:id-1:1}]=$outcome; done < <(
		awk '$1 == "section" && $2 == "probe" {getline; print; exit}' "$tmp/reply" |
			jq -r '.[] | "\(.id) \(.outcome)\(if .mtu then ":\(.mtu)" else "" end)"')
}

# differs LETTERS: which of them are not as wanted[] says, as text; false when all are
differs() {
	local i c text=
	for ((i = 0; i < ${#1}; i++)); do
		c=${1:i:1}
		[[ "|${wanted[$c]}|" == *"|${got[$c]:-nothing}|"* ]] ||
			text+=" $c ${kind[$c]} ${source[$c]} -> ${target[$c]}: wanted ${wanted[$c]}, got ${got[$c]:-nothing};"
	done
	[[ -n $text ]] && echo "$text"
}

# One table for the whole machine: another test may have filled it, then nobody finds a neighbour.
neighbours_full() { awk 'FNR == 1 {for (i = 1; i <= NF; i++) if ($i == "table_fulls") c = i; next} {print $c}' /proc/net/stat/arp_cache; }

# bad NAME TEXT
bad() {
	if [[ $(neighbours_full) != "$neighbours_full_before" ]]; then
		echo "skip $1 and what follows: something else on this machine fills its neighbour table"
		exit $failed
	fi
	echo "not ok $1: $(head -c 500 <<<"$2" | tr '\n' ' ')"
	failed=1
}

# Neighbours learned during a fault are wrong after it; the fixed ones of the tunnel stay.
forget_neighbours() {
	local s
	for s in "${topo_spaces[@]}"; do ip -n "$topo$s" neigh flush nud reachable nud stale nud delay nud probe \
		nud incomplete nud failed 2>/dev/null; done
}
# A belated packet to a pod makes n3 ask for it, and from that question the pod learns its gateway without asking: not with
# these entries.
n3_knows_its_pods() { # replace | del
	local p h=2
	for p in p3a p3b; do
		ip -n "${topo}n3" neigh "$1" "10.244.3.$((h++))" lladdr "$("$p" cat /sys/class/net/eth0/address)" dev "veth-$p" nud permanent
	done
}
# How long the kernel asks for a neighbour that does not answer: three times this.
neighbour_wait() { # MS
	local s
	for s in "${topo_spaces[@]}"; do
		"$s" sh -c 'for f in /proc/sys/net/ipv4/neigh/*/retrans_time_ms; do echo "$1" >"$f"; done' sh "$1"
	done
}

# Everything passes, within 3 s.
is_healthy() {
	local c
	local -A wanted
	for c in "${!healthy[@]}"; do wanted[$c]=${healthy[$c]}; done
	for _ in {1..6}; do
		probe "$columns" 400
		differs "$columns" >"$tmp/differs" || return 0
		forget_neighbours
		sleep 0.2
	done
	return 1
}

symptom() { # NAME: what got[] says, as a line of docs/symptoms.md
	local i c o line="| $1 |"
	for ((i = 0; i < ${#columns}; i++)); do
		c=${columns:i:1} o=${got[$c]:-}
		case $o in
		"${healthy[$c]}") o=. ;;
		TIMEOUT) o=T ;; NOHOST) o=U ;; NONET) o=N ;; REFUSED) o=R ;; STALL) o=S ;;
		ok:*) o=${o#ok:} ;;
		esac
		line+=" $o |"
	done
	echo "$line"
}
# Whatever may come out one way or another cannot be in a table.
is_documented() { # NAME OUTCOMES
	if [[ -n ${SYMPTOMS:-} ]]; then symptom "$1" >>"$SYMPTOMS"; return 0; fi
	[[ $2 == *'|'* ]] || grep -qxF "$(symptom "$1")" docs/symptoms.md
}

# row NAME INJECT HEAL [LETTERS=OUTCOME[|OUTCOME]...]: one fault; the other columns must be as when healthy.
# Before it, for one row: only=LETTERS (probe just these), wait=MS (for a neighbour; then 600 ms a probe), needs=COMMAND.
row() {
	local name=$1 inject=$2 heal=$3 letters=${only:-$columns} ms=${wait:-} want c i timeout=350
	local -A wanted
	local test=${needs:-true}
	unset only wait needs
	shift 3
	((${#names[@]} == 0)) || [[ " ${names[*]} " == *" $name "* ]] || return 0
	if ! eval "$test" >/dev/null 2>&1; then
		echo "skip $name: not here: $test"
		return 0
	fi
	for c in "${!healthy[@]}"; do wanted[$c]=${healthy[$c]}; done
	for want in "$@"; do
		for ((i = 0; i < ${#want} && ${#want} > 2; i++)); do
			c=${want:i:1}
			[[ $c == = ]] && break
			wanted[$c]=${want#*=}
		done
	done
	if [[ -n $ms ]]; then neighbour_wait "$ms"; timeout=600; fi
	if ! eval "$inject" >"$tmp/inject" 2>&1; then
		bad "$name" "cannot inject: $(cat "$tmp/inject")"
	else
		probe "$letters" "$timeout"
		# On a busy machine an answer may take longer than that: once more, with patience.
		if differs "$letters" >"$tmp/differs"; then probe "$letters" 1500; fi
		if differs "$letters" >"$tmp/differs"; then
			bad "$name" "$(head -c 200 "$tmp/stderr") $(cat "$tmp/differs")"
		elif ! is_documented "$name" "$*"; then
			bad "$name" "docs/symptoms.md does not have the line $(symptom "$name")"
		else
			echo "ok $name"
		fi
	fi
	eval "$heal" >"$tmp/heal" 2>&1
	if [[ -n $ms ]]; then neighbour_wait 1000; fi
	forget_neighbours
	if ! is_healthy; then
		bad "$name" "not healthy afterwards: $(head -c 200 "$tmp/heal") $(cat "$tmp/differs")"
		exit 1
	fi
}

[[ $(id -u) == 0 ]] || skip_all "needs root"
for tool in ip bridge tc nsenter sysctl iptables-nft iptables-nft-restore nft jq openssl python3; do
	command -v $tool >/dev/null || skip_all "no $tool"
done
[[ -e /proc/sys/net/bridge ]] || skip_all "this kernel does not show bridged frames to iptables (br_netfilter)"
unshare --net true 2>/dev/null || skip_all "cannot make network namespaces"
topo_up "$tmp" 2>"$tmp/up" || { head -n 5 "$tmp/up"; echo "not ok topo: could not be built"; exit 1; }
declare -A inodes=([node]=node)
for s in "${topo_spaces[@]}"; do inodes[$s]=$(inode "$s"); done
neighbours_full_before=$(neighbours_full)
. tests/topo/rows.def
exit $failed
