/* nodes.c: the processes of a laboratory: nodes with their pods, who listens, and the agent. */
#include "common/base.h"

#include "tests/ways/ways.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MAX_SOCKETS (4 * MAX_SPACES)

const char *agent_path;

/* One laboratory at a time. */
static struct {
	pid_t keepers[MAX_NODES]; /* each waits for its node's first process */
	pid_t echo;
	int sockets[MAX_SOCKETS], nsockets;
	bool is_udp[MAX_SOCKETS];
	char cgroup[128];
} procs;

static ND_NORETURN void fail(const char *what)
{
	fprintf(stderr, "ways: cannot %s: %m\n", what);
	_exit(2);
}

/* ---- pods and nodes ---- */

static void find_cgroup(void)
{
	static const char *const roots[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"};

	for (size_t i = 0; i < ND_ARRAY_LEN(roots) && !procs.cgroup[0]; i++) {
		char path[160];

		snprintf(path, sizeof(path), "%s/cgroup.procs", roots[i]);
		if (access(path, W_OK) < 0)
			continue;
		snprintf(procs.cgroup, sizeof(procs.cgroup), "%s/netdoctor-ways%d", roots[i],
			 getpid());
	}
	if (!procs.cgroup[0] || (mkdir(procs.cgroup, 0755) < 0 && errno != EEXIST))
		fail("make a control group");
}

static void pod_path(int pod, char *path, size_t n)
{
	snprintf(path, n, "%s/kubepods/pod00000000-0000-4000-8000-%012d", procs.cgroup, pod);
}

/* By its cgroup the agent knows the pod; then it only stays. */
static void pod_main(struct lab *lab, int pod, int ready)
{
	char path[256];
	int fd;

	pod_path(pod, path, sizeof(path) - 16);
	strcat(path, "/cgroup.procs");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		fail("enter a control group");
	space_enter(lab->spaces[lab->pods[pod].space].fd);
	if (write(ready, "r", 1) != 1)
		fail("write");
	for (;;)
		pause();
}

static void node_main(struct lab *lab, int node, int ready)
{
	signal(SIGCHLD, SIG_IGN);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0)
		fail("mount /proc");
	for (int p = 0; p < lab->npods; p++)
		if (lab->pods[p].node == node && fork() == 0)
			pod_main(lab, p, ready);
	if (write(ready, "r", 1) != 1)
		fail("write");
	for (;;)
		pause();
}

static void keeper_main(struct lab *lab, int node, int ready)
{
	pid_t first;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS) < 0)
		fail("unshare");
	if (sethostname(lab->spaces[lab->nodes[node].space].name, 2) < 0)
		fail("set the name of a node");
	space_enter(lab->spaces[lab->nodes[node].space].fd);
	first = fork();
	if (first == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		node_main(lab, node, ready);
	}
	waitpid(first, NULL, 0);
	_exit(0);
}

void nodes_start(struct lab *lab)
{
	int ready[2], want = lab->nnodes + lab->npods;
	char path[256];

	find_cgroup();
	snprintf(path, sizeof(path), "%s/kubepods", procs.cgroup);
	mkdir(path, 0755);
	for (int p = 0; p < lab->npods; p++) {
		pod_path(p, path, sizeof(path));
		mkdir(path, 0755);
	}
	if (pipe2(ready, O_CLOEXEC) < 0)
		fail("make a pipe");
	for (int n = 0; n < lab->nnodes; n++) {
		procs.keepers[n] = fork();
		if (procs.keepers[n] == 0)
			keeper_main(lab, n, ready[1]);
	}
	close(ready[1]);
	for (char c; want > 0; want--)
		if (read(ready[0], &c, 1) != 1)
			fail("start the nodes");
	close(ready[0]);
}

static void end(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

void nodes_stop(struct lab *lab)
{
	char path[256];

	end(&procs.echo);
	for (int i = 0; i < procs.nsockets; i++)
		nd_close_fd(&procs.sockets[i]);
	procs.nsockets = 0;
	for (int n = 0; n < lab->nnodes; n++)
		end(&procs.keepers[n]);
	for (int p = 0; p < lab->npods; p++) {
		pod_path(p, path, sizeof(path));
		for (int i = 0; i < 100 && rmdir(path) < 0 && errno == EBUSY; i++)
			usleep(2000);
	}
	snprintf(path, sizeof(path), "%s/kubepods", procs.cgroup);
	rmdir(path);
	rmdir(procs.cgroup);
}

/* ---- who listens ---- */

static void listen_here(bool is_six, bool is_udp)
{
	int fd = socket(is_six ? AF_INET6 : AF_INET,
			(is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(OPEN_PORT)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(OPEN_PORT)};
	int on = 1;

	if (fd < 0)
		fail("open a socket");
	if (is_six) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	} else {
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	}
	if (bind(fd, is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four,
		 is_six ? sizeof(six) : sizeof(four)) < 0 ||
	    (!is_udp && listen(fd, 256) < 0))
		fail("listen");
	procs.is_udp[procs.nsockets] = is_udp;
	procs.sockets[procs.nsockets++] = fd;
}

/* The answer comes from the address that was asked, as that of a server that cares. */
static void answer_udp(int fd)
{
	char data[256], control[256];
	struct sockaddr_storage from;
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {.msg_name = &from,
			     .msg_namelen = sizeof(from),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(fd, &msg, MSG_DONTWAIT);

	if (got <= 0)
		return;
	iov.iov_len = (size_t)got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *info = (struct in_pktinfo *)(void *)CMSG_DATA(c);

			info->ipi_ifindex = 0;
			info->ipi_spec_dst = info->ipi_addr;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			((struct in6_pktinfo *)(void *)CMSG_DATA(c))->ipi6_ifindex = 0;
		}
	msg.msg_flags = 0;
	if (sendmsg(fd, &msg, MSG_DONTWAIT) < 0)
		return;
}

static void echo_main(void)
{
	struct epoll_event events[64];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < procs.nsockets; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

		epoll_ctl(epoll, EPOLL_CTL_ADD, procs.sockets[i], &event);
	}
	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			uint32_t at = events[i].data.u32;

			if (procs.is_udp[at]) {
				answer_udp(procs.sockets[at]);
				continue;
			}
			int fd = accept4(procs.sockets[at], NULL, NULL, SOCK_CLOEXEC);

			nd_close_fd(&fd);
		}
	}
}

static bool is_deaf(const struct lab *lab, int space)
{
	for (size_t i = 0; i < lab->nmutations; i++)
		for (size_t k = 0; k < lab->mutations[i].nsteps && !lab->mutations[i].is_off; k++)
			if (lab->mutations[i].steps[k].tool == TOOL_DEAF &&
			    lab->mutations[i].steps[k].space == space)
				return true;
	return false;
}

void listeners_open(struct lab *lab)
{
	for (int s = 0; s < lab->nspaces; s++) {
		if (is_deaf(lab, s))
			continue;
		space_enter(lab->spaces[s].fd);
		for (int six = 0; six < 2; six++)
			for (int udp = 0; udp < 2 && lab->has[six]; udp++)
				listen_here(six, udp);
	}
	space_enter(space_home());
	procs.echo = fork();
	if (procs.echo == 0)
		echo_main();
}

/* ---- the agent ---- */

static int node_space(const struct lab *lab, int node, const char *what)
{
	char path[64];
	int fd;

	(void)lab;
	snprintf(path, sizeof(path), "/proc/%d/%s", procs.keepers[node], what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("open a node's namespaces");
	return fd;
}

static void agent_main(struct lab *lab, int node, int in, int out)
{
	int pid_space = node_space(lab, node, "ns/pid_for_children"),
	    mnt = node_space(lab, node, "ns/mnt"), root = node_space(lab, node, "root");
	int status = 0;
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	space_enter(lab->spaces[lab->nodes[node].space].fd);
	/* Entering mounts leads to their root, which in a chroot is another one than ours. */
	if (setns(pid_space, CLONE_NEWPID) < 0 || setns(mnt, CLONE_NEWNS) < 0 ||
	    fchdir(root) < 0 || chroot(".") < 0)
		fail("enter a node");
	pid = fork();
	if (pid == 0) {
		int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(in, 0);
		dup2(out, 1);
		if (!getenv("WAYS_VERBOSE"))
			dup2(nothing, 2);
		execl(agent_path, "netdoctor-agent", NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 126);
}

bool agent_start(struct lab *lab, int node, const char *request, struct job *job)
{
	nd_auto_fd int in = memfd_create("request", MFD_CLOEXEC);

	job->out = memfd_create("reply", MFD_CLOEXEC);
	if (in < 0 || job->out < 0 ||
	    write(in, request, strlen(request)) != (ssize_t)strlen(request))
		return false;
	lseek(in, 0, SEEK_SET);
	job->pid = fork();
	if (job->pid == 0)
		agent_main(lab, node, in, job->out);
	return job->pid > 0;
}

bool agent_end(struct job *job, struct nd_buf *out)
{
	nd_auto_fd int fd = job->out;
	char chunk[65536];
	int status = 0;
	ssize_t got;

	waitpid(job->pid, &status, 0);
	lseek(fd, 0, SEEK_SET);
	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		nd_buf_add(out, chunk, (size_t)got);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
