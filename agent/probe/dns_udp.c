#include "common/base.h"

#include "agent/probe/dns.h"

#include <sys/epoll.h>

static int open_socket(struct nd_probe *p)
{
	p->fd = nd_probe_socket(p, SOCK_DGRAM, 0, 0);
	return p->fd < 0 ? -1 : nd_probe_want_errors(p);
}

static void start(struct nd_probes *all, struct nd_probe *p)
{
	uint8_t query[ND_DNS_MAX_QUERY];
	size_t n = nd_dns_probe_query(p, query);

	if (nd_probe_connect(all, p, EPOLLIN))
		(void)nd_probe_send(all, p, query, n);
}

static void ready(struct nd_probes *all, struct nd_probe *p, uint32_t events)
{
	ssize_t n = nd_probe_recv(all, p);

	(void)events;
	if (n >= 0)
		nd_dns_probe_reply(all, p, all->scratch, (size_t)n);
}

const struct nd_probe_ops nd_probe_ops_dns_udp = {
	.open = open_socket,
	.start = start,
	.ready = ready,
	.has_own_peer = true,
};
