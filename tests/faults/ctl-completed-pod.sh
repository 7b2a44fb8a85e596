#!/bin/bash
# id: ctl-completed-pod
# cause: new:none
# subject: pod/data-platform/once
# cni: any
# proxy: any
# quick: yes
# repair: nothing to repair
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# A pod that has ended keeps an address in its status, which another pod may have by now.
inject() {
	K -n $NS run once --image=$AGNHOST --image-pull-policy=Never --restart=Never \
		--labels=app=iceberg-rest-catalog --command -- true >/dev/null
}
settle() { sleep 5; }
present() { [[ $(K -n $NS get pod once -o jsonpath='{.status.phase}' 2>/dev/null) == Succeeded ]]; }
heal() { K -n $NS delete pod once --grace-period=0 --force >/dev/null 2>&1; }
main "$@"
