#include "common/base.h"

#include "agent/sys/run.h"
#include "common/clock.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A bigger pipe lets a child work on while its reader is busy elsewhere. */
enum { PIPE_BYTES = 1 << 20, READ_BYTES = 64 << 10, MAX_RUNS = 16 };

const char *const nd_run_dirs[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin", NULL};

static char *const run_env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};

bool nd_run_find(const char *name, char path[ND_RUN_PATH_MAX])
{
	struct stat st;

	for (size_t i = 0; nd_run_dirs[i]; i++) {
		int n = snprintf(path, ND_RUN_PATH_MAX, "%s/%s", nd_run_dirs[i], name);
		if (n > 0 && n < ND_RUN_PATH_MAX && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    (st.st_mode & 0111) != 0)
			return true;
	}
	path[0] = '\0';
	return false;
}

static void set_error(struct nd_run *run, const char *what, const char *detail)
{
	if (run->error[0])
		return; /* the first reason is the real one */
	snprintf(run->error, sizeof(run->error), "%s: %s%s%s", run->argv[0], what,
		 *detail ? ": " : "", detail);
}

ND_NORETURN static void be_child(const char *path, const struct nd_run *run, int in, int out,
				 int err, int parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	if (getppid() != parent || setpgid(0, 0) < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(err, 2) < 0)
		_exit(126);
	struct nd_err why = {0};
	if (run->prepare && run->prepare(&why) < 0) {
		dprintf(2, "%s\n", why.text);
		_exit(125);
	}
	execve(path, (char *const *)run->argv, run_env);
	dprintf(2, "execute %s: %s\n", path, strerror(errno));
	_exit(127);
}

void nd_run_start(struct nd_run *run)
{
	char path[ND_RUN_PATH_MAX];
	int out[2] = {-1, -1}, err[2] = {-1, -1};
	nd_auto_fd int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

	run->pid = 0;
	run->out_fd = run->err_fd = run->exit_code = -1;
	if (!nd_run_find(run->argv[0], path)) {
		set_error(run, "not installed", "");
		return;
	}
	if (in < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
		set_error(run, "make its pipes", strerror(errno));
		nd_close_fd(&out[0]);
		nd_close_fd(&out[1]);
		return;
	}
	fcntl(out[0], F_SETPIPE_SZ, PIPE_BYTES); /* a wish; a refusal costs only speed */
	int parent = getpid();
	int pid = fork();
	if (pid == 0)
		be_child(path, run, in, out[1], err[1], parent);
	if (pid < 0)
		set_error(run, "fork", strerror(errno));
	close(out[1]);
	close(err[1]);
	run->out_fd = out[0];
	run->err_fd = err[0];
	if (pid < 0) {
		nd_close_fd(&run->out_fd);
		nd_close_fd(&run->err_fd);
		return;
	}
	setpgid(pid, pid); /* also here: the group must exist before it may be killed */
	run->pid = pid;
	fcntl(run->out_fd, F_SETFL, O_RDONLY | O_NONBLOCK);
	fcntl(run->err_fd, F_SETFL, O_RDONLY | O_NONBLOCK);
}

static void kill_group(const struct nd_run *run)
{
	if (run->pid > 1 && kill(-run->pid, SIGKILL) < 0)
		kill(run->pid, SIGKILL);
}

static void read_out(struct nd_run *run)
{
	char *room = nd_buf_room(&run->out, READ_BYTES);
	char rest[1];
	size_t want = READ_BYTES;

	if (!room) { /* near the cap: what is left of it, then one byte more proves too much */
		want = run->out.max_bytes - run->out.len;
		room = want > 0 ? nd_buf_room(&run->out, want) : NULL;
		run->out.is_over = false;
		if (!room) {
			want = sizeof(rest);
			room = rest;
		}
	}
	ssize_t n = read(run->out_fd, room, want);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		nd_close_fd(&run->out_fd);
		return;
	}
	if (room == rest) {
		char cap[64];
		snprintf(cap, sizeof(cap), "more than %zu bytes of output", run->out.max_bytes);
		set_error(run, cap, "");
		kill_group(run);
		nd_close_fd(&run->out_fd);
		return;
	}
	run->out.len += (size_t)n;
	run->out.data[run->out.len] = '\0';
}

static void read_err(struct nd_run *run)
{
	char chunk[ND_RUN_ERR_TAIL];
	ssize_t got = read(run->err_fd, chunk, sizeof(chunk));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		nd_close_fd(&run->err_fd);
		return;
	}
	size_t n = (size_t)got;
	if (run->err_len + n > ND_RUN_ERR_TAIL) {
		size_t drop = run->err_len + n - ND_RUN_ERR_TAIL;
		memmove(run->err_tail, run->err_tail + drop, run->err_len - drop);
		run->err_len -= drop;
	}
	memcpy(run->err_tail + run->err_len, chunk, n);
	run->err_len += n;
	run->err_tail[run->err_len] = '\0';
}

/* stderr as one line for an error text. */
static const char *err_line(struct nd_run *run)
{
	for (size_t i = 0; i < run->err_len; i++)
		if (run->err_tail[i] == '\n' || run->err_tail[i] == '\r' ||
		    run->err_tail[i] == '\0')
			run->err_tail[i] = ' ';
	while (run->err_len > 0 && run->err_tail[run->err_len - 1] == ' ')
		run->err_tail[--run->err_len] = '\0';
	return run->err_tail;
}

/* A child may close its outputs and go on: it too has only until the deadline. */
static int wait_until(struct nd_run *run, int64_t deadline_us, int *status)
{
	for (;;) {
		int rc = waitpid(run->pid, status, WNOHANG);
		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return -1;
		if (nd_clock_mono_us() >= deadline_us) {
			set_error(run, "no end before the deadline", "");
			kill_group(run);
			deadline_us = INT64_MAX; /* SIGKILL is certain */
		}
		usleep(200);
	}
}

static void reap(struct nd_run *run, int64_t deadline_us)
{
	int status = 0;
	char what[64];

	if (run->pid <= 0)
		return;
	int rc = wait_until(run, deadline_us, &status);
	run->pid = 0;
	if (rc < 0) {
		set_error(run, "wait for it", strerror(errno));
		return;
	}
	if (WIFEXITED(status)) {
		run->exit_code = WEXITSTATUS(status);
		if (run->exit_code == 0)
			return;
		snprintf(what, sizeof(what), "exit code %d", run->exit_code);
	} else {
		snprintf(what, sizeof(what), "ended by signal %d", WTERMSIG(status));
	}
	set_error(run, what, err_line(run));
}

static bool is_open(const struct nd_run *run)
{
	return run && run->pid > 0 && (run->out_fd >= 0 || run->err_fd >= 0);
}

/* One round of waiting; false when the wanted ones are at their ends. */
static bool poll_round(struct nd_run *const *runs, size_t nruns, size_t nwanted, int timeout_ms)
{
	struct pollfd fds[2 * MAX_RUNS];
	bool is_wanted_open = false;

	for (size_t i = 0; i < nruns; i++) {
		bool is_live = is_open(runs[i]);
		is_wanted_open |= is_live && i < nwanted;
		fds[2 * i] = (struct pollfd){is_live ? runs[i]->out_fd : -1, POLLIN, 0};
		fds[2 * i + 1] = (struct pollfd){is_live ? runs[i]->err_fd : -1, POLLIN, 0};
	}
	if (!is_wanted_open)
		return false;
	if (poll(fds, 2 * nruns, timeout_ms) <= 0)
		return true;
	for (size_t i = 0; i < nruns; i++) {
		if (fds[2 * i].revents && runs[i]->out_fd >= 0)
			read_out(runs[i]);
		if (fds[2 * i + 1].revents && runs[i]->err_fd >= 0)
			read_err(runs[i]);
	}
	return true;
}

void nd_run_finish(struct nd_run *const *runs, size_t nruns, size_t nwanted, int64_t deadline_us)
{
	if (nruns > MAX_RUNS || nwanted > nruns)
		ND_BUG("too many children at once");
	for (;;) {
		int64_t left_us = deadline_us - nd_clock_mono_us();
		if (left_us <= 0)
			break;
		int timeout_ms = left_us > 1000000 ? 1000 : (int)(left_us / 1000) + 1;
		if (!poll_round(runs, nruns, nwanted, timeout_ms))
			break;
	}
	for (size_t i = 0; i < nwanted; i++) {
		if (!runs[i])
			continue;
		if (is_open(runs[i])) {
			set_error(runs[i], "no end before the deadline", "");
			kill_group(runs[i]);
		}
		nd_close_fd(&runs[i]->out_fd);
		nd_close_fd(&runs[i]->err_fd);
		reap(runs[i], deadline_us);
	}
}

void nd_run_free(struct nd_run *run)
{
	if (run->pid > 0) {
		set_error(run, "stopped", "");
		kill_group(run);
		nd_close_fd(&run->out_fd);
		nd_close_fd(&run->err_fd);
		reap(run, INT64_MAX);
	}
	nd_buf_free(&run->out);
}
