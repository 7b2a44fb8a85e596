/*
 * failures.h: the probes that failed, and what the effect checks share: which of them tell one
 * thing together, and how that is said.
 */
#ifndef ND_PLUGIN_CHECKS_FAILURES_H
#define ND_PLUGIN_CHECKS_FAILURES_H

#include "plugin/checks/check.h"
#include "plugin/probe/stage.h"

/* A probe that failed each time it was sent. */
struct nd_failure {
	const struct nd_host *host;
	const struct nd_probe_result *result; /* of the last try */
	struct nd_flow flow;
	size_t ntries;
	const struct nd_stage *stage; /* how far it came, or NULL: nobody watched, or not needed */
};
struct nd_failures {
	struct nd_failure *items; /* n, in the order of hosts and of sending */
	size_t n;
	/* failed once, worked when sent again */
	struct nd_failure *shaky; /* nshaky */
	size_t nshaky;
};

/*
 * A pod that asked itself and got GONE has ended meanwhile, and one that got no answer from itself
 * does not listen any more: what others asked of it says nothing of the network.
 * Probes that could not be sent (GONE, ERROR) are no failures: they say nothing of the network.
 */
void nd_failures_find(struct nd_arena *arena, const struct nd_cluster *cluster,
		      struct nd_failures *out);

enum nd_effect_key {
	ND_BY_SOURCE,  /* one effect a source node: subject node/NAME */
	ND_BY_PAIR,    /* one a source and target node: subject node/SOURCE */
	ND_BY_SERVICE, /* one a service: subject service/NS/NAME */
	ND_BY_POD,     /* one a target pod: subject pod/NS/NAME */
};
struct nd_effect_spec {
	uint32_t flows; /* bits 1 << ND_FLOW_* that it is about */
	enum nd_effect_key key;
	/* Take this failure? NULL: all of these flows. */
	bool (*is_mine)(const struct nd_cluster *cluster, const struct nd_failure *failure);
	/* The finding's title; how is "TIMEOUT" or "TIMEOUT, REFUSED". */
	const char *(*title)(struct nd_check_run *run, const struct nd_failure *first,
			     const char *how);
};

/* Findings of run->check, one a key, each failure a line of proof; nodes gets all it touches. */
void nd_effects_find(struct nd_check_run *run, const struct nd_effect_spec *spec);

/* Put the nodes that the failure's packets touch into the finding. */
void nd_effect_touches(struct nd_check_run *run, struct nd_finding *finding,
		       const struct nd_failure *failure);
/* "pod data-platform/trino-0" or "w1", where a flow starts. */
const char *nd_failure_source(struct nd_check_run *run, const struct nd_failure *failure);

/* A DNS question for a name outside the cluster. */
bool nd_failure_asks_outside(const struct nd_failure *failure);
/* It was refused by a service whose pods were all seen not to listen on its target port. */
bool nd_failure_is_refusal(const struct nd_cluster *cluster, const struct nd_failure *failure);

#endif
