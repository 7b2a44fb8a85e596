/*
 * stage.h: how far the packets of a failed probe came, from what the nodes' agents saw pass while
 * it was sent (docs/wire.md, "Watching"). Pure. "Could not look" is never "was not there": a place
 * is only named when whoever watches both sides of it saw the packet on one of them.
 *
 *	struct nd_stage stage;
 *	if (nd_stage_of(&arena, cluster, host, result, &stage))
 *		puts(nd_stage_text(&arena, &stage));
 */
#ifndef ND_PLUGIN_PROBE_STAGE_H
#define ND_PLUGIN_PROBE_STAGE_H

#include "common/arena.h"
#include "plugin/probe/flow.h"

struct nd_stage_step {
	const char *node;
	uint64_t netns_inode;	  /* 0: the node's own namespace */
	const struct nd_pod *pod; /* whose namespace it is; NULL: the node's, or unknown */
	const char *dev;
	bool is_out;
	const struct nd_sighting *sighting;
};

enum nd_stage_end {
	ND_STAGE_UNKNOWN,   /* last seen at the last step; what is behind it was not watched */
	ND_STAGE_UNSENT,    /* nothing of it was seen where it must have begun: lost_node */
	ND_STAGE_LOST_ON,   /* it came to lost_node and got no further there */
	ND_STAGE_BETWEEN,   /* it left lost_node for lost_next and never came in there */
	ND_STAGE_NO_ANSWER, /* it reached its target on lost_node; no answer left that */
	ND_STAGE_REJECTED   /* a RST or an ICMP error was the answer */
};

struct nd_stage {
	/* Of the SYN (or DNS question), in the order of the way there. */
	struct nd_stage_step *steps; /* nsteps */
	size_t nsteps;
	/* Of the SYN-ACK or RST (or DNS answer), in the order of the way back. */
	struct nd_stage_step *back; /* nback */
	size_t nback;
	const struct nd_sighting *icmp; /* an ICMP error about it, or NULL */
	bool is_complete;		/* every node on the way was watched whole */
	enum nd_stage_end end;
	bool is_back;		/* the end is about the way back */
	const char *lost_after; /* "w1: vethab12 in", where it was last seen; NULL: nowhere */
	const char *lost_node;	/* or NULL: not known */
	const char *lost_next;	/* BETWEEN; UNKNOWN: the node that was not watched, or NULL */
	const struct nd_cluster *cluster;
	const struct nd_host *host; /* that sent it */
	const struct nd_probe_result *result;
	struct nd_flow flow;
};

/*
 * False: there is nothing to tell. It did not fail for want of a packet, it was not sent while the
 * nodes watched, or nobody watched where it began.
 */
bool nd_stage_of(struct nd_arena *arena, const struct nd_cluster *cluster,
		 const struct nd_host *host, const struct nd_probe_result *result,
		 struct nd_stage *out);
/* One sentence: "SYN left w1 by eth0, never came in on w2: lost between w1 and w2". */
const char *nd_stage_text(struct nd_arena *arena, const struct nd_stage *stage);
/* Is it about packets that are watched (TCP, DNS over UDP)? */
bool nd_stage_is_seen(enum nd_probe_kind kind);
/* The node (of the cluster or its hosts) that has this address itself; NULL: none. */
const char *nd_stage_node_of(const struct nd_cluster *cluster, struct nd_ip ip);

#endif
