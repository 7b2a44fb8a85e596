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

#include "agent/sys/nftables.h"
#include "agent/sys/run.h"

enum { ND_RULESET_NBLOCKS = 4, ND_RULESET_MAX_NFT = 12, ND_RULESET_MAX_LEFT_OUT = 5 };

struct nd_ruleset_block {
	const char *backend; /* "nft", "legacy" */
	int family;	     /* 4, 6 */
	const char *argv[3];
	struct nd_run run;
	bool is_started;
	bool is_known_empty; /* the kernel has nothing that this program would show */
};

/* One nft: the whole ruleset, or one table of it. */
struct nd_ruleset_nft {
	const char *argv[7];
	struct nd_run run;
};

struct nd_ruleset {
	struct nd_ruleset_block blocks[ND_RULESET_NBLOCKS];
	struct nd_ruleset_nft nft[ND_RULESET_MAX_NFT];
	size_t nnft;		 /* 0: there are no tables, or only such as are left out */
	/* Tables that nft is not asked for: blocks[0] (IPv4), blocks[1] must show them. */
	const struct nd_nftables_table *left_out[2][ND_RULESET_MAX_LEFT_OUT];
	size_t nleft_out[2];
	char left_out_error[512]; /* why it does not; "" when it does */
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
/* Wait for the nft runs alone, or for all the iptables runs. */
void nd_ruleset_finish_nft(void);
void nd_ruleset_finish_iptables(void); /* before the first look at left_out_error */
void nd_ruleset_stop(void);

#endif
