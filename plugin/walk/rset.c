#include "common/base.h"

#include "plugin/walk/eval_run.h"

uint64_t nd_bytes_hash(const void *p, size_t n)
{
	const uint8_t *bytes = p;
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

static bool value_eq(const struct nd_value *a, const struct nd_value *b)
{
	return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

static int item_order(const void *a, const void *b)
{
	const struct nd_set_item *x = a, *y = b;
	int order = memcmp(x->lo.bytes, y->lo.bytes, ND_VALUE_MAX);

	return order ? order : memcmp(x->hi.bytes, y->hi.bytes, ND_VALUE_MAX);
}

/* One part, values of one width, and no two that share a value once they are sorted. */
static bool can_order(const struct nd_rset *set)
{
	for (size_t i = 0; i < set->nitems; i++) {
		const struct nd_set_item *item = &set->items[i];

		if (set->nparts > 1 || item->lo.n != set->items[0].lo.n || item->hi.n != item->lo.n)
			return false;
	}
	return true;
}

static bool has_overlap(const struct nd_rset *set)
{
	for (size_t i = 1; i < set->nitems; i++)
		if (memcmp(set->items[i - 1].hi.bytes, set->items[i].lo.bytes,
			   set->items[i].lo.n) >= 0)
			return true;
	return false;
}

static bool has_single_values(const struct nd_rset *set)
{
	for (size_t i = 0; i < set->nitems; i++)
		if (!value_eq(&set->items[i].lo, &set->items[i].hi))
			return false;
	return true;
}

static void hash_items(struct nd_arena *arena, struct nd_rset *set)
{
	size_t n = 16;

	while (n < set->nitems * 2)
		n *= 2;
	set->slots = nd_arena_array(arena, n, sizeof(*set->slots));
	set->nslots = n;
	for (size_t i = 0; i < set->nitems; i++) {
		const struct nd_value *lo = &set->items[i].lo;
		size_t at = nd_bytes_hash(lo->bytes, lo->n) & (n - 1);

		while (set->slots[at] && !value_eq(&set->items[set->slots[at] - 1].lo, lo))
			at = (at + 1) & (n - 1);
		if (!set->slots[at]) /* the same value twice: the first one holds */
			set->slots[at] = (uint32_t)i + 1;
	}
}

void nd_rset_prepare(struct nd_arena *arena, struct nd_rset *set)
{
	if (set->is_ready)
		return;
	set->is_ready = true;
	set->has_hash = set->nitems < UINT32_MAX && has_single_values(set);
	set->has_order = false;
	if (set->has_hash) {
		hash_items(arena, set);
	} else if (can_order(set)) {
		qsort(set->items, set->nitems, sizeof(*set->items), item_order);
		set->has_order = !has_overlap(set);
	}
}

static const struct nd_set_item *hash_find(const struct nd_rset *set, const struct nd_value *value)
{
	size_t at = nd_bytes_hash(value->bytes, value->n) & (set->nslots - 1);

	for (; set->slots[at]; at = (at + 1) & (set->nslots - 1)) {
		const struct nd_set_item *item = &set->items[set->slots[at] - 1];

		if (value_eq(&item->lo, value))
			return item;
	}
	return NULL;
}

static const struct nd_set_item *order_find(const struct nd_rset *set, const struct nd_value *value)
{
	size_t lo = 0, hi = set->nitems;

	/* The last item that begins at or before the value. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(set->items[mid].lo.bytes, value->bytes, value->n) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || memcmp(set->items[lo - 1].hi.bytes, value->bytes, value->n) < 0)
		return NULL;
	return &set->items[lo - 1];
}

/* Each part of a concatenation lies in its own interval. */
static bool item_has(const struct nd_rset *set, const struct nd_set_item *item,
		     const struct nd_value *value)
{
	size_t nparts = set->nparts > 1 ? set->nparts : 1, at = 0;

	if (item->lo.n != value->n || item->hi.n != value->n)
		return false;
	for (size_t i = 0; i < nparts; i++) {
		size_t n = nparts == 1 ? value->n : set->widths[i];

		if (n > (size_t)value->n - at ||
		    memcmp(item->lo.bytes + at, value->bytes + at, n) > 0 ||
		    memcmp(item->hi.bytes + at, value->bytes + at, n) < 0)
			return false;
		at += n;
	}
	return at == value->n;
}

const struct nd_set_item *nd_rset_find(const struct nd_rset *set, const struct nd_value *value)
{
	if (set->nitems == 0)
		return NULL;
	if (set->has_hash && set->slots)
		return hash_find(set, value);
	if (set->has_order)
		return set->items[0].lo.n == value->n ? order_find(set, value) : NULL;
	for (size_t i = 0; i < set->nitems; i++)
		if (item_has(set, &set->items[i], value))
			return &set->items[i];
	return NULL;
}
