/* netns.h: step into another network namespace and back. */
#ifndef ND_AGENT_SYS_NETNS_H
#define ND_AGENT_SYS_NETNS_H

#include "common/base.h"

#include "common/err.h"

/* A descriptor of the namespace of this process, and its inode. ND_E_IO. */
int nd_netns_own(int *fd, uint64_t *inode, struct nd_err *err) ND_MUST_USE;
/* Enter the namespace of a descriptor. ND_E_IO. */
int nd_netns_enter(int fd, struct nd_err *err) ND_MUST_USE;

#endif
