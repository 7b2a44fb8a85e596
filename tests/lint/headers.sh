#!/bin/bash
# Every header compiles alone.
set -u
fail=0
flags=$(pkg-config --cflags libcurl yaml-0.1 libcjson libarchive 2>/dev/null)
while read -r h; do
	# shellcheck disable=SC2086
	printf '#include "%s"\n' "$h" | gcc -std=gnu11 -I. -Wall -Wextra -Werror -fsyntax-only $flags -x c - || { echo "$h: does not compile alone"; fail=1; }
done < <(git ls-files -co --exclude-standard 'common/*.h' 'agent/*.h' 'plugin/*.h')
exit $fail
