#include "common/base.h"

#include "agent/sys/netns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

int nd_netns_own(int *fd, uint64_t *inode, struct nd_err *err)
{
	struct stat st;

	*fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return nd_err_sys(err, ND_E_IO, errno, "open /proc/self/ns/net");
	if (fstat(*fd, &st) < 0) {
		nd_err_sys(err, ND_E_IO, errno, "stat /proc/self/ns/net");
		nd_close_fd(fd);
		return -1;
	}
	*inode = st.st_ino;
	return 0;
}

int nd_netns_enter(int fd, struct nd_err *err)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "enter network namespace");
	return 0;
}

static int inode_order(const void *a, const void *b)
{
	uint64_t x = ((const struct nd_netns *)a)->inode, y = ((const struct nd_netns *)b)->inode;

	return x < y ? -1 : x > y;
}

/* A process may end at any time, and its number come back as another's. */
static bool open_checked(int proc_fd, const char *path, struct nd_netns *ns)
{
	struct stat st;
	nd_auto_fd int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		if (errno != ENOENT && errno != ESRCH)
			ns->sys_errno = errno;
		return false;
	}
	if (fstat(fd, &st) < 0 || st.st_ino != ns->inode)
		return false;
	ns->fd = nd_steal_fd(&fd);
	ns->sys_errno = 0;
	return true;
}

int nd_netns_find(struct nd_netns *items, size_t nitems, struct nd_err *err)
{
	size_t left = nitems;
	struct dirent *entry;
	DIR *proc;

	for (size_t i = 0; i < nitems; i++) {
		items[i].fd = -1;
		items[i].sys_errno = 0;
	}
	if (left == 0)
		return 0;
	proc = opendir("/proc");
	if (!proc)
		return nd_err_sys(err, ND_E_IO, errno, "open /proc");
	while (left > 0 && (entry = readdir(proc))) {
		struct nd_netns key = {0}, *ns;
		char path[32];
		struct stat st;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%.10s/ns/net", entry->d_name);
		if (fstatat(dirfd(proc), path, &st, 0) < 0)
			continue;
		key.inode = st.st_ino;
		ns = bsearch(&key, items, nitems, sizeof(*items), inode_order);
		if (ns && ns->fd < 0 && open_checked(dirfd(proc), path, ns))
			left--;
	}
	closedir(proc);
	return 0;
}
