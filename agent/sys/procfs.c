#include "common/base.h"

#include "agent/sys/procfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* What is behind the path must be a plain file: a FIFO would never answer. */
static int open_plain(const char *path)
{
	struct stat st;
	nd_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	return nd_steal_fd(&fd);
}

ssize_t nd_procfs_read(const char *path, char *dst, size_t size)
{
	size_t len = 0;
	nd_auto_fd int fd = open_plain(path);

	dst[0] = '\0';
	if (fd < 0)
		return -1;
	for (;;) {
		ssize_t n = read(fd, dst + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len == size) {
			errno = EFBIG;
			dst[size - 1] = '\0';
			return -1;
		}
	}
	dst[len] = '\0';
	return (ssize_t)len;
}

ssize_t nd_procfs_line(const char *path, char *dst, size_t size)
{
	ssize_t n = nd_procfs_read(path, dst, size);

	while (n > 0 && isspace((unsigned char)dst[n - 1]))
		dst[--n] = '\0';
	return n;
}

int nd_procfs_load(const char *path, struct nd_buf *out, struct nd_err *err)
{
	char chunk[4096];
	nd_auto_fd int fd = open_plain(path);

	if (fd < 0)
		return nd_err_sys(err, errno == ENOENT ? ND_E_NOT_FOUND : ND_E_IO, errno,
				  "open %s", path);
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nd_err_sys(err, ND_E_IO, errno, "read %s", path);
		if (n == 0)
			return 0;
		if (nd_buf_add(out, chunk, (size_t)n) < 0)
			return nd_err_set(err, ND_E_LIMIT, "%s is larger than %zu bytes", path,
					  out->max_bytes);
	}
}
