#include "common/base.h"
#include "plugin/verify/test.h"

static bool is_mine(ND_UNUSED const struct nd_verify_run *run, const struct nd_verify_flow *f)
{
	const struct nd_pod *from = f->flow.source_pod;
	const char *to = f->flow.target_pod ? f->flow.target_pod->meta.ns
			 : f->flow.service  ? f->flow.service->meta.ns
					    : NULL;
	return from && from->meta.ns && to && strcmp(from->meta.ns, to) != 0;
}

const struct nd_verify_test nd_verify_test_cross_namespace = {
	.id = "cross-namespace",
	.title = "Cross-namespace",
	.what = "connections from pods to pods and services of other namespaces",
	.is_of_namespace = true,
	.needs_probes = true,
	.flows = 1u << ND_FLOW_POD_SAME_NODE | 1u << ND_FLOW_POD_CROSS_NODE |
		 1u << ND_FLOW_CLUSTERIP,
	.kinds = 1u << ND_PROBE_tcp | 1u << ND_PROBE_udp,
	.is_mine = is_mine,
	.nothing = "no pod with something of another namespace to talk to",
};
