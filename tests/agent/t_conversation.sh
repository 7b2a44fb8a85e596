#!/bin/sh
# What the agent answers to good and bad requests. AGENT: the binary to test.
set -u
AGENT=${AGENT:-build/bin/netdoctor-agent-amd64}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: $2"; failed=1; }
check() { # NAME CONDITION...
	name=$1
	shift
	if "$@"; then ok "$name"; else not_ok "$name" "$*"; fi
}

[ -x "$AGENT" ] || { echo "not ok agent: no binary at $AGENT"; exit 1; }

# A bad request: exit 2, nothing on stdout, one line on stderr that names the place.
bad() { # NAME TEXT-ON-STDERR; request on stdin
	"$AGENT" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	lines=$(wc -l <"$tmp/err")
	if [ $rc -eq 2 ] && [ ! -s "$tmp/out" ] && [ "$lines" -eq 1 ] && grep -q -- "$2" "$tmp/err"; then
		ok "$1"
	else
		not_ok "$1" "exit $rc, $(wc -c <"$tmp/out") bytes, stderr: $(cat "$tmp/err")"
	fi
}

printf '' | bad empty "ends before its line 'go'"
printf 'netdoctor 2\ncollect all\ngo\n' | bad other-version "line 1"
printf 'collect all\ngo\n' | bad no-hello "line 1"
printf 'netdoctor 1\ncollect all\n' | bad no-go "ends before its line 'go'"
printf 'netdoctor 1\ngo\n' | bad nothing-asked "nothing was asked for"
printf 'netdoctor 1\ncollect nonsense\ngo\n' | bad unknown-section "line 2"
printf 'netdoctor 1\ncollect\ngo\n' | bad collect-without-name "line 2"
printf 'netdoctor 1\ncollect host extra\ngo\n' | bad collect-two-names "line 2"
printf 'netdoctor 1\ncollect host\n\ngo\n' | bad empty-line "line 3"
printf 'netdoctor 1\nrun sh\ngo\n' | bad unknown-word "line 2"
printf 'netdoctor 1\ncollect host\nmax-bytes host 0\ngo\n' | bad max-zero "line 3"
printf 'netdoctor 1\ncollect host\nmax-bytes host 67108865\ngo\n' | bad max-too-big "line 3"
printf 'netdoctor 1\ncollect host\nmax-bytes host 12x\ngo\n' | bad max-no-number "line 3"
printf 'netdoctor 1\ncollect host\nmax-bytes host -1\ngo\n' | bad max-negative "line 3"
printf 'netdoctor 1\ncollect host\ndeadline-ms 0\ngo\n' | bad deadline-zero "line 3"
printf 'netdoctor 1\ncollect host\ndeadline-ms 99999999999999999999\ngo\n' | bad deadline-huge "line 3"
printf 'netdoctor 1\n\033[31mred\ngo\n' | bad control-characters "line 2, '?\[31mred'"
{ printf 'netdoctor 1\n'; yes 'collect host' | head -n 300; printf 'go\n'; } | bad too-many-lines "more than 256 lines"
{ printf 'netdoctor 1\n'; head -c 9000000 /dev/zero; } | bad too-large "larger than 8388608 bytes"
"$AGENT" --listen </dev/null >"$tmp/out" 2>"$tmp/err"
check bad-argument [ $? -eq 2 ]

version=$("$AGENT" --version </dev/null)
check version [ -n "$version" ]

# A good answer: hello, frames in the order of sections.def, trailer with count and digest.
printf 'netdoctor 1\ncollect all\ngo\n' | "$AGENT" >"$tmp/out" 2>"$tmp/err"
check all-exit [ $? -eq 0 ]
check all-stderr-empty [ ! -s "$tmp/err" ]
check hello [ "$(head -n 1 "$tmp/out")" = 'netdoctor-agent 1' ]
digest=$(tail -n +2 "$tmp/out" | head -n -1 | sha256sum | cut -d ' ' -f 1)
check digest [ "$(tail -n 1 "$tmp/out" | cut -d ' ' -f 3)" = "$digest" ]
sections=$(sed -n 's/^ND_SECTION([a-z]*, "\([a-z]*\)".*/\1/p' common/sections.def | tr '\n' ' ')
got=$(grep -aE '^(section|gap) [a-z]+ [0-9]+$' "$tmp/out" | cut -d ' ' -f 2 | grep -v '^sandbox$' | tr '\n' ' ')
check sections-in-order [ "$got" = "$sections" ]
check never-kubelet-conf sh -c "! grep -aqF /etc/kubernetes/ '$tmp/out'"

# One section alone; what is behind go is not read; a cap makes a gap and not a cut.
printf 'netdoctor 1\ncollect host\ngo\ncollect nonsense\n' | "$AGENT" >"$tmp/out"
check one-section [ "$(tail -n 1 "$tmp/out" | cut -d ' ' -f 1,2)" = 'end 1' ]
printf 'netdoctor 1\ncollect host\nmax-bytes host 10\ngo\n' | "$AGENT" >"$tmp/out"
check cap-is-a-gap grep -aq '^gap host ' "$tmp/out"
check cap-says-why grep -aq 'larger than 10 bytes' "$tmp/out"
# "go" may come in pieces.
{ printf 'netdoctor 1\ncollect ho'; sleep 0.1; printf 'st\ng'; sleep 0.1; printf 'o\n'; } | "$AGENT" >"$tmp/out"
check request-in-pieces grep -aq '^section host ' "$tmp/out"
# A reader that goes away is an exit code, not a hanging agent.
{ printf 'netdoctor 1\ncollect all\ngo\n' | "$AGENT" 2>"$tmp/err"; echo $? >"$tmp/rc"; } | true
check reader-gone [ "$(cat "$tmp/rc")" = 3 ]

exit $failed
