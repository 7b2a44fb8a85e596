#include "common/base.h"

#include "plugin/walk/eval_run.h"

/*
 * KUBE-SERVICES of a big cluster has 10,000 rules, each with one exact destination. Rules that test
 * one field for one value are put into buckets by that value; a packet sees its bucket and the
 * rules without such a test, merged in the order of the chain.
 */
#define MIN_RULES 64

struct bucket {
	struct nd_value key;
	uint32_t first, n; /* in members */
};
struct nd_rule_index {
	struct nd_load load; /* of the field that tells the rules apart */
	struct nd_rstep probe;
	uint32_t *any; /* nany */
	size_t nany;
	uint32_t *members;
	struct bucket *buckets; /* nbuckets */
	size_t nbuckets;
	uint32_t *slots; /* bucket + 1 by hash of its key */
	size_t nslots;
};

/* Fields that cannot change while a packet is in a chain (a mark can). */
static const struct {
	enum nd_field field;
	uint8_t family, width;
} keys[] = {
	{ND_F_DADDR, 4, 4}, {ND_F_DADDR, 6, 16}, {ND_F_SADDR, 4, 4},	{ND_F_SADDR, 6, 16},
	{ND_F_DPORT, 0, 2}, {ND_F_SPORT, 0, 2},	 {ND_F_IIFNAME, 0, 16}, {ND_F_OIFNAME, 0, 16},
};

/* The value that a rule wants of a field before it does anything else; NULL: any. */
static const struct nd_value *rule_key(const struct nd_rrule *rule, size_t k)
{
	for (size_t i = 0; i < rule->nsteps && rule->steps[i].kind == ND_DO_TEST; i++) {
		const struct nd_rstep *step = &rule->steps[i];

		if (step->nloads == 1 && step->op == ND_EQ && !step->set &&
		    step->loads[0].field == keys[k].field && !step->loads[0].has_mask &&
		    (keys[k].family == 0 || step->loads[0].family == keys[k].family) &&
		    step->lo.n == keys[k].width)
			return &step->lo;
	}
	return NULL;
}

/* The field that most rules have a value for; false: not worth it. */
static bool best_key(const struct nd_rchain *chain, size_t *best)
{
	size_t most = 0;

	for (size_t k = 0; k < ND_ARRAY_LEN(keys); k++) {
		size_t n = 0;

		for (size_t i = 0; i < chain->nrules; i++)
			n += rule_key(&chain->rules[i], k) != NULL;
		if (n > most) {
			most = n;
			*best = k;
		}
	}
	return most > MIN_RULES / 2;
}

static size_t slot_of(const struct nd_rule_index *index, const struct nd_value *key)
{
	size_t at = nd_bytes_hash(key->bytes, key->n) & (index->nslots - 1);

	while (index->slots[at]) {
		const struct nd_value *has = &index->buckets[index->slots[at] - 1].key;

		if (has->n == key->n && memcmp(has->bytes, key->bytes, key->n) == 0)
			break;
		at = (at + 1) & (index->nslots - 1);
	}
	return at;
}

static struct bucket *bucket_of(struct nd_rule_index *index, const struct nd_value *key)
{
	size_t at = slot_of(index, key);

	if (!index->slots[at]) {
		index->buckets[index->nbuckets].key = *key;
		index->slots[at] = (uint32_t)++index->nbuckets;
	}
	return &index->buckets[index->slots[at] - 1];
}

void nd_rule_index_build(struct nd_arena *arena, struct nd_rchain *chain)
{
	struct nd_rule_index *index;
	uint32_t first = 0;
	size_t k = 0, nslots = 16;

	if (chain->index || chain->nrules <= MIN_RULES || chain->nrules > UINT32_MAX / 4 ||
	    !best_key(chain, &k))
		return;
	while (nslots < chain->nrules * 2)
		nslots *= 2;
	index = nd_arena_alloc(arena, sizeof(*index));
	index->load = (struct nd_load){.field = keys[k].field, .family = keys[k].family};
	index->probe = (struct nd_rstep){.kind = ND_DO_TEST, .nloads = 1, .loads = &index->load};
	index->slots = nd_arena_array(arena, nslots, sizeof(*index->slots));
	index->nslots = nslots;
	index->buckets = nd_arena_array(arena, chain->nrules, sizeof(*index->buckets));
	index->any = nd_arena_array(arena, chain->nrules, sizeof(*index->any));
	index->members = nd_arena_array(arena, chain->nrules, sizeof(*index->members));
	for (size_t i = 0; i < chain->nrules; i++) {
		const struct nd_value *key = rule_key(&chain->rules[i], k);

		if (key)
			bucket_of(index, key)->n++;
	}
	for (size_t i = 0; i < index->nbuckets; i++) {
		index->buckets[i].first = first;
		first += index->buckets[i].n;
		index->buckets[i].n = 0;
	}
	for (size_t i = 0; i < chain->nrules; i++) {
		const struct nd_value *key = rule_key(&chain->rules[i], k);
		struct bucket *bucket = key ? bucket_of(index, key) : NULL;

		if (bucket)
			index->members[bucket->first + bucket->n++] = (uint32_t)i;
		else
			index->any[index->nany++] = (uint32_t)i;
	}
	chain->index = index;
}

struct nd_cursor nd_cursor_start(struct nd_eval_run *run, const struct nd_rchain *chain)
{
	struct nd_cursor cursor = {.chain = chain};
	const struct nd_rule_index *index = chain->index;
	struct nd_value value;
	size_t at;

	if (!index)
		return cursor;
	cursor.any = index->any;
	cursor.nany = index->nany;
	if (nd_load_values(run, &index->probe, &value) != ND_YES)
		return cursor;
	at = slot_of(index, &value);
	if (index->slots[at]) {
		const struct bucket *bucket = &index->buckets[index->slots[at] - 1];

		cursor.bucket = index->members + bucket->first;
		cursor.nbucket = bucket->n;
	}
	return cursor;
}

const struct nd_rrule *nd_cursor_next(struct nd_cursor *cursor)
{
	const struct nd_rchain *chain = cursor->chain;

	if (!chain->index)
		return cursor->next < chain->nrules ? &chain->rules[cursor->next++] : NULL;
	if (cursor->nany && (!cursor->nbucket || *cursor->any < *cursor->bucket)) {
		cursor->nany--;
		return &chain->rules[*cursor->any++];
	}
	if (!cursor->nbucket)
		return NULL;
	cursor->nbucket--;
	return &chain->rules[*cursor->bucket++];
}
