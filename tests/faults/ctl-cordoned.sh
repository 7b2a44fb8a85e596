#!/bin/bash
# id: ctl-cordoned
# cause: new:none
# subject: node/worker2
# cni: any
# proxy: any
# quick: yes
# repair: nothing to repair
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# An administrator cordoned a node, everything on it works.
inject() { K cordon "$W2" >/dev/null; }
present() { [[ $(K get node "$W2" -o jsonpath='{.spec.unschedulable}') == true ]]; }
heal() { K uncordon "$W2" >/dev/null; }
main "$@"
