#include "common/base.h"
#include "plugin/verify/test.h"

static const char *is_moot(const struct nd_verify_run *run)
{
	const struct nd_cluster *c = run->cluster;
	if (!nd_look_has_list(c, "services"))
		return NULL;
	for (size_t i = 0; i < c->nservices; i++)
		for (size_t j = 0; j < c->services[i].nports; j++)
			if (c->services[i].ports[j].node_port)
				return NULL;
	return "no service has a NodePort";
}

const struct nd_verify_test nd_verify_test_nodeport = {
	.id = "nodeport",
	.title = "NodePort on all nodes",
	.what = "services of type NodePort and LoadBalancer answer on every node, asked from "
		"another node (those with externalTrafficPolicy Local on a node that has an "
		"endpoint)",
	.needs_probes = true,
	.is_moot = is_moot,
	.flows = 1u << ND_FLOW_NODEPORT,
	.kinds = 1u << ND_PROBE_tcp | 1u << ND_PROBE_udp,
	.nothing = "no NodePort that must answer on every node",
};
