/*
 * podns.h: the network namespaces of the pods of this node, found without any runtime's API:
 * /proc/PID/cgroup carries the pod's UID, the inode of /proc/PID/ns/net says which namespace.
 * Works for cgroup v1 and v2, cgroupfs and systemd drivers, and any container runtime.
 */
#ifndef ND_AGENT_SYS_PODNS_H
#define ND_AGENT_SYS_PODNS_H

#include "common/base.h"

#include "agent/sys/sockets.h"
#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"

#define ND_PODNS_MAX 4096	/* namespaces */
#define ND_PODNS_MAX_UIDS 4096	/* pods in one namespace (the host's has many) */
#define ND_POD_UID_MAX 36	/* 8-4-4-4-12 of the API, or 32 hex digits of a static pod */

/* One network namespace with at least one pod in it. */
struct nd_podns {
	uint64_t inode;	      /* of /proc/PID/ns/net */
	int pid;	      /* the lowest process id seen in it */
	bool is_host_network; /* our own namespace: nothing below is open */
	const char **uids;    /* uids[nuids], in the order met, each once; lower case */
	size_t nuids;
	int fd;		 /* of the namespace; -1: not open. For whoever wants to enter it. */
	struct nd_nl nl; /* NETLINK_ROUTE in it; fd -1: could not be had, see error */
	struct nd_socksrc socks;
	const char *error; /* NULL, or why it could not be entered */
};

struct nd_podns_list {
	struct nd_podns *items; /* items[nitems], sorted by pid */
	size_t nitems;
	bool is_cut;	   /* more than ND_PODNS_MAX */
	uint64_t own_inode; /* of the namespace of this process */
};

/*
 * Find them all and open what is needed to ask them later. Must run before the sandbox closes:
 * it reads /proc and calls setns. Comes back in the namespace it was called in, or ends the
 * process (going on in a pod's namespace would report it as the node's). Memory lives in arena.
 */
int nd_podns_open(struct nd_podns_list *list, struct nd_arena *arena, struct nd_err *err)
	ND_MUST_USE;
void nd_podns_close(struct nd_podns_list *list);

/*
 * The UID of the pod in the text of a /proc/PID/cgroup; dst gets dashes where systemd wrote
 * underscores. False: not a process of a pod.
 */
bool nd_podns_uid(struct nd_str cgroup, char dst[ND_POD_UID_MAX + 1]);

#endif
