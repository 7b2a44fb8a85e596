#include "common/base.h"

#include "agent/sys/netlink.h"
#include "agent/sys/netns.h"
#include "agent/watch/watch.h"
#include "common/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <sys/random.h>
#include <sys/socket.h>

/* Some hundred packets: what comes in a few milliseconds on a busy node. */
enum { RECEIVE_BYTES = 1 << 20 };

static int load_names(struct nd_ifnames *names, struct nd_err *err)
{
	const struct {
		struct ifinfomsg head;
		struct nlattr attr;
		uint32_t mask;
	} request = {
		.attr = {.nla_len = NLA_HDRLEN + sizeof(uint32_t), .nla_type = IFLA_EXT_MASK},
		.mask = RTEXT_FILTER_SKIP_STATS,
	};
	struct nd_nl nl = {.fd = -1};
	nd_auto_buf struct nd_buf raw = {.max_bytes = ND_NL_MAX_DUMP};
	int rc;

	if (nd_nl_open(&nl, NETLINK_ROUTE, err) < 0)
		return -1;
	rc = nd_nl_dump(&nl, RTM_GETLINK, &request, sizeof(request), &raw, err);
	nd_nl_close(&nl);
	if (rc == 0)
		nd_ifnames_load(names, &raw);
	return rc;
}

/* Small packets take a kilobyte of a receive buffer each, whatever the filter keeps of them. */
static void want_room(int fd)
{
	const int size = RECEIVE_BYTES;

	/* Beyond net.core.rmem_max only with CAP_NET_ADMIN; what is lost is counted and told. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)!setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static int open_socket(int *out, const struct sock_fprog *prog)
{
	const int on = 1;
	const struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	nd_auto_fd int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, prog, sizeof(*prog)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		return -1;
	want_room(fd);
	/* Of protocol 0 until here: nothing came in before the filter was there. */
	if (bind(fd, (const struct sockaddr *)&all, sizeof(all)) < 0)
		return -1;
	*out = nd_steal_fd(&fd);
	return 0;
}

/* In its namespace. */
static void open_one(struct nd_watcher *w, const struct sock_fprog *prog)
{
	if (load_names(&w->names, &w->why) == 0 && open_socket(&w->fd, prog) < 0)
		nd_err_sys(&w->why, ND_E_IO, errno, "open a packet socket");
}

static int space_order(const void *a, const void *b)
{
	uint64_t x = ((const struct nd_netns *)a)->inode, y = ((const struct nd_netns *)b)->inode;

	return x < y ? -1 : x > y;
}

static void open_in(struct nd_watcher *w, const struct nd_netns *spaces, size_t nspaces,
		    const struct sock_fprog *prog)
{
	const struct nd_netns key = {.inode = w->netns_inode}, *ns;

	ns = bsearch(&key, spaces, nspaces, sizeof(key), space_order);
	if (!ns)
		ND_BUG("a namespace that was not looked for");
	if (ns->fd >= 0 && nd_netns_enter(ns->fd, &w->why) == 0)
		open_one(w, prog);
	else if (ns->fd < 0 && ns->sys_errno)
		nd_err_sys(&w->why, ND_E_IO, ns->sys_errno, "open the network namespace");
	else if (ns->fd < 0)
		w->is_gone = true;
}

static int open_all(struct nd_watch *watch, struct nd_netns *spaces, struct nd_err *err)
{
	struct nd_watch_filter filter;
	struct sock_fprog prog = {.filter = filter.code};
	nd_auto_fd int own_fd = -1;
	uint64_t own_inode = 0;
	size_t nspaces = 0;

	nd_watch_filter_build(&filter);
	prog.len = filter.n;
	for (size_t i = 0; i < watch->nitems; i++)
		if (watch->items[i].netns_inode)
			spaces[nspaces++].inode = watch->items[i].netns_inode;
	qsort(spaces, nspaces, sizeof(*spaces), space_order);
	if (nd_netns_own(&own_fd, &own_inode, err) < 0 || nd_netns_find(spaces, nspaces, err) < 0)
		return -1;
	watch->began_unix_us = nd_clock_unix_us();
	for (size_t i = 0; i < watch->nitems; i++)
		if (!watch->items[i].netns_inode)
			open_one(&watch->items[i], &prog);
	for (size_t i = 0; i < watch->nitems; i++)
		if (watch->items[i].netns_inode)
			open_in(&watch->items[i], spaces, nspaces, &prog);
	if (nspaces && nd_netns_enter(own_fd, err) < 0)
		ND_BUG("cannot return to the node's network namespace");
	for (size_t i = 0; i < nspaces; i++)
		nd_close_fd(&spaces[i].fd);
	return 0;
}

int nd_watch_open(struct nd_watch *watch, const uint64_t *inodes, size_t n, struct nd_arena *arena,
		  struct nd_err *err)
{
	struct nd_netns *spaces = nd_arena_array(arena, n, sizeof(*spaces));

	*watch = (struct nd_watch){.arena = arena, .nitems = n, .linger_fd = -1};
	watch->items = nd_arena_array(arena, n, sizeof(*watch->items));
	watch->polls = nd_arena_array(arena, n, sizeof(*watch->polls));
	for (size_t i = 0; i < n; i++) {
		watch->items[i].netns_inode = inodes[i];
		watch->items[i].fd = -1;
	}
	if (n == 0)
		return 0;
	if (getrandom(&watch->seed, sizeof(watch->seed), 0) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "ask for random numbers");
	if (open_all(watch, spaces, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		watch->polls[i] = (struct pollfd){.fd = watch->items[i].fd, .events = POLLIN};
	return 0;
}

void nd_watch_close(struct nd_watch *watch)
{
	for (size_t i = 0; i < watch->nitems; i++) {
		nd_close_fd(&watch->items[i].fd);
		nd_ifnames_free(&watch->items[i].names);
	}
	/* The last: the child must not be the first to let go of them. */
	nd_close_fd(&watch->linger_fd);
	watch->nitems = 0;
}
