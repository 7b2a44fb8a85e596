#!/bin/sh
# Forbidden deeds must end in SIGSYS or "permission denied". AGENT_SELFTEST: a build of the agent
# with -DND_AGENT_SELFTEST; made here when it is not given (wants build/gen from make).
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0
gen=${GEN:-build/gen}

if [ -z "${AGENT_SELFTEST:-}" ]; then
	AGENT_SELFTEST=$tmp/agent
	# shellcheck disable=SC2046
	${CC:-gcc} -std=gnu11 -static-pie -fPIE -O1 -DND_AGENT_SELFTEST -I"$gen" -I. -o "$AGENT_SELFTEST" \
		$(find agent -name '*.c' ! -name gen_filter.c) common/*.c || { echo "not ok build"; exit 1; }
fi

has_landlock=1
printf 'netdoctor 1\ncollect host\ngo\n' | "$AGENT_SELFTEST" | grep -aq '^gap sandbox ' && has_landlock=0

# PROFILE DEED WANTED: killed (SIGSYS), refused (EACCES or EPERM), either, done
try() {
	( ulimit -c 0; "$AGENT_SELFTEST" --try "$1" "$2" ) >"$tmp/out" 2>&1
	case $? in
	0) got=done ;;
	13) got=refused ;;
	159) got=killed ;;
	*) got="exit $?" ;;
	esac
	case "$3/$got" in
	"$got/$got" | either/killed | either/refused) echo "ok $1 $2 ($got)" ;;
	*) echo "not ok $1 $2: wanted $3, got $got: $(tail -n 1 "$tmp/out")"; failed=1 ;;
	esac
}

for profile in collect tools probe; do
	[ $profile = probe ] || try $profile read-proc done
	# A probe may connect what is open; that nothing else of it works is said by the other deeds.
	[ $profile = probe ] || try $profile socket-connect killed
	for deed in socket-listen socket-packet write-file write-sysctl remove-file make-dir \
		ptrace mount new-userns clone-userns setns signal-init load-module bpf io-uring set-time reboot; do
		try $profile $deed killed
	done
	if [ $profile = probe ]; then
		for deed in read-proc read-secret read-home open-netns read-environ; do
			try $profile $deed killed
		done
	elif [ $has_landlock -eq 1 ]; then
		for deed in read-secret read-home open-netns read-environ; do
			try $profile $deed refused
		done
	else
		echo "ok $profile files # skip this kernel has no Landlock"
	fi
done
try collect socket-unix killed
try tools socket-unix refused
for profile in collect probe; do
	try $profile fork killed
	try $profile exec-sh killed
done
try probe socket-unix killed
try probe raw-socket killed
try probe sockopt killed
try probe wait done
if [ $has_landlock -eq 1 ]; then try tools exec-sh refused; fi
[ -e /tmp/netdoctor-selftest ] && { echo "not ok a file was made"; failed=1; }

exit $failed
