#include "common/base.h"

#include "common/wire.h"

#include <fcntl.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* What a parse handed over, as "kind NAME LENGTH;" texts. */
struct seen {
	char text[512];
	uint32_t nframes;
	uint32_t stop_after; /* 0: never */
};

static int see(void *ctx, const struct nd_wire_frame *frame, struct nd_err *err)
{
	struct seen *seen = ctx;
	size_t n = strlen(seen->text);

	snprintf(seen->text + n, sizeof(seen->text) - n, "%s %s %zu;",
		 frame->is_gap ? "gap" : "section", frame->name, frame->len);
	if (++seen->nframes == seen->stop_after)
		return nd_err_set(err, ND_E_LIMIT, "enough");
	return 0;
}

/* A parse of a copy of exactly len bytes, so that a sanitizer sees a read past the end. */
static int parse(const char *p, size_t len, struct seen *seen, struct nd_err *err)
{
	char *copy = malloc(len ? len : 1);
	int result;

	if (len)
		memcpy(copy, p, len);
	*seen = (struct seen){.stop_after = seen->stop_after};
	*err = (struct nd_err){0};
	result = nd_wire_parse(copy, len, see, seen, err);
	free(copy);
	assert_true(result == 0 || result == -1);
	assert_int_equal(err->code == ND_E_NONE, result == 0);
	return result;
}

/* The reply of a writer: links (with bytes that are not UTF-8), an empty section, a gap. */
static size_t make_reply(char *dst, size_t size)
{
	struct nd_wire_out out;
	struct nd_err err = {0};
	int ends[2];
	ssize_t n;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(nd_wire_out_start(&out, ends[1], &err), 0);
	assert_int_equal(nd_wire_out_frame(&out, false, "links", "[\xff\0]\n", 5, &err), 0);
	assert_int_equal(nd_wire_out_frame(&out, false, "nft", NULL, 0, &err), 0);
	assert_int_equal(nd_wire_out_frame(&out, true, "cni", "end 0", 5, &err), 0);
	/* Refused, and nothing of them is on the wire. */
	assert_int_equal(nd_wire_out_frame(&out, false, "", "x", 1, &err), -1);
	assert_int_equal(nd_wire_out_frame(&out, false, "A b", "x", 1, &err), -1);
	assert_int_equal(
		nd_wire_out_frame(&out, false, "big", NULL, (size_t)ND_WIRE_MAX_SECTION + 1, &err),
		-1);
	assert_int_equal(err.code, ND_E_LIMIT);
	assert_int_equal(nd_wire_out_end(&out, &err), 0);
	close(ends[1]);
	n = read(ends[0], dst, size);
	close(ends[0]);
	assert_true(n > 0);
	return (size_t)n;
}

static void test_round_trip(void **state)
{
	static const char head[] =
		"netdoctor-agent 1\nsection links 5\n[\xff\0]\n\nsection nft 0\n\n"
		"gap cni 5\nend 0\nend 3 ";
	char reply[1024];
	size_t n = make_reply(reply, sizeof(reply));
	struct seen seen = {0};
	struct nd_err err;

	(void)state;
	assert_int_equal(n, sizeof(head) - 1 + 64 + 1);
	assert_memory_equal(reply, head, sizeof(head) - 1);
	assert_int_equal(parse(reply, n, &seen, &err), 0);
	assert_string_equal(seen.text, "section links 5;section nft 0;gap cni 5;");
}

static void test_write_fails(void **state)
{
	struct nd_wire_out out;
	struct nd_err err = {0};

	(void)state;
	assert_int_equal(nd_wire_out_start(&out, -1, &err), -1);
	assert_int_equal(err.code, ND_E_IO);
}

static void test_cut_anywhere(void **state)
{
	char reply[1024], where[40];
	size_t n = make_reply(reply, sizeof(reply));
	struct seen seen = {0};
	struct nd_err err;

	(void)state;
	for (size_t cut = 0; cut < n; cut++) {
		assert_int_equal(parse(reply, cut, &seen, &err), -1);
		assert_int_equal(err.code, ND_E_INPUT);
		snprintf(where, sizeof(where), "cut at byte %zu", cut);
		if (!strstr(err.text, where))
			fail_msg("cut at %zu: %s", cut, err.text);
	}
	/* The last cut was in the trailer: all frames were handed over. */
	assert_int_equal(seen.nframes, 3);
}

static void test_changed_anywhere(void **state)
{
	char reply[1024];
	size_t n = make_reply(reply, sizeof(reply));
	struct seen seen = {0};
	struct nd_err err;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			reply[i] ^= (char)(1 << bit);
			assert_int_equal(parse(reply, n, &seen, &err), -1);
			assert_int_equal(err.code, ND_E_INPUT);
			assert_non_null(strstr(err.text, "byte "));
			reply[i] ^= (char)(1 << bit);
		}
	}
}

/* body follows the hello; the error must contain want. */
static void check_bad(const char *body, const char *want)
{
	char reply[2048];
	struct seen seen = {0};
	struct nd_err err;
	int n = snprintf(reply, sizeof(reply), "%s%s", ND_WIRE_HELLO, body);

	assert_int_equal(parse(reply, (size_t)n, &seen, &err), -1);
	assert_int_equal(err.code, ND_E_INPUT);
	if (!strstr(err.text, want))
		fail_msg("wanted \"%s\", got \"%s\"", want, err.text);
}

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_bad_headers(void **state)
{
	(void)state;
	check_bad("hello\n", "byte 18: wanted a frame, got \"hello\"");
	check_bad("\n", "byte 18: wanted a frame, got \"\"");
	check_bad("section  1\nx\n", "byte 26: bad section name in \" 1\"");
	check_bad("section links\n", "byte 26: bad section name in \"links\"");
	check_bad("section Links 1\nx\n", "byte 26: bad section name");
	check_bad("section a\x1b[2J 1\nx\n", "byte 26: bad section name in \"a?[2J 1\"");
	check_bad("section ../x 1\nx\n", "byte 26: bad section name");
	check_bad("section \xff 1\nx\n", "byte 26: bad section name in \"? 1\"");
	check_bad("section " A64 "a 1\nx\n", "byte 26: bad section name");
	check_bad("section a x\n", "byte 28: bad length of section a: \"x\"");
	check_bad("section a -1\n", "byte 28: bad length of section a: \"-1\"");
	check_bad("section a \n", "byte 28: bad length of section a: \"\"");
	check_bad("section a 1 \nx\n", "byte 28: bad length of section a: \"1 \"");
	check_bad("section a 67108865\n", "byte 28: section a claims 67108865 bytes");
	check_bad("gap a 18446744073709551615\n", "byte 24: section a claims 1844674407370955161");
	check_bad("gap a 18446744073709551616\n", "byte 24: bad length");
	check_bad("section " A64 A64 A64 " 1\nx\n", "byte 18: wanted a frame, got \"section aaa");
}

static void test_bad_lengths(void **state)
{
	(void)state;
	check_bad("section a 2\nx\n", "cut at byte 32: 2 of 2 bytes of section a came, without");
	check_bad("section a 2\nx", "cut at byte 31: 1 of 2 bytes of section a came");
	check_bad("section a 67108864\nx\n", "cut at byte 39: 2 of 67108864 bytes");
	check_bad("section a 1\nxyz\n", "byte 31: section a does not end after 1 bytes");
}

static void test_bad_trailers(void **state)
{
	(void)state;
	check_bad("end 1 " NOTHING "\n", "byte 18: trailer counts 1 frames, 0 came");
	check_bad("section a 0\n\nend 0 " NOTHING "\n", "byte 31: trailer counts 0 frames, 1 came");
	check_bad("end 0 " A64 "\n", "byte 18: bytes 18 to 18 were changed on the way");
	check_bad("end 0 " A64 "a\n", "byte 18: bad trailer");
	check_bad("end 0 a\n", "byte 18: bad trailer \"end 0 a\"");
	check_bad("end 0\n", "byte 18: bad trailer");
	check_bad("end  " NOTHING "\n", "byte 18: bad trailer");
	check_bad("end 4294967296 " NOTHING "\n", "byte 18: bad trailer");
	check_bad("end 0 " NOTHING "\nlogout\n", "byte 89: 7 bytes behind the trailer: \"logout\"");
}

/* The whole reply; the error must contain want. */
static void check_bad_start(const char *reply, const char *want)
{
	struct seen seen = {0};
	struct nd_err err;

	assert_int_equal(parse(reply, strlen(reply), &seen, &err), -1);
	assert_int_equal(err.code, ND_E_INPUT);
	if (!strstr(err.text, want))
		fail_msg("wanted \"%s\", got \"%s\"", want, err.text);
}

static void test_before_hello(void **state)
{
	(void)state;
	check_bad_start("", "empty: cut at byte 0");
	check_bad_start("netdoctor-agent 1", "cut at byte 17, in its hello");
	check_bad_start("bash: warning: setlocale\n" ND_WIRE_HELLO "end 0 " NOTHING "\n",
			"byte 0: 25 bytes that do not belong there before the hello: "
			"\"bash: warning: setlocale\"");
	check_bad_start("\n" ND_WIRE_HELLO, "byte 0: 1 bytes that do not belong");
	check_bad_start("sh: 1: not found\n", "byte 0: not from netdoctor's agent: \"sh: 1: not");
	check_bad_start("\xff\x1b[2J", "byte 0: not from netdoctor's agent: \"??[2J\"");
	check_bad_start("netdoctor-agent 2\n", "byte 16: another version of the agent");
	check_bad_start("netdoctor-agent 1\r\nend 0 ", "byte 17: line ends were changed");
	/* The hello counts only where a line starts. */
	check_bad_start("x" ND_WIRE_HELLO, "not from netdoctor's agent");
}

static void test_exact(void **state)
{
	struct seen seen = {.stop_after = 1};
	struct nd_err err;
	static const char nothing[] = ND_WIRE_HELLO "end 0 " NOTHING "\n";
	static const char longest[] = ND_WIRE_HELLO "section " A64 " 1\nx\n";

	(void)state;
	assert_int_equal(parse(nothing, sizeof(nothing) - 1, &seen, &err), 0);
	assert_string_equal(seen.text, "");
	/* A callback that stops: its error comes back as it is. */
	assert_int_equal(parse(longest, sizeof(longest) - 1, &seen, &err), -1);
	assert_string_equal(err.text, "enough");
	assert_string_equal(seen.text, "section " A64 " 1;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_cut_anywhere), cmocka_unit_test(test_changed_anywhere),
		cmocka_unit_test(test_bad_headers),  cmocka_unit_test(test_bad_lengths),
		cmocka_unit_test(test_bad_trailers), cmocka_unit_test(test_before_hello),
		cmocka_unit_test(test_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
