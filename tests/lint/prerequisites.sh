#!/bin/bash
# Install what the build needs and this machine lacks (Debian 12, as root); nothing when all is there.
set -euo pipefail
packages=(gcc libc6-dev pkg-config git libcurl4-openssl-dev libyaml-dev libcjson-dev libarchive-dev libseccomp-dev
	libcmocka-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross clang libclang-rt-14-dev iproute2 iptables nftables ipset
	python3 openssl jq procps qemu-user xz-utils ca-certificates)
missing=()
for p in "${packages[@]}"; do
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) == installed ]] || missing+=("$p")
done
((${#missing[@]})) || exit 0
if [[ $(id -u) != 0 ]]; then
	echo "prerequisites: as root: apt-get install ${missing[*]}" >&2
	exit 1
fi
echo "  APT ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
{ apt-get -o DPkg::Lock::Timeout=600 update && apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || {
	tail -20 "$log" >&2
	exit 1
}
rm -f "$log"
