/*
 * ipt_rule.h: one rule of iptables-save while it is compiled, and the tables of the matches and
 * targets that are known. Private to walk/ipt_*.c.
 *
 * A match or target is a row (struct nd_ipt_ext) in one of the tables at the end of ipt_match_*.c
 * and ipt_target.c: its name and its options. To know another one: one more row.
 */
#ifndef ND_PLUGIN_WALK_IPT_RULE_H
#define ND_PLUGIN_WALK_IPT_RULE_H

#include "common/text.h"
#include "plugin/walk/ipt_compile.h"

#define ND_IPT_MAX_LINE 8192 /* bytes; a comment has at most 256, a line about 2,000 */
#define ND_IPT_MAX_WORDS 256
#define ND_IPT_MAX_STEPS 96
#define ND_IPT_MAX_ARGS 24    /* options of one match */
#define ND_IPT_NAME_SLOTS 256 /* a power of two, above the number of rows in all tables */

struct nd_ipt_work;
struct nd_ipt_option;

/* One option as it stood in the rule. */
struct nd_ipt_arg {
	const struct nd_ipt_option *option;
	bool is_not;
	const char *values[2]; /* option->nvalues */
};
struct nd_ipt_option {
	const char *name;
	uint8_t nvalues;
	/* Adds its steps; false: not understood. NULL: nothing to do, or finish does it. */
	bool (*set)(struct nd_ipt_work *work, const struct nd_ipt_arg *arg);
	enum nd_field field; /* that set looks at */
	uint32_t arg;	     /* of the load, or what set takes it for */
};
struct nd_ipt_ext {
	const char *name;
	uint8_t family;			     /* 4, 6, 0: both */
	uint8_t proto;			     /* the packet must be of it; 0: any */
	bool is_nothing;		     /* targets: ND_DO_NOTHING, whatever the options say */
	const struct nd_ipt_option *options; /* the last has no name; NULL: none */
	bool (*finish)(struct nd_ipt_work *work); /* behind the last option, or NULL */
};

/* Rows by name. */
struct nd_ipt_names {
	const struct nd_ipt_ext *slots[ND_IPT_NAME_SLOTS];
};

/* Made once for many rules: nd_ipt_work_init, then nd_ipt_work_rule for each. */
struct nd_ipt_work {
	struct nd_arena *arena;
	const struct nd_ipt *ipt; /* with the table's chains; NULL: every jump is one */
	const struct nd_ipt_table *table;
	struct nd_ipset_book *ipsets; /* or NULL: nobody knows what is in them */
	uint8_t family;
	struct nd_ipt_names matches, targets;
	const struct nd_load *plain; /* a load without mask, by field and nd_ipt_plain() */

	/* of the rule at hand */
	char bytes[ND_IPT_MAX_LINE];
	const char *words[ND_IPT_MAX_WORDS];
	size_t nwords, at;
	uint8_t proto; /* -p without "!", or 0 */
	bool is_goto, is_behind_target;
	const struct nd_ipt_ext *ext; /* the match or target whose options are read, or NULL */
	const char *chain;	      /* user-defined target, or NULL */
	size_t ext_start;	      /* word */
	bool ext_failed;
	struct nd_ipt_arg args[ND_IPT_MAX_ARGS]; /* nargs: options of ext so far */
	size_t nargs;
	struct nd_rstep steps[ND_IPT_MAX_STEPS + 1]; /* the last: thrown away */
	size_t nsteps, ntests; /* ntests: steps that stand before those of the target */
	bool is_full, is_unknown;
	char unknown[ND_IPT_MAX_LINE + ND_IPT_MAX_WORDS];
	size_t nunknown;
};

void nd_ipt_work_init(struct nd_ipt_work *work, struct nd_arena *arena, uint8_t family);
void nd_ipt_work_rule(struct nd_ipt_work *work, const char *text, struct nd_rrule *out);

/* ---- for the rows' functions: ipt_step.c ---- */
/* The next step, zeroed but for its kind. Never NULL: too many make the rule unknown. */
struct nd_rstep *nd_ipt_step(struct nd_ipt_work *work, enum nd_step_kind kind);
const struct nd_load *nd_ipt_plain(const struct nd_ipt_work *work, enum nd_field field);
const struct nd_load *nd_ipt_load(struct nd_ipt_work *work, struct nd_load load);
struct nd_value nd_ipt_value(uint64_t number, uint8_t nbytes);
struct nd_rstep *nd_ipt_test(struct nd_ipt_work *work, const struct nd_load *load,
			     enum nd_test_op op, uint64_t lo, uint8_t nbytes);
/* lo..hi, or one value; in or not in. */
void nd_ipt_test_range(struct nd_ipt_work *work, const struct nd_load *load, bool is_not,
		       uint64_t lo, uint64_t hi, uint8_t nbytes);
/* (value & mask) == number */
void nd_ipt_test_masked(struct nd_ipt_work *work, enum nd_field field, bool is_not, uint32_t number,
			uint32_t mask, uint8_t nbytes);
/* An address of field under a mask as "/8" or "/255.0.0.0" says. */
bool nd_ipt_test_prefix(struct nd_ipt_work *work, const struct nd_ipt_arg *arg);
/* A device name, "+" at its end for any. */
bool nd_ipt_test_device(struct nd_ipt_work *work, const struct nd_ipt_arg *arg);
void nd_ipt_test_never(struct nd_ipt_work *work);
void nd_ipt_test_set(struct nd_ipt_work *work, const struct nd_load *loads, uint8_t nloads,
		     bool is_not, const struct nd_rset *set);
const struct nd_ipt_arg *nd_ipt_arg_find(const struct nd_ipt_work *work, const char *name);

/* ---- numbers: whole texts; base 10, or 16 behind 0x ---- */
bool nd_ipt_number(struct nd_str text, uint32_t max, uint32_t *out);
bool nd_ipt_range(const char *text, char separator, uint32_t max, uint32_t *lo, uint32_t *hi);
bool nd_ipt_masked(const char *text, uint32_t *number, uint32_t *mask); /* no mask: all ones */
bool nd_ipt_ip(const struct nd_ipt_work *work, struct nd_str text, struct nd_ip *out);
bool nd_ipt_ip_range(const struct nd_ipt_work *work, struct nd_str text, struct nd_ip *lo,
		     struct nd_ip *hi);
bool nd_ipt_proto(const char *text, uint8_t *out);
/* Items of a list "A,B,C"; false at its end. */
bool nd_ipt_list_next(struct nd_str *rest, struct nd_str *item);
struct nd_ipt_word {
	const char *name;
	uint32_t value;
};
/* The values of all names in a list, or'ed; false: one is not among words[n]. */
bool nd_ipt_bits(const char *list, const struct nd_ipt_word *words, size_t n, uint32_t *out);

/* The tables; each ends with a row without name. */
extern const struct nd_ipt_ext nd_ipt_matches_l4[], nd_ipt_matches_ct[], nd_ipt_matches_net[],
	nd_ipt_matches_chance[], nd_ipt_matches_set[], nd_ipt_targets[], nd_ipt_targets_set[];

#endif
