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
	const struct nd_rule *rules; /* NULL: local, main, default */
	size_t nrules;
	const struct nd_socket *sockets;
	size_t nsockets;
};

/* False: nothing is known of it (no report, or it could not be entered). */
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
};
struct nd_fib {
	enum nd_fib_kind kind;
	const struct nd_route *route;
	const struct nd_rule *rule; /* the policy rule that led there, or NULL */
	const char *dev;
	struct nd_ip gateway; /* family 0: on the link */
	struct nd_ip prefsrc; /* what a sender without an address takes; family 0: none */
};
/* Policy rules by priority, longest prefix, lowest metric; as fib_lookup() does. */
void nd_space_route(const struct nd_space *space, const struct nd_fib_key *key, struct nd_fib *out);
/* What rules ask (eval.h); ctx is the space. */
void nd_space_fib_ask(const struct nd_space *space, struct nd_fib_ask *out);
const struct nd_link *nd_space_link(const struct nd_space *space, const char *dev);

#endif
