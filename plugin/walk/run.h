/*
 * run.h: one packet on its way, and what it leaves behind. Private to walk/.
 *
 * Each part of the way is a function that looks at run->pkt in run->net and either sets run->next
 * to the part that comes then, or ends the run with nd_run_end(). Which way it goes where chance
 * decides is asked of run->choices.
 */
#ifndef ND_PLUGIN_WALK_RUN_H
#define ND_PLUGIN_WALK_RUN_H

#include "plugin/walk/world.h"

/* Connections as the namespaces on the way track them. */
struct nd_conn {
	const struct nd_net *net;
	uint8_t proto;
	struct nd_ct ct;
};

/* What is inside of a tunnel while the outer packet travels. */
#define ND_RUN_MAX_DEPTH 4

/* A router sends what has the same addresses the same of several ways: it hashes them. */
#define ND_RUN_PICKS 8
struct nd_pick {
	const struct nd_route *route; /* the first one */
	struct nd_ip src, dst;
	uint32_t nth;
};

struct nd_inner {
	struct nd_pkt pkt;
	uint32_t vni;
	const char *mac; /* whom the frame is for */
	const char *dev, *from;
};

struct nd_run {
	struct nd_world *world;
	struct nd_arena *arena; /* of what is kept */
	struct nd_choices *choices;
	const struct nd_walk_ask *ask;
	bool is_answer;		/* what is under way goes back */
	bool is_further;	/* behind the first packet and its answer */
	struct nd_net *home;	/* where the first packet was made; NULL: outside */
	struct nd_tuple sent;	/* as it was when it left its socket */
	const char *sent_by;	/* the device it left by; home NULL: it came in by */
	struct nd_net *there;	/* where it was delivered */
	struct nd_tuple got;	/* as it was then */
	const char *got_by;	/* by which device */
	bool is_error;		/* it is an ICMP error about a packet of: */
	struct nd_tuple about;	/* as it is here: NAT is undone inside, too */
	uint8_t about_proto;

	struct nd_net *net; /* where it is */
	struct nd_pkt pkt;
	void (*next)(struct nd_run *run);
	const char *dev;   /* by which it leaves or came */
	bool needs_route;  /* of the last hook: its changes ask for a new route */
	bool is_routed;	   /* by the bridge, before it went up */
	const char *bound; /* made here for this device only, or NULL */
	struct nd_ip hop;  /* whom the device must reach */
	struct nd_fib fib; /* the route it follows */

	struct nd_conn *conns; /* nconns */
	size_t nconns;
	struct nd_inner inner[ND_RUN_MAX_DEPTH]; /* ninner, the innermost first */
	size_t ninner;
	struct nd_pick picks[ND_RUN_PICKS]; /* npicks, of what was forwarded */
	size_t npicks;

	struct nd_way *ways; /* nways */
	size_t nways;
	const struct nd_pkt *kept; /* the packet of the last way or event, or NULL */
	bool is_over;
	enum nd_walk_verdict verdict;
	const char *reason, *error;
	size_t end_at; /* ways before and with the one that ended it; 0: the last one */
};

/* One more line; text and where are kept as they are. */
struct nd_way *nd_run_way(struct nd_run *run, enum nd_way_kind kind, const char *where,
			  const char *fmt, ...) ND_PRINTF(4, 5);
void nd_run_end(struct nd_run *run, enum nd_walk_verdict verdict, const char *where,
		const char *fmt, ...) ND_PRINTF(4, 5);
const char *nd_run_ip(const struct nd_run *run, struct nd_ip ip);
/* "w1: WHAT" of the namespace it is in. */
const char *nd_run_where(const struct nd_run *run, const char *what);
/* A sysctl of the node as a number; fallback: it is not there. Pods: always fallback. */
int64_t nd_run_sysctl(const struct nd_run *run, const char *key, int64_t fallback);
/* The same for "net.ipv4.conf.DEV.NAME", and "net.ipv6.conf.DEV.disable_ipv6". */
int64_t nd_run_conf(const struct nd_run *run, const char *dev, const char *name, int64_t fallback);

/* conn.c: the state of the packet's connection in this namespace. */
void nd_conn_find(struct nd_run *run);
void nd_conn_confirm(struct nd_run *run);

/* The packet goes into another namespace: nothing of this one goes with it (skb_scrub_packet). */
void nd_run_scrub(struct nd_run *run);
/*
 * Over a wire to the other end: a pod, the node, or a port of its bridge; device.c. is_bridged: it
 * came from another port, and who asks for the neighbour is there; else that is run->dev.
 */
void nd_run_cross(struct nd_run *run, const struct nd_link *link, struct nd_net *there,
		  const struct nd_link *peer, bool is_bridged);
/*
 * ndisc.c: do the rules let IPv6 ask for run->hop, and hear the answer? False: it has ended. asker
 * NULL: a namespace without rules.
 */
bool nd_run_ndisc(struct nd_run *run, struct nd_net *asker, const char *dev, struct nd_net *there,
		  const char *there_dev, struct nd_ip src);
bool nd_run_ndisc_bridged(struct nd_run *run, const char *bridge, struct nd_ip src);
/* What a sender on dev puts into its ARP question. */
struct nd_ip nd_run_asker(const struct nd_run *run, const char *dev);
void nd_run_post(struct nd_run *run); /* local.c: POSTROUTING, then out of the device */

/* walk.c: a packet as the ask says, at where it starts. */
void nd_run_start(struct nd_run *run);
/* walk.c: until it ends. */
void nd_run_go(struct nd_run *run);
/* walk.c: what ended the way that was gone. */
const struct nd_way *nd_run_last(const struct nd_run *run);
/* turns.c: ready for another packet; connections stay. */
void nd_run_begin(struct nd_run *run);
/* refusal.c: what tells the sender is next; false: nothing is sent over the network. */
bool nd_run_refusal(struct nd_run *run);
/* turns.c: the answer is next, with what the first packet left behind. */
void nd_run_answer(struct nd_run *run);
/* turns.c: the packets behind the answer. */
void nd_run_turns(struct nd_run *run, struct nd_walk_path *path);

/* hook.c: false: the packet did not pass, the run has ended. */
bool nd_run_hook(struct nd_run *run, enum nd_hook hook);

/* The parts of the way. */
void nd_way_output(struct nd_run *run);	 /* local.c: made here: route, OUTPUT, POSTROUTING */
void nd_way_input(struct nd_run *run);	 /* local.c: for this namespace: INPUT, socket */
void nd_way_receive(struct nd_run *run); /* forward.c: came in by run->dev */
/* forward.c: behind PREROUTING: for this namespace, or to be forwarded. */
void nd_way_route_in(struct nd_run *run);
/* forward.c: may a packet from there come in by run->dev? Else it has ended. */
bool nd_run_source_valid(struct nd_run *run, const char *out);
void nd_way_transmit(struct nd_run *run);   /* device.c: out of run->dev to run->hop */
void nd_way_bridge_out(struct nd_run *run); /* bridge.c: out of a bridge */
void nd_way_bridge_in(struct nd_run *run);  /* bridge.c: came in by the port run->dev */
void nd_way_vxlan(struct nd_run *run);	    /* vxlan.c: out of a VXLAN device */
bool nd_way_decap(struct nd_run *run);	    /* vxlan.c: the outer packet arrived; false: is none */
void nd_way_underlay(struct nd_run *run);   /* underlay.c: between nodes, and out of the cluster */

/* route.c: the route for run->pkt into run->fib and a line; false: there is none, it ended. */
bool nd_run_route(struct nd_run *run, const char *iif, const char *oif, bool is_first);
/* The same with run->fib as nd_space_route() filled it for the key. */
bool nd_run_follow(struct nd_run *run, struct nd_fib_key key, bool is_first);
struct nd_ip nd_fib_hop(const struct nd_fib *fib, struct nd_ip dst);

/* neighbour.c: does run->net answer who has ip, asked on dev by src? Else *why. */
enum nd_arp { ND_ARP_YES, ND_ARP_NO, ND_ARP_UNKNOWN };
enum nd_arp nd_net_answers(const struct nd_run *run, struct nd_net *net, const char *dev,
			   struct nd_ip ip, struct nd_ip src, const char **why);
/* The entry of the node for ip on dev, or NULL. */
const struct nd_neigh *nd_neigh_find(const struct nd_host *host, const char *dev, struct nd_ip ip);

#endif
