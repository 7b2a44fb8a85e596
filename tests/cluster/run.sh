#!/bin/bash
# run.sh [--quick] [NAME...]: the tool against real kind clusters. Healthy clusters must give no cause; each fault of tests/faults
# must give the right cause and subject, also from the bundle that was saved; each control must give no cause. On each healthy
# cluster `trace --live` from every node to every service must agree with the kernel.
# NAME is a fault file or a cause; without names all are run. --quick (or QUICK=1): the faults with `quick: yes`.
# KEEP_BUNDLES=1 keeps the bundles of what went well too (tests/cases/record.sh makes cases of them).
# ND_MUST_RUN=1 makes a skip a failure. Last line: N passed, N failed, N skipped.
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
LAB=$ROOT/tests/lab
FAULTS=$ROOT/tests/faults
STATE=${LAB_STATE:-/var/lib/netdoctor-lab}
BUNDLES=$STATE/bundles
NETDOCTOR=$ROOT/build/bin/kubectl-netdoctor
export PATH=$ROOT/build/bin:$STATE/bin:$PATH
unset KUBECONFIG
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
passed=0 failed=0 skipped=0 quick=${QUICK:-} names=() failures=()

for a in "$@"; do
	case $a in
	--quick) quick=1 ;;
	-*) echo "usage: run.sh [--quick] [FAULT|CAUSE...]" >&2; exit 2 ;;
	*) names+=("$a") ;;
	esac
done

# ---- what is run where -------------------------------------------------------------------------------------------------

key() { sed -n "s/^# $2: *//p" "$FAULTS/$1.sh" | head -1; } # key FAULT KEY: from the header of the file
cluster_args() { # cluster_args CLUSTER -> CNI PROXY_MODE WORKERS
	case $1 in
	nd-kindnet) echo kindnet iptables 2 ;;
	nd-flannel) echo flannel iptables 1 ;;
	nd-nft) echo kindnet nftables 1 ;;
	esac
}
clusters_of() { # clusters_of FAULT: the first that it makes sense on, and a few more where the ground differs
	case $(key "$1" cni)/$(key "$1" proxy) in
	*/nftables) echo nd-nft ;;
	flannel/*) echo nd-flannel ;;
	*) echo nd-kindnet ;;
	esac
	case $1 in
	ip-forward-off | nft-table-drop | ctl-extra-accept) echo nd-flannel nd-nft ;;
	svc-target-port | default-route-missing) echo nd-nft ;;
	svc-external-local | svc-internal-local | svc-source-ranges | dns-internal-local | ctl-local-policies) echo nd-nft ;;
	esac
}
is_wanted() {
	local n
	if [[ ${#names[@]} -gt 0 ]]; then
		for n in "${names[@]}"; do [[ $n == "$1" || $n == "$(key "$1" cause)" ]] && return 0; done
		return 1
	fi
	[[ -z $quick || $(key "$1" quick) == yes ]]
}
list_faults() { # all that are wanted, faults first, then controls
	local f
	for f in "$FAULTS"/*.sh; do
		f=$(basename "$f" .sh)
		[[ -n $(key "$f" cause) ]] && is_wanted "$f" && echo "$(key "$f" cause | grep -c '^new:none') $f"
	done | sort -k1n,1 -k2 | cut -d' ' -f2
}

# ---- results -----------------------------------------------------------------------------------------------------------

row() { printf '%-28s %-12s %-52s %-52s %-5s %5s\n' "$@"; }
result() { # result NAME CLUSTER EXPECTED GOT ok|FAIL|SKIP SECONDS [WHY]
	local text
	text=$(row "${@:1:6}" && { [[ -z ${7:-} ]] || sed 's/^/    /' <<<"$7"; })
	echo "$text"
	case $5 in
	ok) passed=$((passed + 1)) ;;
	SKIP) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)) failures+=("$text") ;;
	esac
}
finish() { # the failures once more: a log is read from its end
	[[ $failed == 0 ]] || printf 'failed:\n%s\n' "$(printf '%s\n' "${failures[@]}")"
	echo "$passed passed, $failed failed, $skipped skipped"
	[[ $failed == 0 && (-z ${ND_MUST_RUN:-} || $skipped == 0) ]]
	exit
}
skip_all() { # skip_all WHY: the lab is not to be had
	echo "SKIP: $1"
	skipped=$((skipped + $(list_faults | wc -l)))
	[[ ${#names[@]} -gt 0 ]] || skipped=$((skipped + 6))
	finish
}

# ---- asking the tool ---------------------------------------------------------------------------------------------------

target_of() { # target_of FAULT CLUSTER: what somebody complains about; names of nodes become their addresses
	local t node
	t=$(key "$1" target)
	for node in control-plane worker2 worker; do
		[[ $t == *//$node:* ]] && t=${t/$node/$(docker inspect -f '{{.NetworkSettings.Networks.kind.IPAddress}}' "$2-$node")}
	done
	echo "$t"
}
# diagnose CLUSTER NAME [TARGET]: through real kubectl, as a user does. Leaves $TMP/NAME.json, .err, .rc and $BUNDLES/NAME.tar.gz.
diagnose() {
	rm -f "$BUNDLES/$2.tar.gz"
	timeout 90 kubectl netdoctor diagnose ${3:+"$3"} --kubeconfig "$STATE/kubeconfig-$1" --context "kind-$1" -o json \
		--save "$BUNDLES/$2.tar.gz" >"$TMP/$2.json" 2>"$TMP/$2.err"
	echo $? >"$TMP/$2.rc"
}
same_offline() { # same_offline NAME: the bundle gives the same answer and exit code; prints why not
	local rc
	[[ -s $BUNDLES/$1.tar.gz ]] || { echo "no bundle was written"; return 1; }
	timeout 90 env -u KUBECONFIG "$NETDOCTOR" diagnose --from "$BUNDLES/$1.tar.gz" -o json >"$TMP/$1.from.json" 2>"$TMP/$1.from.err"
	rc=$?
	[[ $rc == "$(cat "$TMP/$1.rc")" ]] || { echo "exit code live $(cat "$TMP/$1.rc"), from the bundle $rc: $(tail -2 "$TMP/$1.from.err")"; return 1; }
	diff <(jq 'del(.seconds)' "$TMP/$1.json" 2>&1) <(jq 'del(.seconds)' "$TMP/$1.from.json" 2>&1) >"$TMP/$1.diff" ||
		{ echo "the bundle gives another answer:"; head -6 "$TMP/$1.diff"; return 1; }
}
top() { jq -r '.causes[0] | if . then "\(.id) \(.subject)" else "no cause" end' "$TMP/$1.json" 2>/dev/null || echo "no answer"; }
quiet() { # quiet NAME: no cause, no effect, exit 0; prints what there is instead
	local said
	said=$(jq -r '((.causes // []) + (.effects // []))[] | "\(.id) \(.subject): \(.title)"' "$TMP/$1.json" 2>&1)
	[[ $(cat "$TMP/$1.rc") == 0 && -z $said && $(jq -r .verdict "$TMP/$1.json") == healthy ]] && return 0
	printf 'exit %s, verdict %s\n%s\n' "$(cat "$TMP/$1.rc")" "$(jq -r .verdict "$TMP/$1.json" 2>/dev/null)" "$said"
	tail -3 "$TMP/$1.err"
	return 1
}
expand() { # expand SUBJECT CLUSTER: node/worker2 -> node/CLUSTER-worker2, or -worker where there is one worker
	case $1 in
	node/worker2) [[ $(cluster_args "$2") == *" 1" ]] && echo "node/$2-worker" || echo "node/$2-worker2" ;;
	node/*) echo "node/$2-${1#node/}" ;;
	*) echo "$1" ;;
	esac
}
is_right() { # is_right NAME FAULT CLUSTER: causes[0] has an expected id, and a subject that may end in *
	local id subject got_id got_subject
	subject=$(expand "$(key "$2" subject)" "$3")
	read -r got_id got_subject <<<"$(top "$1")"
	# shellcheck disable=SC2053
	[[ $got_subject == $subject ]] || return 1
	for id in $(key "$2" cause) $(key "$2" also | tr , ' '); do [[ $got_id == "$id" ]] && return 0; done
	return 1
}

has_effects() { # has_effects NAME FAULT: each effect of its header is there and shows the outcome; prints which is not
	local want id outcome
	for want in $(key "$2" effects | tr , ' '); do
		id=${want%/*} outcome=${want#*/}
		jq -e --arg id "$id" --arg outcome "$outcome" '[.effects[] | select(.id == $id) | .proof[].text | select(contains($outcome))] | length > 0' \
			"$TMP/$1.json" >/dev/null || { echo "no effect $id with $outcome; there are:"; jq -r '.effects[] | "\(.id) \(.title)"' "$TMP/$1.json"; return 1; }
	done
}

# ---- the tests ---------------------------------------------------------------------------------------------------------

test_healthy() { # test_healthy CLUSTER
	local n=healthy-$1 t0=$SECONDS why=
	diagnose "$1" "$n"
	why=$(quiet "$n") && why=$(same_offline "$n") && { result healthy "$1" "no cause" "$(top "$n")" ok $((SECONDS - t0)); return; }
	result healthy "$1" "no cause" "$(top "$n")" FAIL $((SECONDS - t0)) "$why"
}
# trace_ends CLUSTER: lines "SOURCE DESTINATION": each node and a pod of each, to each TCP port of each service, and pod to pod
trace_ends() {
	local k=(kubectl --kubeconfig "$STATE/kubeconfig-$1" --context "kind-$1")
	local sources
	sources=$("${k[@]}" get nodes -o name; "${k[@]}" -n data-platform get pods -l app=client -o json | jq -r '.items[] | "data-platform/\(.metadata.name)"')
	{
		"${k[@]}" get svc -A -o json | jq -r '.items[] | select(.spec.clusterIP != "None") | .metadata as $m | .spec.ports[] | select(.protocol == "TCP") | "svc/\($m.namespace)/\($m.name):\(.port)"'
		"${k[@]}" -n data-platform get pods -l app=echo -o json | jq -r '.items[] | "data-platform/\(.metadata.name):8080"'
	} | while read -r to; do sed "s|$| $to|" <<<"$sources"; done
}
test_walks() { # test_walks CLUSTER: what the walk says of a packet is what the kernel does with it
	local t0=$SECONDS from to said n=0 bad=0 why=
	while read -r from to; do
		n=$((n + 1))
		said=$(timeout 60 kubectl netdoctor trace "$from" "$to" --live -o json --kubeconfig "$STATE/kubeconfig-$1" --context "kind-$1" 2>&1 </dev/null |
			jq -r '"\(.live.agrees) \(.live.outcome) \([.paths[] | .verdict, .back_verdict] | unique | join(","))"' 2>&1)
		[[ $said == "true "* && $said != *unknown* ]] || { bad=$((bad + 1)); why+="$from $to: $said"$'\n'; }
	done < <(trace_ends "$1")
	if [[ $n -gt 0 && $bad == 0 ]]; then
		result walks "$1" "walk = live" "$n of $n" ok $((SECONDS - t0))
	else
		result walks "$1" "walk = live" "$((n - bad)) of $n" FAIL $((SECONDS - t0)) "$(head -5 <<<"$why")"
	fi
}
calm() { # calm CLUSTER: before a fault the tool must be silent, or the last one is not over; waits up to 2 minutes: kubelets and controllers take their time
	local end=$((SECONDS + 120))
	while diagnose "$1" calm; ! quiet calm >"$TMP/calm.why"; do
		[[ $SECONDS -lt $end ]] || return 1
		sleep 2
	done
	rm -f "$BUNDLES/calm.tar.gz"
}
check_fault() { # check_fault NAME FAULT CLUSTER: prints why not
	local verdict rc
	rc=$(cat "$TMP/$1.rc")
	verdict=$(jq -r .verdict "$TMP/$1.json" 2>/dev/null)
	if [[ $(key "$2" cause) == new:none ]]; then
		quiet "$1" || return 1
	else
		case $rc/$verdict in
		1/problems | 3/incomplete) ;;
		*) echo "exit $rc with verdict '$verdict'"; tail -3 "$TMP/$1.err"; return 1 ;;
		esac
		is_right "$1" "$2" "$3" || { echo "causes: $(jq -rc '[.causes[] | "\(.id) \(.subject)"]' "$TMP/$1.json")"; return 1; }
		[[ $(jq '.causes[0].proof | length' "$TMP/$1.json") -ge 1 ]] || { echo "the cause has no proof"; return 1; }
		# One fault was injected: whatever else is seen must be its doing.
		jq -e '[.effects[] | select(.explained_by == null and (.id | startswith("eff-")))] | length == 0' "$TMP/$1.json" >/dev/null ||
			{ echo "effects that nobody explains:"; jq -r '.effects[] | select(.explained_by == null) | "\(.id) \(.subject): \(.title)"' "$TMP/$1.json"; return 1; }
	fi
	has_effects "$1" "$2" && same_offline "$1"
}
test_fault() { # test_fault FAULT CLUSTER: inject, ask, compare, heal, silent again
	local f=$1 c=$2 n=$2-$1 t0=$SECONDS why= ok=ok want got
	want=$(key "$f" cause)
	if [[ $want == new:none ]]; then want="no cause"; else want="$want $(expand "$(key "$f" subject)" "$c")"; fi
	if ! timeout 150 "$FAULTS/$f.sh" inject "$c" >"$TMP/$n.inject" 2>&1; then
		ok=FAIL got="not injected" why=$(tail -3 "$TMP/$n.inject")
	else
		diagnose "$c" "$n" "$(target_of "$f" "$c")"
		got=$(top "$n")
		why=$(check_fault "$n" "$f" "$c") || ok=FAIL
	fi
	if ! timeout 240 "$FAULTS/$f.sh" heal "$c" >"$TMP/$n.heal" 2>&1; then
		ok=FAIL why+=$'\n'"heal: $(tail -3 "$TMP/$n.heal")"
		make_cluster "$c" # again, where it is beyond repair: the next fault needs a healthy one
	elif ! calm "$c"; then
		ok=FAIL why+=$'\n'"not silent 2 minutes after heal: $(head -4 "$TMP/calm.why")"
	fi
	if [[ $ok == ok ]]; then
		[[ -n ${KEEP_BUNDLES:-} ]] || rm -f "$BUNDLES/$n.tar.gz"
	else
		cp "$TMP/$n".* "$BUNDLES/" 2>/dev/null
		why+=$'\n'"kept: $BUNDLES/$n.*"
	fi
	result "$f" "$c" "$want" "$got" $ok $((SECONDS - t0)) "$(sed '/^$/d' <<<"$why")"
}
make_cluster() { # make_cluster CLUSTER: or reuse the one that is there, with the workload on it
	local cni mode workers
	read -r cni mode workers <<<"$(cluster_args "$1")"
	CNI=$cni PROXY_MODE=$mode "$LAB/up.sh" "$1" "$workers" >"$TMP/up.log" 2>&1 7>&- &&
		"$FAULTS/workload.sh" "$1" >>"$TMP/up.log" 2>&1
}
run_cluster() { # run_cluster CLUSTER FAULT...: everything that belongs there
	local c=$1 f
	shift
	if ! make_cluster "$c"; then
		tail -5 "$TMP/up.log"
		for f in healthy "$@"; do result "$f" "$c" "" "cluster not made" FAIL 0; done
		return
	fi
	calm "$c" || true # a cluster just made still settles; what it says after that counts
	[[ ${#names[@]} -gt 0 ]] || { test_healthy "$c"; test_walks "$c"; }
	for f in "$@"; do test_fault "$f" "$c"; done
}

main() {
	local c f of wanted
	[[ -x $NETDOCTOR ]] || { echo "run.sh: $NETDOCTOR is missing: run make" >&2; exit 2; }
	mapfile -t wanted < <(list_faults)
	[[ ${#wanted[@]} -gt 0 ]] || { echo "run.sh: no such fault or cause: ${names[*]}" >&2; exit 2; }
	"$LAB/build.sh" 7>&- || skip_all "the lab can't be built here (see the error above), nothing was tested on a real cluster"
	mkdir -p "$BUNDLES"
	exec 7>"$STATE/run.lock"
	flock -n 7 || { echo "run.sh: another run holds $STATE/run.lock, waiting"; flock 7; }
	row fault cluster expected got "" seconds
	for c in nd-kindnet nd-flannel nd-nft; do
		of=()
		for f in "${wanted[@]}"; do clusters_of "$f" | tr ' ' '\n' | grep -qx "$c" && of+=("$f"); done
		[[ ${#names[@]} -gt 0 && ${#of[@]} == 0 ]] || run_cluster "$c" "${of[@]}"
	done
	finish
}
main
