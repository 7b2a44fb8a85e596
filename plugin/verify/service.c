#include "common/base.h"
#include "plugin/verify/test.h"

const struct nd_verify_test nd_verify_test_service = {
	.id = "service",
	.title = "Service connectivity",
	.what = "services answer by their ClusterIP: the API server's, those with ready pods, and "
		"a pod's own service to itself",
	.is_of_namespace = true,
	.needs_probes = true,
	.flows = 1u << ND_FLOW_CLUSTERIP | 1u << ND_FLOW_API_VIP | 1u << ND_FLOW_HAIRPIN,
	.kinds = 1u << ND_PROBE_tcp | 1u << ND_PROBE_udp,
	.nothing = "no service that must answer",
};
