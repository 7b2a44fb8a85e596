#!/bin/bash
# Tables: every row has its file, every file its row; checks are in the order of their layers, then ids.
set -u
fail=0
rows=$(sed -n 's/^ND_CHECK(\([a-z0-9_]*\)).*/\1/p' plugin/checks/checks.def)
for r in $rows; do
	f=plugin/checks/$r.c
	[[ -f $f ]] || { echo "checks.def: $r has no $f"; fail=1; continue; }
	grep -q "\.id = \"${r//_/-}\"" "$f" || { echo "$f: its .id is not ${r//_/-}"; fail=1; }
done
for f in $(grep -l '^const struct nd_check nd_check_' plugin/checks/*.c); do
	r=$(basename "$f" .c)
	grep -q "^ND_CHECK($r)" plugin/checks/checks.def || { echo "$f: not in checks.def"; fail=1; }
done
n=-1
layers=(HOST NODE KERNEL IPTABLES CNI ROUTES PROXY SERVICE DNS POLICY IMAGE EXTERNAL EFFECT)
last=-1 lastid=
for r in $rows; do
	l=$(sed -n 's/.*\.layer = ND_LAYER_\([A-Z]*\).*/\1/p' "plugin/checks/$r.c" 2>/dev/null | head -1)
	for i in "${!layers[@]}"; do [[ ${layers[i]} == "$l" ]] && n=$i; done
	((${n:--1} >= last)) || { echo "checks.def: $r ($l) is out of layer order"; fail=1; }
	[[ $n != "$last" || ! $(LC_ALL=C printf '%s\n' "$lastid" "$r" | tr _ - | LC_ALL=C sort -C; echo $?) != 0 ]] || { echo "checks.def: $r is out of order"; fail=1; }
	last=$n lastid=$r
done
exit $fail
