#include "common/base.h"

#include "common/arena.h"

#include <stdarg.h>

#define FIRST_BLOCK_BYTES ((size_t)4096)
#define MAX_BLOCK_BYTES ((size_t)1 << 20)
#define ALIGN_BYTES (_Alignof(max_align_t))

struct nd_arena_block {
	struct nd_arena_block *next;
	size_t cap_bytes;
	size_t used_bytes;
	_Alignas(max_align_t) unsigned char data[];
};

static struct nd_arena_block *block_new(size_t cap_bytes)
{
	struct nd_arena_block *block;
	size_t total;

	if (!nd_size_add(sizeof(*block), cap_bytes, &total))
		nd_out_of_memory(cap_bytes);
	block = calloc(1, total);
	if (!block)
		nd_out_of_memory(total);
	block->cap_bytes = cap_bytes;
	return block;
}

/* A block with room for size_bytes. Blocks double, so that small arenas stay small. */
static struct nd_arena_block *block_for(struct nd_arena *arena, size_t size_bytes)
{
	struct nd_arena_block *head = arena->blocks, *block;
	size_t cap_bytes = FIRST_BLOCK_BYTES;

	if (head && head->cap_bytes - head->used_bytes >= size_bytes)
		return head;
	if (head)
		cap_bytes =
			head->cap_bytes >= MAX_BLOCK_BYTES ? MAX_BLOCK_BYTES : head->cap_bytes * 2;
	if (head && size_bytes > cap_bytes / 4) {
		/* A block of its own, behind the newest one, whose room is not given up. */
		block = block_new(size_bytes);
		block->next = head->next;
		head->next = block;
		return block;
	}
	block = block_new(size_bytes > cap_bytes ? size_bytes : cap_bytes);
	block->next = head;
	arena->blocks = block;
	return block;
}

void *nd_arena_alloc(struct nd_arena *arena, size_t size_bytes)
{
	struct nd_arena_block *block;
	size_t rounded;
	void *p;

	/* No bytes still give an address of their own. */
	if (!nd_size_add(size_bytes ? size_bytes : 1, ALIGN_BYTES - 1, &rounded))
		nd_out_of_memory(size_bytes);
	rounded &= ~(ALIGN_BYTES - 1);
	block = block_for(arena, rounded);
	p = block->data + block->used_bytes;
	block->used_bytes += rounded;
	arena->used_bytes += size_bytes;
	return p;
}

void *nd_arena_array(struct nd_arena *arena, size_t count, size_t size_bytes)
{
	size_t total;

	if (!nd_size_mul(count, size_bytes, &total))
		nd_out_of_memory(SIZE_MAX);
	return nd_arena_alloc(arena, total);
}

char *nd_arena_strdup(struct nd_arena *arena, const char *p, size_t n)
{
	size_t total;
	char *copy;

	if (!nd_size_add(n, 1, &total))
		nd_out_of_memory(n);
	copy = nd_arena_alloc(arena, total);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

/* Numbers without width or sign of their own, backwards from end; returns where they begin. */
static char *number_text(char *end, unsigned number, unsigned base)
{
	do {
		*--end = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	return end;
}

/*
 * The few conversions that nearly all of our texts have, without the long way through stdio (a
 * walk makes hundreds of texts). Returns the length; SIZE_MAX: another one, or no room.
 */
static size_t format_plain(char *dst, size_t cap, const char *fmt, va_list args)
{
	size_t used = 0;

	while (*fmt) {
		char digits[16], *end = digits + sizeof(digits);
		const char *part = fmt;
		size_t n = 1;

		if (*fmt != '%') {
			n = (size_t)(strchrnul(fmt, '%') - fmt);
			fmt += n;
		} else {
			switch (fmt[1]) {
			case 's':
				part = va_arg(args, const char *);
				if (!part)
					return SIZE_MAX;
				n = strlen(part);
				break;
			case 'u':
			case 'x':
				part = number_text(end, va_arg(args, unsigned),
						   fmt[1] == 'u' ? 10 : 16);
				n = (size_t)(end - part);
				break;
			case '%':
				break;
			default:
				return SIZE_MAX;
			}
			fmt += 2;
		}
		if (n >= cap - used)
			return SIZE_MAX;
		memcpy(dst + used, part, n);
		used += n;
	}
	return used;
}

char *nd_arena_vprintf(struct nd_arena *arena, const char *fmt, va_list args)
{
	char plain[512], *text;
	va_list again;
	size_t used;
	int n;

	va_copy(again, args);
	used = format_plain(plain, sizeof(plain), fmt, again);
	va_end(again);
	if (used != SIZE_MAX)
		return nd_arena_strdup(arena, plain, used);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		ND_BUG("a format that cannot be printed");
	text = nd_arena_alloc(arena, (size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, fmt, args);
	return text;
}

char *nd_arena_printf(struct nd_arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = nd_arena_vprintf(arena, fmt, args);
	va_end(args);
	return text;
}

void nd_arena_free(struct nd_arena *arena)
{
	struct nd_arena_block *block = arena->blocks;

	while (block) {
		struct nd_arena_block *next = block->next;

		free(block);
		block = next;
	}
	*arena = (struct nd_arena){0};
}

void nd_arena_reset(struct nd_arena *arena)
{
	struct nd_arena_block *kept = arena->blocks;

	if (!kept)
		return;
	arena->blocks = kept->next;
	nd_arena_free(arena);
	memset(kept->data, 0, kept->used_bytes);
	kept->used_bytes = 0;
	kept->next = NULL;
	arena->blocks = kept;
}

void *nd_arena_grow(struct nd_arena *arena, void *items, size_t n, size_t size_bytes)
{
	size_t count;
	void *grown;

	if (n == 0)
		return nd_arena_array(arena, 8, size_bytes);
	if (n < 8 || (n & (n - 1)) != 0)
		return items;
	if (!nd_size_mul(n, 2, &count))
		nd_out_of_memory(SIZE_MAX);
	grown = nd_arena_array(arena, count, size_bytes);
	memcpy(grown, items, n * size_bytes);
	return grown;
}
