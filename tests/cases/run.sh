#!/bin/bash
# Every case is data: bundle.tar.gz and expect.json {"exit", "verdict", "causes": [{"id","subject"}], "walked": {cause: where a
# walked packet ended at it}, "effects": their ids, each once, "unexplained": how many effects no cause explains}: answer.jq.
# record.sh makes them.
# The same bundle must give the same answer twice, byte for byte (but for the time it took).
set -u
cd "$(dirname "$0")" || exit 1
tool=${NETDOCTOR:-../../build/bin/kubectl-netdoctor}
fail=0
for dir in */; do
	name=${dir%/} bundle=$dir/bundle.tar.gz expect=$dir/expect.json
	[[ -f $bundle ]] || continue
	got=$("$tool" diagnose --from "$bundle" -o json 2>&1)
	code=$?
	again=$("$tool" diagnose --from "$bundle" -o json 2>&1)
	if [[ $(grep -v '"seconds"' <<<"$got") != "$(grep -v '"seconds"' <<<"$again")" ]]; then
		echo "not ok $name: two runs differ"; fail=1; continue
	fi
	want=$(jq -c . "$expect")
	have=$(jq -c --argjson exit "$code" -f answer.jq <<<"$got" 2>/dev/null)
	if [[ $want == "$have" ]]; then echo "ok $name"; else echo "not ok $name: wanted $want, got ${have:-$got}"; fail=1; fi
done
exit $fail
