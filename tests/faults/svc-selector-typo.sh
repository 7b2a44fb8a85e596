#!/bin/bash
# id: svc-selector-typo
# cause: svc-selector-mismatch
# subject: service/data-platform/iceberg-rest-catalog
# cni: any
# proxy: any
# quick: yes
# repair: selector app: iceberg-rest-catalog
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
selector() { K -n $NS patch svc iceberg-rest-catalog -p "{\"spec\":{\"selector\":{\"app\":\"$1\"}}}" >/dev/null; }
inject() { selector iceberg-rest-catalogue; }
settle() { sleep 2; }
present() { [[ $(K -n $NS get svc iceberg-rest-catalog -o jsonpath='{.spec.selector.app}') == iceberg-rest-catalogue ]]; }
heal() { selector iceberg-rest-catalog; }
main "$@"
