#include "common/base.h"

#include "agent/probe/probe.h"
#include "common/clock.h"

#include <errno.h>
#include <sys/epoll.h>

/*
 * A host sends at most 1000 ICMP errors a second, 50 at once (net.ipv4.icmp_msgs_per_sec and
 * _burst): above that a REJECT would look like a DROP. So one address gets no more than this,
 * but for one that just gave a good answer.
 */
enum { WINDOW_US = 10000, STARTS_A_WINDOW = 8 };
enum { MAX_SKIPS = 1024 };     /* waiting probes looked at in one round */
enum { MAX_BURST_US = 20000 }; /* time whose starts may be made up for at once */
enum { TOKEN = 1000000 };      /* one start */

static const struct nd_probe_ops *const kinds[] = {
#define ND_PROBE_KIND(id, name, what) &nd_probe_ops_##id,
#include "common/probe_kinds.def"
#undef ND_PROBE_KIND
};

static const struct {
	int sys_errno;
	enum nd_probe_outcome outcome;
} outcomes[] = {
	{ECONNREFUSED, ND_OUTCOME_refused},
	{EHOSTUNREACH, ND_OUTCOME_nohost},
	{ENETUNREACH, ND_OUTCOME_nonet},
	{EADDRNOTAVAIL, ND_OUTCOME_noaddr},
	{EINVAL, ND_OUTCOME_einval},
	{EACCES, ND_OUTCOME_eacces},
	{EPERM, ND_OUTCOME_eacces},
	{EMSGSIZE, ND_OUTCOME_toobig},
	{ETIMEDOUT, ND_OUTCOME_timeout},
	{ECONNRESET, ND_OUTCOME_reset},
	{EPIPE, ND_OUTCOME_reset},
	/* Other words of the kernel for the same (icmp_err_convert): host down, host unknown. */
	{EHOSTDOWN, ND_OUTCOME_nohost},
	{ENONET, ND_OUTCOME_nohost},
};

const struct nd_probe_ops *nd_probe_ops(enum nd_probe_kind kind)
{
	return kinds[kind];
}

void nd_probe_end(struct nd_probes *all, struct nd_probe *p, enum nd_probe_outcome outcome)
{
	if (p->state == ND_PROBE_DONE)
		return;
	for (size_t i = 0; i < all->nflight; i++)
		if (all->flight[i] == p) {
			all->flight[i] = all->flight[--all->nflight];
			break;
		}
	if (p->state == ND_PROBE_RUNNING)
		p->us = (all->now_us > p->started_us ? all->now_us : nd_clock_mono_us()) -
			p->started_us;
	p->state = ND_PROBE_DONE;
	p->outcome = outcome;
	all->targets[p->target].is_open = outcome == ND_OUTCOME_ok;
	nd_close_fd(&p->fd);
	nd_buf_free(&p->in);
}

void nd_probe_fail(struct nd_probes *all, struct nd_probe *p, int sys_errno)
{
	enum nd_probe_outcome outcome = ND_OUTCOME_error;

	if (p->state == ND_PROBE_DONE)
		return;
	for (size_t i = 0; i < ND_ARRAY_LEN(outcomes); i++)
		if (outcomes[i].sys_errno == sys_errno)
			outcome = outcomes[i].outcome;
	if (p->is_connected && outcome == ND_OUTCOME_timeout)
		outcome = ND_OUTCOME_stall;
	p->sys_errno = sys_errno;
	if (kinds[p->ask->kind]->has_own_peer)
		nd_probe_find_hop(p);
	nd_probe_end(all, p, outcome);
}

void nd_probe_expired(struct nd_probes *all, struct nd_probe *p)
{
	nd_probe_end(all, p, p->is_connected ? ND_OUTCOME_stall : ND_OUTCOME_timeout);
}

static void refill(struct nd_probes *all)
{
	int64_t passed_us = all->now_us - all->refilled_us;
	int64_t max = (int64_t)all->rate * MAX_BURST_US;

	if (max < TOKEN)
		max = TOKEN;
	if (passed_us > TOKEN)
		passed_us = TOKEN;
	all->tokens += passed_us * all->rate;
	if (all->tokens > max)
		all->tokens = max;
	all->refilled_us = all->now_us;
}

static bool target_take(struct nd_probes *all, const struct nd_probe *p)
{
	struct nd_probe_target *target = &all->targets[p->target];

	if (all->now_us - target->window_us >= WINDOW_US) {
		target->window_us = all->now_us;
		target->nstarts = 0;
	}
	if (target->nstarts >= STARTS_A_WINDOW && !target->is_open)
		return false;
	target->nstarts++;
	return true;
}

static void start_one(struct nd_probes *all, struct nd_probe *p)
{
	p->state = ND_PROBE_RUNNING;
	p->started_us = nd_clock_mono_us();
	p->deadline_us = p->started_us + (int64_t)all->timeout_ms * 1000;
	all->now_us = p->started_us;
	all->flight[all->nflight++] = p;
	kinds[p->ask->kind]->start(all, p);
}

/* What may start now: in order, but for those whose address has had enough for the moment. */
static void start_some(struct nd_probes *all)
{
	uint32_t *link = &all->waiting;

	if (all->now_us < all->start_us)
		return;
	refill(all);
	for (int skips = 0; skips < MAX_SKIPS && *link < all->nitems;) {
		struct nd_probe *p = &all->items[*link];

		if (all->tokens < TOKEN || all->nflight == ND_PROBE_MAX_FLIGHT)
			return;
		if (!target_take(all, p)) {
			link = &p->next;
			skips++;
			continue;
		}
		*link = p->next;
		all->tokens -= TOKEN;
		start_one(all, p);
	}
}

static void expire_some(struct nd_probes *all)
{
	all->now_us = nd_clock_mono_us();
	for (size_t i = all->nflight; i > 0; i--) {
		struct nd_probe *p = i <= all->nflight ? all->flight[i - 1] : NULL;
		const struct nd_probe_ops *ops;

		if (!p || p->deadline_us > all->now_us)
			continue;
		ops = kinds[p->ask->kind];
		(ops->expire ? ops->expire : nd_probe_expired)(all, p);
	}
}

/* Until something may start or must end; at most a second. */
static int wait_ms(const struct nd_probes *all, int64_t deadline_us)
{
	int64_t until_us = all->now_us + 1000000;

	if (all->also && all->also->next_us <= all->now_us)
		return 0;
	if (deadline_us < until_us)
		until_us = deadline_us;
	if (all->also && all->also->next_us < until_us)
		until_us = all->also->next_us;
	if (all->also && all->also->until_us < until_us && all->also->until_us > all->now_us)
		until_us = all->also->until_us;
	for (size_t i = 0; i < all->nflight; i++)
		if (all->flight[i]->deadline_us < until_us)
			until_us = all->flight[i]->deadline_us;
	if (all->waiting < all->nitems && all->nflight < ND_PROBE_MAX_FLIGHT) {
		int64_t missing = TOKEN - all->tokens;
		int64_t start_us = all->now_us + (missing > 0 ? missing / all->rate : 0);

		if (start_us < all->start_us)
			start_us = all->start_us;
		if (start_us < until_us)
			until_us = start_us;
	}
	/* At least one: the address of every waiting probe may have had enough. */
	return until_us <= all->now_us ? 1 : (int)((until_us - all->now_us + 999) / 1000);
}

static int handle_events(struct nd_probes *all, int ms, struct nd_err *err)
{
	struct epoll_event events[64];
	int n = epoll_wait(all->epoll_fd, events, ND_ARRAY_LEN(events), ms);

	if (n < 0 && errno != EINTR)
		return nd_err_sys(err, ND_E_IO, errno, "wait for answers");
	all->now_us = nd_clock_mono_us();
	for (int i = 0; i < n; i++) {
		struct nd_probe *p = events[i].data.ptr;

		if (p->state == ND_PROBE_RUNNING)
			kinds[p->ask->kind]->ready(all, p, events[i].events);
	}
	return 0;
}

/* The waiting list: all that are not done, in order. */
static void queue(struct nd_probes *all)
{
	uint32_t *link = &all->waiting;

	for (uint32_t i = 0; i < all->nitems; i++) {
		if (all->items[i].state == ND_PROBE_DONE)
			continue;
		*link = i;
		link = &all->items[i].next;
	}
	*link = (uint32_t)all->nitems;
}

static bool is_going(const struct nd_probes *all)
{
	return all->waiting < all->nitems || all->nflight ||
	       (all->also && all->now_us < all->also->until_us);
}

int nd_probes_run(struct nd_probes *all, int timeout_ms, int rate, int64_t deadline_us,
		  struct nd_err *err)
{
	all->timeout_ms = timeout_ms;
	all->rate = rate;
	all->tokens = TOKEN;
	all->now_us = nd_clock_mono_us();
	all->refilled_us = all->start_us = all->now_us + all->delay_us;
	queue(all);
	while (is_going(all) && all->now_us < deadline_us) {
		start_some(all);
		if (!is_going(all))
			break;
		if (handle_events(all, wait_ms(all, deadline_us), err) < 0)
			return -1;
		expire_some(all);
		if (all->also && all->also->next_us <= all->now_us)
			all->also->turn(all->also, all->now_us);
	}
	for (size_t i = 0; i < all->nitems; i++)
		nd_probe_fail(all, &all->items[i], ECANCELED);
	return 0;
}
