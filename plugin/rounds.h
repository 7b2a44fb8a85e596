/*
 * rounds.h: send the probes of the plan through the nodes' agents, then those that failed once
 * more, with what is around them, while the nodes on their way look at the packets. The results
 * come to the model as sections "probe", "probe-2" and "watch-2".
 */
#ifndef ND_PLUGIN_ROUNDS_H
#define ND_PLUGIN_ROUNDS_H

#include "plugin/model/build.h"
#include "plugin/node/collect.h"
#include "plugin/probe/plan.h"

struct nd_round_options {
	struct nd_probe_options plan;
	/*
	 * NULL, or called before the first round to complete the options of the plan from what the
	 * cluster is; what it puts there must outlive the rounds. -1: nothing is sent.
	 */
	int (*prepare)(void *ctx, const struct nd_cluster *cluster, struct nd_probe_options *plan,
		       struct nd_err *err);
	void *prepare_ctx;
	int timeout_ms; /* of a probe in the first round, 0: ND_PROBE_TIMEOUT_MS; three tenths of it
			   in the next */
	int rate;	/* packets a second and node, 0: ND_PROBE_RATE */
};

/*
 * collect has ended its first conversations, with a sink that feeds the model. -1: the loop was
 * interrupted, or the sink failed; an agent that cannot probe is a gap.
 */
int nd_rounds_run(struct nd_loop *loop, struct nd_collect *collect, struct nd_model *model,
		  const struct nd_round_options *options, struct nd_err *err) ND_MUST_USE;

#endif
