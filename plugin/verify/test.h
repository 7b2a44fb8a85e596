/*
 * test.h: one test a file. Most are a choice among the probes that were sent (flows, kinds,
 * is_mine); the others look at the model themselves (run).
 */
#ifndef ND_PLUGIN_VERIFY_TEST_H
#define ND_PLUGIN_VERIFY_TEST_H

#include "plugin/model/look.h"
#include "plugin/verify/flows.h"
#include "plugin/verify/verify.h"

struct nd_verify_run {
	struct nd_arena *arena;
	const struct nd_cluster *cluster;
	const struct nd_verify_options *options;
	const struct nd_verify_flow *flows; /* nflows */
	size_t nflows;
	const char *blind; /* which node could not be looked at and why, or NULL: all were */
	struct nd_verify_outcome *out; /* of the test that runs */
};

struct nd_verify_test {
	const char *id, *title;
	const char *what;     /* what it asks, for -o wide */
	bool is_of_namespace; /* runs with --namespace, too */
	bool needs_probes;    /* of every node: one that sent none leaves it incomplete */
	bool is_lossless;     /* a second try does not count */
	/* Listed at all? NULL: always. */
	bool (*is_asked)(const struct nd_verify_options *options);
	/* Why this cluster has nothing to test, or NULL: it has. Or may have: NULL. */
	const char *(*is_moot)(const struct nd_verify_run *run);
	uint32_t flows, kinds; /* bits 1 << ND_FLOW_*, 1 << ND_PROBE_* */
	bool (*is_mine)(const struct nd_verify_run *run, const struct nd_verify_flow *flow);
	const char *nothing;			/* why nothing was tested, when nothing was */
	void (*run)(struct nd_verify_run *run); /* instead of taking flows */
};

/* One more that is fine, or that is not. */
void nd_verify_pass(struct nd_verify_run *run);
void nd_verify_fail(struct nd_verify_run *run, const char *fmt, ...) ND_PRINTF(2, 3);
/* One more, as the flow ended: worked, worked too slowly, failed. GONE is not counted. */
void nd_verify_take(struct nd_verify_run *run, const struct nd_verify_flow *flow);
/* Some end of the flow is in the namespace that was asked for, if one was. */
bool nd_verify_is_in_scope(const struct nd_verify_run *run, const struct nd_verify_flow *flow);
/* All flows that the test chose. */
void nd_verify_take_flows(struct nd_verify_run *run);
/* Is it CoreDNS, or what does its work? */
bool nd_verify_is_dns(const struct nd_workload *workload);
/* It can't be told; the first reason is kept. */
void nd_verify_leave(struct nd_verify_run *run, const char *fmt, ...) ND_PRINTF(2, 3);
/* Were these lists read whole? Otherwise the test is left. */
bool nd_verify_has_lists(struct nd_verify_run *run, const char *const *names, size_t n);

#endif
