/*
 * The filters are made by gen_filter.c. By hand:
 *	mkdir -p build/gen && gcc -std=gnu11 -I. -o build/gen/gen_filter agent/sandbox/gen_filter.c
 *-lseccomp for p in collect probe tools; do build/gen/gen_filter $p x86_64 >
 *build/gen/filter_${p}_amd64.h; done
 *	gcc -std=gnu11 -static-pie -fPIE -Os -Ibuild/gen -I. -DND_VERSION='"dev"' -o agent \
 *		$(find agent -name '*.c' ! -name gen_filter.c) common/[!.]*.c
 */
#include "common/base.h"

#include "agent/sandbox/enter.h"
#include "agent/sandbox/landlock.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#include "filter_collect_amd64.h"
#include "filter_probe_amd64.h"
#include "filter_tools_amd64.h"
#elif defined(__aarch64__)
#include "filter_collect_arm64.h"
#include "filter_probe_arm64.h"
#include "filter_tools_arm64.h"
#else
#error "no seccomp filter for this architecture"
#endif

enum { MAX_CPU_S = 30 };

#define CAP(name) (1ULL << (name))
#define CAPS_READ CAP(CAP_DAC_READ_SEARCH) /* files of other users */
/* nf_tables answers only CAP_NET_ADMIN, even for reading (nfnetlink_rcv). */
#define CAPS_TOOLS (CAPS_READ | CAP(CAP_NET_ADMIN) | CAP(CAP_NET_RAW))

static const struct {
	const struct sock_filter *filter;
	unsigned short len;
	uint64_t caps; /* kept, where they are there */
} profiles[ND_NPROFILES] = {
	[ND_PROFILE_collect] = {nd_filter_collect, ND_ARRAY_LEN(nd_filter_collect), CAPS_READ},
	[ND_PROFILE_probe] = {nd_filter_probe, ND_ARRAY_LEN(nd_filter_probe), 0},
	[ND_PROFILE_tools] = {nd_filter_tools, ND_ARRAY_LEN(nd_filter_tools), CAPS_TOOLS},
};

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static int limit_resources(struct nd_err *err)
{
	const struct rlimit none = {0, 0}, cpu = {MAX_CPU_S, MAX_CPU_S};

	/* Pipes have no size; only a person who redirects the reply into a file needs one. */
	bool has_file = is_file(STDOUT_FILENO) || is_file(STDERR_FILENO);
	if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_CPU, &cpu) < 0 ||
	    (!has_file && setrlimit(RLIMIT_FSIZE, &none) < 0))
		return nd_err_sys(err, ND_E_IO, errno, "limit resources");
	return 0;
}

static int caps_get(struct __user_cap_data_struct data[2], struct nd_err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	if (syscall(SYS_capget, &header, data) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "read capabilities");
	return 0;
}

/* Keep of the permitted capabilities only these, effective; inherit none. */
static int caps_keep(uint64_t keep, struct nd_err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (caps_get(data, err) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "drop capabilities");
	return 0;
}

/* What is not in the bounding set does not come back with an execve by root. */
static int drop_bounding(uint64_t keep, struct nd_err *err)
{
	struct __user_cap_data_struct data[2];

	if (caps_get(data, err) < 0)
		return -1;
	if ((data[0].effective & CAP(CAP_SETPCAP)) == 0)
		return 0; /* not root: no_new_privs alone keeps an execve from gaining any */
	for (int cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap) < 0)
			break; /* past the last one this kernel knows */
		if ((keep & CAP(cap)) == 0 && prctl(PR_CAPBSET_DROP, cap) < 0)
			return nd_err_sys(err, ND_E_IO, errno, "drop capability %d", cap);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return nd_err_sys(err, ND_E_IO, errno, "clear ambient capabilities");
	return 0;
}

int nd_sandbox_begin(struct nd_sandbox_opts *opts, struct nd_err *err)
{
	uint64_t keep = opts->needs_raw ? CAPS_TOOLS : CAPS_TOOLS & ~CAP(CAP_NET_RAW);

	if (opts->is_probing)
		keep = 0;
	opts->gap[0] = '\0';
	if (limit_resources(err) < 0 || drop_bounding(keep, err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "set no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "become undumpable");
	int rc = nd_landlock_restrict(opts->programs, opts->is_probing, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		snprintf(opts->gap, sizeof(opts->gap),
			 "this kernel has no Landlock: files are guarded by the seccomp filter "
			 "(no open for writing) and dropped capabilities alone");
	return caps_keep(keep, err);
}

int nd_sandbox_enter(enum nd_profile profile, struct nd_err *err)
{
	struct sock_fprog prog = {.len = profiles[profile].len,
				  .filter = (struct sock_filter *)profiles[profile].filter};

	if (caps_keep(profiles[profile].caps, err) < 0)
		return -1;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0)
		return 0;
	int first_errno = errno;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0)
		return 0; /* a container's own filter may know only the old way in */
	return nd_err_sys(err, ND_E_IO, first_errno, "load the seccomp filter");
}
