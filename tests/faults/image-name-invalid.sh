#!/bin/bash
# id: image-name-invalid
# cause: img-not-network
# subject: pod/data-platform/reporting*
# cni: any
# proxy: any
# quick: yes
# repair: a name without capitals
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# InvalidImageName: no packet was ever sent.
inject() {
	K -n $NS create deploy reporting --image=reporting --dry-run=client -o json |
		jq '.spec.template.spec.containers[0].image = "registry.k8s.io/Reporting:latest"' | K apply -f - >/dev/null
}
settle() { sleep 5; }
present() { K -n $NS get deploy reporting >/dev/null 2>&1; }
heal() {
	K -n $NS delete deploy reporting --cascade=foreground >/dev/null
	K -n $NS wait --for=delete pod -l app=reporting --timeout=30s >/dev/null 2>&1
}
main "$@"
