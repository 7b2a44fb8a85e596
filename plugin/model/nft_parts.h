/*
 * nft_parts.h: what the files of the nft compiler share. Private to model/nft_*.c.
 *
 *	nft_compile.c	elements: tables, chains, rules, sets
 *	nft_stmt.c	statements of a rule -> steps		nft_nat.c	those that rewrite
 *	nft_expr.c	left sides -> loads			nft_set.c	sets and maps
 *	nft_kind.c	constants -> bytes
 */
#ifndef ND_PLUGIN_MODEL_NFT_PARTS_H
#define ND_PLUGIN_MODEL_NFT_PARTS_H

#include "plugin/model/index.h"
#include "plugin/model/json.h"
#include "plugin/model/nft_compile.h"

#define ND_NFT_MAX_STEPS 256	     /* of one rule */
#define ND_NFT_MAX_ALL_STEPS 1000000 /* of one ruleset */
#define ND_NFT_MAX_ALL_ITEMS 1000000 /* of all its sets */
#define ND_NFT_MAX_PARTS 4
#define ND_NFT_MAX_DEPTH 8 /* of operators */

/* ---- kinds of values: a datatype of nft, as the walk holds it ---- */
enum nd_nft_form {
	ND_NFT_NUMBER, /* big endian */
	ND_NFT_ADDR,
	ND_NFT_IFNAME,	  /* also interface indexes: nft prints them as names */
	ND_NFT_ETHERTYPE, /* held as nfproto: 2, 10, 0 for all others */
	ND_NFT_PRESENCE	  /* an interface index of which only "is there one" is known */
};
struct nd_nft_word {
	const char *text;
	uint32_t value;
};
struct nd_nft_kind {
	const char *type; /* as sets name it, or NULL */
	enum nd_nft_form form;
	uint8_t width;			 /* bytes */
	bool is_bits;			 /* a list of words is their "or" */
	uint32_t known_bits;		 /* those that the walk knows; 0: all */
	const struct nd_nft_word *words; /* ended by text NULL; or NULL */
};
enum nd_nft_kind_id {
	ND_NFT_K_ADDR4,
	ND_NFT_K_ADDR6,
	ND_NFT_K_PROTO,
	ND_NFT_K_PORT,
	ND_NFT_K_MARK,
	ND_NFT_K_IFNAME,
	ND_NFT_K_IFINDEX,
	ND_NFT_K_CT_STATE,
	ND_NFT_K_CT_STATUS,
	ND_NFT_K_CT_DIR,
	ND_NFT_K_ICMP_TYPE,
	ND_NFT_K_ICMP_CODE,
	ND_NFT_K_ICMP6_TYPE,
	ND_NFT_K_ICMP6_CODE,
	ND_NFT_K_TCP_FLAGS,
	ND_NFT_K_NFPROTO,
	ND_NFT_K_ETHERTYPE,
	ND_NFT_K_PKTTYPE,
	ND_NFT_K_DSCP,
	ND_NFT_K_FIB_TYPE,
	ND_NFT_K_FIB_OIF,
	ND_NFT_K_FRAG,
	ND_NFT_K_UID,
	ND_NFT_K_GID,
	ND_NFT_K_U8,
	ND_NFT_K_U16,
	ND_NFT_K_U32,
	ND_NFT_KINDS
};
const struct nd_nft_kind *nd_nft_kind(enum nd_nft_kind_id id);
const struct nd_nft_kind *nd_nft_kind_of_type(const char *type); /* NULL: not known */
/* One value into kind->width bytes. */
bool nd_nft_constant(const struct nd_nft_kind *kind, const cJSON *value, uint8_t *out);
/* The same for values, prefixes, ranges and "eth*". */
bool nd_nft_span(const struct nd_nft_kind *kind, const cJSON *value, uint8_t *lo, uint8_t *hi);
/* Length of what stands before the wildcard in "eth*"; -1: no wildcard. */
int nd_nft_wildcard(const cJSON *value);
void nd_nft_number(uint32_t number, uint8_t width, uint8_t *out);

/* Side by side: what is loaded, what a set is made of, what a map gives. */
struct nd_nft_kinds {
	const struct nd_nft_kind *at[ND_NFT_MAX_PARTS];
	uint8_t n;
};
bool nd_nft_kinds_eq(const struct nd_nft_kinds *a, const struct nd_nft_kinds *b); /* of one width */

/* ---- sets ---- */
struct nd_nft_def {
	struct nd_rset *set;
	struct nd_nft_kinds key, data;
	bool is_map, has_verdicts;
};

struct nd_nft_tab; /* a table; private to nft_compile.c */

/* ---- the rule that is being compiled ---- */
struct nd_nft_build {
	struct nd_nft_compiler *compiler;
	struct nd_arena *arena;
	const char *family;
	const struct nd_nft_tab *tab;
	struct nd_rstep *steps; /* nsteps, at most ND_NFT_MAX_STEPS; of the compiler */
	size_t nsteps;
	bool is_over;
	/* What an earlier test made sure of; 0: nothing. nft leaves out tests that follow. */
	uint8_t nfproto, l4proto;
};

/* nft_compile.c */
const char *nd_nft_text_once(struct nd_nft_compiler *compiler, const char *text);
struct nd_rstep *nd_nft_step(struct nd_nft_build *build, enum nd_step_kind kind);
void nd_nft_unknown(struct nd_nft_build *build, const cJSON *stmt);
/* The same loads once for all steps that use them. */
const struct nd_load *nd_nft_loads_once(struct nd_nft_compiler *compiler,
					const struct nd_load *loads, size_t n);
/* NULL: there is none (yet). */
const struct nd_nft_def *nd_nft_find_set(struct nd_nft_build *build, const char *name);
/* Room for n more elements; false: that is too many. */
bool nd_nft_take_items(struct nd_nft_compiler *compiler, size_t n);

/* nft_expr.c: what stands on the left side of a match, or is the key of a map */
struct nd_nft_left {
	struct nd_load loads[ND_NFT_MAX_PARTS];
	struct nd_nft_kinds kinds;
};
/* Adds the tests that it implies; false: not known. */
bool nd_nft_left(struct nd_nft_build *build, const cJSON *expr, struct nd_nft_left *out);
void nd_nft_need_family(struct nd_nft_build *build, uint8_t family);
void nd_nft_need_proto(struct nd_nft_build *build, uint8_t proto);
void nd_nft_need_connection(struct nd_nft_build *build);
/* All bits that are compared are among those that the walk knows. */
bool nd_nft_is_whole(const struct nd_nft_left *left);
void nd_nft_use(struct nd_nft_build *build, struct nd_rstep *step, const struct nd_nft_left *left);

/* nft_set.c */
bool nd_nft_types(struct nd_nft_build *build, const cJSON *types, struct nd_nft_kinds *out);
/* An object "set" or "map": what it is made of, and its elements. */
void nd_nft_def_read(struct nd_nft_build *build, const cJSON *object, bool is_map,
		     struct nd_nft_def *def);
void nd_nft_def_add(struct nd_nft_build *build, const cJSON *elements, struct nd_nft_def *def);
/* "@name" or {"set": [...]}; NULL: neither, or not for such keys. data NULL: any. */
const struct nd_nft_def *nd_nft_set_of(struct nd_nft_build *build, const cJSON *value,
				       const struct nd_nft_kinds *key,
				       const struct nd_nft_def *like);

/* nft_stmt.c */
void nd_nft_stmt(struct nd_nft_build *build, const cJSON *stmt);
bool nd_nft_verdict(struct nd_nft_build *build, const cJSON *stmt, struct nd_verdict *out);

/* nft_nat.c; false: not known */
bool nd_nft_do_nat(struct nd_nft_build *build, const char *name, const cJSON *value);
bool nd_nft_do_mangle(struct nd_nft_build *build, const cJSON *value);

#endif
