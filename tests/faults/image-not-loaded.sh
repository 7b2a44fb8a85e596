#!/bin/bash
# id: image-not-loaded
# cause: img-not-network
# subject: pod/data-platform/reporting*
# also: img-kind-not-loaded
# cni: any
# proxy: any
# quick: no
# repair: kind load docker-image, or the right tag
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# ErrImageNeverPull.
inject() {
	K -n $NS create deploy reporting --image=registry.k8s.io/e2e-test-images/agnhost:9.99 --dry-run=client -o json |
		jq '.spec.template.spec.containers[0].imagePullPolicy = "Never"' | K apply -f - >/dev/null
}
settle() { sleep 5; }
present() { K -n $NS get deploy reporting >/dev/null 2>&1; }
heal() {
	K -n $NS delete deploy reporting --cascade=foreground >/dev/null
	K -n $NS wait --for=delete pod -l app=reporting --timeout=30s >/dev/null 2>&1
}
main "$@"
