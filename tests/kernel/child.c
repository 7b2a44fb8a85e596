/* child.c: programs of the system, by argv, with input and output in memory. */
#include "common/base.h"

#include "tests/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

extern char **environ;

/* A file in memory: no deadlock of two full pipes. */
static int input_fd(const char *input, size_t n)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	for (size_t done = 0; fd >= 0 && done < n;) {
		ssize_t got = write(fd, input + done, n - done);

		if (got <= 0)
			break;
		done += (size_t)got;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* What loads says why not; what lists warns of things we know. */
static int start(const char *const *argv, int in, int out, bool has_errors, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (has_errors)
		posix_spawn_file_actions_adddup2(&actions, out, 2);
	else
		posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	rc = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

int child_run(const char *const *argv, const char *input, size_t n, struct nd_buf *out)
{
	nd_auto_fd int in = input_fd(input, n);
	nd_auto_fd int reader = -1;
	int pipes[2], status = 0;
	pid_t pid;

	if (in < 0 || pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	reader = pipes[0];
	fcntl(reader, F_SETPIPE_SZ, 1 << 20);
	if (start(argv, in, pipes[1], input != NULL, &pid) != 0) {
		close(pipes[1]);
		return -1;
	}
	close(pipes[1]);
	for (;;) {
		char chunk[65536];
		ssize_t got = read(reader, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if (out)
			nd_buf_add(out, chunk, (size_t)got);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
