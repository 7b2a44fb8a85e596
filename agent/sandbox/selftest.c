#include "common/base.h"

#include "agent/sandbox/selftest.h"

#ifdef ND_AGENT_SELFTEST

#include "agent/collect/ruleset.h"
#include "agent/sandbox/enter.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { DONE = 0, NO_SUCH = 2, NO_SANDBOX = 4, REFUSED = 13 };

static char *const sh_argv[] = {"sh", "-c", "echo got a shell", NULL};
static char *const no_env[] = {NULL};

/* Each returns what the kernel said: at least 0 when it let it happen. */
static long socket_listen(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ? -1 : listen(fd, 1);
}
static long socket_connect(void)
{
	struct sockaddr_in lo = {.sin_family = AF_INET, .sin_port = htons(9)};
	lo.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(0, (struct sockaddr *)&lo, sizeof(lo));
}
static long socket_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}
static long socket_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}
static long write_file(void)
{
	return open("/tmp/netdoctor-selftest", O_WRONLY | O_CREAT, 0600);
}
static long write_sysctl(void)
{
	return open("/proc/sys/net/ipv4/ip_forward", O_WRONLY);
}
static long remove_file(void)
{
	return unlink("/tmp/netdoctor-selftest");
}
static long make_dir(void)
{
	return mkdirat(AT_FDCWD, "/tmp/netdoctor-selftest", 0700);
}
static long read_secret(void)
{
	return open("/etc/shadow", O_RDONLY);
}
static long read_home(void)
{
	return open("/root", O_RDONLY | O_DIRECTORY);
}
static long open_netns(void)
{
	return open("/proc/1/ns/net", O_RDONLY);
}
static long read_environ(void)
{
	return open("/proc/1/environ", O_RDONLY);
}
static long exec_sh(void)
{
	return execve("/bin/sh", sh_argv, no_env);
}
static long fork_child(void)
{
	int pid = fork();
	if (pid == 0)
		_exit(0);
	return pid > 0 ? waitpid(pid, NULL, 0) : -1;
}
static long trace(void)
{
	return ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}
static long do_mount(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}
static long new_userns(void)
{
	return unshare(CLONE_NEWUSER);
}
static long clone_userns(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
}
static long enter_netns(void)
{
	return setns(0, CLONE_NEWNET);
}
static long signal_init(void)
{
	return kill(1, 0);
}
static long load_module(void)
{
	return syscall(SYS_finit_module, 0, "", 0);
}
static long load_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}
static long io_uring(void)
{
	return syscall(425, 1, NULL);
}
static long set_time(void)
{
	return syscall(SYS_settimeofday, NULL, NULL);
}
static long reboot_off(void)
{
	return syscall(SYS_reboot, 0, 0, 0, NULL);
}
static long raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}
static long sockopt(void) /* only the filter of echo sockets is let through */
{
	const int on = 1;
	return setsockopt(0, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
}
static long wait_a_little(void) /* what a probe may do */
{
	return usleep(1000);
}
static long read_proc(void) /* what must be possible, or the test would prove nothing */
{
	return open("/proc/uptime", O_RDONLY);
}

static const struct {
	const char *name;
	long (*run)(void);
} deeds[] = {
	{"socket-listen", socket_listen},
	{"socket-connect", socket_connect},
	{"socket-packet", socket_packet},
	{"socket-unix", socket_unix},
	{"write-file", write_file},
	{"write-sysctl", write_sysctl},
	{"remove-file", remove_file},
	{"make-dir", make_dir},
	{"read-secret", read_secret},
	{"read-home", read_home},
	{"open-netns", open_netns},
	{"read-environ", read_environ},
	{"exec-sh", exec_sh},
	{"fork", fork_child},
	{"ptrace", trace},
	{"mount", do_mount},
	{"new-userns", new_userns},
	{"clone-userns", clone_userns},
	{"setns", enter_netns},
	{"signal-init", signal_init},
	{"load-module", load_module},
	{"bpf", load_bpf},
	{"io-uring", io_uring},
	{"set-time", set_time},
	{"reboot", reboot_off},
	{"read-proc", read_proc},
	{"raw-socket", raw_socket},
	{"sockopt", sockopt},
	{"wait", wait_a_little},
};

int nd_selftest(const char *profile_name, const char *deed)
{
	struct nd_err err = {0};
	struct nd_sandbox_opts opts = {.programs = nd_ruleset_programs};
	enum nd_profile profile = nd_eq(profile_name, "tools")	 ? ND_PROFILE_tools
				  : nd_eq(profile_name, "probe") ? ND_PROFILE_probe
								 : ND_PROFILE_collect;

	opts.is_probing = profile == ND_PROFILE_probe;

	for (size_t i = 0; i < ND_ARRAY_LEN(deeds); i++) {
		if (!nd_eq(deed, deeds[i].name))
			continue;
		if (nd_sandbox_begin(&opts, &err) < 0 || nd_sandbox_enter(profile, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			return NO_SANDBOX;
		}
		errno = 0;
		if (deeds[i].run() >= 0)
			return DONE;
		fprintf(stderr, "%s: %s%s%s\n", deed, strerror(errno), opts.gap[0] ? "; " : "",
			opts.gap);
		return errno == EACCES || errno == EPERM ? REFUSED : 1;
	}
	fprintf(stderr, "no deed is named %s\n", deed);
	return NO_SUCH;
}

#endif
