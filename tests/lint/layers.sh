#!/bin/bash
# A folder of plugin/ includes only itself, common/, and the folders to its left; agent/ includes only common/ and agent/.
set -u
order=(kube evidence node model probe walk checks diagnose verify repair report status cli cmd)
fail=0
declare -A rank
for i in "${!order[@]}"; do rank[${order[i]}]=$i; done
# evidence/item.h is the label on the bytes that kube/ and node/ push: the one header below its folder's rank.
while IFS=: read -r file _ line; do
	from=${file#plugin/}; from=${from%%/*}
	inc=${line#*\"}; inc=${inc%%\"*}
	case $inc in
	common/*) continue ;;
	plugin/evidence/item.h | plugin/evidence/items.def) continue ;;
	plugin/*) to=${inc#plugin/}; to=${to%%/*} ;;
	*) echo "$file: include \"$inc\" by its path from the root"; fail=1; continue ;;
	esac
	[[ $from == *.[ch] ]] && continue # the files of plugin/ itself know the order of all
	[[ $to == *.h && $from == cmd ]] && continue
	[[ -n ${rank[$from]:-} && -n ${rank[$to]:-} ]] || { echo "$file: $inc: unknown folder"; fail=1; continue; }
	((rank[$to] <= rank[$from])) || { echo "$file: $from/ may not include $inc"; fail=1; }
done < <(grep -rnE '^#include "' plugin --include='*.c' --include='*.h')
bad=$(grep -rnE '^#include "' agent --include='*.c' --include='*.h' | grep -vE '"(common|agent)/|"filter_[a-z0-9_]+\.h"')
[[ -z $bad ]] || { echo "$bad"; echo "agent/ may include only common/ and agent/"; fail=1; }
bad=$(grep -rnE '^#include "' common --include='*.c' --include='*.h' | grep -v '"common/')
[[ -z $bad ]] || { echo "$bad"; echo "common/ may include only common/"; fail=1; }
exit $fail
