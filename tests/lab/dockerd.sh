#!/bin/bash
# Start a Docker engine of our own when none answers. Some sandboxes keep CAP_SYS_RESOURCE out of the bounding
# set, where `--privileged` fails in runc: a wrapper (runc-nores) drops that one capability from the spec.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if has_docker; then
	exit 0
fi
need_root
need_package dockerd docker.io
need_package jq jq
need_package iptables iptables
mkdir -p "$STATE"
install -m755 "$LAB/node/rootfs/usr/local/bin/runc-nores" /usr/local/bin/runc-nores
say "start a Docker engine (log: $STATE/dockerd.log)"
rm -f "$STATE/dockerd.pid"
setsid dockerd --data-root "$STATE/docker" --add-runtime nores=/usr/local/bin/runc-nores \
	--default-runtime nores -p "$STATE/dockerd.pid" >"$STATE/dockerd.log" 2>&1 </dev/null &
for _ in $(seq 60); do
	has_docker && exit 0
	sleep 0.5
done
tail -20 "$STATE/dockerd.log" >&2
die "no Docker: the engine did not come up within 30 s, the end of its log is above"
