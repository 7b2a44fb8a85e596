#!/bin/bash
# run.sh [BUILD]: every test that needs no cluster, then one line "N passed, N failed, N skipped".
# A test program is a cmocka binary or a script that prints "ok NAME", "not ok NAME", "skip NAME: why".
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build} pass=0 fail=0 skip=0
build=$(realpath "$build")
export BUILD=$build AGENT=$build/bin/netdoctor-agent-amd64 NETDOCTOR=$build/bin/kubectl-netdoctor
log=$(mktemp)
trap 'rm -f "$log"' EXIT

count() { # count NAME EXIT_CODE: what the log says, in the words of cmocka or of our scripts
	local p f s
	p=$(grep -cE '^\[       OK \]|^ok ' "$log")
	f=$(grep -cE '^\[  FAILED  \] [a-z_0-9]+$|^not ok ' "$log")
	s=$(grep -cE '^\[  SKIPPED \] [a-z_0-9]+$|^skip ' "$log")
	if (($2 != 0 && f == 0)) || ((p + f + s == 0)); then f=$((f + 1)); echo "not ok $1: exit $2" >>"$log"; fi
	pass=$((pass + p)) fail=$((fail + f)) skip=$((skip + s))
	if ((f)); then
		echo "FAIL $1 ($p passed, $f failed)"
		grep -vE '^\[ RUN|^\[       OK|^ok ' "$log" | tail -40
	else
		echo "ok   $1 ($p passed$( ((s)) && echo ", $s SKIPPED"))"
		grep -E '^skip ' "$log"
	fi
	if ((s)) && [[ ${ND_MUST_RUN:-} == 1 ]]; then fail=$((fail + s)); fi
}

for t in "$build"/unit/t_*; do
	[[ -x $t && ! -d $t && $t != *.d ]] || continue
	timeout 120 "$t" >"$log" 2>&1 </dev/null
	count "$(basename "$t")" $?
done
for t in tests/cases/run.sh tests/api/t_*.sh tests/agent/t_*.sh tests/kernel/t_kernel.sh tests/ways/t_ways.sh tests/topo/run.sh; do
	[[ -x $t ]] || continue
	timeout 300 "$t" >"$log" 2>&1 </dev/null
	count "$t" $?
done
echo "$pass passed, $fail failed, $skip skipped"
((fail == 0))
