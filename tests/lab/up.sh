#!/bin/bash
# up.sh NAME [WORKERS]: a real kind cluster from the lab image, cut off from the outside; one that is there and healthy is reused.
# Environment: CNI=kindnet|flannel, PROXY_MODE=iptables|nftables, KIND_FLAGS=--retain to keep a failed one.
# The kubeconfig is a file of its own: $LAB_KUBECONFIG, by default $LAB_STATE/kubeconfig-NAME (context kind-NAME).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
NAME=${1:-}
WORKERS=${2:-2}
CNI=${CNI:-kindnet}
PROXY_MODE=${PROXY_MODE:-iptables}
[[ -n $NAME ]] || die "usage: up.sh NAME [WORKERS]"
[[ $NAME =~ ^[a-z0-9][a-z0-9-]*$ ]] || die "cluster name '$NAME': only a-z, 0-9 and -"
[[ $WORKERS =~ ^[0-9]+$ ]] || die "number of workers '$WORKERS' is not a number"
case $CNI in kindnet | flannel) ;; *) die "CNI=$CNI: kindnet or flannel" ;; esac
case $PROXY_MODE in iptables | nftables) ;; *) die "PROXY_MODE=$PROXY_MODE: iptables or nftables" ;; esac
export KUBECONFIG=${LAB_KUBECONFIG:-$STATE/kubeconfig-$NAME}
K() { kubectl --context "kind-$NAME" --request-timeout=20s "$@"; }

raise_inotify() { # a 3-node cluster takes about 55 inotify instances; the default of 128 ends at two of them
	local k f want
	for k in max_user_instances=1024 max_user_watches=524288; do
		f=/proc/sys/fs/inotify/${k%=*} want=${k#*=}
		[[ $(cat "$f") -ge $want ]] && continue
		say "raise fs.inotify.${k%=*} to $want"
		(echo "$want" >"$f") 2>/dev/null || say "could not: more than two clusters at once may fail"
	done
}

cut_off() { # a broken cluster must not send packets to the outside
	local bridge
	docker network inspect kind >/dev/null 2>&1 || {
		say "create the Docker network kind"
		docker network create -d bridge -o com.docker.network.bridge.name=br-kind kind >/dev/null
	}
	bridge=$(docker network inspect -f '{{index .Options "com.docker.network.bridge.name"}}' kind)
	[[ -n $bridge && $bridge != "<no value>" ]] || bridge=br-$(docker network inspect -f '{{slice .Id 0 12}}' kind)
	local rule=(DOCKER-USER -i "$bridge" ! -o "$bridge" -j REJECT)
	iptables -C "${rule[@]}" 2>/dev/null && return
	say "reject what leaves $bridge"
	iptables -I "${rule[@]}" || die "could not cut the cluster off (chain DOCKER-USER): no cluster is made"
}

config() {
	local i
	printf 'kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: %s\nnetworking:\n  kubeProxyMode: %s\n' "$NAME" "$PROXY_MODE"
	[[ $CNI == kindnet ]] || echo '  disableDefaultCNI: true'
	printf 'nodes:\n- role: control-plane\n'
	for ((i = 0; i < WORKERS; i++)); do echo '- role: worker'; done
}

is_healthy() { # all nodes Ready and as many as wanted, system pods there
	[[ $(K get nodes --no-headers 2>/dev/null | awk '$2 ~ /^Ready/' | wc -l) == $((WORKERS + 1)) ]] || return 1
	[[ $(K get nodes --no-headers | wc -l) == $((WORKERS + 1)) ]] || return 1
	K -n kube-system rollout status ds/kube-proxy --timeout=30s >/dev/null 2>&1 || return 1
	K -n kube-system rollout status deploy/coredns --timeout=30s >/dev/null 2>&1
}

reuse() { # 0 when a cluster of this name, made with the same configuration, is healthy
	kind get clusters 2>/dev/null | grep -qx "$NAME" || return 1
	if [[ $(config) != "$(cat "$STATE/kind-$NAME.yaml" 2>/dev/null)" ]]; then
		say "cluster $NAME has another configuration: make it again"
		return 1
	fi
	kind export kubeconfig --name "$NAME" --kubeconfig "$KUBECONFIG" >/dev/null 2>&1 || return 1
	is_healthy || {
		say "cluster $NAME is not healthy: make it again"
		return 1
	}
}

create() {
	local wait=()
	[[ $CNI == kindnet ]] && wait=(--wait 180s)
	kind delete cluster --name "$NAME" --kubeconfig "$KUBECONFIG" >/dev/null 2>&1 || true
	config >"$STATE/kind-$NAME.yaml"
	say "create cluster $NAME: 1 control plane, $WORKERS workers, $CNI, kube-proxy $PROXY_MODE"
	# shellcheck disable=SC2086
	kind create cluster --image "$NODE_IMAGE" --config "$STATE/kind-$NAME.yaml" --kubeconfig "$KUBECONFIG" \
		"${wait[@]}" ${KIND_FLAGS:-} >"$STATE/kind-$NAME.log" 2>&1 ||
		{ tail -25 "$STATE/kind-$NAME.log" >&2; die "kind could not create $NAME, whole log: $STATE/kind-$NAME.log"; }
	if [[ $CNI == flannel ]]; then
		say "install flannel"
		K apply -f "$LAB/manifests/flannel.yaml" >/dev/null
	fi
	say "wait for the nodes and for CoreDNS"
	K wait --for=condition=Ready nodes --all --timeout=180s >/dev/null || die "nodes of $NAME did not become Ready"
	K -n kube-system rollout status deploy/coredns --timeout=180s >/dev/null || die "CoreDNS of $NAME did not come up"
}

need_root
need_package iptables iptables
"$LAB/dockerd.sh"
has_image && [[ -x $BIN/kind && -x $BIN/kubectl ]] || die "the node image $NODE_IMAGE is missing: run tests/lab/build.sh (make lab)"
raise_inotify
cut_off
if reuse; then
	say "cluster $NAME is healthy: reuse it"
else
	create
fi
echo "export KUBECONFIG=$KUBECONFIG"
