#!/bin/sh
# The agent's parsers under the sanitizers: see parsers.c.
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
# shellcheck disable=SC2046
${CC:-gcc} -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -Wl,--wrap=nd_nl_dump -I. \
	-o "$tmp/parsers" tests/agent/parsers.c agent/agent.c agent/request.c agent/collect/netjson.c \
	$(for c in links addrs routes rules neigh fdb ipsets; do echo agent/collect/$c.c; done) \
	$(for c in netlink ifnames offload netns podns sockets; do echo agent/sys/$c.c; done) \
	common/*.c || { echo "not ok build"; exit 1; }
"$tmp/parsers" >"$tmp/out" 2>&1
rc=$?
cat "$tmp/out"
if [ $rc -ne 0 ]; then echo "not ok parsers: exit $rc"; fi
exit $rc
