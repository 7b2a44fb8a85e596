#include "common/base.h"

#include "agent/probe/echo.h"

#include <errno.h>
#include <sys/epoll.h>

enum { SIZE_DATA = 56 }; /* as ping(8) */

static void start(struct nd_probes *all, struct nd_probe *p)
{
	if (nd_echo_start(all, p) && nd_echo_send(p, 1, nd_echo_overhead(p) + SIZE_DATA) < 0)
		nd_probe_fail(all, p, errno);
}

static void ready(struct nd_probes *all, struct nd_probe *p, uint32_t events)
{
	struct nd_probe_sockerr e;

	if (events & EPOLLERR)
		while (nd_probe_errqueue(p, &e))
			if (nd_echo_is_ours(p, &e)) {
				if (!e.is_local)
					p->hop = e.from;
				nd_probe_fail(all, p, e.sys_errno);
				return;
			}
	if (nd_echo_recv(all, p))
		nd_probe_end(all, p, ND_OUTCOME_ok);
}

const struct nd_probe_ops nd_probe_ops_icmp = {
	.open = nd_echo_open,
	.start = start,
	.ready = ready,
};
