#include "common/base.h"

#include "common/text.h"
#include "plugin/node/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum {
	ND_CHILD_READ_BYTES = 64 << 10,
	ND_CHILD_MAX_OUT_BYTES = 16 << 20,
	ND_CHILD_REAP_MS = 2,
};

extern char **environ;

struct ends {
	int ours[3];   /* standard input, output, error; -1 once handed on */
	int theirs[3];
};

static void ends_close(struct ends *ends)
{
	for (int i = 0; i < 3; i++) {
		nd_close_fd(&ends->ours[i]);
		nd_close_fd(&ends->theirs[i]);
	}
}

/* Out of the way of 0..2: when we were started without them, dup2 in the child would clobber. */
static int fd_raise(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	close(fd);
	return high;
}

static int ends_open(struct ends *ends, struct nd_err *err)
{
	for (int i = 0; i < 3; i++) {
		int pair[2];
		int rc = i == 0 ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)
				: pipe2(pair, O_CLOEXEC);

		if (rc < 0)
			return nd_err_sys(err, ND_E_IO, errno, "make a pipe");
		ends->ours[i] = fd_raise(pair[0]);
		ends->theirs[i] = fd_raise(pair[1]);
		if (ends->ours[i] < 0 || ends->theirs[i] < 0)
			return nd_err_sys(err, ND_E_IO, errno, "make a pipe");
		if (fcntl(ends->ours[i], F_SETFL, O_NONBLOCK) < 0)
			return nd_err_sys(err, ND_E_IO, errno, "set up a pipe");
	}
	return 0;
}

static int spawn(const char *const *argv, const int fds[3], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	/* argv is not written to: POSIX only lacks the const. */
	int rc = posix_spawnp(pid, argv[0], &actions, &attr, (char *const *)(uintptr_t)argv,
			      environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return rc;
}

static void input_close(struct nd_child *child)
{
	if (child->in_fd >= 0)
		nd_loop_fd_stop(child->loop, child->in_fd);
	nd_close_fd(&child->in_fd);
}

static void descriptors_close(struct nd_child *child)
{
	input_close(child);
	if (child->out_fd >= 0)
		nd_loop_fd_stop(child->loop, child->out_fd);
	nd_close_fd(&child->out_fd);
	if (child->err_fd >= 0)
		nd_loop_fd_stop(child->loop, child->err_fd);
	nd_close_fd(&child->err_fd);
}

/* Everything we hold of the loop and the kernel; a running child is killed and waited for. */
static void child_stop(struct nd_child *child)
{
	descriptors_close(child);
	nd_loop_timer_stop(child->loop, child->deadline_timer);
	nd_loop_timer_stop(child->loop, child->reap_timer);
	if (child->is_held)
		nd_loop_release(child->loop);
	child->is_held = false;
	if (child->pid <= 0)
		return;
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = -1;
}

static void child_end(struct nd_child *child, enum nd_child_end end, int status)
{
	child->end = end;
	child->status = status;
	child_stop(child);
	child->spec.done(child->spec.ctx, child);
}

static void deadline_fire(void *ctx)
{
	child_end(ctx, ND_CHILD_LATE, 0);
}

/*
 * Both outputs are closed, so the exit is due; the kernel closes descriptors just before it, and
 * a child that closed them itself must not block us. pidfds would do, but not before Linux 5.3.
 */
static void reap(void *ctx)
{
	struct nd_child *child = ctx;
	int status;
	pid_t got = waitpid(child->pid, &status, WNOHANG);

	if (got == 0 || (got < 0 && errno == EINTR)) {
		if (!child->is_held)
			nd_loop_hold(child->loop);
		child->is_held = true;
		child->reap_timer = nd_loop_timer(child->loop, ND_CHILD_REAP_MS, reap, child);
		return;
	}
	child->pid = -1;
	if (got > 0 && WIFSIGNALED(status))
		child_end(child, ND_CHILD_SIGNALLED, WTERMSIG(status));
	else
		child_end(child, ND_CHILD_EXITED, got > 0 ? WEXITSTATUS(status) : 0);
}

static void output_close(struct nd_child *child, int *fd)
{
	nd_loop_fd_stop(child->loop, *fd);
	nd_close_fd(fd);
	if (child->out_fd < 0 && child->err_fd < 0) {
		input_close(child); /* nobody is left to read it */
		reap(child);
	}
}

static void out_ready(void *ctx, int fd, short revents ND_UNUSED)
{
	struct nd_child *child = ctx;
	size_t room = ND_CHILD_READ_BYTES;

	if (child->out.len + room > child->out.max_bytes)
		room = child->out.max_bytes - child->out.len;
	/* At the cap one byte more decides between "exactly full" and "too much". */
	char one, *dst = room > 0 ? nd_buf_room(&child->out, room) : &one;
	if (!dst) {
		child_end(child, ND_CHILD_TOO_MUCH, 0);
		return;
	}
	ssize_t got = read(fd, dst, room > 0 ? room : 1);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		output_close(child, &child->out_fd);
		return;
	}
	if (room == 0) {
		child_end(child, ND_CHILD_TOO_MUCH, 0);
		return;
	}
	child->out.len += (size_t)got;
	if (child->spec.more)
		child->spec.more(child->spec.ctx, child);
}

/* Keep the tail: the last words say why. */
static void err_ready(void *ctx, int fd, short revents ND_UNUSED)
{
	struct nd_child *child = ctx;
	char fresh[512];
	ssize_t got = read(fd, fresh, sizeof(fresh));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		output_close(child, &child->err_fd);
		return;
	}
	size_t max = sizeof(child->err_tail) - 1, n = (size_t)got;
	size_t drop = child->err_len + n > max ? child->err_len + n - max : 0;
	memmove(child->err_tail, child->err_tail + drop, child->err_len - drop);
	memcpy(child->err_tail + child->err_len - drop, fresh, n);
	child->err_len += n - drop;
	child->err_tail[child->err_len] = '\0';
}

static void in_ready(void *ctx, int fd, short revents ND_UNUSED)
{
	struct nd_child *child = ctx;
	size_t left = child->pending.len - child->pending_at;
	ssize_t put = send(fd, child->pending.data + child->pending_at, left, MSG_NOSIGNAL);

	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (put < 0) {
		input_close(child); /* why it went away is in its exit code and last words */
		return;
	}
	child->pending_at += (size_t)put;
	if (child->pending_at < child->pending.len)
		return;
	nd_buf_free(&child->pending);
	child->pending_at = 0;
	nd_loop_fd_stop(child->loop, fd);
	if (child->is_input_ending)
		input_close(child);
}

struct nd_child *nd_child_start(struct nd_loop *loop, const struct nd_child_spec *spec,
				struct nd_err *err)
{
	struct ends ends = {.ours = {-1, -1, -1}, .theirs = {-1, -1, -1}};
	pid_t pid = -1;

	if (ends_open(&ends, err) < 0) {
		ends_close(&ends);
		return NULL;
	}
	int rc = spawn(spec->argv, ends.theirs, &pid);
	if (rc != 0) {
		ends_close(&ends);
		nd_err_sys(err, rc == ENOENT ? ND_E_NOT_FOUND : ND_E_IO, rc, "run %s",
			   spec->argv[0]);
		return NULL;
	}
	struct nd_child *child = calloc(1, sizeof(*child));
	if (!child)
		nd_out_of_memory(sizeof(*child));
	child->loop = loop;
	child->spec = *spec;
	child->out.max_bytes = spec->max_out_bytes ? spec->max_out_bytes : ND_CHILD_MAX_OUT_BYTES;
	child->pid = pid;
	child->in_fd = nd_steal_fd(&ends.ours[0]);
	child->out_fd = nd_steal_fd(&ends.ours[1]);
	child->err_fd = nd_steal_fd(&ends.ours[2]);
	ends_close(&ends);
	nd_loop_fd(loop, child->out_fd, POLLIN, out_ready, child);
	nd_loop_fd(loop, child->err_fd, POLLIN, err_ready, child);
	child->deadline_timer = nd_loop_timer(loop, spec->deadline_ms, deadline_fire, child);
	return child;
}

void nd_child_send(struct nd_child *child, const void *p, size_t n)
{
	if (child->in_fd < 0 || n == 0)
		return;
	nd_buf_add(&child->pending, p, n);
	nd_loop_fd(child->loop, child->in_fd, POLLOUT, in_ready, child);
}

void nd_child_end_input(struct nd_child *child)
{
	child->is_input_ending = true;
	if (child->pending.len == 0)
		input_close(child);
}

/* The last line of standard error that says something. */
static void last_line(const struct nd_child *child, char *dst, size_t size)
{
	struct nd_str rest = nd_str_trim((struct nd_str){child->err_tail, child->err_len});
	struct nd_str line, last = {"", 0};
	char copy[sizeof(child->err_tail)];

	while (nd_str_line(&rest, &line))
		if (nd_str_trim(line).n > 0)
			last = nd_str_trim(line);
	snprintf(copy, sizeof(copy), "%.*s", (int)last.n, last.p);
	nd_text_safe(dst, size, copy);
}

const char *nd_child_why(const struct nd_child *child, char *dst, size_t size)
{
	char said[sizeof(child->err_tail)] = "";
	char what[96];

	last_line(child, said, sizeof(said));
	switch (child->end) {
	case ND_CHILD_LATE:
		snprintf(what, sizeof(what), "no answer within %lld ms",
			 (long long)child->spec.deadline_ms);
		break;
	case ND_CHILD_TOO_MUCH:
		snprintf(what, sizeof(what), "more than %zu bytes of output", child->out.max_bytes);
		break;
	case ND_CHILD_SIGNALLED:
		snprintf(what, sizeof(what), "ended by signal %d", child->status);
		break;
	case ND_CHILD_EXITED:
	case ND_CHILD_RUNNING:
		snprintf(what, sizeof(what), "exit code %d", child->status);
		break;
	}
	snprintf(dst, size, "%s%s%s", what, said[0] ? ": " : "", said);
	return dst;
}

void nd_child_free(struct nd_child *child)
{
	if (!child)
		return;
	child_stop(child);
	nd_buf_free(&child->out);
	nd_buf_free(&child->pending);
	free(child);
}
