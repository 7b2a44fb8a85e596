#include "common/base.h"

#include "plugin/model/index.h"

#include <sys/auxv.h>

/* 16 random bytes that the kernel gives each process; no call, no failure. */
static uint64_t seed(void)
{
	const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
	uint64_t value = 0x9e3779b97f4a7c15u;

	if (random)
		memcpy(&value, random, sizeof(value));
	return value;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 wide = (unsigned __int128)a * b;

	return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static uint32_t hash_text(struct nd_str key)
{
	uint64_t h = seed() ^ key.n, word;
	size_t at = 0;

	for (; key.n - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, key.p + at, sizeof(word));
		h = mix(h ^ word, 0xd6e8feb86659fd93u);
	}
	word = 0;
	if (key.n > at)
		memcpy(&word, key.p + at, key.n - at);
	h = mix(h ^ word, 0xa0761d6478bd642fu);
	return (uint32_t)(h ^ (h >> 32));
}

/* The slot that holds key, or the free one where it belongs. */
static struct nd_index_slot *probe(struct nd_index_slot *slots, size_t nslots, struct nd_str key,
				   uint32_t hash)
{
	for (size_t i = hash & (nslots - 1);; i = (i + 1) & (nslots - 1)) {
		struct nd_index_slot *slot = &slots[i];

		if (!slot->key)
			return slot;
		if (slot->hash == hash && slot->len == key.n &&
		    memcmp(slot->key, key.p, key.n) == 0)
			return slot;
	}
}

const struct nd_index_slot *nd_index_slot(const struct nd_index *index, struct nd_str key)
{
	if (index->nslots == 0 || !key.p)
		return NULL;
	struct nd_index_slot *slot = probe(index->slots, index->nslots, key, hash_text(key));

	return slot->key ? slot : NULL;
}

bool nd_index_find(const struct nd_index *index, struct nd_str key, uint32_t *value)
{
	const struct nd_index_slot *slot = nd_index_slot(index, key);

	if (slot)
		*value = slot->value;
	return slot != NULL;
}

static void grow(struct nd_index *index, struct nd_arena *arena)
{
	size_t nslots = index->nslots ? index->nslots * 2 : 16;
	struct nd_index_slot *slots = nd_arena_array(arena, nslots, sizeof(*slots));

	for (size_t i = 0; i < index->nslots; i++) {
		const struct nd_index_slot *old = &index->slots[i];

		if (old->key)
			*probe(slots, nslots, (struct nd_str){old->key, old->len}, old->hash) =
				*old;
	}
	index->slots = slots;
	index->nslots = nslots;
}

struct nd_index_slot *nd_index_claim(struct nd_index *index, struct nd_arena *arena,
				     struct nd_str key, bool *is_new)
{
	if (!key.p || key.n > UINT32_MAX)
		ND_BUG("no key, or one of 4 GiB");
	/* At most half full: probes stay short. */
	if (index->nused >= index->nslots / 2)
		grow(index, arena);
	uint32_t hash = hash_text(key);
	struct nd_index_slot *slot = probe(index->slots, index->nslots, key, hash);

	*is_new = !slot->key;
	if (*is_new) {
		*slot = (struct nd_index_slot){.key = key.p, .len = (uint32_t)key.n, .hash = hash};
		index->nused++;
	}
	return slot;
}

void nd_index_put(struct nd_index *index, struct nd_arena *arena, struct nd_str key, uint32_t value)
{
	bool is_new;

	nd_index_claim(index, arena, key, &is_new)->value = value;
}
