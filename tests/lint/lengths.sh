#!/bin/bash
# Files up to 500 lines, functions up to 80, lines up to 100 columns (a tab counts 8).
set -u
fail=0
while read -r f; do
	n=$(wc -l <"$f")
	((n <= 500)) || { echo "$f: $n lines (stop at 500)"; fail=1; }
	awk -v f="$f" '/^[a-z].*\)$/ || /^[a-z].*,$/ {start = NR} /^{/ {if (start && NR - start < 6) open = start; else open = NR}
		/^}$/ {if (open && NR - open > 80) {print f ":" open ": function of " NR - open " lines (stop at 80)"; bad = 1} open = 0}
		END {exit bad}' "$f" || fail=1
	expand -t 8 "$f" | awk -v f="$f" -v limit="$([[ $f == tests/* ]] && echo 120 || echo 100)" 'length($0) > limit {print f ":" NR ": " length($0) " columns"; bad = 1} END {exit bad}' || fail=1
done < <(git ls-files -co --exclude-standard '*.c' '*.h')
exit $fail
