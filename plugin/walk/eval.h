/*
 * eval.h: run a packet through the rules of one network namespace at one hook, as the kernel does:
 * base chains of all backends by priority, connection tracking and NAT in their places.
 *
 *	struct nd_rules rules;
 *	nd_rules_build(&arena, host_tables, ntables, &rules);	once a namespace
 *	struct nd_eval eval = {.arena = &arena, .rules = &rules, .fib = &fib, .choices = &choices};
 *	enum nd_hook_result r = nd_eval_hook(&eval, ND_FORWARD, &packet);
 *
 * Chance (statistic, numgen) is asked of `choices`: run again with the next choice until
 * nd_choices_next says that all were seen.
 */
#ifndef ND_PLUGIN_WALK_EVAL_H
#define ND_PLUGIN_WALK_EVAL_H

#include "plugin/walk/packet.h"

#define ND_EVAL_MAX_DEPTH 64 /* jumps; the kernel: 16 for nft, the number of chains for legacy */
#define ND_EVAL_MAX_RULES 1000000 /* looked at in one hook */

/* Chance, made into alternatives that are gone through one by one. */
#define ND_CHOICES_MAX 64
struct nd_choices {
	struct {
		uint32_t at, n; /* taken: at of n alternatives */
		double share;	/* probability of the one taken */
	} items[ND_CHOICES_MAX];
	size_t nitems, next; /* next: position in this run */
	bool is_over;	     /* more than the maximum were asked for */
};
/* One of n alternatives with these probabilities (NULL: equally likely); 0..n-1. */
uint32_t nd_choices_take(struct nd_choices *choices, uint32_t n, const double *shares);
void nd_choices_rewind(struct nd_choices *choices);	   /* before each run */
bool nd_choices_next(struct nd_choices *choices);	   /* false: that was the last */
double nd_choices_share(const struct nd_choices *choices); /* probability of this run */

/* What routing knows and rules ask for; walk/fib.h fills it for a namespace. */
struct nd_fib_ask {
	void *ctx;
	/* RTN_* type of an address; dev: limited to this device, or NULL. */
	uint32_t (*addr_type)(void *ctx, struct nd_ip ip, const char *dev);
	/* The device towards ip for what src sends; of several dev, when it is one; NULL: none. */
	const char *(*oif)(void *ctx, struct nd_ip ip, struct nd_ip src, uint32_t mark,
			   const char *dev);
	/* The address that masquerading takes for packets leaving by dev to dst; family 0: none. */
	struct nd_ip (*source_for)(void *ctx, const char *dev, struct nd_ip dst);
	/* The first address of a device (redirect); family 0: none. */
	struct nd_ip (*address_of)(void *ctx, const char *dev, uint8_t family);
	uint32_t (*ifindex)(void *ctx, const char *dev); /* 0: none */
};

/* ---- compiled rules of a namespace ---- */
struct nd_base {
	const struct nd_rtable *table;
	const struct nd_rchain *chain;
};
struct nd_rules {
	/* By hook: base chains of this family in the order the kernel calls them. */
	struct nd_base *bases[ND_HOOKS][2]; /* [1]: IPv6 */
	size_t nbases[ND_HOOKS][2];
	/* Some rule of the family needs it: else packets have no state and no NAT chain is run. */
	bool has_conntrack[2];
};
/* Links jumps (verdict.to), makes hashes and indexes in tables, sorts the base chains. */
void nd_rules_build(struct nd_arena *arena, struct nd_rtable *tables, size_t ntables,
		    struct nd_rules *out);

/* ---- what happened ---- */
enum nd_rule_event_kind {
	ND_EV_HOOK,   /* a base chain is entered */
	ND_EV_RULE,   /* a rule matched (all its tests held) */
	ND_EV_POLICY, /* the end of a base chain: its policy */
	ND_EV_CHANGE, /* address, port or mark is new: packet says what it is now */
	ND_EV_UNKNOWN
};
struct nd_rule_event {
	enum nd_rule_event_kind kind;
	enum nd_hook hook;
	const struct nd_rtable *table;
	const struct nd_rchain *chain;
	const struct nd_rrule *rule; /* or NULL */
	const char *what; /* "drop", "jump KUBE-SERVICES", "DNAT to 10.244.1.2:8080", ... */
	const struct nd_pkt *packet; /* after it; events side by side may share it */
	double share;		     /* of the choice made at this rule; 1: no choice */
};

enum nd_hook_result { ND_HOOK_PASS, ND_HOOK_DROP, ND_HOOK_REJECT, ND_HOOK_QUEUE, ND_HOOK_UNKNOWN };

struct nd_eval {
	struct nd_arena *arena;
	const struct nd_rules *rules;
	const struct nd_fib_ask *fib;
	struct nd_choices *choices;
	struct nd_rule_event *events; /* nevents, appended */
	size_t nevents;
	const struct nd_pkt *kept; /* the packet of the last event, or NULL */
	const char *reject_with;   /* of the last ND_HOOK_REJECT */
	const char *unknown;	   /* of the last ND_HOOK_UNKNOWN: what, at which rule */
	uint16_t queue;		   /* of the last ND_HOOK_QUEUE */
	bool has_queue_bypass;
	/* OUTPUT: the packet is to be routed anew behind the hook: another destination by NAT, or
	 * a route chain (mangle) changed mark, address or DSCP. Set or cleared by each hook. */
	bool needs_route;
	uint64_t nrules;    /* looked at so far, in all hooks */
	/*
	 * OUTPUT: is there a way for it now? Asked at the priority where the kernel routes anew;
	 * without one it gets no further: PASS, with needs_route. NULL: nobody asks.
	 */
	bool (*has_route)(void *ctx, const struct nd_pkt *packet);
	void *route_ctx;
	bool has_all_rules; /* asked for: events also for rules that merely count */
	/*
	 * The program behind a queue: PASS goes on with the next base chain, as NF_ACCEPT does.
	 * NULL: the hook ends with ND_HOOK_QUEUE.
	 */
	enum nd_hook_result (*queue_ask)(void *ctx, struct nd_eval *eval, struct nd_pkt *packet,
					 const struct nd_verdict *verdict);
	void *queue_ctx;
	/* What is made here, root's programs made: else rules for users can't be answered. */
	bool is_root;
};

/*
 * Connections. packet->ct belongs to the namespace the packet is in: clear it where the packet
 * crosses into another one or comes out of a tunnel (the kernel's skb_scrub_packet), keep it over
 * lo. All zero, it is a new connection that PREROUTING or OUTPUT (-200) begins. With a state set
 * it is a packet of that state; ct.orig and ct.reply may stay empty for one without NAT.
 * The answer to a packet that went through with `ct`: ct.is_reply, state ESTABLISHED, ct.orig and
 * .reply and .status as they were; addresses of the answer are ct.reply's. The hooks undo the NAT:
 * the destination in PREROUTING and OUTPUT, the source in POSTROUTING and INPUT.
 */

/*
 * All base chains of the hook. packet->iif/oif say where it came in and goes out. NAT happens in
 * the hooks and at the priorities where the kernel does it: DNAT -100 in PREROUTING and OUTPUT,
 * SNAT 100 in POSTROUTING and INPUT; a connection that has its NAT is translated without the
 * chains.
 */
enum nd_hook_result nd_eval_hook(struct nd_eval *eval, enum nd_hook hook, struct nd_pkt *packet);

#endif
