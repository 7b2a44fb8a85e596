/*
 * walk.h: the way of a packet from its source to where it ends, through every namespace and node of
 * the model, hook by hook. Pure.
 *
 *	struct nd_world *world = nd_world_new(&arena, cluster);	compiles rules when first needed
 *	struct nd_walk_ask ask = {.host = host, .netns_inode = inode, .proto = ND_PROTO_TCP,
 *				  .dst = ip, .dport = 443};
 *	struct nd_walk walk;
 *	nd_walk_run(world, &ask, &walk);
 */
#ifndef ND_PLUGIN_WALK_WALK_H
#define ND_PLUGIN_WALK_WALK_H

#include "plugin/model/look.h"
#include "plugin/walk/eval.h"

struct nd_world;
struct nd_world *nd_world_new(struct nd_arena *arena, const struct nd_cluster *cluster);
/* What all walks have cost so far: the firewall rules that were looked at. */
uint64_t nd_world_nrules(const struct nd_world *world);

struct nd_walk_ask {
	struct nd_arena *arena;	    /* of what comes out; NULL: the world's */
	const struct nd_host *host; /* where it starts; NULL: outside of the cluster */
	uint64_t netns_inode;	    /* 0: the node's own namespace */
	struct nd_ip src;	    /* family 0: as routing picks it */
	struct nd_ip dst;
	uint8_t proto;
	uint16_t sport, dport; /* sport 0: 40000 */
	uint8_t icmp_type;     /* 0: echo request, 8 / 128 */
	uint8_t icmp_code;
	uint32_t mark;
	uint32_t ct_state;  /* 0: ND_CT_NEW */
	bool has_all_rules; /* events also for rules that merely count */
	bool has_turns;	    /* also the packets behind the answer: nd_walk_turn */
	bool is_terse;	    /* no text but that of ends: nobody reads the way there */
};

enum nd_way_kind {
	ND_WAY_SOURCE, /* where it starts */
	ND_WAY_ROUTE,  /* a route was chosen: text */
	ND_WAY_HOOK,   /* what one hook did: events */
	ND_WAY_DEVICE, /* out of or into a device, over a bridge port, to a neighbour */
	ND_WAY_ENCAP,  /* VXLAN or IPIP: the outer packet goes on */
	ND_WAY_DECAP,
	ND_WAY_SOCKET, /* delivered: somebody listens, or not */
	ND_WAY_POLICY, /* NetworkPolicy, as the CNI's engine evaluates it */
	ND_WAY_END     /* dropped, rejected, lost, unknown */
};
struct nd_way {
	enum nd_way_kind kind;
	const char *node;
	uint64_t netns_inode; /* 0: the node's own */
	const char *text;     /* one line for people */
	const char *where;    /* "w1: iptables-nft filter FORWARD", "w1: ip route", ... */
	enum nd_hook hook;
	const struct nd_rule_event *events; /* nevents */
	size_t nevents;
	const struct nd_pkt *packet; /* after it; ways side by side may share it */
};

enum nd_walk_verdict {
	ND_WALK_DELIVERED, /* a socket takes it */
	ND_WALK_REFUSED,   /* arrived; nobody listens: RST or port unreachable */
	ND_WALK_DROPPED,   /* a rule, policy, sysctl, blackhole route ... swallowed it */
	ND_WALK_REJECTED,  /* an ICMP error or RST goes back: error says which */
	ND_WALK_LOST,	   /* no neighbour, dead tunnel end, no such device */
	ND_WALK_OUTSIDE,   /* left the cluster */
	ND_WALK_UNKNOWN	   /* something on the way is not known: reason */
};
/*
 * What comes when the first packet and its answer have arrived. TCP: the ACK, data, data back as
 * long as both ends' devices allow; others: a second question and its answer. Each is walked when
 * the one before arrived; data also when only the bare ACK did not, as it says the same.
 */
enum nd_turn_kind { ND_TURN_ACK, ND_TURN_DATA, ND_TURN_DATA_BACK };
#define ND_WALK_TURNS 3
struct nd_walk_turn {
	enum nd_turn_kind kind;
	uint16_t length; /* bytes of the IP packet, as it was sent */
	enum nd_walk_verdict verdict;
	const char *reason, *error; /* as of a path */
	const struct nd_way *end;
	struct nd_way *ways; /* nways */
	size_t nways;
};
struct nd_walk_path {
	double share; /* probability; all paths of a walk sum up to 1 */
	enum nd_walk_verdict verdict;
	const char *reason; /* "-A FORWARD -j DROP" and the like, for people */
	const char *error;  /* REJECTED: "icmp-port-unreachable", ... */
	/* What ended it, for findings: the rule, or the last step. */
	const struct nd_way *end;
	struct nd_way *ways; /* nways */
	size_t nways;
	const struct nd_pod *pod; /* that got it, or NULL */
	const char *node;	  /* where it ended */
	/*
	 * The answer's way back, when it was delivered; that of the reset or ICMP error, when it
	 * was refused or rejected away from its sender. Verdict of it.
	 */
	struct nd_way *back;
	size_t nback;
	const struct nd_way *back_end; /* as end */
	enum nd_walk_verdict back_verdict;
	const char *back_reason;
	struct nd_walk_turn *turns; /* nturns, of ND_WALK_TURNS; only when asked for */
	size_t nturns;
};
struct nd_walk {
	struct nd_walk_path *paths; /* npaths, likeliest first */
	size_t npaths;
	bool is_cut; /* more than ND_WALK_MAX_PATHS alternatives */
};
#define ND_WALK_MAX_PATHS 64
#define ND_WALK_MAX_WAYS 400 /* of one path: a loop ends here */

void nd_walk_run(struct nd_world *world, const struct nd_walk_ask *ask, struct nd_walk *out);
/* Of the first packet of all that does not arrive; DELIVERED: there is none. */
enum nd_walk_verdict nd_walk_path_verdict(const struct nd_walk_path *path);
/* The first of path->turns that did not arrive, or NULL. */
const struct nd_walk_turn *nd_walk_bad_turn(const struct nd_walk_path *path);
/* "ACK", "data", "data back"; other than TCP: "second question", "second answer". */
const char *nd_walk_turn_name(const struct nd_walk_turn *turn, uint8_t proto);
const char *nd_walk_verdict_name(enum nd_walk_verdict verdict); /* "delivered", ... */

#endif
