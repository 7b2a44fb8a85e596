/*
 * eval_run.h: what the files of the evaluator share: one packet in one hook. Private to eval.c,
 * eval_rule.c, load.c, rset.c, ipset.c, rule_index.c, nat.c, rules.c and choices.c.
 */
#ifndef ND_PLUGIN_WALK_EVAL_RUN_H
#define ND_PLUGIN_WALK_EVAL_RUN_H

#include "plugin/walk/eval.h"

/* Kernel: enum nf_ip_hook_priorities. */
enum { ND_PRIO_CONNTRACK = -200, ND_PRIO_DST_NAT = -100, ND_PRIO_SRC_NAT = 100 };
/* Kernel: enum ip_conntrack_status. */
enum { ND_CTS_CONFIRMED = 0x8, ND_CTS_SNAT = 0x10, ND_CTS_DNAT = 0x20 };

#define ND_MAX_LOADS 4 /* in a step, of 16 bytes: ND_VALUE_MAX */

#define ND_CT_UNSURE "connection tracking at its own priority, -200"

enum nd_tri { ND_NO, ND_YES, ND_PERHAPS };

struct nd_eval_run {
	struct nd_eval *eval;
	enum nd_hook hook;
	struct nd_pkt *packet;
	bool has_ct; /* skb->_nfct points to a connection, at this priority */
	/*
	 * The chain has the very priority of connection tracking: which of the two was made first
	 * decides if there is a connection (both were seen on 6.18), and nobody says.
	 */
	bool is_ct_unsure;
	const struct nd_base *base;
	const struct nd_rchain *chain;
	const struct nd_rrule *rule;
	const char *why; /* of the last ND_PERHAPS */
	uint32_t chance; /* what ND_F_RANDOM and ND_F_COUNTER are now */
	double share;	 /* of the choices made in this rule */
	bool is_limited; /* a rate stands in this rule */
	size_t nrules;	 /* looked at */
};

/* ---- eval_rule.c ---- */
/* What a rule does to the way of the packet; NEXT: the rule behind it. */
enum nd_flow {
	ND_FLOW_NEXT,
	ND_FLOW_ACCEPT,
	ND_FLOW_DROP,
	ND_FLOW_REJECT,
	ND_FLOW_RETURN,
	ND_FLOW_JUMP,
	ND_FLOW_GOTO,
	ND_FLOW_QUEUE,
	ND_FLOW_UNKNOWN
};
/* *verdict: what it is of, where the flow has one. */
enum nd_flow nd_rule_run(struct nd_eval_run *run, const struct nd_rrule *rule,
			 const struct nd_verdict **verdict);
void nd_event_add(struct nd_eval_run *run, enum nd_rule_event_kind kind, const char *what);
/* Sets eval->unknown; always ND_HOOK_UNKNOWN. */
enum nd_hook_result nd_unknown_set(struct nd_eval_run *run, const char *words);

/* ---- load.c ---- */
/* All loads of a step side by side. NO: the packet has no such field. PERHAPS: run->why. */
enum nd_tri nd_load_values(struct nd_eval_run *run, const struct nd_rstep *step,
			   struct nd_value *out);
bool nd_value_holds(enum nd_test_op op, const struct nd_value *value, const struct nd_value *lo,
		    const struct nd_value *hi);
/* A test step with all that belongs to it: loads, chance, sets. */
enum nd_tri nd_test_run(struct nd_eval_run *run, const struct nd_rstep *step);
/*
 * Loads looked up in a set or map. YES: *item, or NULL in a verdict map with a "*" element that
 * holds for all others.
 */
enum nd_tri nd_lookup_run(struct nd_eval_run *run, const struct nd_rstep *step,
			  const struct nd_rset *set, const struct nd_set_item **item);

/* The device that rules see at this hook, or NULL. */
const char *nd_eval_iif(const struct nd_eval_run *run);
const char *nd_eval_oif(const struct nd_eval_run *run);

/* ---- ipset.c ---- */
/* A test with ND_IN_IPSET or ND_NOT_IN_IPSET. */
enum nd_tri nd_ipset_run(struct nd_eval_run *run, const struct nd_rstep *step);

/* ---- choices.c ---- */
/* A step that loads chance takes its value; NULL set: it is a test. False: run->why. */
bool nd_chance_take(struct nd_eval_run *run, const struct nd_rstep *step,
		    const struct nd_rset *set);

/* ---- rset.c ---- */
uint64_t nd_bytes_hash(const void *p, size_t n);
void nd_rset_prepare(struct nd_arena *arena, struct nd_rset *set);
const struct nd_set_item *nd_rset_find(const struct nd_rset *set, const struct nd_value *value);

/* ---- rule_index.c ---- */
/* Big chains only; sets chain->index. */
void nd_rule_index_build(struct nd_arena *arena, struct nd_rchain *chain);
/* Rules of a chain, in order, without those that an exact address, port or device rules out. */
struct nd_cursor {
	const struct nd_rchain *chain;
	const uint32_t *any, *bucket; /* positions in rules, ascending */
	size_t nany, nbucket;
	size_t next; /* no index: position of the next rule */
};
struct nd_cursor nd_cursor_start(struct nd_eval_run *run, const struct nd_rchain *chain);
const struct nd_rrule *nd_cursor_next(struct nd_cursor *cursor);

/* ---- nat.c ---- */
enum nd_nat_done { ND_NAT_SET, ND_NAT_SKIP, ND_NAT_DROP, ND_NAT_UNKNOWN };
struct nd_tuple nd_tuple_invert(const struct nd_tuple *tuple, uint8_t proto);
/* A NAT step of a new connection: decides its translation; text: for the event. */
enum nd_nat_done nd_nat_set(struct nd_eval_run *run, const struct nd_rstep *step,
			    const char **text);
bool nd_nat_is_dst(enum nd_hook hook);
/* The packet as the connection's translation says at this hook; true: it changed. */
bool nd_nat_apply(struct nd_eval_run *run);

/* ---- rules.c ---- */
/* The priority at which the kernel runs it: NAT chains are called by the NAT core at its own. */
int32_t nd_base_priority(const struct nd_base *base);

#endif
