# Common part of the fault files; sourced, never run. A fault file defines inject, present and heal and ends with
# `main "$@"`; see README.md.
set -u # no pipefail: `... | grep -q` ends its writer early
FAULTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=${LAB_STATE:-/var/lib/netdoctor-lab}
export PATH=$STATE/bin:$PATH
FAULT=$(basename "${BASH_SOURCE[1]:-$0}" .sh)
NS=data-platform
AGNHOST=registry.k8s.io/e2e-test-images/agnhost:2.52

setup() { # setup CLUSTER: names of things; W2 is the last worker, so equal to W1 in a cluster with one
	CLUSTER=$1
	export KUBECONFIG=${LAB_KUBECONFIG:-$STATE/kubeconfig-$CLUSTER}
	CP=$CLUSTER-control-plane W1=$CLUSTER-worker W2=$CLUSTER-worker
	NODES=("$CP" "$W1")
	if docker inspect "$CLUSTER-worker2" >/dev/null 2>&1; then
		W2=$CLUSTER-worker2
		NODES+=("$W2")
	fi
	SAVE=$STATE/faults/$CLUSTER/$FAULT # what heal needs to know
	mkdir -p "$SAVE"
}

# ---- reaching things ---------------------------------------------------------------------------------------------------

K() { kubectl --context "kind-$CLUSTER" --request-timeout=20s "$@"; }
on() { # on NODE COMMAND...
	local n=$1
	shift
	docker exec "$n" "$@"
}
onsh() { docker exec -i "$1" bash -c "$2"; } # onsh NODE 'script'
node_ip() { docker inspect -f '{{.NetworkSettings.Networks.kind.IPAddress}}' "$1"; }
dead_ip() { node_ip "$1" | sed 's/\.[0-9]*\.[0-9]*$/.255.250/'; } # an address of the nodes' network that nobody has
pod_cidr() { K get node "$1" -o jsonpath='{.spec.podCIDR}'; }
stop_process() { on "$1" pkill -STOP -x "$2"; } # a hung agent: its pod still counts as running
cont_process() { on "$1" pkill -CONT -x "$2"; }
is_stopped() { onsh "$1" "grep -q '^State:.*T' /proc/\$(pgrep -nx '$2')/status"; }

# ---- changing and waiting ----------------------------------------------------------------------------------------------

wait_ready() { K -n "$1" rollout status "$2" --timeout="${3:-90}s" >/dev/null; } # wait_ready NAMESPACE KIND/NAME [SECONDS]
restart_pod() { # restart_pod NAMESPACE LABEL NODE
	K -n "$1" delete pod -l "$2" --field-selector "spec.nodeName=$3" --wait=true --grace-period=1 >/dev/null
}
restart_kube_proxy() { restart_pod kube-system k8s-app=kube-proxy "$1" && wait_ready kube-system ds/kube-proxy; }
pin_ds() { # pin_ds NAMESPACE DAEMONSET NODE: take a DaemonSet's pod off one node
	local n
	for n in "${NODES[@]}"; do
		[[ $n == "$3" ]] || K label node "$n" --overwrite "netdoctor-lab/run-$2=yes" >/dev/null
	done
	K -n "$1" patch ds "$2" --type=merge \
		-p "{\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":{\"netdoctor-lab/run-$2\":\"yes\"}}}}}" >/dev/null
	for _ in $(seq 60); do
		K -n "$1" get pods -o wide --no-headers | grep "^$2-" | grep -q " $3 " || break
		sleep 0.5
	done
	wait_ready "$1" "ds/$2"
}
unpin_ds() { # unpin_ds NAMESPACE DAEMONSET
	K -n "$1" patch ds "$2" --type=json \
		-p '[{"op":"remove","path":"/spec/template/spec/nodeSelector/netdoctor-lab~1run-'"$2"'"}]' >/dev/null 2>&1
	K label nodes --all "netdoctor-lab/run-$2-" >/dev/null 2>&1
	wait_ready "$1" "ds/$2"
}
netpol_on() { # kindnetd queues packets by an nft rule; a kernel without CONFIG_NFT_QUEUE refuses it, so iptables hands them to its queue
	local n
	for n in "${NODES[@]}"; do
		onsh "$n" 'nft list table inet kindnet-network-policies >/dev/null 2>&1 && exit 0
			grep -q "^ *101 " /proc/net/netfilter/nfnetlink_queue || { echo "nobody listens on queue 101" >&2; exit 1; }
			put() { iptables -t mangle -C POSTROUTING "$@" 2>/dev/null || iptables -t mangle -A POSTROUTING "$@"; }
			put -m owner --uid-owner 0 -j RETURN # as kindnetd: the node itself and its kubelet may
			for p in tcp udp; do for d in -s -d; do
				put -p $p $d 10.244.0.0/16 -m conntrack --ctstate NEW -j NFQUEUE --queue-num 101 --queue-bypass
			done; done' || return 1
	done
}
netpol_off() {
	local n
	for n in "${NODES[@]}"; do
		onsh "$n" 'iptables-save -t mangle | sed -n "/NFQUEUE\|uid-owner 0/s/^-A/-D/p" | while read -r l; do iptables -t mangle $l; done'
	done
}
save_object() { # save_object NAMESPACE KIND NAME: without what the server adds, for restore_object
	K -n "$1" get "$2" "$3" -o json |
		jq 'del(.status,.metadata.resourceVersion,.metadata.uid,.metadata.creationTimestamp,.metadata.managedFields)' >"$SAVE/$3.json"
}
restore_object() { # restore_object NAME: creates it again, or replaces what is there
	K replace -f "$SAVE/$1.json" >/dev/null 2>&1 || K create -f "$SAVE/$1.json" >/dev/null
}

# ---- the workload ------------------------------------------------------------------------------------------------------

role_label() { case $1 in "$CP") echo cp ;; "$W1") echo w1 ;; *) echo w2 ;; esac }
workload_apply() { # once a cluster; again does no harm
	local n
	for n in "${NODES[@]}"; do
		K label node "$n" --overwrite "netdoctor-lab/role=$(role_label "$n")" >/dev/null || return 1
	done
	K apply -f "$FAULTS/workload.yaml" >/dev/null
}

# ---- health ------------------------------------------------------------------------------------------------------------

is_back() { # every node Ready, every DaemonSet and Deployment complete; prints what is not
	local bad
	bad=$(K get nodes --no-headers 2>/dev/null | awk '$2 !~ /^Ready(,|$)/ { print "node/" $1 " " $2 } END { if (!NR) print "no answer from the API" }')
	bad+=$(K get ds -A -o json 2>/dev/null | jq -r '.items[] | .metadata.generation as $g | .status |
		select(.observedGeneration != $g or (.updatedNumberScheduled // 0) != .desiredNumberScheduled or
			(.numberAvailable // 0) != .desiredNumberScheduled) | "a DaemonSet is incomplete"' | sort -u)
	bad+=$(K get deploy -A -o json 2>/dev/null | jq -r '.items[] | select(.status.observedGeneration != .metadata.generation or
			(.status.updatedReplicas // 0) != .spec.replicas or (.status.availableReplicas // 0) != .spec.replicas or
			(.status.replicas // 0) != .spec.replicas) | "deployment \(.metadata.namespace)/\(.metadata.name)"')
	[[ -z $bad ]] || { echo "$bad"; return 1; }
}
wait_back() { # wait_back SECONDS
	local end=$((SECONDS + $1)) bad
	while ! bad=$(is_back); do
		[[ $SECONDS -lt $end ]] || { echo "$FAULT: not back after $1 s: $bad" >&2; return 1; }
		sleep 1
	done
}

# ---- the verbs ---------------------------------------------------------------------------------------------------------

settle() { sleep 1; } # how long until the cluster shows the fault; a fault file may say otherwise
do_inject() {
	inject && settle && present && echo "$FAULT: injected" && return
	echo "$FAULT: NOT injected" >&2
	return 1
}
is_absent() { # within a minute: a kube-proxy that is ready has not always written its rules yet
	local end=$((SECONDS + 60))
	while present >/dev/null 2>&1; do
		[[ $SECONDS -lt $end ]] || return 1
		sleep 1
	done
}
do_heal() { # healing twice does no harm: a fault may have been healed in half
	local t
	heal
	wait_back "${HEAL_WAIT:-120}"
	t=$?
	if [[ -z ${STAYS:-} ]] && ! is_absent; then
		echo "$FAULT: still present a minute after heal" >&2
		t=1
	fi
	[[ $t == 0 ]] && rm -rf "$SAVE" && echo "$FAULT: healed"
	return $t
}
main() {
	[[ $# == 2 ]] || { echo "usage: $FAULT.sh inject|present|heal CLUSTER" >&2; exit 2; }
	setup "$2"
	case $1 in
	inject) do_inject ;;
	present) if present; then echo present; else echo absent; exit 1; fi ;;
	heal) do_heal ;;
	*) echo "$FAULT.sh: unknown verb $1" >&2; exit 2 ;;
	esac
}
