/*
 * space.h: one network namespace of the model, a node's own or a pod's, as routing sees it.
 */
#ifndef ND_PLUGIN_WALK_SPACE_H
#define ND_PLUGIN_WALK_SPACE_H

#include "plugin/model/look.h"
#include "plugin/walk/eval.h"

struct nd_space {
	const struct nd_host *host;
	const struct nd_podns *podns; /* NULL: the node's own */
	const struct nd_link *links;
	size_t nlinks;
	const struct nd_address *addrs;
	size_t naddrs;
	const struct nd_route *routes;
	size_t nroutes;
	const struct nd_route_index *index; /* of routes; NULL: none was made */
	const struct nd_rule *rules;	    /* NULL: local, main, default */
	size_t nrules;
	const struct nd_socket *sockets;
	size_t nsockets;
	bool has_sockets;	  /* the list came */
	bool has_ifaces;	  /* links and addresses came */
	bool has_custom_rules[2]; /* more than local, main, default; [1]: IPv6 */
};

/* False: its routes are not known (no report, or it could not be entered). */
bool nd_space_of(const struct nd_host *host, uint64_t netns_inode, struct nd_space *out);

enum nd_fib_kind {
	ND_FIB_NONE, /* ENETUNREACH */
	ND_FIB_UNICAST,
	ND_FIB_LOCAL,
	ND_FIB_BROADCAST,
	ND_FIB_MULTICAST,
	ND_FIB_BLACKHOLE,
	ND_FIB_UNREACHABLE,
	ND_FIB_PROHIBIT,
	ND_FIB_UNKNOWN /* a rule or route that is not modelled */
};
struct nd_fib_key {
	struct nd_ip dst, src; /* src family 0: not chosen yet */
	const char *iif;       /* NULL: sent from here; "lo" for rules */
	const char *oif;       /* bound to, or NULL */
	uint32_t mark;
	uint32_t nth; /* which one of a multipath route, 0..nequal-1 of the first answer */
};
struct nd_fib {
	enum nd_fib_kind kind;
	const struct nd_route *route;
	const struct nd_rule *rule; /* the policy rule that led there, or NULL */
	const char *dev;
	struct nd_ip gateway; /* family 0: on the link */
	struct nd_ip prefsrc; /* what a sender without an address takes; family 0: none */
	/*
	 * Next hops the kernel chooses from, by a hash of the flow that nobody can foresee: ask
	 * again with nth. 1: no choice. The weights are not in the model.
	 */
	uint32_t nequal;
	const char *unknown; /* of ND_FIB_UNKNOWN: what is not modelled */
};
/*
 * Policy rules by priority, longest prefix, lowest metric; as fib_lookup() does. Without custom
 * rules IPv4 looks into local and main at once: the longest prefix of both wins (kernel:
 * net/ipv4/fib_frontend.c, fib_unmerge). A route on a device without carrier is used, as long as
 * ignore_routes_with_linkdown is not set, which nobody reads; a dead one is not.
 */
void nd_space_route(const struct nd_space *space, const struct nd_fib_key *key, struct nd_fib *out);
/* RTN_* number of an address, as inet_addr_type() gives it; dev NULL: any. */
uint32_t nd_space_addr_type(const struct nd_space *space, struct nd_ip ip, const char *dev);
/*
 * The address that a device takes to speak to dst (inet_select_addr, ipv6_dev_get_saddr); scope:
 * of the route, "global" when NULL. Family 0: it has none.
 */
struct nd_ip nd_space_source(const struct nd_space *space, const char *dev, struct nd_ip dst,
			     const char *scope);
bool nd_ip_is_link_local(struct nd_ip ip); /* fe80::/10; source.c */
/* One of the addresses of the space; dev NULL: any device. */
bool nd_space_has_addr(const struct nd_space *space, struct nd_ip ip, const char *dev);
/* What rules ask (eval.h); ctx is the space. */
void nd_space_fib_ask(const struct nd_space *space, struct nd_fib_ask *out);
const struct nd_link *nd_space_link(const struct nd_space *space, const char *dev);

#endif
