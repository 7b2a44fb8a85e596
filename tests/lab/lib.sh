# Common part of the lab scripts; sourced, never run.
set -euo pipefail
LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$LAB/versions.env"
STATE=${LAB_STATE:-/var/lib/netdoctor-lab}
BIN=$STATE/bin
export PATH=$BIN:$PATH:/usr/local/go/bin DEBIAN_FRONTEND=noninteractive

say() { echo "[lab $(date +%T)] $*"; }
die() {
	echo "lab: error: $*" >&2
	exit 1
}
need_root() { [[ $(id -u) == 0 ]] || die "must run as root (containers, network namespaces, debootstrap)"; }

need_package() { # need_package COMMAND PACKAGE: install what Debian has when the command is missing
	command -v "$1" >/dev/null && return
	command -v apt-get >/dev/null || die "$1 is missing and there is no apt-get to install $2 with"
	say "install $2 (for $1)"
	apt-get install -y --no-install-recommends "$2" >/dev/null 2>&1 ||
		{ apt-get update >/dev/null && apt-get install -y --no-install-recommends "$2" >/dev/null; } ||
		die "could not install the Debian package $2"
}

need_go() {
	command -v go >/dev/null || die "Go >= $GO_MIN is missing (looked in PATH and /usr/local/go/bin)"
	local v
	v=$(go env GOVERSION)
	v=${v#go}
	[[ $(printf '%s\n' "$GO_MIN" "$v" | sort -V | head -1) == "$GO_MIN" ]] ||
		die "Go >= $GO_MIN is needed, $(command -v go) is $v"
}

need_disk() {
	local free_gb
	free_gb=$(df -BG --output=avail "$STATE" | tail -1 | tr -dc 0-9)
	[[ $free_gb -ge $DISK_MIN_GB ]] ||
		die "$DISK_MIN_GB GB of free disk are needed under $STATE, $free_gb GB are there (LAB_STATE chooses another place)"
}

has_docker() { docker info >/dev/null 2>&1; }
has_image() { docker image inspect "$NODE_IMAGE" >/dev/null 2>&1; }
