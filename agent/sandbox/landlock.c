#include "common/base.h"

#include "agent/sandbox/landlock.h"
#include "agent/sys/run.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Kernel: include/uapi/linux/landlock.h. Written out, because build hosts have older headers. */
enum {
	CREATE_RULESET = 444,
	ADD_RULE = 445,
	RESTRICT_SELF = 446,
	VERSION_FLAG = 1,
	RULE_PATH_BENEATH = 1,
};
#define FS_EXECUTE (1ULL << 0)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_ALL_1 ((1ULL << 13) - 1) /* ABI 1: execute .. make_sym */
#define FS_REFER (1ULL << 13)	    /* ABI 2 */
#define FS_TRUNCATE (1ULL << 14)    /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15)   /* ABI 5 */
#define NET_BIND_TCP 1ULL	    /* ABI 4 */
#define NET_CONNECT_TCP 2ULL
#define SCOPE_ALL 3ULL /* ABI 6: abstract unix sockets, signals */

struct ruleset_attr {
	uint64_t fs;
	uint64_t net;	 /* ABI 4 */
	uint64_t scoped; /* ABI 6 */
};

struct path_beneath_attr {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

/*
 * Everything the collectors and tools read, and no more: not /var/lib/kubelet/pods (Secrets), not
 * /etc/kubernetes (keys), no home. What does not exist is left out. Links are followed now, for
 * the directories and for resolv.conf, which systemd-resolved makes one.
 */
static const char *const readable[] = {
	"/proc",
	"/sys/fs/cgroup",
	"/dev/null",
	"/dev/urandom",
	/* libraries and tables of the tools */
	"/usr",
	"/lib",
	"/lib64",
	"/etc/ld.so.cache",
	"/etc/iproute2",
	"/etc/xtables",
	"/etc/connlabel.conf",
	"/etc/protocols",
	"/etc/services",
	"/etc/nsswitch.conf",
	/* collectors */
	"/etc/cni",
	"/opt/cni",
	"/var/lib/cni",
	"/run/cni-ipam-state",
	"/run/flannel",
	"/run/systemd/resolve",
	"/etc/resolv.conf",
};

/* Plain files; a link here would let whoever made it choose another file to be shown. */
static const char *const readable_plain[] = {
	"/etc/resolv.conf.original",
	"/var/lib/kubelet/config.yaml",
	"/var/lib/kubelet/kubeadm-flags.env",
};

/* 0 when added or not there to be added. */
static int add_path(int ruleset, const char *path, int flags, uint64_t access, struct nd_err *err)
{
	struct stat st;
	nd_auto_fd int fd = open(path, O_PATH | O_CLOEXEC | flags);

	if (fd < 0 || fstat(fd, &st) < 0 || S_ISLNK(st.st_mode))
		return 0;
	if (!S_ISDIR(st.st_mode))
		access &= ~FS_READ_DIR;
	struct path_beneath_attr attr = {.access = access, .fd = fd};
	if (syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &attr, 0) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "let Landlock allow %s", path);
	return 0;
}

/* The ELF interpreter of a program; false when it has none or is not 64-bit ELF. */
static bool find_interpreter(const char *program, char *path, size_t size)
{
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	nd_auto_fd int fd = open(program, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &ehdr, sizeof(ehdr), 0) != (ssize_t)sizeof(ehdr) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_ident[EI_CLASS] != ELFCLASS64)
		return false;
	for (unsigned i = 0; i < ehdr.e_phnum && i < 64; i++) {
		off_t at = (off_t)(ehdr.e_phoff + (uint64_t)i * sizeof(phdr));
		if (pread(fd, &phdr, sizeof(phdr), at) != (ssize_t)sizeof(phdr))
			return false;
		if (phdr.p_type != PT_INTERP)
			continue;
		if (phdr.p_filesz == 0 || phdr.p_filesz >= size)
			return false;
		ssize_t n = pread(fd, path, (size_t)phdr.p_filesz, (off_t)phdr.p_offset);
		path[n > 0 ? n : 0] = '\0';
		return n > 0 && path[0] == '/';
	}
	return false;
}

static int add_program(int ruleset, const char *name, struct nd_err *err)
{
	char path[ND_RUN_PATH_MAX], interpreter[256];

	if (!nd_run_find(name, path))
		return 0;
	if (add_path(ruleset, path, 0, FS_EXECUTE | FS_READ_FILE, err) < 0)
		return -1;
	if (!find_interpreter(path, interpreter, sizeof(interpreter)))
		return 0;
	return add_path(ruleset, interpreter, 0, FS_EXECUTE | FS_READ_FILE, err);
}

static int add_readable(int ruleset, const char *const *programs, struct nd_err *err)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(readable); i++)
		if (add_path(ruleset, readable[i], 0, FS_READ_FILE | FS_READ_DIR, err) < 0)
			return -1;
	for (size_t i = 0; i < ND_ARRAY_LEN(readable_plain); i++)
		if (add_path(ruleset, readable_plain[i], O_NOFOLLOW, FS_READ_FILE, err) < 0)
			return -1;
	for (; programs && *programs; programs++)
		if (add_program(ruleset, *programs, err) < 0)
			return -1;
	return 0;
}

int nd_landlock_restrict(const char *const *programs, bool is_probing, struct nd_err *err)
{
	struct ruleset_attr attr = {.fs = FS_ALL_1};
	long abi = syscall(CREATE_RULESET, NULL, 0, VERSION_FLAG);
	size_t size = offsetof(struct ruleset_attr, net);

	if (abi < 1)
		return 0; /* ENOSYS: not built in or filtered; EOPNOTSUPP: not switched on */
	if (abi >= 2)
		attr.fs |= FS_REFER;
	if (abi >= 3)
		attr.fs |= FS_TRUNCATE;
	if (abi >= 4) {
		attr.net = NET_BIND_TCP | (is_probing ? 0 : NET_CONNECT_TCP);
		size = offsetof(struct ruleset_attr, scoped);
	}
	if (abi >= 5)
		attr.fs |= FS_IOCTL_DEV;
	if (abi >= 6) {
		attr.scoped = SCOPE_ALL;
		size = sizeof(attr);
	}
	nd_auto_fd int ruleset = (int)syscall(CREATE_RULESET, &attr, size, 0);
	if (ruleset < 0)
		return nd_err_sys(err, ND_E_IO, errno, "make a Landlock ruleset");
	if (!is_probing && add_readable(ruleset, programs, err) < 0)
		return -1;
	if (syscall(RESTRICT_SELF, ruleset, 0) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "enter the Landlock ruleset");
	return 1;
}
