#!/bin/bash
# down.sh NAME...|--all: delete clusters that up.sh made. --all also stops the Docker engine that dockerd.sh started.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[[ $# -ge 1 ]] || die "usage: down.sh NAME...|--all"
need_root
if ! has_docker; then
	say "no Docker engine runs, so no cluster either"
	exit 0
fi
names=("$@")
if [[ $1 == --all ]]; then
	names=()
	for f in "$STATE"/kind-*.yaml; do
		[[ -e $f ]] || continue
		f=${f##*/kind-}
		names+=("${f%.yaml}")
	done
fi
for n in "${names[@]}"; do
	say "delete cluster $n"
	kind delete cluster --name "$n" --kubeconfig "$STATE/kubeconfig-$n" >/dev/null 2>&1 || die "kind could not delete $n"
	rm -f "$STATE/kubeconfig-$n" "$STATE/kind-$n.yaml" "$STATE/kind-$n.log"
done
if [[ $1 == --all && -s $STATE/dockerd.pid ]]; then
	pid=$(cat "$STATE/dockerd.pid")
	if [[ $(cat "/proc/$pid/comm" 2>/dev/null) == dockerd ]]; then
		say "stop the Docker engine (pid $pid)"
		kill "$pid"
	fi
fi
