#!/bin/bash
# minbase.sh [demo] [check]: README's set-up commands, pasted into a Debian 12 that has nothing: a debootstrap minbase chroot with a
# clean clone of what is committed. Each command gets a chroot of its own. By hand or in CI; too slow for make check (about 3 minutes a
# command after the first time). Needs root, debootstrap, git and a Debian mirror; 4 GB below MINBASE_STATE (/var/cache/netdoctor-minbase).
# All mounts live in a mount namespace of their own and end with it, however the run ends.
set -eu
cd "$(dirname "$0")/../.."
state=${MINBASE_STATE:-/var/cache/netdoctor-minbase}
base=$state/base
die() { echo "minbase: $*" >&2; exit 1; }
[[ $(id -u) == 0 ]] || die "needs root"
for p in debootstrap git unshare; do command -v $p >/dev/null || die "$p is missing (apt-get install $p)"; done

if [[ ${1:-} == --inside ]]; then # in our own mount and process namespaces; $2 is the chroot, $3 the command
	root=$2
	mount --bind "$root" "$root" # `ip netns exec` wants a / that is a mount
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount --rbind /sys "$root/sys"
	mount --bind "$state/archives" "$root/var/cache/apt/archives"
	exec env -i HOME=/root TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		chroot "$root" /bin/bash -c "cd /root/kubectl-netdoctor && $3"
fi

mkdir -p "$state/archives/partial"
exec 9>"$state/lock"
flock -n 9 || die "another run holds $state/lock"
if [[ ! -d $base ]]; then
	mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null | grep -oEm1 'https?://[^ ]*/debian/?( |$)' || true)
	echo "minbase: debootstrap from ${mirror:=http://deb.debian.org/debian}"
	rm -rf --one-file-system "$base.part"
	debootstrap --variant=minbase bookworm "$base.part" "$mirror" >"$state/debootstrap.log" 2>&1 || {
		tail -5 "$state/debootstrap.log" >&2
		die "debootstrap failed, see $state/debootstrap.log"
	}
	mv "$base.part" "$base"
fi

# Where packages come from, as on this machine; settings of the download, but nothing else of it, and no credentials.
sources() { # sources ROOT
	local s
	rm -f "$1"/etc/apt/sources.list
	for s in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
		[[ ! -f $s ]] || install -D -m 644 "$s" "$1$s"
	done
	apt-config dump | grep -E '^Acquire::(Check|http|https|Retries)' >"$1/etc/apt/apt.conf.d/90host" || true
	for s in /etc/resolv.conf /etc/hosts; do cat $s >"$1$s"; done
}

mapfile -t commands < <(sed -n 's/^    \(apt-get update .*make [a-z]*\)$/\1/p' README.md)
((${#commands[@]} == 2)) || die "README.md has ${#commands[@]} set-up commands, wanted 2"
failed=0
for command in "${commands[@]}"; do
	name=${command##* }
	[[ $# == 0 || " $* " == *" $name "* ]] || continue
	root=$state/$name
	[[ ! -e $root ]] || rm -rf --one-file-system "$root"
	cp -a "$base" "$root"
	sources "$root"
	git clone -q --no-hardlinks . "$root/root/kubectl-netdoctor"
	echo "minbase: $command   (commit $(git rev-parse --short HEAD), output in $state/$name.log)"
	start=$SECONDS rc=0
	MINBASE_STATE=$state unshare --mount --pid --fork --kill-child --propagation private "$PWD/tests/lint/minbase.sh" --inside "$root" "$command" \
		>"$state/$name.log" 2>&1 </dev/null || rc=$?
	tail -25 "$state/$name.log"
	if ((rc == 0)); then echo "ok $name ($((SECONDS - start)) s)"; else echo "not ok $name: exit $rc"; failed=1; fi
	! grep -q " $state/" /proc/self/mounts || die "mounts are left below $state"
	rm -rf --one-file-system "$root"
done
exit $failed
