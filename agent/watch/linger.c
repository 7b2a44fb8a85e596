#include "common/base.h"

#include "agent/sandbox/enter.h"
#include "agent/watch/watch.h"

#include <errno.h>
#include <fcntl.h>

/* Until the agent has ended, however it did. */
static void linger(int fd)
{
	struct nd_sandbox_opts opts = {.is_probing = true};
	struct nd_err err = {0};
	char byte;

	/* Whoever reads the agent's reply waits for the end of these. */
	for (int i = 0; i <= STDERR_FILENO; i++)
		close(i);
	if (nd_sandbox_begin(&opts, &err) < 0 || nd_sandbox_enter(ND_PROFILE_probe, &err) < 0)
		_exit(1);
	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		continue;
	_exit(0);
}

void nd_watch_linger(struct nd_watch *watch)
{
	int fds[2], pid;

	if (!watch->nitems || pipe2(fds, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		linger(fds[0]);
	}
	close(fds[0]);
	watch->linger_fd = fds[1];
}
