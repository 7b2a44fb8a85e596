/*
 * route_index.c: the routes of a namespace by destination. A node of a big cluster has one for
 * every other node and every pod; a lookup looks at one bucket for each prefix length that there
 * is.
 */
#include "common/base.h"

#include "plugin/walk/route_index.h"

#include <endian.h>

#define MIN_ROUTES 8 /* fewer are faster gone through */
#define MAX_ROUTES (UINT32_MAX / 4)

struct key {
	uint64_t high, low; /* the network; IPv4 in the upper half of high */
	uint32_t kind;	    /* family and length */
};
struct bucket {
	struct key key;
	uint32_t first, last; /* routes + 1; first 0: free */
};
struct nd_route_index {
	struct bucket *buckets; /* nbuckets, a hash table */
	size_t nbuckets;
	uint32_t *next;		  /* of a route: the next one + 1 to the same network, as listed */
	struct key masks[2][129]; /* nmasks, longest first; [1]: IPv6 */
	size_t nmasks[2];
};

static uint64_t get64(const uint8_t *p)
{
	uint64_t number;

	memcpy(&number, p, sizeof(number));
	return be64toh(number);
}

static uint64_t mask(unsigned len)
{
	return len == 0 ? 0 : len >= 64 ? UINT64_MAX : ~(UINT64_MAX >> len);
}

static struct key mask_of(uint8_t family, uint8_t len)
{
	return (struct key){mask(len), mask(len > 64 ? len - 64u : 0), (uint32_t)family << 8 | len};
}

/* The network of an address. */
static struct key key_of(const struct nd_ip *ip, const struct key *mask)
{
	return (struct key){get64(ip->bytes) & mask->high, get64(ip->bytes + 8) & mask->low,
			    mask->kind};
}

static struct bucket *bucket_of(const struct nd_route_index *index, const struct key *key)
{
	uint64_t hash = (key->high ^ key->low * 31 ^ key->kind) * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(hash >> 32) & (index->nbuckets - 1);

	for (;; at = (at + 1) & (index->nbuckets - 1)) {
		struct bucket *bucket = &index->buckets[at];

		if (!bucket->first ||
		    (bucket->key.high == key->high && bucket->key.low == key->low &&
		     bucket->key.kind == key->kind))
			return bucket;
	}
}

/* As nd_prefix_has() takes it: a length past the end of an address means all of it. */
static uint8_t len_of(const struct nd_prefix *dst)
{
	uint8_t bits = dst->ip.family == 4 ? 32 : 128;

	return dst->len > bits ? bits : dst->len;
}

static void add(struct nd_route_index *index, const struct nd_route *route, uint32_t at)
{
	struct key cut = mask_of(route->family, len_of(&route->dst));
	struct key key = key_of(&route->dst.ip, &cut);
	struct bucket *bucket = bucket_of(index, &key);

	if (bucket->first)
		index->next[bucket->last - 1] = at + 1;
	else
		*bucket = (struct bucket){.key = key, .first = at + 1};
	bucket->last = at + 1;
}

const struct nd_route_index *nd_route_index_build(struct nd_arena *arena,
						  const struct nd_route *routes, size_t n)
{
	bool has_len[2][129] = {0};
	struct nd_route_index *index;

	if (n < MIN_ROUTES || n > MAX_ROUTES)
		return NULL;
	index = nd_arena_alloc(arena, sizeof(*index));
	for (index->nbuckets = 16; index->nbuckets < n * 2;)
		index->nbuckets *= 2;
	index->buckets = nd_arena_array(arena, index->nbuckets, sizeof(*index->buckets));
	index->next = nd_arena_array(arena, n, sizeof(*index->next));
	for (size_t i = 0; i < n; i++) {
		uint8_t family = routes[i].dst.ip.family;

		/* Others hold for no address. */
		if ((family != 4 && family != 6) || routes[i].family != family)
			continue;
		add(index, &routes[i], (uint32_t)i);
		has_len[family == 6][len_of(&routes[i].dst)] = true;
	}
	for (size_t f = 0; f < 2; f++)
		for (size_t len = 129; len-- > 0;)
			if (has_len[f][len])
				index->masks[f][index->nmasks[f]++] =
					mask_of(f ? 6 : 4, (uint8_t)len);
	return index;
}

struct nd_route_cursor nd_route_cursor_start(const struct nd_space *space, struct nd_ip dst)
{
	return (struct nd_route_cursor){.space = space, .dst = dst};
}

struct nd_route_cursor nd_route_cursor_behind(const struct nd_space *space, struct nd_ip dst,
					      const struct nd_route *route)
{
	size_t at = (size_t)(route - space->routes);

	return (struct nd_route_cursor){
		.space = space, .dst = dst, .next = space->index ? space->index->next[at] : at + 1};
}

bool nd_route_cursor_shorter(struct nd_route_cursor *cursor)
{
	const struct nd_route_index *index = cursor->space->index;
	size_t f = cursor->dst.family == 6;

	cursor->next = 0;
	if (!index)
		return cursor->nlens++ == 0;
	while (cursor->nlens < index->nmasks[f]) {
		struct key key = key_of(&cursor->dst, &index->masks[f][cursor->nlens++]);

		cursor->next = bucket_of(index, &key)->first;
		if (cursor->next)
			return true;
	}
	return false;
}

const struct nd_route *nd_route_cursor_next(struct nd_route_cursor *cursor)
{
	const struct nd_space *space = cursor->space;
	const struct nd_route *route;

	if (space->index) {
		if (!cursor->next)
			return NULL;
		route = &space->routes[cursor->next - 1];
		cursor->next = space->index->next[cursor->next - 1];
		return route;
	}
	while (cursor->next < space->nroutes) {
		route = &space->routes[cursor->next++];
		if (route->family == cursor->dst.family && nd_prefix_has(route->dst, cursor->dst))
			return route;
	}
	return NULL;
}
