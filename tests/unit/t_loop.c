/* t_loop.c: descriptors, timers, holds and interrupts. Transfers are in t_api.c. */
#include "common/base.h"

#include "common/clock.h"
#include "plugin/evidence/item.h"
#include "plugin/kube/loop.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

struct seen {
	struct nd_loop *loop;
	unsigned nreads, nhups, nfired;
	int fd_to_stop;
	size_t nbytes;
	char order[16];
};

static void on_ready(void *ctx, int fd, short revents)
{
	struct seen *seen = ctx;
	char chunk[64];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	seen->nreads++;
	seen->nhups += (revents & POLLHUP) != 0;
	if (n > 0) {
		seen->nbytes += (size_t)n;
		return;
	}
	nd_loop_fd_stop(seen->loop, fd);
}

/* A closed pipe without data only has POLLHUP; curl_multi_poll does not tell that. */
static void closed_pipe_is_told(void **state)
{
	struct seen seen = {.loop = nd_loop_new()};
	struct nd_err err = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[1]);
	nd_loop_fd(seen.loop, fds[0], POLLIN, on_ready, &seen);
	assert_int_equal(nd_loop_run(seen.loop, &err), 0);
	assert_int_equal(seen.nreads, 1);
	assert_int_equal(seen.nhups, 1);
	close(fds[0]);
	nd_loop_free(seen.loop);
}

static void reads_a_child(void **state)
{
	struct seen seen = {.loop = nd_loop_new()};
	struct nd_err err = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 3; i++) {
			if (write(fds[1], "hello", 5) != 5)
				_exit(1);
			usleep(20000);
		}
		_exit(0);
	}
	close(fds[1]);
	nd_loop_fd(seen.loop, fds[0], POLLIN, on_ready, &seen);
	assert_int_equal(nd_loop_run(seen.loop, &err), 0);
	assert_int_equal(seen.nbytes, 15);
	waitpid(pid, NULL, 0);
	close(fds[0]);
	nd_loop_free(seen.loop);
}

static void stop_other(void *ctx, int fd, short revents)
{
	struct seen *seen = ctx;

	(void)revents;
	seen->nreads++;
	nd_loop_fd_stop(seen->loop, fd);
	nd_loop_fd_stop(seen->loop, seen->fd_to_stop);
	seen->fd_to_stop = fd;
}

/* Two are ready at once; the first one called stops the other, which then must stay silent. */
static void stopped_is_silent(void **state)
{
	struct seen seen = {.loop = nd_loop_new()};
	struct nd_err err = {0};
	int a[2], b[2];

	(void)state;
	assert_int_equal(pipe2(a, O_CLOEXEC) | pipe2(b, O_CLOEXEC), 0);
	assert_int_equal(write(a[1], "x", 1) + write(b[1], "x", 1), 2);
	nd_loop_fd(seen.loop, a[0], POLLIN, stop_other, &seen);
	nd_loop_fd(seen.loop, b[0], POLLIN, stop_other, &seen);
	seen.fd_to_stop = b[0];
	assert_int_equal(nd_loop_run(seen.loop, &err), 0);
	assert_int_equal(seen.nreads, 1);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
	nd_loop_free(seen.loop);
}

static void fire_a(void *ctx)
{
	strcat(((struct seen *)ctx)->order, "a");
}

static void fire_b(void *ctx)
{
	strcat(((struct seen *)ctx)->order, "b");
}

static void fire_last(void *ctx)
{
	struct seen *seen = ctx;

	strcat(seen->order, "!");
	nd_loop_release(seen->loop);
}

static void timers_fire_in_order(void **state)
{
	struct seen seen = {.loop = nd_loop_new()};
	struct nd_err err = {0};
	int64_t start_us = nd_clock_mono_us();

	(void)state;
	nd_loop_hold(seen.loop);
	nd_loop_timer(seen.loop, 60, fire_last, &seen);
	nd_loop_timer(seen.loop, 30, fire_b, &seen);
	nd_loop_timer(seen.loop, 0, fire_a, &seen);
	int stopped = nd_loop_timer(seen.loop, 10, fire_b, &seen);
	assert_int_not_equal(stopped, 0);
	nd_loop_timer_stop(seen.loop, stopped);
	assert_int_equal(nd_loop_run(seen.loop, &err), 0);
	assert_string_equal(seen.order, "ab!");
	assert_true(nd_clock_mono_us() - start_us >= 60000);
	nd_loop_free(seen.loop);
}

static void timers_alone_do_not_run(void **state)
{
	struct seen seen = {.loop = nd_loop_new()};
	struct nd_err err = {0};

	(void)state;
	nd_loop_timer(seen.loop, 100000, fire_a, &seen);
	assert_int_equal(nd_loop_run(seen.loop, &err), 0);
	assert_string_equal(seen.order, "");
	nd_loop_free(seen.loop);
}

static void on_signal(int number)
{
	(void)number;
	nd_loop_interrupt();
}

static void interrupt_ends_a_wait(void **state)
{
	struct seen seen = {.loop = nd_loop_new()};
	struct nd_err err = {0};
	struct sigaction act = {.sa_handler = on_signal};
	int64_t start_us = nd_clock_mono_us();

	(void)state;
	sigaction(SIGUSR1, &act, NULL);
	nd_loop_hold(seen.loop);
	pid_t pid = fork();
	if (pid == 0) {
		usleep(50000);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	assert_int_equal(nd_loop_run(seen.loop, &err), -1);
	assert_int_equal(err.code, ND_E_INTERRUPTED);
	assert_true(nd_clock_mono_us() - start_us < 900000);
	waitpid(pid, NULL, 0);
	nd_loop_release(seen.loop); /* and it works again, for what must be undone */
	assert_int_equal(nd_loop_run(seen.loop, &err), 0);
	nd_loop_free(seen.loop);
}

static int count_item(void *ctx, const struct nd_item *item, struct nd_err *err)
{
	(void)item;
	return ++*(unsigned *)ctx > 1 ? nd_err_set(err, ND_E_IO, "full") : 0;
}

static int keep_gap(void *ctx, const struct nd_gap *gap, struct nd_err *err)
{
	(void)err;
	*(unsigned *)ctx += 100;
	assert_string_equal(gap->why, "two lines");
	return 0;
}

static void tee_feeds_both(void **state)
{
	unsigned one = 0, two = 0;
	struct nd_sink first = {.ctx = &one, .item = count_item, .gap = keep_gap};
	struct nd_sink second = {.ctx = &two, .item = count_item, .gap = keep_gap};
	struct nd_sink_pair pair = {&first, &second};
	struct nd_sink tee = nd_sink_tee(&pair);
	struct nd_item item = {.kind = ND_ITEM_API, .name = "pods", .bytes = ""};
	struct nd_err err = {0};

	(void)state;
	assert_int_equal(nd_sink_item(&tee, &item, &err), 0);
	assert_int_equal(nd_sink_gap(&tee, "pods", "api", &err, "two\n%s", "lines"), 0);
	assert_int_equal(one, 101);
	assert_int_equal(two, 101);
	assert_int_equal(nd_sink_item(&tee, &item, &err), -1);
	assert_int_equal(two, 101); /* the first error ends it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_pipe_is_told),
		cmocka_unit_test(reads_a_child),
		cmocka_unit_test(stopped_is_silent),
		cmocka_unit_test(timers_fire_in_order),
		cmocka_unit_test(timers_alone_do_not_run),
		cmocka_unit_test(interrupt_ends_a_wait),
		cmocka_unit_test(tee_feeds_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
