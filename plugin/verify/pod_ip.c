#include "common/base.h"
#include "plugin/verify/test.h"

const struct nd_verify_test nd_verify_test_pod_ip = {
	.id = "pod-ip",
	.title = "Direct pod IP",
	.what = "connections to pods by their own address, from pods and nodes, on the same node "
		"and across nodes",
	.is_of_namespace = true,
	.needs_probes = true,
	.flows = 1u << ND_FLOW_POD_SAME_NODE | 1u << ND_FLOW_POD_CROSS_NODE |
		 1u << ND_FLOW_NODE_POD_LOCAL | 1u << ND_FLOW_NODE_POD_REMOTE,
	.kinds = 1u << ND_PROBE_tcp,
	.nothing = "no pod that listens and may be asked",
};
