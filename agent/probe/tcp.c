#include "common/base.h"

#include "agent/probe/probe.h"

#include <sys/epoll.h>

/*
 * The kernel repeats the SYN by itself; with fewer than its usual tries (TCP_SYNCNT) a neighbour
 * that does not answer would end as ETIMEDOUT before the kernel knows it as EHOSTUNREACH (3 s).
 */
static int open_socket(struct nd_probe *p)
{
	p->fd = nd_probe_socket(p, SOCK_STREAM, 0, 0);
	return p->fd < 0 ? -1 : nd_probe_want_errors(p);
}

static void start(struct nd_probes *all, struct nd_probe *p)
{
	(void)nd_probe_connect(all, p, EPOLLOUT);
}

/* A plain close: servers log a reset as an error of theirs. */
static void ready(struct nd_probes *all, struct nd_probe *p, uint32_t events)
{
	if (nd_probe_connected(all, p, events))
		nd_probe_end(all, p, ND_OUTCOME_ok);
}

const struct nd_probe_ops nd_probe_ops_tcp = {
	.open = open_socket,
	.start = start,
	.ready = ready,
	.has_own_peer = true,
};
