#!/bin/bash
# id: node-paused
# cause: kind-node-container-down
# subject: node/worker2
# cni: any
# proxy: any
# quick: no
# repair: docker unpause <node>
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { docker pause "$W2" >/dev/null; }
settle() { sleep 50; }
present() { [[ $(docker inspect -f '{{.State.Status}}' "$W2") == paused ]]; }
heal() { docker unpause "$W2" >/dev/null; }
main "$@"
