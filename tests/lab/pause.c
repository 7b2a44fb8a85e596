/* The process that holds the namespaces of a pod in the lab: waits, reaps, ends when told to. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void down(int sig)
{
	(void)sig;
	_exit(0);
}

static void reap(int sig)
{
	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(void)
{
	signal(SIGINT, down);
	signal(SIGTERM, down);
	signal(SIGCHLD, reap);
	for (;;)
		pause();
}
