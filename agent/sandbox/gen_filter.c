/*
 * gen_filter.c: runs on the build host; prints the seccomp filter of a profile as a C header.
 *	gen_filter collect x86_64 > build/gen/filter_collect_amd64.h
 *	gen_filter collect aarch64 > build/gen/filter_collect_arm64.h
 * By hand: gcc -std=gnu11 -I. -o build/gen/gen_filter agent/sandbox/gen_filter.c -lseccomp
 *
 * What is not named here ends the process with SIGSYS. The lists were made with strace of the
 * agent, iptables-nft-save, iptables-legacy-save and nft (Debian 12), plus what newer libcs ask
 *for.
 */
#include "common/base.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* Namespaces may never be made; CLONE_NEWTIME lies in the signal bits of clone(2). */
#define NEW_NAMESPACES                                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC)
/* Numbers of the kernel that the headers of some build hosts lack. */
#define ND_SIOCETHTOOL 0x8946u
#define ND_TCGETS 0x5401u
#define ND_TCGETS2 0x802c542au /* isatty of glibc 2.42 */
#define ND_TIOCGWINSZ 0x5413u
#define ND_SOL_NETLINK 270
#define ND_ICMP_FILTER 1 /* ICMP_FILTER and ICMP6_FILTER */

struct rule {
	const char *name;
	int refuse_errno; /* 0: allow */
	unsigned nargs;
	struct scmp_arg_cmp args[3];
};

#define ALLOW(name)                                                                                \
	{                                                                                          \
		name, 0, 0,                                                                        \
		{                                                                                  \
			{                                                                          \
				0, 0, 0, 0                                                         \
			}                                                                          \
		}                                                                                  \
	}
#define REFUSE(name, code)                                                                         \
	{                                                                                          \
		name, code, 0,                                                                     \
		{                                                                                  \
			{                                                                          \
				0, 0, 0, 0                                                         \
			}                                                                          \
		}                                                                                  \
	}
#define ALLOW1(name, a)                                                                            \
	{                                                                                          \
		name, 0, 1,                                                                        \
		{                                                                                  \
			a                                                                          \
		}                                                                                  \
	}
#define ALLOW2(name, a, b)                                                                         \
	{                                                                                          \
		name, 0, 2,                                                                        \
		{                                                                                  \
			a, b                                                                       \
		}                                                                                  \
	}
#define ALLOW3(name, a, b, c)                                                                      \
	{                                                                                          \
		name, 0, 3,                                                                        \
		{                                                                                  \
			a, b, c                                                                    \
		}                                                                                  \
	}
#define EQ(arg, value)                                                                             \
	{                                                                                          \
		arg, SCMP_CMP_EQ, (scmp_datum_t)(value), 0                                         \
	}
#define BITS(arg, mask, value)                                                                     \
	{                                                                                          \
		arg, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), (scmp_datum_t)(value)               \
	}

/* Where files are read. */
static const struct rule file_rules[] = {
	/* Which files is Landlock's business; none may be opened for writing. */
	ALLOW1("open", BITS(1, WRITING, 0)),
	ALLOW1("openat", BITS(2, WRITING, 0)),
	REFUSE("openat2", ENOSYS),
	ALLOW("pread64"),
	ALLOW("lseek"),
	ALLOW("stat"),
	ALLOW("lstat"),
	ALLOW("newfstatat"),
	ALLOW("statx"),
	ALLOW("access"),
	ALLOW("faccessat"),
	ALLOW("faccessat2"),
	ALLOW("readlink"),
	ALLOW("readlinkat"),
	ALLOW("getdents64"),
	ALLOW("getcwd"),
	ALLOW("fadvise64"),
};

/* What every profile may do: use what is open, wait, use memory. */
static const struct rule base_rules[] = {
	ALLOW("read"),
	ALLOW("readv"),
	ALLOW("close"),
	ALLOW("fstat"),
	ALLOW("fcntl"),
	/* To what is open: stdout, stderr, pipes. */
	ALLOW("write"),
	ALLOW("writev"),
	ALLOW1("ioctl", EQ(1, ND_TCGETS)),
	/* Sockets; who may make them is said below. */
	ALLOW("sendto"),
	ALLOW("sendmsg"),
	ALLOW("recvfrom"),
	ALLOW("recvmsg"),
	ALLOW("getsockname"),
	ALLOW("poll"),
	ALLOW("ppoll"),
	ALLOW("brk"),
	ALLOW("mmap"),
	ALLOW("munmap"),
	ALLOW("mremap"),
	ALLOW("mprotect"),
	ALLOW("madvise"),
	ALLOW("futex"),
	ALLOW("getrandom"),
	ALLOW("uname"),
	ALLOW("sysinfo"),
	ALLOW("getpid"),
	ALLOW("getppid"),
	ALLOW("gettid"),
	ALLOW("getuid"),
	ALLOW("geteuid"),
	ALLOW("getgid"),
	ALLOW("getegid"),
	ALLOW("time"),
	ALLOW("gettimeofday"),
	ALLOW("clock_gettime"),
	ALLOW("clock_getres"),
	ALLOW("nanosleep"),
	ALLOW("clock_nanosleep"),
	ALLOW("restart_syscall"),
	ALLOW1("tgkill", EQ(2, SIGABRT)),
	ALLOW("rt_sigaction"),
	ALLOW("rt_sigprocmask"),
	ALLOW("rt_sigreturn"),
	ALLOW("exit"),
	ALLOW("exit_group"),
};

/* The agent itself: no new socket, no new process, nothing that names another one but SIGKILL. */
static const struct rule collect_rules[] = {
	ALLOW1("ioctl", EQ(1, ND_SIOCETHTOOL)), ALLOW("wait4"),
	ALLOW1("kill", EQ(1, SIGKILL)), /* children that pass their deadline */
};

/*
 * Probes: no file, no new socket, no process; what is open may connect. glibc's fstat is
 * newfstatat with an empty path: no probe needs it.
 */
static const struct rule probe_rules[] = {
	ALLOW("connect"),
	ALLOW("getsockopt"),
	/* An echo socket begins to listen; numbers of linux/icmp.h and netinet/icmp6.h. */
	ALLOW2("setsockopt", EQ(1, SOL_RAW), EQ(2, ND_ICMP_FILTER)),
	ALLOW2("setsockopt", EQ(1, IPPROTO_ICMPV6), EQ(2, ND_ICMP_FILTER)),
	ALLOW("epoll_ctl"),
	ALLOW("epoll_wait"),
	ALLOW("epoll_pwait"),
};

/* iptables-save and nft, from before their execve on. */
static const struct rule tools_rules[] = {
	ALLOW("execve"),
	ALLOW("arch_prctl"),
	ALLOW("set_tid_address"),
	ALLOW("set_robust_list"),
	ALLOW("rseq"),
	ALLOW("membarrier"),
	ALLOW("sigaltstack"),
	ALLOW1("prlimit64", EQ(2, 0)),
	ALLOW("getrlimit"),
	ALLOW("sched_getaffinity"),
	ALLOW("umask"),
	ALLOW("statfs"),
	ALLOW("fstatfs"),
	ALLOW("flock"),
	ALLOW("select"),
	ALLOW("pselect6"),
	ALLOW1("ioctl", EQ(1, ND_TCGETS2)),
	ALLOW1("ioctl", EQ(1, ND_TIOCGWINSZ)),
	/* nf_tables; the raw socket is how iptables-legacy-save asks (it gets CAP_NET_RAW, or not).
	 */
	ALLOW2("socket", EQ(0, AF_NETLINK), EQ(2, NETLINK_NETFILTER)),
	ALLOW3("socket", EQ(0, AF_INET), BITS(1, 0xf, SOCK_RAW), EQ(2, IPPROTO_RAW)),
	ALLOW3("socket", EQ(0, AF_INET6), BITS(1, 0xf, SOCK_RAW), EQ(2, IPPROTO_RAW)),
	/* Name services that a libc asks through a socket (nscd): not there. */
	{"socket", EACCES, 1, {EQ(0, AF_UNIX)}},
	ALLOW("bind"),
	ALLOW("getsockopt"),
	ALLOW1("setsockopt", EQ(1, SOL_SOCKET)),
	ALLOW1("setsockopt", EQ(1, ND_SOL_NETLINK)),
	/* They try to start modprobe; Landlock lets no program run but themselves. */
	ALLOW1("clone", BITS(0, NEW_NAMESPACES, 0)),
	REFUSE("clone3", ENOSYS), /* its flags lie in memory; libcs fall back to clone */
	ALLOW("fork"),
	ALLOW("vfork"),
	ALLOW("wait4"),
	ALLOW("waitid"),
	ALLOW("pipe"),
	ALLOW("pipe2"),
	ALLOW("dup2"),
	ALLOW("dup3"),
};

enum { collect_reads_files = 1, probe_reads_files = 0, tools_reads_files = 1 };

static const struct profile {
	const char *name;
	bool reads_files;
	const struct rule *rules; /* besides base_rules */
	size_t nrules;
} profiles[] = {
#define ND_PROFILE(id, what) {#id, id##_reads_files, id##_rules, ND_ARRAY_LEN(id##_rules)},
#include "agent/sandbox/profiles.def"
#undef ND_PROFILE
};

static int add_rules(scmp_filter_ctx ctx, const struct rule *rules, size_t nrules, uint32_t arch)
{
	for (size_t i = 0; i < nrules; i++) {
		const struct rule *rule = &rules[i];
		/* Rules take the build host's numbers; libseccomp translates them. */
		int number = seccomp_syscall_resolve_name(rule->name);
		if (number == __NR_SCMP_ERROR) {
			fprintf(stderr, "gen_filter: no system call is named %s\n", rule->name);
			return -1;
		}
		if (seccomp_syscall_resolve_name_arch(arch, rule->name) < 0)
			continue; /* this architecture never had it, as open on arm64 */
		uint32_t act = rule->refuse_errno ? SCMP_ACT_ERRNO((unsigned)rule->refuse_errno)
						  : SCMP_ACT_ALLOW;
		int rc = seccomp_rule_add_exact_array(ctx, act, number, rule->nargs, rule->args);
		if (rc < 0) {
			fprintf(stderr, "gen_filter: %s: %s\n", rule->name, strerror(-rc));
			return -1;
		}
	}
	return 0;
}

static int print_filter(scmp_filter_ctx ctx, const struct profile *profile, const char *arch)
{
	uint64_t word;
	size_t nwords = 0;
	nd_auto_file FILE *bpf = tmpfile();

	if (!bpf || seccomp_export_bpf(ctx, fileno(bpf)) < 0 || fseek(bpf, 0, SEEK_SET) < 0) {
		fprintf(stderr, "gen_filter: cannot export the filter\n");
		return -1;
	}
	printf("/* Made by agent/sandbox/gen_filter.c: profile %s, %s. */\n", profile->name, arch);
	printf("static const struct sock_filter nd_filter_%s[] = {\n", profile->name);
	while (fread(&word, sizeof(word), 1, bpf) == 1) {
		/* struct sock_filter, little endian: code 16, jt 8, jf 8, k 32 bits */
		printf("\t{0x%04x, %u, %u, 0x%08x},\n", (unsigned)(word & 0xffff),
		       (unsigned)(word >> 16 & 0xff), (unsigned)(word >> 24 & 0xff),
		       (unsigned)(word >> 32));
		nwords++;
	}
	printf("};\n");
	return nwords > 0 && fflush(stdout) == 0 ? 0 : -1;
}

static int generate(const struct profile *profile, const char *arch_name)
{
	uint32_t arch = seccomp_arch_resolve_name(arch_name);
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = -1;

	if (!ctx || arch == 0)
		fprintf(stderr, "gen_filter: unknown architecture %s\n", arch_name);
	else if ((arch != seccomp_arch_native() &&
		  (seccomp_arch_remove(ctx, seccomp_arch_native()) < 0 ||
		   seccomp_arch_add(ctx, arch) < 0)) ||
		 seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0 ||
		 seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0)
		fprintf(stderr, "gen_filter: cannot set up a filter for %s\n", arch_name);
	else if (add_rules(ctx, base_rules, ND_ARRAY_LEN(base_rules), arch) == 0 &&
		 (!profile->reads_files ||
		  add_rules(ctx, file_rules, ND_ARRAY_LEN(file_rules), arch) == 0) &&
		 add_rules(ctx, profile->rules, profile->nrules, arch) == 0)
		rc = print_filter(ctx, profile, arch_name);
	if (ctx)
		seccomp_release(ctx);
	return rc;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: gen_filter PROFILE x86_64|aarch64\n");
		return 2;
	}
	for (size_t i = 0; i < ND_ARRAY_LEN(profiles); i++)
		if (strcmp(profiles[i].name, argv[1]) == 0)
			return generate(&profiles[i], argv[2]) < 0 ? 1 : 0;
	fprintf(stderr, "gen_filter: unknown profile %s\n", argv[1]);
	return 2;
}
