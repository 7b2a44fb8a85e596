/*
 * ruleset.h: firewall rules as small programs, the same for iptables-nft, iptables-legacy and
 * native nft. The compilers (model/nft_compile.c, walk/ipt_compile.c) make them, walk/eval.c runs
 * them. What a compiler does not know becomes ND_DO_UNKNOWN with the words it did not know: the
 * walk stops there and says so, it never guesses.
 *
 * A rule is a list of steps. A test that does not hold ends the rule; everything else acts and
 * goes on, until a verdict. Source: nft(8), iptables-extensions(8), kernel net/netfilter.
 */
#ifndef ND_PLUGIN_MODEL_RULESET_H
#define ND_PLUGIN_MODEL_RULESET_H

#include "common/addr.h"
#include "common/arena.h"

enum nd_hook { ND_PREROUTING, ND_INPUT, ND_FORWARD, ND_OUTPUT, ND_POSTROUTING, ND_HOOKS };

/* ---- values: bytes in network order, as nft compares them ---- */
#define ND_VALUE_MAX 64 /* a concatenation of up to 4 fields of 16 bytes */
struct nd_value {
	uint8_t n; /* bytes */
	uint8_t bytes[ND_VALUE_MAX];
};

/*
 * What can be loaded from a packet. Width in bytes behind each; interface names are 16 bytes,
 * filled up with NUL. A field that the packet does not have (ports of ICMP, tcp flags of UDP, an
 * IPv6 address of an IPv4 packet) makes its test fail, also a negated one.
 */
enum nd_field {
	ND_F_SADDR, /* 4 or 16: of the test's family */
	ND_F_DADDR,
	ND_F_L4PROTO,	/* 1; for IPv6 behind the extension headers */
	ND_F_NFPROTO,	/* 1: 2 or 10 */
	ND_F_SPORT,	/* 2; TCP, UDP, SCTP */
	ND_F_DPORT,	/* 2 */
	ND_F_TCP_FLAGS, /* 1: FIN 1 SYN 2 RST 4 PSH 8 ACK 16 URG 32 */
	ND_F_ICMP_TYPE, /* 1; ICMP or ICMPv6 */
	ND_F_ICMP_CODE, /* 1 */
	ND_F_IIFNAME,	/* 16; no device (OUTPUT): NULs, so that a negated test holds, as in the */
	ND_F_OIFNAME,	/* kernel (nulldevname, nft_meta_store_ifname) */
	ND_F_PHYSIN,	/* 16: bridge port; NULs on packets that were not bridged */
	ND_F_PHYSOUT,
	ND_F_MARK,	/* 4, host order value in network order bytes */
	ND_F_CT_STATE,	/* 4, bits ND_CT_*; arg 1: with ND_CT_SNAT and ND_CT_DNAT (xt_conntrack) */
	ND_F_CT_STATUS, /* 4, bits: 0x10 SNAT, 0x20 DNAT, 0x2 SEEN_REPLY, 0x8 CONFIRMED, 1 EXPECTED
			 */
	ND_F_CT_MARK,	/* 4 */
	ND_F_CT_DIR,	/* 1: 0 original, 1 reply */
	ND_F_CT_SADDR,	/* of the original direction: 4 or 16; all four: arg 1: of the reply */
	ND_F_CT_DADDR,
	ND_F_CT_SPORT, /* 2 */
	ND_F_CT_DPORT,
	ND_F_CT_PROTO,	     /* 1 */
	ND_F_FIB_SADDR_TYPE, /* 4: RTN_*: 1 unicast 2 local 3 broadcast 5 multicast 6 blackhole ...
			      */
	ND_F_FIB_DADDR_TYPE, /* arg: bit 0: limited to the incoming, bit 1: to the outgoing device
			      */
	ND_F_FIB_SADDR_OIF,  /* 4: index of the device a reply would leave by (rpfilter); 0: none.
			      * arg: bit 0: by the incoming device, else none; bit 2: routed with
			      * the packet's mark */
	/*
	 * 4: equally likely 0..arg-1, plus arg2. xt_statistic is arg 2^31 and ND_LT or ND_GE its
	 * threshold: two alternatives, the first with the probability threshold / 2^31.
	 */
	ND_F_RANDOM,
	ND_F_COUNTER,	  /* 4: nth of arg: as RANDOM for one packet that we know nothing of */
	ND_F_PKTTYPE,	  /* 1: 0 host 1 broadcast 2 multicast 3 otherhost */
	ND_F_LENGTH,	  /* 2: of the IP packet */
	ND_F_TTL,	  /* 1 */
	ND_F_DSCP,	  /* 1, 6 bits */
	ND_F_FRAG_OFFSET, /* 2 */
	ND_F_OWNER,	  /* 4: user or group of the socket; packets from elsewhere have none */
	ND_FIELDS
};
enum {
	ND_CT_INVALID = 1,
	ND_CT_ESTABLISHED = 2,
	ND_CT_RELATED = 4,
	ND_CT_NEW = 8,
	ND_CT_UNTRACKED = 64,
	ND_CT_SNAT = 128, /* the connection has this NAT; only with arg 1 of ND_F_CT_STATE */
	ND_CT_DNAT = 256
};

struct nd_load {
	enum nd_field field;
	uint8_t family; /* addresses: 4 or 6; 0 elsewhere */
	bool has_mask;	/* loaded & mask ^ xor */
	uint8_t mask[16], xor_[16];
	uint32_t arg, arg2;
};

enum nd_test_op {
	ND_EQ,
	ND_NE,
	ND_LT,
	ND_LE,
	ND_GT,
	ND_GE,
	ND_RANGE, /* lo <= value <= hi */
	ND_NOT_RANGE,
	ND_ANY_BIT, /* value & lo != 0 */
	ND_NO_BIT,  /* value & lo == 0 */
	ND_PREFIX,  /* the first lo.n bytes are lo: interface wildcards */
	ND_NOT_PREFIX,
	ND_IN, /* element of set */
	ND_NOT_IN,
	ND_IN_IPSET, /* element of ipset; without loads: what its type looks at */
	ND_NOT_IN_IPSET
};

/* ---- sets, maps, verdict maps ---- */
struct nd_verdict;
struct nd_set_item {
	struct nd_value lo, hi; /* of each part of a concatenation on its own; equal: one value */
	const struct nd_verdict *verdict; /* verdict maps */
	struct nd_value data;		  /* maps */
};
struct nd_rset {
	const char *name;	   /* or NULL: anonymous */
	uint8_t nparts, widths[4]; /* bytes of each part */
	struct nd_set_item *items; /* nitems; sorted by lo when has_order */
	size_t nitems;
	bool has_order;	 /* sorted, no two overlap, one part: binary search */
	bool has_hash;	 /* only single values: found by hash */
	uint32_t *slots; /* nslots: item + 1, 0 free; private to walk/eval.c */
	size_t nslots;
	bool is_ready; /* sorted, hashed, linked by nd_rules_build */
	const struct nd_verdict *fallback; /* element "*", or NULL */
	const char *unknown;		   /* why its elements are not all known, or NULL */
};

/*
 * ---- ipsets ----
 * Other than in a set of nft, the longest network decides, one that is marked "nomatch" against it,
 * and a packet without the field (ports of ICMP do count) is in none, so that "!" holds for it.
 */
#define ND_IPSET_MAX_DIRS 6
struct nd_ipset_index; /* walk/ipset.c */
struct nd_ipset_use {
	const char *name;
	const struct nd_ipset_index *set; /* NULL: it is not among those that are known */
	uint8_t ndirs;
	bool is_src[ND_IPSET_MAX_DIRS]; /* else dst */
	bool returns_nomatch;		/* only "nomatch" elements hold */
};

/* ---- steps ---- */
enum nd_verdict_kind {
	ND_V_ACCEPT,
	ND_V_DROP,
	ND_V_RETURN,
	ND_V_CONTINUE,
	ND_V_JUMP,
	ND_V_GOTO,
	ND_V_QUEUE, /* to a program: number, bypass */
	ND_V_REJECT,
	ND_V_STOLEN /* nft synproxy and the like */
};
struct nd_verdict {
	enum nd_verdict_kind kind;
	const char *chain;	    /* jump, goto */
	const struct nd_rchain *to; /* of chain, in the same table; NULL: there is none */
	uint16_t queue;
	bool has_bypass;
	const char *reject_with; /* "icmp-port-unreachable", "tcp-reset", ... as iptables says; */
				 /* nft: "icmpx-port-unreachable" etc.: of the packet's family */
};

enum nd_step_kind {
	ND_DO_TEST,
	ND_DO_VERDICT,
	ND_DO_VMAP,	  /* loads looked up in set: its verdict, none: go on */
	ND_DO_MARK,	  /* mark = (mark & ~mask) ^ value; iptables -j MARK, meta mark set */
	ND_DO_CT_MARK,	  /* the same for the connection mark */
	ND_DO_CT_SAVE,	  /* connection mark = (ctmark & ~mask2) ^ (mark & mask) */
	ND_DO_CT_RESTORE, /* mark = (mark & ~mask2) ^ (ctmark & mask) */
	ND_DO_DNAT,	  /* to addr/port, or by map; the four NATs end the base chain as accept */
	ND_DO_SNAT,
	ND_DO_MASQUERADE,
	ND_DO_REDIRECT,
	ND_DO_NOTRACK,
	ND_DO_TTL,     /* ttl = (ttl & ~mask) + value, within 0..255; value: two's complement */
	ND_DO_DSCP,    /* dscp = (dscp & ~mask) ^ value */
	ND_DO_NOTHING, /* counter, log, comment, TCPMSS, CHECKSUM ... */
	ND_DO_LIMIT,   /* a rate: for one packet it passes; eval says "while below the rate" */
		       /* value 1: "over" the rate, so for one packet it does not pass */
	ND_DO_UNKNOWN
};

struct nd_nat {
	struct nd_ip lo, hi;	   /* family 0: the address stays (redirect: that of the device) */
	uint16_t port_lo, port_hi; /* 0: the port stays if it can */
	bool is_random, is_persistent;
	const struct nd_rset *map; /* loads of the step -> data: address, or address and port */
	uint8_t map_addr_n, map_port_n; /* bytes of each in data; port 0: none */
};

/* Small, as there are half a million: what no kind of step has at once shares its place. */
struct nd_rstep {
	enum nd_step_kind kind;
	uint8_t nloads;
	enum nd_test_op op;
	const struct nd_load *loads; /* nloads: side by side, one value; the same for many steps */
	const char *unknown;	     /* the words that are not known */
	union {
		struct { /* TEST, VMAP */
			struct nd_value lo, hi;
			const struct nd_rset *set;
		};
		const struct nd_ipset_use *ipset; /* TEST with ND_IN_IPSET, ND_NOT_IN_IPSET */
		struct nd_verdict verdict;
		struct nd_nat nat;
		struct { /* MARK, CT_* */
			uint32_t value, mask, mask2;
		};
	};
};

struct nd_rrule {
	const char *text; /* as iptables-save or nft prints it, without counters */
	uint32_t number;  /* 1.. in its chain */
	uint64_t handle, packets;
	bool has_counter;
	struct nd_rstep *steps; /* nsteps */
	size_t nsteps;
};

enum nd_chain_type { ND_CHAIN_FILTER, ND_CHAIN_NAT, ND_CHAIN_ROUTE };
struct nd_rchain {
	const char *name;
	bool is_base;
	enum nd_chain_type type;
	enum nd_hook hook;
	int32_t priority;
	const char *other_hook; /* "ingress", "egress": not a base chain here; NULL: none */
	bool is_drop;		/* policy */
	uint64_t policy_packets;
	struct nd_rrule *rules; /* nrules */
	size_t nrules;
	struct nd_rule_index *index; /* by destination; private to walk/eval.c; NULL: none */
};

enum nd_rules_backend { ND_RULES_IPT_NFT, ND_RULES_IPT_LEGACY, ND_RULES_NFT };
struct nd_rtable {
	enum nd_rules_backend backend;
	const char *family; /* "ip", "ip6", "inet" (IPv4 and IPv6), "bridge", "netdev", "arp" */
	const char *name;
	struct nd_rchain *chains; /* nchains */
	size_t nchains;
	struct nd_rset **sets; /* nsets, named */
	size_t nsets;
	/* nft and iptables-nft: 1.. place in `nft list ruleset`, the order of creation; 0: unknown.
	 * Of base chains with one priority the kernel calls the one that was made last first. */
	uint32_t position;
};

#endif
