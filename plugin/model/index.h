/*
 * index.h: text -> number, in an arena. Private to model/.
 *
 *	struct nd_index index = {0};
 *	nd_index_put(&index, arena, nd_str(name), i);	the text must live as long as the index
 *	if (nd_index_find(&index, nd_str(name), &i)) ...
 *
 * The hash is seeded per process, so input cannot be made to collide.
 */
#ifndef ND_PLUGIN_MODEL_INDEX_H
#define ND_PLUGIN_MODEL_INDEX_H

#include "common/arena.h"
#include "common/text.h"

struct nd_index_slot {
	const char *key; /* NULL: free */
	uint32_t len;	 /* bytes */
	uint32_t hash, value;
};
struct nd_index {
	struct nd_index_slot *slots; /* nslots, a power of two */
	size_t nslots, nused;
};

/* The slot of key, or NULL. */
const struct nd_index_slot *nd_index_slot(const struct nd_index *index, struct nd_str key);
bool nd_index_find(const struct nd_index *index, struct nd_str key, uint32_t *value);
/*
 * The slot of key, with value 0 when it is new. The key of a new slot is the caller's own text:
 * he puts one there that has the same bytes and lives as long as the index.
 */
struct nd_index_slot *nd_index_claim(struct nd_index *index, struct nd_arena *arena,
				     struct nd_str key, bool *is_new);
/* key must not be in the index yet, and be shorter than 4 GiB. */
void nd_index_put(struct nd_index *index, struct nd_arena *arena, struct nd_str key,
		  uint32_t value);

#endif
