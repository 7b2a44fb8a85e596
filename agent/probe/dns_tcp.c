#include "common/base.h"

#include "agent/probe/dns.h"

#include <sys/epoll.h>

enum { PREFIX = 2 }; /* the length of a message stands before it; RFC 1035 4.2.2 */

static int open_socket(struct nd_probe *p)
{
	p->fd = nd_probe_socket(p, SOCK_STREAM, 0, 0);
	return p->fd < 0 ? -1 : nd_probe_want_errors(p);
}

static void start(struct nd_probes *all, struct nd_probe *p)
{
	p->in.max_bytes = PREFIX + ND_DNS_MAX_MSG;
	(void)nd_probe_connect(all, p, EPOLLOUT);
}

static void ask(struct nd_probes *all, struct nd_probe *p)
{
	uint8_t query[PREFIX + ND_DNS_MAX_QUERY];
	size_t n = nd_dns_probe_query(p, query + PREFIX);

	query[0] = (uint8_t)(n >> 8);
	query[1] = (uint8_t)n;
	if (nd_probe_send(all, p, query, PREFIX + n))
		(void)nd_probe_listen(all, p);
}

static void hear(struct nd_probes *all, struct nd_probe *p)
{
	const uint8_t *got;
	ssize_t n = nd_probe_recv(all, p);

	if (n < 0)
		return;
	if (n == 0 || nd_buf_add(&p->in, all->scratch, (size_t)n) < 0) {
		nd_probe_end(all, p, ND_OUTCOME_bad);
		return;
	}
	got = (const uint8_t *)p->in.data;
	if (p->in.len < PREFIX || p->in.len < PREFIX + (size_t)(got[0] << 8 | got[1]))
		return;
	nd_dns_probe_reply(all, p, got + PREFIX, (size_t)(got[0] << 8 | got[1]));
}

static void ready(struct nd_probes *all, struct nd_probe *p, uint32_t events)
{
	if (nd_probe_asked(all, p, events, ask))
		hear(all, p);
}

const struct nd_probe_ops nd_probe_ops_dns_tcp = {
	.open = open_socket,
	.start = start,
	.ready = ready,
	.has_own_peer = true,
};
