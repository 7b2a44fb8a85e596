/*
 * loop.h: the one event loop. HTTP transfers (curl_multi), children's pipes and timers side by
 * side, no threads. Knows nothing of Kubernetes.
 *
 *	struct nd_loop *loop = nd_loop_new();
 *	nd_loop_http(loop, easy, done, ctx);
 *	nd_loop_fd(loop, fd, POLLIN, ready, ctx);
 *	nd_loop_run(loop, err);		returns when nothing is left to wait for
 *	nd_loop_free(loop);
 */
#ifndef ND_PLUGIN_KUBE_LOOP_H
#define ND_PLUGIN_KUBE_LOOP_H

#include "common/base.h"
#include "common/err.h"

#include <curl/curl.h>

struct nd_loop;

struct nd_loop *nd_loop_new(void);
void nd_loop_free(struct nd_loop *loop); /* what is still running is dropped without a call */

/* Start a transfer. done is called once, from nd_loop_run; it owns easy from then on. */
void nd_loop_http(struct nd_loop *loop, CURL *easy,
		  void (*done)(void *ctx, CURL *easy, CURLcode result), void *ctx);
/* End a transfer without calling done; the caller owns easy again. */
void nd_loop_http_cancel(struct nd_loop *loop, CURL *easy);

/* Watch fd (not owned) for events (POLLIN, POLLOUT); POLLHUP and POLLERR are always reported. */
void nd_loop_fd(struct nd_loop *loop, int fd, short events,
		void (*ready)(void *ctx, int fd, short revents), void *ctx);
void nd_loop_fd_stop(struct nd_loop *loop, int fd);

/* Call fire once after delay_ms; the number names the timer for nd_loop_timer_stop (0 is never
 * used). */
int nd_loop_timer(struct nd_loop *loop, int64_t delay_ms, void (*fire)(void *ctx), void *ctx);
void nd_loop_timer_stop(struct nd_loop *loop, int timer);

/* Run until no transfer and no descriptor is left (timers alone do not keep it running, unless
 * started with nd_loop_timer while a transfer or descriptor waits on them: use nd_loop_hold). */
int nd_loop_run(struct nd_loop *loop, struct nd_err *err) ND_MUST_USE;
/* Keep the loop running until released (a retry that waits for its timer, say). Counts. */
void nd_loop_hold(struct nd_loop *loop);
void nd_loop_release(struct nd_loop *loop);
/* SIGINT or SIGTERM came: nd_loop_run returns -1 with ND_E_INTERRUPTED. Async-signal-safe. */
void nd_loop_interrupt(void);

#endif
