#include "common/base.h"

#include "common/err.h"

#include <errno.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void test_set_and_wrap(void **state)
{
	struct nd_err err = {0};

	(void)state;
	assert_int_equal(nd_err_set(NULL, ND_E_IO, "x"), -1);
	assert_int_equal(nd_err_wrap(NULL, "x"), -1);
	assert_int_equal(nd_err_sys(&err, ND_E_IO, ENOENT, "open %s", "/x"), -1);
	assert_string_equal(err.text, "open /x: No such file or directory");
	assert_int_equal(err.sys_errno, ENOENT);
	assert_int_equal(nd_err_wrap(&err, "read %s", "kubeconfig"), -1);
	assert_string_equal(err.text, "read kubeconfig: open /x: No such file or directory");
	assert_int_equal(err.code, ND_E_IO);
	assert_int_equal(err.sys_errno, ENOENT);
	nd_err_set(&err, ND_E_LIMIT, "again: %s", err.text);
	assert_string_equal(err.text,
			    "again: read kubeconfig: open /x: No such file or directory");
	assert_int_equal(err.sys_errno, 0);
}

static void test_one_safe_line(void **state)
{
	struct nd_err err = {0};

	(void)state;
	nd_err_set(&err, ND_E_INPUT, "said %s", "a\nb\x1b[2J\xff");
	assert_string_equal(err.text, "said a b?[2J?");
}

static void test_cut(void **state)
{
	struct nd_err err = {0};

	(void)state;
	nd_err_set(&err, ND_E_INPUT, "%01023d", 0);
	assert_int_equal(strlen(err.text), 1023);
	assert_string_equal(err.text + 1020, "000");
	nd_err_set(&err, ND_E_INPUT, "%01024d", 0);
	assert_int_equal(strlen(err.text), 1023);
	assert_string_equal(err.text + 1019, "0...");
	nd_err_wrap(&err, "%05000d", 0);
	assert_string_equal(err.text + 1019, "0...");
}

static void test_exit_codes(void **state)
{
	struct nd_err err = {0};

	(void)state;
	for (int code = ND_E_NONE; code <= ND_E_INTERRUPTED; code++) {
		int want = code == ND_E_INTERRUPTED ? 130 : code >= ND_E_UNREACHABLE ? 3 : 2;

		nd_err_set(&err, (enum nd_code)code, "x");
		assert_int_equal(nd_err_exit_code(&err), want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_wrap),
		cmocka_unit_test(test_one_safe_line),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_exit_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
