#!/bin/bash
# id: cni-bin-missing
# cause: cni-bin-missing
# subject: node/worker2
# cni: kindnet
# proxy: any
# quick: yes
# repair: copy /opt/cni/bin/ptp from a peer
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { on "$W2" mv /opt/cni/bin/ptp /root/ptp; }
present() { ! on "$W2" test -e /opt/cni/bin/ptp; }
heal() { on "$W2" mv /root/ptp /opt/cni/bin/ptp; }
main "$@"
