/*
 * pmtu.c: the largest packet that gets to a host, by echo requests that may not be fragmented.
 * IP_PMTUDISC_PROBE sets DF and does not ask what the kernel has learned before. It tests the way
 * there: a reply may be fragmented on its way back.
 */
#include "common/base.h"

#include "agent/probe/echo.h"
#include "common/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>

enum { MIN4 = 576, MIN6 = 1280, MAX_SIZE = 65535 };
enum { TRIES = 2, STEP_PART = 8, TOTAL_TIMES = 3, MIN_STEP_US = 10000 };

static int open_socket(struct nd_probe *p)
{
	const int probe4 = IP_PMTUDISC_PROBE, probe6 = IPV6_PMTUDISC_PROBE;

	if (nd_echo_open(p) < 0)
		return -1;
	if (p->ask->ip.family == 4)
		return setsockopt(p->fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe4, sizeof(probe4));
	return setsockopt(p->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe6, sizeof(probe6));
}

static uint32_t smallest(const struct nd_probe *p)
{
	uint32_t min = p->ask->ip.family == 4 ? MIN4 : MIN6;

	return p->pmtu.top && p->pmtu.top < min ? p->pmtu.top : min;
}

/* Send the size at hand once more. */
static void send_one(struct nd_probes *all, struct nd_probe *p)
{
	struct nd_pmtu_search *s = &p->pmtu;
	int64_t step_us = (int64_t)all->timeout_ms * 1000 / STEP_PART;

	all->now_us = nd_clock_mono_us(); /* replies of one host come within one event */
	p->deadline_us = all->now_us + (step_us > MIN_STEP_US ? step_us : MIN_STEP_US);
	if (p->deadline_us > s->end_us)
		p->deadline_us = s->end_us;
	s->tries++;
	if (nd_echo_send(p, ++s->seq, s->size) == 0 || errno == EMSGSIZE || errno == EAGAIN ||
	    errno == ENOBUFS)
		return; /* an EMSGSIZE has its entry in the error queue, and wakes us */
	nd_probe_fail(all, p, errno);
}

static void send_size(struct nd_probes *all, struct nd_probe *p, uint32_t size)
{
	p->pmtu.size = size;
	p->pmtu.tries = 0;
	send_one(all, p);
}

/*
 * That large packets vanish without a word is a heavy claim, and a busy host answers late, too:
 * before it is made the full size has half of the probe's time for an answer.
 */
static bool confirm(struct nd_probes *all, struct nd_probe *p)
{
	struct nd_pmtu_search *s = &p->pmtu;

	if (s->is_confirmed || !s->passed || s->passed >= s->top || p->hop.family)
		return false;
	s->is_confirmed = true;
	s->end_us = nd_clock_mono_us() + (int64_t)all->timeout_ms * 1000 / 2;
	send_size(all, p, s->top);
	p->deadline_us = s->end_us;
	return true;
}

static void finish(struct nd_probes *all, struct nd_probe *p)
{
	if (confirm(all, p))
		return;
	all->now_us = nd_clock_mono_us();
	nd_probe_end(all, p, p->pmtu.passed ? ND_OUTCOME_ok : ND_OUTCOME_timeout);
}

/* One more size: the smallest after the first that failed, then half of what is not known. */
static void next_size(struct nd_probes *all, struct nd_probe *p)
{
	struct nd_pmtu_search *s = &p->pmtu;

	if (s->passed && s->failed - s->passed > 1) {
		send_size(all, p, s->passed + (s->failed - s->passed) / 2);
	} else if (!s->passed && !s->is_min_sent && s->failed > smallest(p)) {
		s->is_min_sent = true;
		send_size(all, p, smallest(p));
	} else {
		finish(all, p);
	}
}

static void size_failed(struct nd_probes *all, struct nd_probe *p)
{
	if (p->pmtu.size < p->pmtu.failed)
		p->pmtu.failed = p->pmtu.size;
	next_size(all, p);
}

static void start(struct nd_probes *all, struct nd_probe *p)
{
	p->pmtu.end_us = p->started_us + (int64_t)all->timeout_ms * 1000 * TOTAL_TIMES;
	p->pmtu.failed = MAX_SIZE + 1;
	if (nd_echo_start(all, p)) /* too large for nearly all interfaces, which says their MTU */
		send_size(all, p, MAX_SIZE);
}

/* "Too large": said by our own kernel of the interface, or by a host on the way. */
static void too_big(struct nd_probes *all, struct nd_probe *p, const struct nd_probe_sockerr *e)
{
	struct nd_pmtu_search *s = &p->pmtu;
	uint32_t limit = e->info;

	if (!e->is_local)
		p->hop = e->from;
	if (s->size < s->failed)
		s->failed = s->size;
	/* What is said may be a lie; it is only tried first. */
	if (limit <= s->passed || limit >= s->failed || limit <= nd_echo_overhead(p)) {
		next_size(all, p);
		return;
	}
	s->failed = limit + 1;
	if (e->is_local && !s->top)
		s->top = limit;
	send_size(all, p, limit);
}

static void read_errors(struct nd_probes *all, struct nd_probe *p)
{
	struct nd_probe_sockerr e;

	while (p->state == ND_PROBE_RUNNING && nd_probe_errqueue(p, &e)) {
		if (!nd_echo_is_ours(p, &e))
			continue;
		if (e.sys_errno == EMSGSIZE) {
			too_big(all, p, &e);
		} else if (!p->pmtu.passed) {
			p->hop = e.from;
			nd_probe_fail(all, p, e.sys_errno);
		}
	}
}

static void ready(struct nd_probes *all, struct nd_probe *p, uint32_t events)
{
	struct nd_pmtu_search *s = &p->pmtu;
	uint32_t size;

	if (events & EPOLLERR)
		read_errors(all, p);
	while (p->state == ND_PROBE_RUNNING && (size = nd_echo_recv(all, p))) {
		if (size <= s->passed || size > MAX_SIZE)
			continue;
		s->passed = size;
		/* A late reply to a size that was given up. */
		if (s->failed <= size)
			s->failed = size + 1;
		if (size >= s->size)
			next_size(all, p);
	}
}

static void expire(struct nd_probes *all, struct nd_probe *p)
{
	if (all->now_us >= p->pmtu.end_us)
		finish(all, p);
	else if (p->pmtu.tries < TRIES)
		send_one(all, p);
	else
		size_failed(all, p);
}

const struct nd_probe_ops nd_probe_ops_pmtu = {
	.open = open_socket,
	.start = start,
	.ready = ready,
	.expire = expire,
};
