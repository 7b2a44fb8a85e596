#!/bin/bash
# verify as a user has it, from two recorded clusters (tests/api/verify/: flannel, healthy, with --http; kindnet, a node that does not
# forward): exit codes, text, JSON, baselines, and what is refused, each with one line that names the place.
set -u
cd "$(dirname "$0")" || exit 1
tool=$(realpath -e "${NETDOCTOR:-../../build/bin/kubectl-netdoctor}") || { echo "not ok t_verify: no program"; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
export HOME=$tmp KUBECONFIG=
healthy="--from verify/healthy.tar.gz" broken="--from verify/ip-forward-off.tar.gz"
url=http://10.96.251.232:8181/v1/config

# is NAME EXIT_CODE REGEX ARGS...: a line of standard output or error matches
is() {
	local name=$1 want=$2 regex=$3 rc
	shift 3
	timeout 60 "$tool" verify "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	if ((rc != want)); then echo "not ok $name: exit $rc, wanted $want: $(head -c 300 "$tmp/err" "$tmp/out")"; failed=1
	elif ! grep -qE -- "$regex" "$tmp/out" "$tmp/err"; then echo "not ok $name: wanted /$regex/: $(head -c 600 "$tmp/out" "$tmp/err")"; failed=1
	elif ((rc == 2)) && [[ -s $tmp/out || $(wc -l <"$tmp/err") != 1 ]]; then echo "not ok $name: wanted one line of error"; failed=1
	else echo "ok $name"; fi
}
# says NAME JQ-FILTER WANTED ARGS...
says() {
	local name=$1 filter=$2 want=$3 got
	shift 3
	got=$(timeout 60 "$tool" verify -o json "$@" 2>&1 | jq -c "$filter" 2>&1)
	if [[ $got == "$want" ]]; then echo "ok $name"; else echo "not ok $name: wanted $want, got $got"; failed=1; fi
}

# shellcheck disable=SC2086 # two words
{
	is healthy 0 '^✓ 8 tests passed, 1 skipped' $healthy
	is healthy_wide 0 'no container of kube-system' $healthy -o wide
	is broken 1 '^    pod .* on nd-kindnet-worker2 -> .*: TIMEOUT$' $broken
	is broken_is_cut 1 '^    and [0-9]+ more \(-o wide\)$' $broken
	is without_probes 3 '^\? DNS resolution +not tested: 3 nodes' --from ../cases/noprobe-healthy-nd-kindnet/bundle.tar.gz
	is one_namespace 0 '^✓ 4 tests passed' $healthy -n data-platform
	is no_such_namespace 3 'namespace nope' $healthy -n nope
	is http_by_name 0 '^✓ HTTP targets +2 of 2' $healthy --http svc/data-platform/iceberg-rest-catalog:8181/v1/config
	is http_by_address 0 '^✓ HTTP targets +2 of 2' $healthy --http $url
	is http_not_recorded 3 'no pod asked it' $healthy --http ${url}x
	is http_no_service 1 'there is no service data-platform/nope' $healthy --http svc/data-platform/nope:80
	is http_no_port 1 'no such TCP port' $healthy --http svc/data-platform/echo:81
	is http_headless 1 'no ClusterIP' $healthy --http svc/data-platform/echo-headless:8080
	is http_outside 2 'no pod, service or node' $healthy --http http://192.0.2.1/
	is http_not_a_target 2 'not an address' $healthy --http bogus
	is http_https 2 'only plain http' $healthy --http https://10.96.0.1/
	is http_often 0 '^✓ HTTP targets +4 of 4' $healthy --http $url --http svc/data-platform/echo:80
	is max_time 1 'slow, [0-9.]+ ms \(at most 1\)' $healthy --max-time 1ms --http $url
	is max_time_zero 2 '--max-time 0: wanted a time' $healthy --max-time 0
	is wait_bad 2 '--wait x: wanted a time' --wait x
	is wait_from 2 '--wait needs a cluster' $healthy --wait 5s
	is no_probe 2 'leave nothing to do' --no-probe
	is format 2 '-o yaml: wanted one of text, wide, json' $healthy -o yaml
	is a_word 2 'verify takes no word x' x
	is baseline 0 '^✓ As fast as before' $healthy --baseline verify/baseline.json
	is baseline_made 0 '^✓ 8 tests' $healthy --save-baseline "$tmp/made.json"
	if cmp <(jq -S .pairs "$tmp/made.json") <(jq -S .pairs verify/baseline.json); then echo "ok baseline_same"; else echo "not ok baseline_same"; failed=1; fi
	jq '(.pairs[] | select(.from != .to) | .mtu_bytes) = 1500' verify/baseline.json >"$tmp/then.json"
	is baseline_not_measured 0 '^✓ As fast as before' $healthy --baseline "$tmp/then.json"
	sed 's/"from": "nd-flannel-worker"/"from": 7/' verify/baseline.json >"$tmp/bad.json"
	is baseline_bad 2 'bad.json: pairs\[2\]: wanted from and to' $healthy --baseline "$tmp/bad.json"
	is baseline_missing 2 'open .*none.json: No such file' $healthy --baseline "$tmp/none.json"
	is baseline_nowhere 2 'create .*/no/such/file' $healthy --save-baseline "$tmp/no/such/file"
	says json_ids '[.tests[].id]' '["dns","service","pod-ip","cross-namespace","ping","nodeport","external","components","endpoints"]' $healthy
	says json_healthy '[.apiVersion,.kind,.verdict]' '["netdoctor/v1alpha1","Verification","passed"]' $healthy
	says json_broken '[.verdict,(.tests[] | select(.id=="ping") | .result,.ok,.total,(.failures | length))]' \
		'["failed","failed",4,14,10]' $broken
	says json_skipped '.tests[] | select(.id=="external") | [.result,.why,.slowest_ms]' \
		'["skipped","not asked for (--external)",null]' $healthy
}
exit $failed
