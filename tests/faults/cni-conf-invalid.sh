#!/bin/bash
# id: cni-conf-invalid
# cause: cni-conf-invalid
# subject: node/worker
# cni: any
# proxy: any
# quick: yes
# repair: move the broken file out of /etc/cni/net.d
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() { onsh "$W1" 'echo "{" >/etc/cni/net.d/00-broken.conflist'; }
settle() { sleep 15; }
present() { on "$W1" test -e /etc/cni/net.d/00-broken.conflist; }
heal() { on "$W1" rm -f /etc/cni/net.d/00-broken.conflist; }
main "$@"
