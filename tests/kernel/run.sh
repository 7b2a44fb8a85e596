#!/bin/bash
# run.sh BUILD CASES SEED: the walk against this kernel. 77: not possible here.
set -u
cd "$(dirname "$0")/../.." || exit 1
for tool in nft ip iptables-nft-restore ip6tables-nft-restore iptables-legacy-restore; do
	command -v "$tool" >/dev/null || { echo "kernel: there is no $tool"; exit 77; }
done
((EUID == 0)) || { echo "kernel: needs root"; exit 77; }
exec "$1/kernel-test" -n "$2" -s "$3" -m "${DIFFERENCES:-1}"
