#include "common/base.h"

#include "common/dns_msg.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* A reply under construction. */
struct msg {
	uint8_t bytes[1024];
	size_t n;
};

static void add(struct msg *m, const void *p, size_t n)
{
	memcpy(m->bytes + m->n, p, n);
	m->n += n;
}

static uint8_t query[ND_DNS_MAX_QUERY];
static size_t nquery;

/* The reply to query with these flags, without records. */
static struct msg reply(unsigned flags, unsigned answers)
{
	struct msg m = {.n = 0};
	uint8_t head[12] = {query[0], query[1], (uint8_t)(flags >> 8),	 (uint8_t)flags,
			    0,	      1,	(uint8_t)(answers >> 8), (uint8_t)answers};

	add(&m, head, sizeof(head));
	add(&m, query + 12, nquery - 12);
	return m;
}

#define A_RECORD "\xc0\x0c\0\x01\0\x01\0\0\0\x05\0\x04\x0a\x00\x00\x01"
#define CNAME_RECORD "\1x\xc0\x0c\0\x05\0\x01\0\0\0\x05\0\x02\xc0\x0c"
#define ADD(m, literal) add((m), (literal), sizeof(literal) - 1)

/* In a block of exactly its size, so that the sanitizers see a byte too far. */
static bool parse(const struct msg *m, size_t n, struct nd_dns_reply *out)
{
	nd_auto_free uint8_t *exact = malloc(n ? n : 1);

	assert_non_null(exact);
	memcpy(exact, m->bytes, n);
	return nd_dns_reply_parse(exact, n, query, nquery, out);
}

static int ask(void **state)
{
	(void)state;
	nquery = nd_dns_query_build(query, 0x1234, "Kubernetes.default.svc.", ND_DNS_A);
	return nquery ? 0 : -1;
}

static void test_query(void **state)
{
	static const uint8_t want[] =
		"\x12\x34\x01\0\0\1\0\0\0\0\0\0\12Kubernetes\7default\3svc\0\0\1\0\1";
	uint8_t got[ND_DNS_MAX_QUERY];

	(void)state;
	assert_int_equal(nquery, sizeof(want) - 1);
	assert_memory_equal(query, want, nquery);
	assert_int_equal(nd_dns_query_build(got, 1, ".", ND_DNS_AAAA), 17);
	assert_int_equal(got[14], ND_DNS_AAAA);
	assert_int_equal(nd_dns_query_build(got, 1, "a..b", ND_DNS_A), 0);
}

/* n characters: labels of up to 63 with dots between. */
static const char *long_name(char *dst, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = i % 64 == 63 ? '.' : 'a';
	dst[n] = '\0';
	return dst;
}

static void test_names(void **state)
{
	static const char *const good[] = {".", "a", "a.", "_http._tcp.x-1.y", "A.b.C."};
	static const char *const bad[] = {"",	 "..",	".a",	      "a..", "a..b",
					  "a b", "a/b", "\xc3\xa9.x", "a\n", "*.a"};
	uint8_t got[ND_DNS_MAX_QUERY];
	char name[300];

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(good); i++)
		assert_true(nd_dns_name_ok(good[i]));
	for (size_t i = 0; i < ND_ARRAY_LEN(bad); i++)
		assert_false(nd_dns_name_ok(bad[i]));
	assert_true(nd_dns_name_ok(long_name(name, 63)));
	memset(name, 'a', 64);
	name[64] = '\0';
	assert_false(nd_dns_name_ok(name));
	assert_int_equal(nd_dns_query_build(got, 1, long_name(name, 253), ND_DNS_A),
			 ND_DNS_MAX_QUERY);
	assert_false(nd_dns_name_ok(long_name(name, 254)));
	long_name(name, 253);
	strcat(name, ".");
	assert_int_equal(nd_dns_query_build(got, 1, name, ND_DNS_A), ND_DNS_MAX_QUERY);
}

static void test_answers(void **state)
{
	struct msg m = reply(0x8180, 3);
	struct nd_dns_reply got = {.answers = 99};

	(void)state;
	ADD(&m, CNAME_RECORD);
	ADD(&m, A_RECORD);
	ADD(&m, A_RECORD);
	assert_true(parse(&m, m.n, &got));
	assert_int_equal(got.answers, 2);
	assert_int_equal(got.rcode, ND_DNS_NOERROR);
	assert_false(got.is_truncated);
	/* What stands behind the answers is not looked at. */
	ADD(&m, "more");
	assert_true(parse(&m, m.n, &got));
	/* An address of another type does not count. */
	nquery = nd_dns_query_build(query, 0x1234, "kubernetes.default.svc", ND_DNS_AAAA);
	m = reply(0x8180, 1);
	ADD(&m, A_RECORD);
	assert_true(parse(&m, m.n, &got));
	assert_int_equal(got.answers, 0);
}

static void test_cut(void **state)
{
	struct msg m = reply(0x8180, 2);
	struct nd_dns_reply got;

	(void)state;
	ADD(&m, CNAME_RECORD);
	ADD(&m, A_RECORD);
	for (size_t n = 0; n < m.n; n++)
		assert_false(parse(&m, n, &got));
	assert_true(parse(&m, m.n, &got));
	/* With TC only the question must be whole. */
	m.bytes[2] |= 0x02;
	for (size_t n = 0; n < m.n; n++)
		assert_int_equal(parse(&m, n, &got), n >= nquery);
	assert_true(got.is_truncated);
}

static void test_rcodes(void **state)
{
	struct nd_dns_reply got;

	(void)state;
	for (unsigned rcode = 0; rcode < 16; rcode++) {
		struct msg m = reply(0x8180 | rcode, 0);
		assert_true(parse(&m, m.n, &got));
		assert_int_equal(got.rcode, rcode);
		assert_int_equal(got.answers, 0);
		/* Without its question: only when it is an error. */
		m.bytes[5] = 0;
		assert_int_equal(parse(&m, 12, &got), rcode != 0);
		assert_false(parse(&m, 11, &got));
	}
}

static void test_not_ours(void **state)
{
	struct msg good = reply(0x8180, 0), m = good;
	struct nd_dns_reply got = {.answers = 99};

	(void)state;
	m.bytes[1] ^= 1; /* id */
	assert_false(parse(&m, m.n, &got));
	m = good;
	m.bytes[2] &= 0x7f; /* a query, perhaps ours come back */
	assert_false(parse(&m, m.n, &got));
	m = good;
	m.bytes[2] |= 0x08; /* opcode */
	assert_false(parse(&m, m.n, &got));
	m = good;
	m.bytes[5] = 2; /* two questions */
	assert_false(parse(&m, m.n, &got));
	m = good;
	m.bytes[13] = 'X';
	assert_false(parse(&m, m.n, &got));
	m = good;
	m.bytes[nquery - 3] = ND_DNS_AAAA;
	assert_false(parse(&m, m.n, &got));
	m = good;
	m.bytes[nquery - 1] = 3; /* class CHAOS */
	assert_false(parse(&m, m.n, &got));
	assert_int_equal(got.answers, 99);
	m = good;
	m.bytes[13] = 'k'; /* the case of letters is free */
	assert_true(parse(&m, m.n, &got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_query, ask),
		cmocka_unit_test_setup(test_names, ask),
		cmocka_unit_test_setup(test_answers, ask),
		cmocka_unit_test_setup(test_cut, ask),
		cmocka_unit_test_setup(test_rcodes, ask),
		cmocka_unit_test_setup(test_not_ours, ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
