#!/bin/bash
# Rules of SERVICES (10,000) services: parse, compile, index, and packets through them. B: where the objects are.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
make --no-print-directory B="$B" all >/dev/null
mapfile -t objects < <(find "$B/obj/common" "$B/obj/plugin" -name '*.o' ! -path '*/plugin/main.o')
mkdir -p "$B/bench"
for p in walk_bench way_bench; do
	# shellcheck disable=SC2046
	${CC:-gcc} -std=gnu11 -O2 -g -I. -D_GNU_SOURCE -o "$B/bench/$p" tests/bench/$p.c "${objects[@]}" \
		$(pkg-config --libs libcurl yaml-0.1 libcjson libarchive)
done
"$B/bench/walk_bench" "${SERVICES:-10000}" "${WALKS:-200000}"
"$B/bench/way_bench" "${BUNDLE:-tests/cases/healthy-nd-kindnet/bundle.tar.gz}" "${SERVICES:-10000}" "$((${WALKS:-200000} / 10))"
