#!/bin/bash
# id: node-just-paused
# cause: kind-node-container-down
# subject: node/worker
# cni: any
# proxy: any
# quick: yes
# repair: docker unpause <node>
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The API still calls the node Ready.
inject() { docker pause "$W1" >/dev/null; }
present() { [[ $(docker inspect -f '{{.State.Status}}' "$W1") == paused ]]; }
heal() { docker unpause "$W1" >/dev/null; }
main "$@"
