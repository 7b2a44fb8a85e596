/* netns.h: step into another network namespace and back. */
#ifndef ND_AGENT_SYS_NETNS_H
#define ND_AGENT_SYS_NETNS_H

#include "common/base.h"

#include "common/err.h"

/* A descriptor of the namespace of this process, and its inode. ND_E_IO. */
int nd_netns_own(int *fd, uint64_t *inode, struct nd_err *err) ND_MUST_USE;
/* Enter the namespace of a descriptor. ND_E_IO. */
int nd_netns_enter(int fd, struct nd_err *err) ND_MUST_USE;

/* A namespace looked for. */
struct nd_netns {
	uint64_t inode;
	int fd; /* -1: no process is in it, or sys_errno */
	int sys_errno;
};

/*
 * Open the namespaces of items[nitems], sorted by inode, each once, through any process of this
 * node that is in it. That of no process stays -1 (with errno 0). ND_E_IO: /proc cannot be read.
 */
int nd_netns_find(struct nd_netns *items, size_t nitems, struct nd_err *err) ND_MUST_USE;

#endif
