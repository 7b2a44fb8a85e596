/* procfs.h: small files of /proc, read whole. */
#ifndef ND_AGENT_SYS_PROCFS_H
#define ND_AGENT_SYS_PROCFS_H

#include "common/base.h"

#include "common/buf.h"
#include "common/err.h"

/* At most size - 1 bytes and a NUL. The length, or -1 with errno (EFBIG: there is more). */
ssize_t nd_procfs_read(const char *path, char *dst, size_t size);
/* The same, without the blanks and line ends behind. */
ssize_t nd_procfs_line(const char *path, char *dst, size_t size);
/* All of a file behind out, up to out->max_bytes. ND_E_IO, ND_E_NOT_FOUND, ND_E_LIMIT. */
int nd_procfs_load(const char *path, struct nd_buf *out, struct nd_err *err) ND_MUST_USE;

#endif
