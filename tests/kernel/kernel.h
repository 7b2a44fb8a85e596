/*
 * kernel.h: random rule sets and packets, run by the kernel and by the walk, compared.
 *
 * A client A, a router R and a server B are three network namespaces that only this process holds;
 * they end with it. A and B have no addresses: they send frames that we made and swallow what
 * comes, so that the only packets in R are ours. The walk is told what R's own tools say of R.
 *
 * A scenario is a rule set, routes and a few packets; every packet is one case.
 */
#ifndef ND_TESTS_KERNEL_H
#define ND_TESTS_KERNEL_H

#include "common/buf.h"
#include "common/text.h"
#include "plugin/model/build.h"
#include "plugin/walk/world.h"

#include <stdarg.h>

/* ---- chance of our own: splitmix64 ---- */
struct rng {
	uint64_t state;
};
static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = (rng->state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}
static inline uint32_t rng_pick(struct rng *rng, uint32_t n)
{
	return n ? (uint32_t)(rng_next(rng) % n) : 0;
}
static inline bool rng_chance(struct rng *rng, uint32_t percent)
{
	return rng_pick(rng, 100) < percent;
}

/* ---- the scenario ---- */
enum layer { LAYER_IPT, LAYER_LEGACY, LAYER_NFT, LAYERS };

#define MAX_PARTS 6
struct test_rule {
	enum layer layer;
	const char *family; /* nft: "ip", "ip6", "inet"; iptables: "ip", "ip6" */
	const char *table, *chain;
	const char *parts[MAX_PARTS]; /* nparts: matches */
	size_t nparts;
	const char *target; /* "-j DROP", "dnat to 10.2.0.3"; "": none */
	bool is_off;
};
/* iptables: ":CHAIN POLICY"; nft: a line "add table ...", "add chain ...", "add set ...". */
struct test_decl {
	enum layer layer;
	const char *family, *table, *text;
	bool is_off;
};
enum side { SIDE_A, SIDE_B, SIDE_R };
struct test_packet {
	enum side from;
	int follows; /* -1: new connection; else packet whose connection it continues */
	bool is_reply;
	uint8_t family, proto;
	struct nd_tuple t;
	uint8_t tcp_flags, icmp_type, icmp_code, ttl, dscp;
	uint16_t payload; /* bytes */
	uint32_t mark;
	const char *expect; /* of a kept case: "fate=sent ttl=4", or NULL */
	bool is_off;
};
#define MAX_PACKETS 8
#define MAX_PAYLOAD 1400
struct scenario { /* what is loaded: a new field goes into case.c, too */
	struct nd_arena arena;
	uint64_t seed;
	uint32_t level;
	struct test_decl *decls; /* ndecls */
	size_t ndecls;
	struct test_rule *rules; /* nrules */
	size_t nrules;
	struct test_decl *routes; /* nroutes: lines of `ip -batch`; layer is not used */
	size_t nroutes;
	struct test_decl *sets; /* nsets: lines of `ipset restore`; layer is not used */
	size_t nsets;
	bool is_strict; /* rp_filter 1 */
	struct test_packet packets[MAX_PACKETS];
	size_t npackets;
	bool has[LAYERS];
	const char *lie[2]; /* a text of the rules, and what the walk is told instead; or NULL */
};

/* ---- what happened to a packet ---- */
enum fate { FATE_GONE, FATE_LOCAL, FATE_SENT, FATE_REJECTED, FATE_UNKNOWN };
struct outcome {
	enum fate fate;
	const char *dev; /* SENT */
	struct nd_tuple t;
	uint32_t mark;
	uint8_t ttl, dscp;
	const char *error; /* REJECTED: as iptables says */
	bool is_before_ct; /* walk: it ended before connection tracking saw it */
	bool is_port_free; /* walk: the kernel picks the source port */
	uint32_t *hits;	   /* of each row of the counters */
	struct nd_ct ct;   /* walk: the connection afterwards */
	double share;	   /* walk */
	const char *why;   /* walk: UNKNOWN: the words; else the rule that ended it */
};

/* ---- counters ---- */
struct counter_row {
	enum layer layer;
	const char *family, *table, *chain, *text;
	uint32_t number; /* 1.. in its chain */
	uint64_t packets;
};
struct counters {
	struct counter_row *rows; /* nrows */
	size_t nrows;
	struct nd_buf save[3], list; /* ipt 4, ipt 6, legacy 4; nft JSON */
};

/* ---- child.c ---- */
/* argv with input on stdin; stdout (with input: stderr too) into *out (or NULL); exit code, -1: it
 * did not run. */
int child_run(const char *const *argv, const char *input, size_t n, struct nd_buf *out);

/* ---- box.c ---- */
struct box {
	int frames[2];	     /* AF_PACKET in A and B, to send */
	int capture;	     /* AF_PACKET in R */
	int local[2][3];     /* raw sockets in R: [IPv6][tcp, udp, icmp] */
	uint32_t ifindex[3]; /* in R: ra, rb, lo */
	int nfnl;	     /* nfnetlink in R */
	const char *dev[3];
};
void box_make(struct box *box); /* ends the process when it cannot */
void box_flush_conntrack(struct box *box);
bool box_write(const char *path, const char *text);
extern const uint16_t box_ports[]; /* with a listener in R that swallows; 0 ends */

/* ---- send.c ---- */
/* id: of the IP header. False: the kernel refused to send (reason in errno). */
bool packet_send(struct box *box, const struct test_packet *packet, uint16_t id);
/* Until all that was sent before has gone its way through R. */
void packet_fence(struct box *box);

/* ---- observe.c ---- */
void observe_start(struct box *box); /* forget what was seen */
/* Takes one frame of the capture: is it the fence with this number? */
bool observe_is_fence(struct box *box, uint32_t number);
void observe_outcome(struct box *box, struct nd_arena *arena, const struct test_packet *packet,
		     uint16_t id, struct outcome *out);
/* ---- counters.c ---- */
void counters_read(struct nd_arena *arena, const struct scenario *s, struct counters *out);
void counters_free(struct counters *counters);

/* ---- load.c ---- */
bool scenario_load(struct box *box, const struct scenario *s, struct nd_buf *errors);
void scenario_text(const struct scenario *s, struct nd_buf *out);

/* ---- router.c: the walk through R ---- */
struct router {
	struct nd_model *model;
	struct nd_arena arena;
	struct nd_world *world;
	struct nd_net *net;
	const struct nd_rules *rules;
	bool is_strict;
	const struct counters *counters;
};
void router_make(struct router *router, const struct scenario *s, const struct counters *counters);
void router_free(struct router *router);
/* All alternatives; ct: of the connection so far, or NULL. */
size_t router_walk(struct router *router, const struct test_packet *packet, const struct nd_ct *ct,
		   struct outcome **out);

/* ---- gen_*.c ---- */
struct gen {
	struct rng rng;
	struct scenario *s;
	struct nd_arena *arena;
	const struct test_packet *focus; /* whom rules should match */
	enum layer layer;
	const char *family, *table, *chain;
	uint8_t ip;	/* 4, 6 */
	uint32_t hooks; /* bits of enum nd_hook from which the chain is reached */
	uint8_t proto;	/* said by the rule already, or 0 */
};
#define HOOK(h) (1u << (h))
#define ALL_HOOKS 31u
void gen_scenario(struct scenario *s, uint64_t seed, uint32_t level);
void gen_packets(struct gen *gen);
void gen_iptables(struct gen *gen, enum layer layer);
void gen_nft(struct gen *gen);
void gen_kube(struct gen *gen);
void gen_routes(struct gen *gen);
const char *gen_ip(struct gen *gen, bool is_src); /* near the focus */
const char *gen_prefix(struct gen *gen, bool is_src);
uint16_t gen_port(struct gen *gen);
uint32_t gen_mark(struct gen *gen);
const char *gen_nat_ip(struct gen *gen, bool is_src);
struct test_rule *gen_rule(struct gen *gen);
void gen_decl(struct gen *gen, const char *fmt, ...) ND_PRINTF(2, 3);
/* Options of the compiler's tables that no generator makes: how many, printed. */
size_t gen_uncovered(void);

/* ---- compare.c ---- */
/* NULL: one of the alternatives is what the kernel did; else the difference. */
const char *compare(struct nd_arena *arena, const struct counters *counters, struct outcome *kernel,
		    struct outcome *walks, size_t nwalks, size_t *which);
void outcome_text(const struct counters *counters, const struct outcome *outcome,
		  struct nd_buf *out);

/* ---- case.c: a scenario as a file ---- */
void case_write(const struct scenario *s, struct nd_buf *out);
/* ND_E_INPUT says which line. The arena of *s is the caller's, also then. */
int case_read(const char *path, struct scenario *s, struct nd_err *err) ND_MUST_USE;
int case_parse(const char *path, struct nd_str text, struct scenario *s,
	       struct nd_err *err) ND_MUST_USE;
/* Is the same loaded and sent when it is written and read again? Nothing of it may be off. */
bool case_is_exact(const struct scenario *s);
/* Is that what the kernel did? NULL: yes, or nothing is expected. */
const char *case_differs(struct nd_arena *arena, const char *expect, const struct outcome *kernel);

/* ---- replay.c ---- */
/* Are all of them cases? Prints the first that is not, and why. */
bool replay_can(char *const *paths, size_t n);
/* Runs the files, a line each: the exit code. */
int replay(struct box *box, char *const *paths, size_t n);

/* ---- run.c ---- */
struct tally {
	uint64_t cases, agree, differ, unknown, skipped, broken_sets, sets, with_ipsets;
	uint64_t fates[FATE_UNKNOWN + 1];
};
/* The first packet that differs, or -1; why into *out when not NULL. */
int scenario_run(struct box *box, struct scenario *s, struct tally *tally, struct nd_buf *out);
/* ---- shrink.c ---- */
/* False: it did not differ when it was done again, three times. */
bool scenario_shrink(struct box *box, struct scenario *s, int packet);

#endif
