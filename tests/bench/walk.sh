#!/bin/bash
# Rules of SERVICES (10,000) services: parse, compile, index, and packets through them. B: where the objects are.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
make --no-print-directory B="$B" all >/dev/null
mapfile -t objects < <(find "$B/obj/common" "$B/obj/plugin" -name '*.o' ! -path '*/plugin/main.o')
mkdir -p "$B/bench"
# shellcheck disable=SC2046
${CC:-gcc} -std=gnu11 -O2 -I. -D_GNU_SOURCE -o "$B/bench/walk_bench" tests/bench/walk_bench.c "${objects[@]}" \
	$(pkg-config --libs libcurl yaml-0.1 libcjson libarchive)
"$B/bench/walk_bench" "${SERVICES:-10000}" "${WALKS:-200000}"
