#include "common/base.h"

#include "common/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void test_alloc(void **state)
{
	struct nd_arena arena = {0};

	(void)state;
	nd_arena_free(&arena);
	for (size_t n = 0; n < 3000; n += 7) {
		unsigned char *p = nd_arena_alloc(&arena, n);

		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xee, n);
	}
	nd_arena_free(&arena);
	assert_null(arena.blocks);
	assert_int_equal(arena.used_bytes, 0);
}

static void test_big(void **state)
{
	struct nd_arena arena = {0};
	char *small = nd_arena_alloc(&arena, 8), *big = nd_arena_alloc(&arena, 8 << 20);
	char *next = nd_arena_alloc(&arena, 8);

	(void)state;
	memset(big, 'x', 8 << 20);
	memset(small, 'a', 8);
	memset(next, 'b', 8);
	/* The big one did not take the room of the small ones away. */
	assert_ptr_equal(next, small + _Alignof(max_align_t));
	assert_int_equal(arena.used_bytes, (8 << 20) + 16);
	assert_true(small[7] == 'a' && big[0] == 'x' && next[0] == 'b');
	nd_arena_free(&arena);
}

static void test_strings(void **state)
{
	struct nd_arena arena = {0};

	(void)state;
	assert_string_equal(nd_arena_strdup(&arena, NULL, 0), "");
	assert_string_equal(nd_arena_strdup(&arena, "kube-dns", 4), "kube");
	assert_memory_equal(nd_arena_strdup(&arena, "a\0\xff", 3), "a\0\xff", 4);
	assert_string_equal(nd_arena_printf(&arena, "%s", ""), "");
	assert_string_equal(nd_arena_printf(&arena, "%s/%d", "ns", 7), "ns/7");
	assert_int_equal(strlen(nd_arena_printf(&arena, "%9999d", 1)), 9999);
	/* What is printed without stdio, and where that ends. */
	assert_string_equal(nd_arena_printf(&arena, "%s %u%% 0x%x %u", "a", 0u, 0xbeefu, UINT32_MAX),
			    "a 0% 0xbeef 4294967295");
	for (size_t n = 505; n < 520; n++) {
		char text[520] = {0};

		memset(text, 'x', n);
		assert_string_equal(nd_arena_printf(&arena, "%s", text), text);
	}
	nd_arena_free(&arena);
}

static void test_reset(void **state)
{
	struct nd_arena arena = {0};

	(void)state;
	nd_arena_reset(&arena);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++) {
			char *p = nd_arena_alloc(&arena, 100);

			for (size_t k = 0; k < 100; k++)
				assert_int_equal(p[k], 0);
			memset(p, 'x', 100);
		}
		nd_arena_reset(&arena);
		assert_int_equal(arena.used_bytes, 0);
	}
	nd_arena_free(&arena);
}

struct list {
	struct {
		uint64_t id;
		char pad[5];
	} *items;
	size_t nitems;
};

static void test_push(void **state)
{
	struct nd_arena arena = {0};
	struct list list = {0};

	(void)state;
	for (uint64_t i = 0; i < 5000; i++) {
		ND_ARENA_PUSH(&arena, list.items, list.nitems).id = i;
		assert_int_equal(list.nitems, i + 1);
	}
	for (uint64_t i = 0; i < 5000; i++)
		assert_int_equal(list.items[i].id, i);
	nd_arena_free(&arena);
}

static void test_grow(void **state)
{
	struct nd_arena arena = {0};
	int *items = nd_arena_grow(&arena, NULL, 0, sizeof(int)), *more;

	(void)state;
	for (int i = 0; i < 8; i++)
		items[i] = i;
	for (size_t n = 1; n < 8; n++)
		assert_ptr_equal(nd_arena_grow(&arena, items, n, sizeof(int)), items);
	more = nd_arena_grow(&arena, items, 8, sizeof(int));
	assert_ptr_not_equal(more, items);
	assert_memory_equal(more, items, 8 * sizeof(int));
	more[15] = 15;
	for (size_t n = 9; n < 16; n++)
		assert_ptr_equal(nd_arena_grow(&arena, more, n, sizeof(int)), more);
	assert_ptr_not_equal(nd_arena_grow(&arena, more, 16, sizeof(int)), more);
	nd_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc), cmocka_unit_test(test_big),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_reset), cmocka_unit_test(test_push),
		cmocka_unit_test(test_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
