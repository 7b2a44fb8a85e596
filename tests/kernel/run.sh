#!/bin/bash
# run.sh BUILD CASES SEED: the walk against this kernel. run.sh BUILD --replay FILE...: kept cases. 77: not possible here.
set -u
cd "$(dirname "$0")/../.." || exit 1
for tool in nft ip iptables-nft-restore ip6tables-nft-restore iptables-legacy-restore; do
	command -v "$tool" >/dev/null || { echo "kernel: there is no $tool"; exit 77; }
done
((EUID == 0)) || { echo "kernel: needs root"; exit 77; }
build=$1
shift
if [[ $1 == --replay ]]; then
	shift
	exec "$build/kernel-test" -r "$@"
fi
exec "$build/kernel-test" -n "$1" -s "$2" -m "${DIFFERENCES:-1}"
