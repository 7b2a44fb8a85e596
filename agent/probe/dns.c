#include "common/base.h"

#include "agent/probe/dns.h"

size_t nd_dns_probe_query(const struct nd_probe *p, uint8_t msg[ND_DNS_MAX_QUERY])
{
	return nd_dns_query_build(msg, p->cookie, p->ask->name,
				  p->ask->is_aaaa ? ND_DNS_AAAA : ND_DNS_A);
}

static enum nd_probe_outcome outcome_of(const struct nd_dns_reply *reply)
{
	switch (reply->rcode) {
	case ND_DNS_NOERROR:
		/* A cut answer is one: it says where to ask, over TCP. */
		return reply->answers || reply->is_truncated ? ND_OUTCOME_ok : ND_OUTCOME_nodata;
	case ND_DNS_SERVFAIL:
		return ND_OUTCOME_servfail;
	case ND_DNS_NXDOMAIN:
		return ND_OUTCOME_nxdomain;
	case ND_DNS_REFUSED:
		return ND_OUTCOME_dnsrefused;
	default:
		return ND_OUTCOME_bad;
	}
}

void nd_dns_probe_reply(struct nd_probes *all, struct nd_probe *p, const uint8_t *msg, size_t n)
{
	uint8_t query[ND_DNS_MAX_QUERY];
	size_t nquery = nd_dns_probe_query(p, query);
	struct nd_dns_reply reply;

	if (!nd_dns_reply_parse(msg, n, query, nquery, &reply)) {
		nd_probe_end(all, p, ND_OUTCOME_bad);
		return;
	}
	p->has_rcode = true;
	p->rcode = reply.rcode;
	p->answers = reply.answers;
	p->is_truncated = reply.is_truncated;
	nd_probe_end(all, p, outcome_of(&reply));
}
