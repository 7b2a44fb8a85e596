#include "common/base.h"

#include "agent/probe/probe.h"
#include "agent/sys/netns.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>

enum { OTHER_FDS = 29 }; /* epoll, /proc and to spare */

struct opening {
	struct nd_probes *all;
	struct nd_netns *spaces; /* spaces[nspaces], sorted by inode, each once; not "node" */
	size_t nspaces;
	uint64_t own_inode;
};

static int probe_order(const void *a, const void *b)
{
	const struct nd_probe *x = *(struct nd_probe *const *)a, *y = *(struct nd_probe *const *)b;

	if (x->ask->netns_inode != y->ask->netns_inode)
		return x->ask->netns_inode < y->ask->netns_inode ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int target_order(const void *a, const void *b)
{
	const struct nd_probe *x = *(struct nd_probe *const *)a, *y = *(struct nd_probe *const *)b;

	return memcmp(&x->ask->ip, &y->ask->ip, sizeof(x->ask->ip));
}

/* Number the addresses. */
static void number_targets(struct nd_probes *all, struct nd_probe **order, struct nd_arena *arena)
{
	uint32_t n = 0;

	qsort(order, all->nitems, sizeof(struct nd_probe *), target_order);
	for (size_t i = 0; i < all->nitems; i++) {
		if (i > 0 && target_order(&order[i - 1], &order[i]) != 0)
			n++;
		order[i]->target = n;
	}
	all->ntargets = n + 1u;
	all->targets = nd_arena_array(arena, all->ntargets, sizeof(*all->targets));
}

/* What stands still open when a namespace is left is as good as closed. */
static void open_one(struct nd_probe *p)
{
	if (nd_probe_ops(p->ask->kind)->open(p) == 0)
		return;
	p->sys_errno = errno;
	p->outcome = ND_OUTCOME_error;
	p->state = ND_PROBE_DONE;
	nd_close_fd(&p->fd);
}

static void no_space(struct nd_probe *p, int sys_errno)
{
	p->outcome = sys_errno ? ND_OUTCOME_error : ND_OUTCOME_gone;
	p->sys_errno = sys_errno;
	p->state = ND_PROBE_DONE;
}

/* order[] is sorted by namespace: each is entered once, "node" (0) is where we are. */
static void open_sockets(struct opening *o, struct nd_probe **order)
{
	struct nd_netns *ns = NULL;
	size_t next = 0;

	for (size_t i = 0; i < o->all->nitems; i++) {
		uint64_t inode = order[i]->ask->netns_inode;

		if (inode != (ns ? ns->inode : 0)) {
			struct nd_err err = {0};
			ns = &o->spaces[next++];
			if (ns->fd >= 0 && nd_netns_enter(ns->fd, &err) < 0) {
				ns->sys_errno = err.sys_errno;
				nd_close_fd(&ns->fd);
			}
		}
		if (ns && ns->fd < 0)
			no_space(order[i], ns->sys_errno);
		else
			open_one(order[i]);
	}
}

static void list_spaces(struct opening *o, struct nd_probe **order, struct nd_arena *arena)
{
	for (size_t i = 0; i < o->all->nitems; i++) {
		struct nd_netns ns = {.inode = order[i]->ask->netns_inode, .fd = -1};

		if (ns.inode && (!o->nspaces || o->spaces[o->nspaces - 1].inode != ns.inode))
			ND_ARENA_PUSH(arena, o->spaces, o->nspaces) = ns;
	}
}

/* Every probe has its own socket, and all are open before the first packet. */
static int room_for(size_t nfds, struct nd_err *err)
{
	struct rlimit limit = {nfds, nfds}, now;

	if (getrlimit(RLIMIT_NOFILE, &now) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "ask how many files may be open");
	if (now.rlim_cur >= nfds || (now.rlim_max < nfds && setrlimit(RLIMIT_NOFILE, &limit) == 0))
		return 0;
	limit.rlim_cur = nfds;
	limit.rlim_max = now.rlim_max;
	if (now.rlim_max >= nfds && setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return 0;
	return nd_err_set(err, ND_E_LIMIT,
			  "the probes need %zu open sockets and namespaces, this node allows %llu "
			  "(RLIMIT_NOFILE): ask in parts",
			  nfds, (unsigned long long)now.rlim_max);
}

static int fill(struct nd_probes *all, const struct nd_probe_ask *asks, size_t n,
		struct nd_arena *arena, struct nd_err *err)
{
	*all = (struct nd_probes){.nitems = n};
	all->epoll_fd = -1;
	all->items = nd_arena_array(arena, n, sizeof(*all->items));
	for (size_t i = 0; i < n; i++) {
		all->items[i].ask = &asks[i];
		all->items[i].fd = -1;
		all->items[i].bytes = -1;
		if (getrandom(&all->items[i].cookie, sizeof(all->items[i].cookie), 0) < 0)
			return nd_err_sys(err, ND_E_IO, errno, "ask for random numbers");
	}
	all->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (all->epoll_fd < 0)
		return nd_err_sys(err, ND_E_IO, errno, "open epoll");
	return 0;
}

int nd_probes_open(struct nd_probes *all, const struct nd_probe_ask *asks, size_t n,
		   struct nd_arena *arena, struct nd_err *err)
{
	struct opening o = {.all = all};
	struct nd_probe **order;
	nd_auto_fd int own_fd = -1;
	int rc = 0;

	if (fill(all, asks, n, arena, err) < 0)
		return -1;
	order = nd_arena_array(arena, n, sizeof(*order));
	for (size_t i = 0; i < n; i++)
		order[i] = &all->items[i];
	number_targets(all, order, arena);
	qsort(order, n, sizeof(*order), probe_order);
	list_spaces(&o, order, arena);
	/* Below epoll's are those that are open already: watchers too. */
	if (room_for(n + o.nspaces + (size_t)all->epoll_fd + OTHER_FDS, err) < 0 ||
	    nd_netns_own(&own_fd, &o.own_inode, err) < 0 ||
	    nd_netns_find(o.spaces, o.nspaces, err) < 0)
		rc = -1;
	else
		open_sockets(&o, order);
	if (rc == 0 && o.nspaces && nd_netns_enter(own_fd, err) < 0)
		ND_BUG("cannot return to the node's network namespace");
	for (size_t i = 0; i < o.nspaces; i++)
		nd_close_fd(&o.spaces[i].fd);
	return rc;
}

void nd_probes_close(struct nd_probes *all)
{
	for (size_t i = 0; i < all->nitems; i++) {
		nd_close_fd(&all->items[i].fd);
		nd_buf_free(&all->items[i].in);
	}
	nd_close_fd(&all->epoll_fd);
	all->nitems = 0;
}
