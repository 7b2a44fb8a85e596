#!/bin/bash
# id: ctl-subnet-env-removed
# cause: new:none
# subject: node/worker
# cni: flannel
# proxy: any
# quick: yes
# repair: nothing to repair
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The lab's CNI configuration carries the values itself, nothing reads subnet.env after the start.
inject() { on "$W1" mv /run/flannel/subnet.env /run/flannel/subnet.env.old; }
present() { ! on "$W1" test -e /run/flannel/subnet.env; }
heal() { on "$W1" mv /run/flannel/subnet.env.old /run/flannel/subnet.env; }
main "$@"
