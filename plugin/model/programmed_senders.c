/* programmed_senders.c: who may send to a load balancer address, as ranges of addresses. */
#include "common/base.h"

#include "plugin/model/programmed_parts.h"

void nd_senders_add(struct nd_arena *arena, struct nd_senders *senders, struct nd_ip lo,
		    struct nd_ip hi)
{
	ND_ARENA_PUSH(arena, senders->items, senders->nitems) = (struct nd_sender){lo, hi};
}

void nd_senders_add_prefix(struct nd_arena *arena, struct nd_senders *senders,
			   struct nd_prefix prefix)
{
	struct nd_ip lo = prefix.ip, hi = prefix.ip;
	size_t nbits = lo.family == 4 ? 32 : 128;

	for (size_t bit = prefix.len; bit < nbits; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		lo.bytes[bit / 8] &= (uint8_t)~mask;
		hi.bytes[bit / 8] |= mask;
	}
	nd_senders_add(arena, senders, lo, hi);
}

static int compare_ip(const struct nd_ip *a, const struct nd_ip *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare(const void *a, const void *b)
{
	return compare_ip(&((const struct nd_sender *)a)->lo, &((const struct nd_sender *)b)->lo);
}

/* Does b begin right behind a? */
static bool is_next(const struct nd_ip *a, const struct nd_ip *b)
{
	struct nd_ip next = *a;

	for (size_t i = a->family == 4 ? 4 : 16; i-- > 0;)
		if (++next.bytes[i])
			return compare_ip(&next, b) == 0;
	return false;
}

/* Sorted, and what touches is one: nft and people cut the same addresses in different ways. */
static void settle(struct nd_senders *s)
{
	size_t n = 0;

	if (s->nitems)
		qsort(s->items, s->nitems, sizeof(*s->items), compare);
	for (size_t i = 0; i < s->nitems; i++) {
		struct nd_sender *last = n ? &s->items[n - 1] : NULL, *one = &s->items[i];

		if (!last || (compare_ip(&last->hi, &one->lo) < 0 && !is_next(&last->hi, &one->lo)))
			s->items[n++] = *one;
		else if (compare_ip(&last->hi, &one->hi) < 0)
			last->hi = one->hi;
	}
	s->nitems = n;
}

bool nd_senders_are_same(struct nd_senders *a, struct nd_senders *b)
{
	settle(a);
	settle(b);
	if (a->nitems != b->nitems)
		return false;
	for (size_t i = 0; i < a->nitems; i++)
		if (compare_ip(&a->items[i].lo, &b->items[i].lo) != 0 ||
		    compare_ip(&a->items[i].hi, &b->items[i].hi) != 0)
			return false;
	return true;
}
