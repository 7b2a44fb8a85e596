/*
 * sockets.h: listening TCP sockets and unconnected UDP sockets of one namespace, through
 * NETLINK_SOCK_DIAG, or /proc/net/{tcp,tcp6,udp,udp6} where the kernel has no sock_diag.
 */
#ifndef ND_AGENT_SYS_SOCKETS_H
#define ND_AGENT_SYS_SOCKETS_H

#include "common/base.h"

#include "agent/sys/netlink.h"
#include "common/jsonw.h"

#define ND_SOCK_NPROTOS 4 /* tcp, tcp6, udp, udp6 */

/* Where to ask: a diag socket, or open /proc files. */
struct nd_socksrc {
	struct nd_nl diag;	       /* fd -1: use the files */
	int proc_fds[ND_SOCK_NPROTOS]; /* -1: not there (no IPv6) */
};

/* Does this kernel answer sock_diag for TCP and UDP? Asks once in the namespace we are in. */
bool nd_socksrc_has_diag(struct nd_buf *raw);
/* In the namespace the process is in now. ND_E_IO. */
int nd_socksrc_open(struct nd_socksrc *src, bool has_diag, struct nd_err *err) ND_MUST_USE;
void nd_socksrc_close(struct nd_socksrc *src);

/* A JSON array of {proto, addr, port}; closed, though not whole, when it fails. raw is scratch. */
int nd_socksrc_write(struct nd_socksrc *src, struct nd_buf *raw, struct nd_jsonw *w,
		     const char *key, struct nd_err *err) ND_MUST_USE;
/* The rows of one /proc/net file; proto indexes tcp, tcp6, udp, udp6. */
void nd_socksrc_write_proc(struct nd_jsonw *w, int proto, const char *text, size_t n);

#endif
