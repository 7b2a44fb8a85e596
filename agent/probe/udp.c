#include "common/base.h"

#include "agent/probe/probe.h"

#include <errno.h>
#include <sys/epoll.h>

static int open_socket(struct nd_probe *p)
{
	p->fd = nd_probe_socket(p, SOCK_DGRAM, 0, 0);
	return p->fd < 0 ? -1 : nd_probe_want_errors(p);
}

static void start(struct nd_probes *all, struct nd_probe *p)
{
	static const char text[] = "netdoctor\n";

	if (nd_probe_connect(all, p, EPOLLIN))
		(void)nd_probe_send(all, p, text, sizeof(text) - 1);
}

static void ready(struct nd_probes *all, struct nd_probe *p, uint32_t events)
{
	(void)events;
	if (nd_probe_recv(all, p) >= 0)
		nd_probe_end(all, p, ND_OUTCOME_ok);
}

const struct nd_probe_ops nd_probe_ops_udp = {
	.open = open_socket,
	.start = start,
	.ready = ready,
	.has_own_peer = true,
};
