#include "common/base.h"

#include "common/clock.h"
#include "plugin/kube/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

enum {
	ND_LOOP_MAX_WAIT_MS = 1000,  /* the loop looks around at least this often */
	ND_LOOP_MAX_CONNECTIONS = 8, /* to one host; HTTP/1.1 servers get no more */
};

struct transfer {
	struct transfer *next;
	CURL *easy;
	void (*done)(void *ctx, CURL *easy, CURLcode result);
	void *ctx;
	bool is_refused; /* curl did not take it: reported from the loop, as everything is */
};

struct watch {
	int fd;
	short events;
	uint64_t serial; /* tells a new watch on a reused number from the old one */
	void (*ready)(void *ctx, int fd, short revents);
	void *ctx;
};

struct timer {
	int id;
	int64_t due_us;
	void (*fire)(void *ctx);
	void *ctx;
};

struct nd_loop {
	CURLM *multi;
	struct transfer *transfers; /* owned */
	struct watch *watches;	    /* nwatches */
	size_t nwatches, watches_cap;
	struct timer *timers; /* ntimers, unsorted */
	size_t ntimers, timers_cap;
	struct pollfd *polled; /* nwatches as of the last wait, and the interrupt */
	struct curl_waitfd *waited;
	uint64_t *serials;
	size_t polled_cap;
	uint64_t next_serial;
	int next_timer;
	unsigned holds;
};

/* A signal handler may only touch these: the flag says it, the eventfd ends the wait. */
static volatile sig_atomic_t was_interrupted;
static volatile int interrupt_fd = -1;

static void *grow(void *items, size_t *cap, size_t want, size_t size_bytes)
{
	size_t bytes, next = *cap ? *cap * 2 : 8;

	if (want <= *cap)
		return items;
	while (next < want)
		next *= 2;
	if (!nd_size_mul(next, size_bytes, &bytes))
		ND_BUG("too many");
	items = realloc(items, bytes);
	if (!items)
		ND_BUG("out of memory");
	*cap = next;
	return items;
}

struct nd_loop *nd_loop_new(void)
{
	struct nd_loop *loop = calloc(1, sizeof(*loop));

	if (!loop || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		ND_BUG("out of memory");
	loop->multi = curl_multi_init();
	if (!loop->multi)
		ND_BUG("out of memory");
	curl_multi_setopt(loop->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
			  (long)ND_LOOP_MAX_CONNECTIONS);
	if (interrupt_fd < 0)
		interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return loop;
}

void nd_loop_free(struct nd_loop *loop)
{
	if (!loop)
		return;
	while (loop->transfers) {
		struct transfer *t = loop->transfers;

		loop->transfers = t->next;
		curl_multi_remove_handle(loop->multi, t->easy);
		curl_easy_cleanup(t->easy);
		free(t);
	}
	curl_multi_cleanup(loop->multi);
	free(loop->watches);
	free(loop->timers);
	free(loop->polled);
	free(loop->waited);
	free(loop->serials);
	free(loop);
	curl_global_cleanup();
}

void nd_loop_http(struct nd_loop *loop, CURL *easy,
		  void (*done)(void *ctx, CURL *easy, CURLcode result), void *ctx)
{
	struct transfer *t = calloc(1, sizeof(*t));

	if (!t)
		ND_BUG("out of memory");
	*t = (struct transfer){.next = loop->transfers, .easy = easy, .done = done, .ctx = ctx};
	t->is_refused = curl_multi_add_handle(loop->multi, easy) != CURLM_OK;
	loop->transfers = t;
}

/* Take the record of easy out of the list; NULL when there is none. The caller frees it. */
static struct transfer *transfer_take(struct nd_loop *loop, const CURL *easy)
{
	for (struct transfer **at = &loop->transfers; *at; at = &(*at)->next) {
		struct transfer *t = *at;

		if (t->easy != easy)
			continue;
		*at = t->next;
		curl_multi_remove_handle(loop->multi, t->easy);
		return t;
	}
	return NULL;
}

void nd_loop_http_cancel(struct nd_loop *loop, CURL *easy)
{
	free(transfer_take(loop, easy));
}

static struct watch *watch_find(struct nd_loop *loop, int fd)
{
	for (size_t i = 0; i < loop->nwatches; i++)
		if (loop->watches[i].fd == fd)
			return &loop->watches[i];
	return NULL;
}

void nd_loop_fd(struct nd_loop *loop, int fd, short events,
		void (*ready)(void *ctx, int fd, short revents), void *ctx)
{
	struct watch *w = watch_find(loop, fd);

	if (!w) {
		loop->watches = grow(loop->watches, &loop->watches_cap, loop->nwatches + 1,
				     sizeof(*loop->watches));
		w = &loop->watches[loop->nwatches++];
	}
	*w = (struct watch){
		.fd = fd,
		.events = events,
		.serial = ++loop->next_serial,
		.ready = ready,
		.ctx = ctx,
	};
}

void nd_loop_fd_stop(struct nd_loop *loop, int fd)
{
	struct watch *w = watch_find(loop, fd);

	if (w)
		*w = loop->watches[--loop->nwatches];
}

int nd_loop_timer(struct nd_loop *loop, int64_t delay_ms, void (*fire)(void *ctx), void *ctx)
{
	if (delay_ms < 0)
		delay_ms = 0;
	if (delay_ms > INT32_MAX)
		delay_ms = INT32_MAX; /* 24 days: a deadline that never comes */
	if (++loop->next_timer <= 0)
		loop->next_timer = 1;
	loop->timers =
		grow(loop->timers, &loop->timers_cap, loop->ntimers + 1, sizeof(*loop->timers));
	loop->timers[loop->ntimers++] = (struct timer){
		.id = loop->next_timer,
		.due_us = nd_clock_mono_us() + delay_ms * 1000,
		.fire = fire,
		.ctx = ctx,
	};
	return loop->next_timer;
}

void nd_loop_timer_stop(struct nd_loop *loop, int timer)
{
	for (size_t i = 0; i < loop->ntimers; i++)
		if (loop->timers[i].id == timer) {
			loop->timers[i] = loop->timers[--loop->ntimers];
			return;
		}
}

static struct timer *timer_first(struct nd_loop *loop)
{
	struct timer *first = NULL;

	for (size_t i = 0; i < loop->ntimers; i++)
		if (!first || loop->timers[i].due_us < first->due_us)
			first = &loop->timers[i];
	return first;
}

/* Those due now; one that a timer starts with no delay waits for the next turn. */
static void timers_fire(struct nd_loop *loop)
{
	int64_t now_us = nd_clock_mono_us();

	for (size_t left = loop->ntimers; left > 0; left--) {
		struct timer *first = timer_first(loop);

		if (!first || first->due_us > now_us)
			return;
		struct timer due = *first;
		*first = loop->timers[--loop->ntimers];
		due.fire(due.ctx);
	}
}

static int wait_ms(struct nd_loop *loop)
{
	struct timer *first = timer_first(loop);

	if (!first)
		return ND_LOOP_MAX_WAIT_MS;
	int64_t left_us = first->due_us - nd_clock_mono_us();
	if (left_us <= 0)
		return 0;
	int64_t left_ms = (left_us + 999) / 1000;
	return left_ms < ND_LOOP_MAX_WAIT_MS ? (int)left_ms : ND_LOOP_MAX_WAIT_MS;
}

/* Copies of the watches, because a callback may change them while we go through them. */
static size_t watches_copy(struct nd_loop *loop)
{
	size_t want = loop->nwatches + 1, cap = loop->polled_cap;

	loop->polled = grow(loop->polled, &cap, want, sizeof(*loop->polled));
	cap = loop->polled_cap;
	loop->waited = grow(loop->waited, &cap, want, sizeof(*loop->waited));
	cap = loop->polled_cap;
	loop->serials = grow(loop->serials, &cap, want, sizeof(*loop->serials));
	loop->polled_cap = cap;
	for (size_t i = 0; i < loop->nwatches; i++) {
		const struct watch *w = &loop->watches[i];

		loop->polled[i] = (struct pollfd){.fd = w->fd, .events = w->events};
		loop->serials[i] = w->serial;
	}
	loop->polled[want - 1] = (struct pollfd){.fd = interrupt_fd, .events = POLLIN};
	for (size_t i = 0; i < want; i++)
		loop->waited[i] = (struct curl_waitfd){
			.fd = loop->polled[i].fd,
			.events =
				(short)((loop->polled[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
					(loop->polled[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0)),
		};
	return want;
}

/*
 * curl_multi_poll (7.88) waits for our descriptors too but hides POLLHUP and POLLERR, so a closed
 * pipe would spin; a poll that does not wait asks again.
 */
static int watches_wait(struct nd_loop *loop, struct nd_err *err)
{
	size_t n = watches_copy(loop);
	CURLMcode rc = curl_multi_poll(loop->multi, loop->waited, (unsigned)n, wait_ms(loop), NULL);

	if (rc != CURLM_OK)
		return nd_err_set(err, ND_E_IO, "wait for the network: %s",
				  curl_multi_strerror(rc));
	int got = poll(loop->polled, n - 1, 0);
	if (got < 0 && errno != EINTR && errno != EAGAIN)
		return nd_err_sys(err, ND_E_IO, errno, "poll");
	for (size_t i = 0; got > 0 && i + 1 < n; i++) {
		struct watch *w =
			loop->polled[i].revents ? watch_find(loop, loop->polled[i].fd) : NULL;

		if (w && w->serial == loop->serials[i])
			w->ready(w->ctx, w->fd, loop->polled[i].revents);
	}
	return 0;
}

static void transfer_end(struct nd_loop *loop, CURL *easy, CURLcode result)
{
	struct transfer *t = transfer_take(loop, easy);

	if (!t)
		return;
	struct transfer copy = *t;
	free(t);
	copy.done(copy.ctx, copy.easy, result);
}

static int transfers_step(struct nd_loop *loop, struct nd_err *err)
{
	int running, left;
	CURLMsg *msg;
	CURLMcode rc = curl_multi_perform(loop->multi, &running);

	if (rc != CURLM_OK)
		return nd_err_set(err, ND_E_IO, "drive transfers: %s", curl_multi_strerror(rc));
	while ((msg = curl_multi_info_read(loop->multi, &left)))
		if (msg->msg == CURLMSG_DONE)
			transfer_end(loop, msg->easy_handle, msg->data.result);
	for (struct transfer *t = loop->transfers; t; t = t->next)
		if (t->is_refused) {
			transfer_end(loop, t->easy, CURLE_FAILED_INIT);
			break; /* the list may be another now; the next turn takes the next */
		}
	return 0;
}

/* True once per interrupt, so that what must be undone afterwards can use the loop again. */
static bool interrupt_take(void)
{
	uint64_t count;

	if (!was_interrupted)
		return false;
	was_interrupted = 0;
	while (read(interrupt_fd, &count, sizeof(count)) > 0)
		;
	return true;
}

int nd_loop_run(struct nd_loop *loop, struct nd_err *err)
{
	while (loop->transfers || loop->nwatches > 0 || loop->holds > 0) {
		if (interrupt_take())
			return nd_err_set(err, ND_E_INTERRUPTED, "interrupted");
		if (transfers_step(loop, err) < 0)
			return -1;
		if (!loop->transfers && loop->nwatches == 0 && loop->holds == 0)
			break;
		if (watches_wait(loop, err) < 0)
			return -1;
		timers_fire(loop);
	}
	if (interrupt_take())
		return nd_err_set(err, ND_E_INTERRUPTED, "interrupted");
	return 0;
}

void nd_loop_hold(struct nd_loop *loop)
{
	loop->holds++;
}

void nd_loop_release(struct nd_loop *loop)
{
	if (loop->holds == 0)
		ND_BUG("released more often than held");
	loop->holds--;
}

void nd_loop_interrupt(void)
{
	int saved = errno;
	uint64_t one = 1;

	was_interrupted = 1;
	if (interrupt_fd >= 0 && write(interrupt_fd, &one, sizeof(one)) < 0)
		was_interrupted = 1; /* full: the loop is being woken already */
	errno = saved;
}
