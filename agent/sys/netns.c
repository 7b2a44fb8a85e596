#include "common/base.h"

#include "agent/sys/netns.h"

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
