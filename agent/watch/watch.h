/*
 * watch.h: looking at packets that pass, while probes run here or on other nodes. The sockets are
 * opened in their namespaces before the sandbox closes, each with a filter that lets through only
 * what common/packet.h tells apart; then they are read in small batches between the probes' turns.
 *
 *	struct nd_watch watch;
 *	nd_watch_open(&watch, request.watches, request.nwatches, &arena, err);
 *	nd_watch_linger(&watch);
 *	...enter the sandbox (ND_PROFILE_probe)...
 *	probes.also = nd_watch_start(&watch, watch_ms);
 *	nd_probes_run(&probes, ...);
 *	nd_watch_finish(&watch);
 *	nd_watch_write(&watch, &out);
 *	nd_watch_gaps(&watch, &why);	what it may have missed; "" when it saw all
 *	nd_watch_close(&watch);
 *
 * The kernel says when each packet passed (SO_TIMESTAMPNS), so they need not be read at once: no
 * packet wakes the agent, and a probe never waits longer than for one batch.
 */
#ifndef ND_AGENT_WATCH_WATCH_H
#define ND_AGENT_WATCH_WATCH_H

#include "common/base.h"

#include "agent/probe/probe.h"
#include "agent/sys/ifnames.h"
#include "common/arena.h"
#include "common/packet.h"

#include <linux/filter.h>
#include <poll.h>

#define ND_WATCH_MAX_SEEN 4096
#define ND_WATCH_SLOTS 8192 /* a power of two, at least twice as many */

/* What makes sightings equal; compared as bytes. */
struct nd_watch_key {
	uint32_t ifindex;
	uint16_t watcher; /* index of nd_watch.items */
	uint16_t is_out;
	struct nd_packet packet;
};

struct nd_watch_seen {
	struct nd_watch_key key;
	uint32_t count;
	int64_t us; /* of the first, since nd_watch.began_unix_us */
};

struct nd_watcher {
	uint64_t netns_inode;	 /* 0: "node" */
	int fd;			 /* -1: not open; then is_gone or why */
	bool is_gone;		 /* no process is in the namespace */
	struct nd_err why;	 /* code ND_E_NONE: it was opened */
	struct nd_ifnames names; /* of that namespace, when it was opened */
};

struct nd_watch {
	struct nd_probe_also also;
	struct nd_arena *arena;
	struct nd_watcher *items; /* items[nitems], as asked */
	size_t nitems;
	struct pollfd *polls; /* polls[nitems] */
	size_t next;	      /* watcher to be read first in the next turn */
	int64_t began_unix_us;
	struct nd_watch_seen *seen; /* seen[nseen], as first read */
	size_t nseen;
	uint16_t slots[ND_WATCH_SLOTS]; /* number in seen[] plus one; 0: empty */
	uint64_t seed;			/* of the hash: nobody can choose packets that collide */
	uint64_t nlost;			/* packets the kernel had no room for */
	bool is_full;			/* more than ND_WATCH_MAX_SEEN were different */
	bool is_cut;			/* the deadline came first */
	int linger_fd;			/* its end tells the lingering child; -1: none */
	int read_errno;			/* a socket could not be read */
};

/* Never leaves the caller in another namespace. What cannot be opened is told by nd_watch_gaps. */
int nd_watch_open(struct nd_watch *watch, const uint64_t *inodes, size_t n, struct nd_arena *arena,
		  struct nd_err *err) ND_MUST_USE;
/*
 * The last close of a packet socket waits for an RCU grace period (packet_release): 13 ms each
 * were measured on two busy cores, 64 took 0.9 s. So a child in the sandbox keeps them until the
 * agent has ended, and then does nothing but wait and end. Before any other socket is opened. A
 * failure only costs that time.
 */
void nd_watch_linger(struct nd_watch *watch);
/* From now on; NULL when nothing is to be watched. */
struct nd_probe_also *nd_watch_start(struct nd_watch *watch, int watch_ms);
/* The last packets, and how many were lost. */
void nd_watch_finish(struct nd_watch *watch);
void nd_watch_write(const struct nd_watch *watch, struct nd_buf *out);
void nd_watch_gaps(const struct nd_watch *watch, struct nd_buf *out);
void nd_watch_close(struct nd_watch *watch);

/* filter.c */
#define ND_WATCH_MAX_FILTER 160 /* instructions */
struct nd_watch_filter {
	struct sock_filter code[ND_WATCH_MAX_FILTER];
	unsigned short n;
};
/* What nd_packet_parse understands, and IPv6 with extension headers; ND_PACKET_SNAP bytes each. */
void nd_watch_filter_build(struct nd_watch_filter *filter);

#endif
