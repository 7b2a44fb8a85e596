#!/bin/bash
# id: nft-svc-no-endpoints
# cause: svc-selector-mismatch
# subject: service/data-platform/iceberg-rest-catalog
# cni: any
# proxy: nftables
# quick: no
# repair: selector without tier, or tier: catalog
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
inject() {
	K -n $NS patch svc iceberg-rest-catalog \
		-p '{"spec":{"selector":{"app":"iceberg-rest-catalog","tier":"catalogs"}}}' >/dev/null
}
settle() { sleep 2; }
present() { [[ $(K -n $NS get svc iceberg-rest-catalog -o jsonpath='{.spec.selector.tier}') == catalogs ]]; }
heal() { K -n $NS patch svc iceberg-rest-catalog -p '{"spec":{"selector":{"tier":null}}}' >/dev/null; }
main "$@"
