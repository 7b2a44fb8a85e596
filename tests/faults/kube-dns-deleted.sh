#!/bin/bash
# id: kube-dns-deleted
# cause: dns-service-broken
# subject: service/kube-system/kube-dns
# cni: any
# proxy: any
# quick: yes
# repair: create Service kube-dns with its address again
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() {
	save_object kube-system svc kube-dns
	K -n kube-system delete svc kube-dns >/dev/null
}
settle() { sleep 2; }
present() { ! K -n kube-system get svc kube-dns >/dev/null 2>&1; }
heal() { restore_object kube-dns; }
main "$@"
