/*
 * plan.h: which probes tell most about this cluster, from the model alone: a pure function.
 *
 * Only flows that must work in a healthy cluster are planned: none that a NetworkPolicy may forbid
 * (allow.h), no pod that is not ready, no port that nobody was seen listening on.
 * A pod without a known TCP listener is sent an echo request instead. Cluster DNS and the API
 * server's service are planned even when nothing is ready behind them: every cluster needs them.
 *
 * When the list of NetworkPolicies was not read whole, every pod counts as forbidden both ways;
 * then only what has no pod of its own on either end is left (nodes, API server). Policies that
 * only a CNI knows (CiliumNetworkPolicy, GlobalNetworkPolicy) are not in the model.
 *
 *	struct nd_probe_plan plan = {0};
 *	struct nd_probe_options options = {0};
 *	nd_probe_plan_build(&arena, cluster, &options, &plan);
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

enum nd_probe_extent {
	ND_PROBE_EXTENT_DEFAULT,
	/* Also every pair of candidate pods, every service from every node: up to the cap a node.
	 */
	ND_PROBE_EXTENT_ALL
};
/* A GET that one pod of every node sends. */
struct nd_probe_get {
	struct nd_ip ip;
	uint16_t port;
	const char *path; /* nd_probe_name_is_ok */
};
struct nd_probe_options {
	enum nd_probe_extent extent;
	size_t max_pairs;    /* target nodes a source node, 0: ND_PROBE_MAX_PAIRS */
	const char *only_ns; /* only its pods and services; DNS always; NULL: all namespaces */
	const struct nd_probe *exactly; /* nothing but this one probe; NULL: the whole plan */
	/* Nothing but connects to these, from each node and one pod of it; NULL: the whole plan. */
	const struct nd_probe_get *only; /* nonly; path is not used */
	size_t nonly;
	/* What verify wants besides (probe/extra.c); diagnose sends none of it. */
	bool has_extra; /* echo requests for every pair of nodes, a flow across namespaces */
	bool has_bulk;	/* a transfer from each DNS pod that shows its metrics */
	const char *outside_name; /* a DNS name of the world, asked of cluster DNS; NULL: none */
	const struct nd_probe_get *gets; /* ngets */
	size_t ngets;
};

struct nd_probe_plan {
	struct nd_probe *probes; /* nprobes, by node, then in the order they were thought of */
	size_t nprobes;
	struct nd_probe_options options; /* it was made with; only_ns is the caller's */
};

/* Limits, so that a big cluster is sampled: docs/wire.md has those of the wire. */
#define ND_PROBE_MAX_A_NODE 2000
#define ND_PROBE_MAX_PAIRS 64
#define ND_PROBE_MAX_SERVICES 200 /* services times nodes that are all asked; sampled beyond */
#define ND_PROBE_MAX_RETRY_A_NODE 64
/* Some name of the world that exists as long as clusters pull images. */
#define ND_PROBE_OUTSIDE_NAME "registry.k8s.io."
#define ND_PROBE_MAX_DEADLINE_MS 600000 /* of the wire */

/* options NULL: all zero. Strings of the plan live in arena or in the cluster. */
void nd_probe_plan_build(struct nd_arena *arena, const struct nd_cluster *cluster,
			 const struct nd_probe_options *options, struct nd_probe_plan *out);
/*
 * The second try, once the hosts have results: what of plan did not end ok (nor with the end of its
 * pod), then a wider ring around it that was not sent yet: the endpoints behind a service one by
 * one, other pods of the two nodes of a pair.
 */
void nd_probe_plan_retry(struct nd_arena *arena, const struct nd_cluster *cluster,
			 const struct nd_probe_plan *plan, struct nd_probe_plan *out);

/* A word of the wire: 1..255 visible ASCII characters. */
bool nd_probe_name_is_ok(const char *name);
/*
 * One request of the wire for the probes [first, first + n) of the plan, which share a node; ids
 * are 1..n. Names must be nd_probe_name_is_ok. timeout_ms, rate: brought into the wire's limits.
 */
void nd_probe_request(const struct nd_probe_plan *plan, size_t first, size_t n, int timeout_ms,
		      int rate, struct nd_buf *out);

#endif
