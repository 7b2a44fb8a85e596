/*
 * flows.h: the probes of a cluster, each once with its last result and what it was for.
 */
#ifndef ND_PLUGIN_VERIFY_FLOWS_H
#define ND_PLUGIN_VERIFY_FLOWS_H

#include "plugin/probe/flow.h"

struct nd_verify_flow {
	const struct nd_host *host;
	const struct nd_probe_result *result; /* of the last try */
	struct nd_flow flow;
	size_t ntries,
		nfailed; /* GONE and ERROR are no failures: they say nothing of the network */
};

/* In the order of hosts and of sending. */
struct nd_verify_flow *nd_verify_flows_find(struct nd_arena *arena,
					    const struct nd_cluster *cluster, size_t *n);
/* "pod a/b on w1 -> 10.244.2.5:8080 (pod c/d on w2)" */
const char *nd_verify_flow_text(struct nd_arena *arena, const struct nd_verify_flow *flow);
/* A DNS question for a name outside the cluster. */
bool nd_verify_flow_is_outside(const struct nd_verify_flow *flow);

#endif
