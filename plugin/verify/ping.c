#include "common/base.h"
#include "plugin/verify/test.h"

const struct nd_verify_test nd_verify_test_ping = {
	.id = "ping",
	.title = "Pod-to-pod ping",
	.what = "echo requests between pods of every ordered pair of nodes, and on each node: 0 % "
		"loss, so a second try does not count",
	.needs_probes = true,
	.is_lossless = true,
	.flows = 1u << ND_FLOW_POD_SAME_NODE | 1u << ND_FLOW_POD_CROSS_NODE,
	.kinds = 1u << ND_PROBE_icmp,
	.nothing = "no two pods that may talk",
};
