/*
 * f_dns.c: a name from a request, and what a hostile server answers. Input: the type (even: A),
 * the name, a zero byte, the reply; its id is put right so that the rest is looked at.
 */
#include "common/base.h"

#include "common/dns_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each record takes at least 15 bytes: a root name, its head, an address. */
static void check_reply(const uint8_t *p, size_t n, const uint8_t *query, size_t nquery)
{
	struct nd_dns_reply reply = {.rcode = 99};

	if (!nd_dns_reply_parse(p, n, query, nquery, &reply)) {
		if (reply.rcode != 99)
			abort();
		return;
	}
	if (reply.rcode > 15 || (size_t)reply.answers * 15 > n || n < 12)
		abort();
}

static void check_name(const char *name, const uint8_t *query, size_t nquery)
{
	uint8_t echo[ND_DNS_MAX_QUERY];

	if ((nquery > 0) != nd_dns_name_ok(name) || nquery > ND_DNS_MAX_QUERY)
		abort();
	if (nquery == 0)
		return;
	/* Our own question come back is no answer; with QR it is one without records. */
	memcpy(echo, query, nquery);
	if (nd_dns_reply_parse(echo, nquery, query, nquery, &(struct nd_dns_reply){0}))
		abort();
	echo[2] |= 0x80;
	if (!nd_dns_reply_parse(echo, nquery, query, nquery, &(struct nd_dns_reply){0}))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t query[ND_DNS_MAX_QUERY];
	const uint8_t *end = size > 1 ? memchr(data + 1, 0, size - 1) : NULL;
	size_t nquery, nreply;
	nd_auto_free uint8_t *reply = NULL;

	if (!end)
		return 0;
	nquery = nd_dns_query_build(query, 0x4e44, (const char *)data + 1,
				    data[0] & 1 ? ND_DNS_AAAA : ND_DNS_A);
	check_name((const char *)data + 1, query, nquery);
	nreply = (size_t)(data + size - end) - 1;
	reply = malloc(nreply ? nreply : 1);
	if (nquery == 0 || !reply)
		return 0;
	memcpy(reply, end + 1, nreply);
	if (nreply >= 2)
		memcpy(reply, query, 2);
	check_reply(reply, nreply, query, nquery);
	return 0;
}
