/*
 * walks.h: the packets that a working cluster sends, walked through its rules and routes: which of
 * them, or of their answers, end on the way, and at what. Pure; nobody needs to have sent a probe.
 *
 *	const struct nd_walks *walks = nd_walks_get(run);
 *	for (size_t i = 0; i < walks->n; i++)
 *		if (walks->items[i].rule) ... that rule of walks->items[i].host is to blame
 *
 * Walked are the flows of the probe plan, and those that nobody probes: kubelets asked by the API
 * server and by pods, pods that are not ready, "packet too big" from nodes to pods; and what
 * services shut out by their policies (shut.h), which a working cluster drops, too.
 */
#ifndef ND_PLUGIN_CHECKS_WALKS_H
#define ND_PLUGIN_CHECKS_WALKS_H

#include "plugin/checks/check.h"
#include "plugin/walk/walk.h"

/* A large cluster is sampled evenly; at some 20 us each this is less than half a second. */
#define ND_WALKS_MAX 20000
/*
 * Rules looked at by all of them: about a second. The walks that are left are not made; behind the
 * half of it none goes on after the answer.
 */
#define ND_WALKS_MAX_RULES 50000000

/*
 * A packet that does not arrive. Ends that are not known, and NetworkPolicies, are no loss; nor are
 * packets that leave the cluster, unless they are for a pod.
 */
struct nd_walk_loss {
	struct nd_walk_ask ask;	    /* what was walked; its arena is gone */
	bool is_back;		    /* its answer got lost */
	bool is_later;		    /* both arrived; what comes behind them got lost */
	const char *what;	    /* is_later: "data", "second answer" */
	bool is_too_big;	    /* it says "packet too big" */
	const struct nd_host *host; /* where it ended */
	enum nd_walk_verdict verdict;
	const char *where, *reason; /* "w1: ip route", "w1 has no route to 10.244.0.2" */
	struct nd_pkt packet;	    /* as it ended; device names are not kept */
	/* The rule that ended it, or the policy of base (rule NULL); base NULL: no rule did. */
	enum nd_hook hook;
	const struct nd_rtable *table;
	const struct nd_rchain *base, *chain;
	const struct nd_rrule *rule;
};

struct nd_walks {
	struct nd_walk_loss *items; /* n, as walked */
	size_t n, nwalked;
};

/* Walked when first asked for; the same for all checks of a run. */
const struct nd_walks *nd_walks_get(struct nd_check_run *run);
/* For a walk of one's own; the rules that it compiled are there already. */
struct nd_world *nd_walks_world(struct nd_check_run *run);
/* "tcp from pod shop/web-1 to 10.244.2.5:8080", "the answer to tcp from ...", "data of tcp ...". */
const char *nd_walk_loss_text(struct nd_check_run *run, const struct nd_walk_loss *loss);
/* Behind all checks: a line of proof for causes of nodes at which a walk ended. */
void nd_walks_prove(struct nd_check_run *run);

/* The packets to walk, at most ND_WALKS_MAX; private to walks.c. */
struct nd_walk_list {
	struct nd_walk_ask *items; /* n */
	size_t n;
};
void nd_walk_list_build(struct nd_arena *arena, const struct nd_cluster *cluster,
			struct nd_walk_list *out);
/* Does the packet say "packet too big"? */
bool nd_walk_ask_is_too_big(const struct nd_walk_ask *ask);

#endif
