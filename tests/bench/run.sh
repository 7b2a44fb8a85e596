#!/bin/bash
# Ratios on the healthy 3-node lab cluster: `diagnose`, with and without probes, against `kubectl cluster-info dump -A`.
# Prints wall (median of N), CPU, peak memory, and where the time goes. Judges nothing: goals are in docs/performance.md.
set -u
cd "$(dirname "$0")/../.." || exit 1
state=${LAB_STATE:-/var/lib/netdoctor-lab} n=${N:-7} cluster=${CLUSTER:-nd-kindnet}
export KUBECONFIG=${KUBECONFIG:-$state/kubeconfig-$cluster} PATH=$PWD/build/bin:$state/bin:$PATH
context=kind-$cluster
tests/bench/walk.sh || true # needs no cluster
kubectl --context "$context" get nodes >/dev/null 2>&1 || { echo "bench: no cluster $cluster (tests/lab/up.sh $cluster 2)"; exit 1; }

measure() { # measure LABEL PREPARE COMMAND...: median wall, user+system seconds, peak KiB of N runs
	local label=$1 prepare=$2 i
	shift 2
	for ((i = 0; i < n; i++)); do
		eval "$prepare" >/dev/null 2>&1
		/usr/bin/time -f '%e %U %S %M' -o /tmp/nd-bench "$@" >/dev/null 2>&1
		tail -1 /tmp/nd-bench
	done | sort -n | awk -v l="$label" '{w[NR] = $1; c[NR] = $2 + $3; if ($4 > m) m = $4} END {printf "%-36s %7.3f s wall %7.3f s cpu %7.1f MiB\n", l, w[int((NR + 1) / 2)], c[int((NR + 1) / 2)], m / 1024}'
}
command -v /usr/bin/time >/dev/null || apt-get install -y --no-install-recommends time >/dev/null
cold="for c in \$(docker ps -q --filter label=io.x-k8s.kind.cluster=$cluster); do docker exec \$c rm -rf /var/lib/netdoctor; done"
dump=$(measure 'kubectl cluster-info dump -A' : kubectl --context "$context" cluster-info dump -A)
probes=$(measure 'diagnose with probes' "kubectl-netdoctor diagnose --context $context -q" kubectl-netdoctor diagnose --context "$context" -q)
warm=$(measure 'diagnose --no-probe, agent in place' "kubectl-netdoctor diagnose --context $context -q" kubectl-netdoctor diagnose --context "$context" -q --no-probe)
fresh=$(measure 'diagnose --no-probe, agent pushed' "$cold" kubectl-netdoctor diagnose --context "$context" -q --no-probe)
api=$(measure '  of it: API lists only' : kubectl-netdoctor diagnose --context "$context" -q --no-agent)
one=$(measure '  of it: docker exec true' : docker exec "$cluster-control-plane" true)
printf '%s\n' "$dump" "$probes" "$warm" "$fresh" "$api" "$one"
wall() { awk '{for (i = 1; i < NF; i++) if ($(i + 1) == "s" && $(i + 2) == "wall") print $i}' <<<"$1"; }
awk -v d="$(wall "$dump")" -v w="$(wall "$warm")" -v f="$(wall "$fresh")" -v p="$(wall "$probes")" 'BEGIN {printf "ratio to the dump: %.3f with probes (goal 0.25); without: %.3f with the agent in place (goal 0.15), %.3f cold (goal 0.25)\n", p / d, w / d, f / d}'
tests/bench/agent.sh 2>/dev/null || true
tests/bench/probes.sh 2>/dev/null || true
