/*
 * world.h: all network namespaces of a cluster, for the walk: rules compiled when first needed, who
 * has which address, which device is the other end of which. Private to walk/.
 *
 *	struct nd_net *net = nd_world_net(world, host, inode);
 *	if (nd_net_rules(world, net)) ...
 */
#ifndef ND_PLUGIN_WALK_WORLD_H
#define ND_PLUGIN_WALK_WORLD_H

#include "plugin/walk/space.h"
#include "plugin/walk/walk.h"

/* The other end of a veth device. */
struct nd_peer {
	struct nd_net *net; /* NULL: in no namespace that was reported */
	const struct nd_link *link;
	bool is_known; /* was looked for */
};

struct nd_net {
	const struct nd_host *host;
	uint64_t inode; /* 0: the node's own */
	struct nd_space space;
	bool is_known; /* space is filled */
	struct nd_fib_ask fib;
	const struct nd_pod *pod; /* whose it is; NULL: the node's own, or unknown */
	const char *label;	  /* "w1", "pod shop/web-1" */
	bool has_rules;		  /* rules were compiled */
	struct nd_rules rules;
	const char *no_rules;	  /* why they are not known, or NULL */
	struct nd_peer *peers;	  /* of space.links, as far as they were asked for, or NULL */
	struct nd_net_kept *kept; /* answers that were given before; net.c */
};

struct nd_world {
	struct nd_arena *arena;
	const struct nd_cluster *cluster;
	struct nd_net **nets; /* nnets, a hash table of host and inode; NULL: free */
	size_t nnets, nused;
	struct nd_owner *owners; /* nowners, by address */
	size_t nowners;
	bool has_owners;
	uint64_t nrules; /* looked at by all walks */
};

/* Who has an address. Addresses of loopback devices and of scope host are nobody's. */
struct nd_owner {
	struct nd_ip ip;
	const struct nd_host *host;
	uint64_t inode;
	const char *dev;
};

/* Never NULL; see is_known. The inode of a pod on the host's network gives the node's own. */
struct nd_net *nd_world_net(struct nd_world *world, const struct nd_host *host, uint64_t inode);
/* Compiled; NULL: not known, net->no_rules says why. */
const struct nd_rules *nd_net_rules(struct nd_world *world, struct nd_net *net);
/* The first of *n owners, side by side: a ptp gateway address stands on many devices. */
const struct nd_owner *nd_world_owners(struct nd_world *world, struct nd_ip ip, size_t *n);
/* A node that the API knows by that address; NULL: none. */
const struct nd_node *nd_world_node_by_ip(const struct nd_world *world, struct nd_ip ip);
/* The other end of a veth device; NULL: not in any namespace that was reported. */
struct nd_net *nd_world_peer(struct nd_world *world, struct nd_net *net, const struct nd_link *link,
			     const struct nd_link **peer);
/* "w1: WHAT"; as long as the world. */
const char *nd_net_where(const struct nd_net *net, const char *what);
/* One of its routes, as ip route prints it; as long as the world. */
const char *nd_net_route_text(const struct nd_net *net, const struct nd_route *route);
/* A sysctl of the node as a number; fallback: it is not there. Pods: always fallback. */
int64_t nd_net_sysctl(const struct nd_net *net, const char *key, int64_t fallback);
/* The same for "net.ipv4.conf.DEV.NAME". */
int64_t nd_net_conf(const struct nd_net *net, const char *dev, const char *name, int64_t fallback);
void nd_net_kept_new(struct nd_arena *arena, struct nd_net *net);
/* Were all pod namespaces of the node entered? Then what is in none of them is nowhere. */
bool nd_world_sees_pods(const struct nd_host *host);

#endif
