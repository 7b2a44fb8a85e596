/*
 * ruleset.h: the children that print packet filter rules. They are started together before the
 * agent loses the right to start any, and work while the other collectors run.
 *
 * The one place with state of its own: what is started here is what the collectors `iptables` and
 * `nft` pick up, and there is one of each in a process.
 */
#ifndef ND_AGENT_COLLECT_RULESET_H
#define ND_AGENT_COLLECT_RULESET_H

#include "common/base.h"

#include "agent/sys/run.h"

enum { ND_RULESET_NBLOCKS = 4 };

struct nd_ruleset_block {
	const char *backend; /* "nft", "legacy" */
	int family;	     /* 4, 6 */
	const char *argv[3];
	struct nd_run run;
	bool is_started;
};

struct nd_ruleset {
	struct nd_ruleset_block blocks[ND_RULESET_NBLOCKS];
	struct nd_run nft; /* nft -j list ruleset; started when nft_argv[0] */
	bool is_nft_started;
	int64_t deadline_us; /* of all */
};
extern struct nd_ruleset nd_ruleset;

/* Every program that nd_ruleset_start may execute; NULL-ended. */
extern const char *const nd_ruleset_programs[];

/* Legacy tables of this namespace, IPv4 or IPv6, that somebody has already made. */
bool nd_ruleset_has_legacy(int family);

/* prepare is called in each child before its execve. A maximum of 0: do not start that one. */
void nd_ruleset_start(size_t iptables_max_bytes, size_t nft_max_bytes, int64_t deadline_us,
		      int (*prepare)(struct nd_err *err));
/* Wait for the nft run alone, or for all the iptables runs. */
void nd_ruleset_finish_nft(void);
void nd_ruleset_finish_iptables(void);
void nd_ruleset_stop(void);

#endif
