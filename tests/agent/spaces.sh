# Common part of t_probe.sh and t_watch.sh; sourced, never run. NAME is what a skip calls the test, PREFIX begins the namespaces' names.
# Makes namespaces a, r and b, removed at the end with the processes in $children; $tmp; changes to tests/agent.
AGENT=$(realpath "${AGENT:-build/bin/netdoctor-agent-amd64}")
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
a=${PREFIX}a$$ r=${PREFIX}r$$ b=${PREFIX}b$$
tmp=$(mktemp -d) || exit 1
children=
failed=0

cleanup() {
	for pid in $children; do kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; done
	for ns in $a $r $b; do ip netns del "$ns" 2>/dev/null; done
	rm -rf "$tmp"
}
trap cleanup EXIT
skip() { echo "skip $NAME: $1"; exit 0; }
ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: $2"; failed=1; }
settle_addresses() { # link-local addresses of the router are checked for duplicates first
	for _ in $(seq 50); do
		ip -n $r -6 addr show tentative | grep -q . || ip -n $b -6 addr show tentative | grep -q . || return
		sleep 0.1
	done
}

[ -x "$AGENT" ] || { echo "not ok agent: no binary at $AGENT"; exit 1; }
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in ip iptables ip6tables jq python3; do command -v $tool >/dev/null || skip "needs $tool"; done
ip netns add $a 2>/dev/null && ip netns add $r && ip netns add $b || skip "cannot make network namespaces"
