#include "common/base.h"

#include "plugin/walk/ipset.h"
#include "plugin/walk/ipt_compile.h"
#include "plugin/walk/route_index.h"
#include "plugin/walk/world.h"

#define FIRST_SLOTS 64 /* a power of two */

struct nd_world *nd_world_new(struct nd_arena *arena, const struct nd_cluster *cluster)
{
	struct nd_world *world = nd_arena_alloc(arena, sizeof(*world));

	world->arena = arena;
	world->cluster = cluster;
	world->nnets = FIRST_SLOTS;
	world->nets = nd_arena_array(arena, FIRST_SLOTS, sizeof(*world->nets));
	return world;
}

/* ---- namespaces ---- */

static struct nd_net **slot_of(struct nd_net **slots, size_t n, const struct nd_host *host,
			       uint64_t inode)
{
	uint64_t hash = ((uint64_t)(uintptr_t)host ^ inode) * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(hash >> 32) & (n - 1);

	while (slots[at] && (slots[at]->host != host || slots[at]->inode != inode))
		at = (at + 1) & (n - 1);
	return &slots[at];
}

static void grow(struct nd_world *world)
{
	size_t n = world->nnets * 2;
	struct nd_net **slots = nd_arena_array(world->arena, n, sizeof(*slots));

	for (size_t i = 0; i < world->nnets; i++)
		if (world->nets[i])
			*slot_of(slots, n, world->nets[i]->host, world->nets[i]->inode) =
				world->nets[i];
	world->nets = slots;
	world->nnets = n;
}

static uint64_t own_inode(const struct nd_host *host, uint64_t inode)
{
	for (size_t i = 0; host && inode && i < host->npodns; i++)
		if (host->podns[i].inode == inode && host->podns[i].is_host_network)
			return 0;
	return inode;
}

struct nd_net *nd_world_net(struct nd_world *world, const struct nd_host *host, uint64_t inode)
{
	struct nd_net **slot, *net;

	inode = own_inode(host, inode);
	slot = slot_of(world->nets, world->nnets, host, inode);
	if (*slot)
		return *slot;
	if (world->nused * 2 >= world->nnets) {
		grow(world);
		slot = slot_of(world->nets, world->nnets, host, inode);
	}
	net = *slot = nd_arena_alloc(world->arena, sizeof(*net));
	world->nused++;
	net->host = host;
	net->inode = inode;
	net->is_known = nd_space_of(host, inode, &net->space);
	net->space.index =
		nd_route_index_build(world->arena, net->space.routes, net->space.nroutes);
	nd_net_kept_new(world->arena, net);
	nd_space_fib_ask(&net->space, &net->fib);
	if (inode)
		net->pod = nd_look_pod_by_netns(world->cluster, host, inode);
	net->label = host ? host->node : "outside";
	if (inode)
		net->label = net->pod ? nd_arena_printf(world->arena, "pod %s/%s",
							net->pod->meta.ns, net->pod->meta.name)
				      : "a pod the API does not know";
	return net;
}

/* ---- rules ---- */

struct tables {
	struct nd_rtable *items;
	size_t n;
};

static void add_tables(struct nd_arena *arena, struct tables *all, const struct nd_rtable *items,
		       size_t n)
{
	for (size_t i = 0; i < n; i++)
		ND_ARENA_PUSH(arena, all->items, all->n) = items[i];
}

/* iptables-nft-save says nothing of the order in which its tables were made; nft does. */
static void set_positions(const struct nd_host *host, struct nd_rtable *tables, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < host->nnft; k++)
			if (nd_eq(host->nft[k].name, tables[i].name) &&
			    nd_eq(host->nft[k].family, tables[i].family))
				tables[i].position = (uint32_t)k + 1;
}

static void compile_ipt(struct nd_world *world, const struct nd_host *host, struct tables *all)
{
	static const enum nd_rules_backend backends[ND_IPT_BACKENDS] = {
		[ND_IPT_NFT] = ND_RULES_IPT_NFT, [ND_IPT_LEGACY] = ND_RULES_IPT_LEGACY};
	struct nd_ipset_book *ipsets = nd_ipset_book_new(world->arena, host);

	for (size_t i = 0; i < ND_IPT_BACKENDS; i++) {
		size_t n = 0;
		struct nd_rtable *items;

		items = nd_ipt_compile(world->arena, &host->ipt[i], backends[i], 4,
				       ipsets, &n);
		if (i == ND_IPT_NFT)
			set_positions(host, items, n);
		add_tables(world->arena, all, items, n);
		n = 0;
		items = nd_ipt_compile(world->arena, &host->ipt6[i], backends[i], 6,
				       ipsets, &n);
		if (i == ND_IPT_NFT)
			set_positions(host, items, n);
		add_tables(world->arena, all, items, n);
	}
}

/* Rules that we could not see may do anything. */
static const char *why_no_rules(struct nd_world *world, const struct nd_host *host)
{
	const struct nd_ipt *all[] = {&host->ipt[0], &host->ipt[1], &host->ipt6[0], &host->ipt6[1]};

	if (!nd_host_has(host, ND_SECTION_iptables))
		return nd_arena_printf(world->arena, "the iptables rules of %s are not known",
				       host->node);
	if (!nd_host_has(host, ND_SECTION_nft))
		return nd_arena_printf(world->arena, "the nftables rules of %s are not known",
				       host->node);
	for (size_t i = 0; i < ND_ARRAY_LEN(all); i++)
		if (all[i]->error)
			return nd_arena_printf(world->arena, "the rules of %s are not known: %s",
					       host->node, all[i]->error);
	return NULL;
}

const struct nd_rules *nd_net_rules(struct nd_world *world, struct nd_net *net)
{
	struct tables all = {0};

	if (net->has_rules)
		return net->no_rules ? NULL : &net->rules;
	net->has_rules = true;
	/* Nobody reads the rules inside pods; CNIs make none there. */
	if (net->inode == 0) {
		net->no_rules = why_no_rules(world, net->host);
		if (net->no_rules)
			return NULL;
		compile_ipt(world, net->host, &all);
		for (size_t i = 0; i < net->host->nnft; i++)
			if (net->host->nft[i].program && !net->host->nft[i].is_iptables)
				add_tables(world->arena, &all, net->host->nft[i].program, 1);
	}
	nd_rules_build(world->arena, all.items, all.n, &net->rules);
	return &net->rules;
}

/* ---- addresses ---- */

static int owner_order(const void *a, const void *b)
{
	const struct nd_owner *x = a, *y = b;

	if (x->ip.family != y->ip.family)
		return x->ip.family < y->ip.family ? -1 : 1;
	return memcmp(x->ip.bytes, y->ip.bytes, sizeof(x->ip.bytes));
}

static void add_owners(struct nd_world *world, const struct nd_host *host, uint64_t inode,
		       const struct nd_address *addrs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (nd_eq(addrs[i].dev, "lo") || nd_eq(addrs[i].scope, "host"))
			continue;
		ND_ARENA_PUSH(world->arena, world->owners, world->nowners) =
			(struct nd_owner){.ip = addrs[i].prefix.ip,
					  .host = host,
					  .inode = inode,
					  .dev = addrs[i].dev};
	}
}

static void find_owners(struct nd_world *world)
{
	const struct nd_cluster *cluster = world->cluster;

	world->has_owners = true;
	for (size_t i = 0; i < cluster->nhosts; i++) {
		const struct nd_host *host = &cluster->hosts[i];

		add_owners(world, host, 0, host->addrs, host->naddrs);
		for (size_t k = 0; k < host->npodns; k++)
			if (!host->podns[k].is_host_network)
				add_owners(world, host, host->podns[k].inode, host->podns[k].addrs,
					   host->podns[k].naddrs);
	}
	if (world->nowners)
		qsort(world->owners, world->nowners, sizeof(*world->owners), owner_order);
}

const struct nd_owner *nd_world_owners(struct nd_world *world, struct nd_ip ip, size_t *n)
{
	struct nd_owner key = {.ip = ip};
	size_t low = 0, high;

	if (!world->has_owners)
		find_owners(world);
	high = world->nowners;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (owner_order(&world->owners[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < world->nowners && nd_ip_eq(world->owners[low + *n].ip, ip); ++*n)
		;
	return *n ? &world->owners[low] : NULL;
}

const struct nd_node *nd_world_node_by_ip(const struct nd_world *world, struct nd_ip ip)
{
	const struct nd_cluster *cluster = world->cluster;

	for (size_t i = 0; ip.family && i < cluster->nnodes; i++)
		if (nd_ip_eq(cluster->nodes[i].internal_ip, ip) ||
		    nd_ip_eq(cluster->nodes[i].internal_ip6, ip))
			return &cluster->nodes[i];
	return NULL;
}

/* ---- devices ---- */

bool nd_world_sees_pods(const struct nd_host *host)
{
	if (!nd_host_has(host, ND_SECTION_pods))
		return false;
	for (size_t i = 0; i < host->npodns; i++)
		if (host->podns[i].error)
			return false;
	return true;
}

/* The index alone is not enough: each namespace counts from 1. Both ends must name each other. */
static const struct nd_link *end_of(const struct nd_link *links, size_t n,
				    const struct nd_link *other)
{
	for (size_t i = 0; i < n; i++)
		if (links[i].ifindex == other->link_ifindex && nd_eq(links[i].kind, "veth") &&
		    links[i].link_ifindex == other->ifindex)
			return &links[i];
	return NULL;
}

static struct nd_net *find_peer(struct nd_world *world, const struct nd_net *net,
				const struct nd_link *link, const struct nd_link **peer)
{
	const struct nd_host *host = net->host;

	*peer = NULL;
	if (!nd_eq(link->kind, "veth") || !link->link_ifindex || !host)
		return NULL;
	if (net->inode) {
		*peer = end_of(host->links, host->nlinks, link);
		return *peer ? nd_world_net(world, host, 0) : NULL;
	}
	for (size_t i = 0; i < host->npodns; i++) {
		const struct nd_podns *ns = &host->podns[i];

		*peer = ns->is_host_network ? NULL : end_of(ns->links, ns->nlinks, link);
		if (*peer)
			return nd_world_net(world, host, ns->inode);
	}
	return NULL;
}

/* A node has a device for each pod: each one's other end is looked for only once. */
struct nd_net *nd_world_peer(struct nd_world *world, struct nd_net *net, const struct nd_link *link,
			     const struct nd_link **peer)
{
	const struct nd_space *space = &net->space;
	struct nd_peer *known;

	if (space->nlinks == 0 || link < space->links || link >= space->links + space->nlinks)
		return find_peer(world, net, link, peer);
	if (!net->peers)
		net->peers = nd_arena_array(world->arena, space->nlinks, sizeof(*net->peers));
	known = &net->peers[link - space->links];
	if (!known->is_known) {
		known->net = find_peer(world, net, link, &known->link);
		known->is_known = true;
	}
	*peer = known->link;
	return known->net;
}
