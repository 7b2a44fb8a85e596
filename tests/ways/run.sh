#!/bin/bash
# run.sh BUILD LABORATORIES SEED: the whole walk against this kernel. 77: not possible here.
set -u
cd "$(dirname "$0")/../.." || exit 1
for tool in ip bridge nft iptables-nft-restore ip6tables-nft-restore iptables-legacy-restore; do
	command -v "$tool" >/dev/null || { echo "ways: there is no $tool"; exit 77; }
done
((EUID == 0)) || { echo "ways: needs root"; exit 77; }
[[ -e /proc/sys/net/bridge ]] || { echo "ways: this kernel does not show bridged frames to iptables"; exit 77; }
exec "$1/ways-test" -n "$2" -s "$3" -m "${DIFFERENCES:-1}" -a "$1/bin/netdoctor-agent-amd64"
