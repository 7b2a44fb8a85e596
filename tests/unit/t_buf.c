#include "common/base.h"

#include "common/buf.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void test_add(void **state)
{
	nd_auto_buf struct nd_buf buf = {0};

	(void)state;
	assert_int_equal(nd_buf_add(&buf, NULL, 0), 0);
	assert_null(buf.data);
	assert_int_equal(nd_buf_puts(&buf, "ab"), 0);
	assert_int_equal(nd_buf_add(&buf, "\0\xff", 2), 0);
	assert_int_equal(nd_buf_printf(&buf, "%s-%d", "x", 7), 0);
	assert_int_equal(buf.len, 7);
	assert_memory_equal(buf.data, "ab\0\xffx-7", 8);
	assert_false(buf.is_over);
}

static void test_maximum(void **state)
{
	nd_auto_buf struct nd_buf buf = {.max_bytes = 4};

	(void)state;
	assert_int_equal(nd_buf_puts(&buf, "abc"), 0); /* short by one */
	assert_int_equal(nd_buf_puts(&buf, "de"), -1); /* long by one */
	assert_true(buf.is_over);
	assert_string_equal(buf.data, "abc");
	assert_int_equal(nd_buf_printf(&buf, "%d", 10), -1);
	assert_null(nd_buf_room(&buf, 2));
	assert_string_equal(buf.data, "abc");
	assert_int_equal(nd_buf_puts(&buf, "d"), 0); /* exact */
	assert_string_equal(buf.data, "abcd");
	assert_int_equal(nd_buf_puts(&buf, "e"), -1);
	assert_int_equal(nd_buf_add(&buf, "e", SIZE_MAX), -1);
	assert_null(nd_buf_room(&buf, SIZE_MAX - 4));
	nd_buf_free(&buf);
	assert_null(buf.data);
	assert_false(buf.is_over);
	assert_int_equal(buf.max_bytes, 4);
}

static void test_room(void **state)
{
	nd_auto_buf struct nd_buf buf = {0};
	char *room = nd_buf_room(&buf, 100);

	(void)state;
	memset(room, 'x', 100);
	buf.len += 100;
	assert_int_equal(strlen(buf.data), 100);
	room = nd_buf_room(&buf, 1000);
	memset(room, 'y', 5);
	buf.len += 5;
	assert_int_equal(strlen(buf.data), 105);
	/* What was written into the room but not kept does not stay behind the end. */
	memset(buf.data + buf.len, 'z', 10);
	room = nd_buf_room(&buf, 10);
	assert_ptr_equal(room, buf.data + 105);
	assert_int_equal(strlen(buf.data), 105);
}

static void test_growth(void **state)
{
	nd_auto_buf struct nd_buf buf = {.max_bytes = 100000};

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(nd_buf_add(&buf, &"0123456789"[i % 10], 1), 0);
	assert_int_equal(nd_buf_add(&buf, "x", 1), -1);
	assert_int_equal(buf.cap, 100001);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(buf.data[i], '0' + (int)(i % 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_maximum),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
