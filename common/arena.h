/*
 * arena.h: memory that lives as long as its phase and is never freed alone.
 *
 *	struct nd_arena arena = {0};
 *	char *name = nd_arena_strdup(&arena, "kube-dns", 8);
 *	nd_arena_free(&arena);
 *
 * Everything is zeroed and aligned for any type. Out of memory ends the process.
 */
#ifndef ND_COMMON_ARENA_H
#define ND_COMMON_ARENA_H

#include "common/base.h"

#include <stdarg.h>

struct nd_arena {
	struct nd_arena_block *blocks; /* newest first; owned */
	size_t used_bytes;	       /* asked for so far */
};

void *nd_arena_alloc(struct nd_arena *arena, size_t size_bytes);
/* count * size_bytes, checked. */
void *nd_arena_array(struct nd_arena *arena, size_t count, size_t size_bytes);
/* A copy of n bytes with a NUL behind. */
char *nd_arena_strdup(struct nd_arena *arena, const char *p, size_t n);
char *nd_arena_printf(struct nd_arena *arena, const char *fmt, ...) ND_PRINTF(2, 3);
char *nd_arena_vprintf(struct nd_arena *arena, const char *fmt, va_list args) ND_PRINTF(2, 0);
void nd_arena_free(struct nd_arena *arena);
/* As free, but the newest block stays for what comes next: for work that is done over and over. */
void nd_arena_reset(struct nd_arena *arena);

/*
 * Room for one more element in an array that lives in the arena: doubles the storage when n is
 * a power of two at or above 8, so the array never needs a capacity field. The old storage stays.
 *	ND_ARENA_PUSH(arena, list->items, list->nitems) = item;
 * items and n are evaluated more than once: no side effects in them, and none of them in item.
 */
void *nd_arena_grow(struct nd_arena *arena, void *items, size_t n, size_t size_bytes);
#define ND_ARENA_PUSH(arena, items, n)                                                             \
	(*((items) = nd_arena_grow((arena), (items), (n), sizeof(*(items))), &(items)[(n)++]))

#endif
