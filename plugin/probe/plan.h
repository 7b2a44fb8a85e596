/*
 * plan.h: which probes tell most about this cluster, from the model alone: a pure function.
 *
 * Only flows that must work in a healthy cluster are planned: no source or target that a
 * NetworkPolicy may forbid, no pod that is not ready, no port that nobody was seen listening on.
 *
 *	struct nd_probe_plan plan = {0};
 *	nd_probe_plan_build(&arena, cluster, &plan);
 */
#ifndef ND_PLUGIN_PROBE_PLAN_H
#define ND_PLUGIN_PROBE_PLAN_H

#include "common/buf.h"
#include "common/probe.h"
#include "plugin/model/cluster.h"

struct nd_probe {
	const char *node;     /* where it starts: the node whose agent sends it */
	uint64_t netns_inode; /* source namespace; 0: the node's own */
	enum nd_probe_kind kind;
	struct nd_ip ip;  /* target */
	uint16_t port;	  /* 0 for icmp and pmtu */
	const char *name; /* DNS name or HTTP path, or NULL */
	bool is_aaaa;	  /* the DNS question is AAAA, not A */
};

struct nd_probe_plan {
	struct nd_probe *probes; /* nprobes, by node, then in the order they were thought of */
	size_t nprobes;
};

/* Limits, so that a big cluster is sampled: docs/wire.md has those of the wire. */
#define ND_PROBE_MAX_A_NODE 2000

void nd_probe_plan_build(struct nd_arena *arena, const struct nd_cluster *cluster,
			 struct nd_probe_plan *out);
/* One request of the wire for the probes [first, first + n) of the plan, which share a node. */
void nd_probe_request(const struct nd_probe_plan *plan, size_t first, size_t n, int timeout_ms,
		      int rate, struct nd_buf *out);

#endif
