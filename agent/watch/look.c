#include "common/base.h"

#include "agent/watch/watch.h"
#include "common/clock.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64 };	     /* packets read between two turns of the probes */
enum { PAUSE_US = 2000 };    /* between turns: the buffers hold what comes in that time */
enum { MAX_LAST = 1 << 16 }; /* packets read at the end, all in all */

static uint64_t hash(const struct nd_watch *watch, const struct nd_watch_key *key)
{
	uint64_t h = watch->seed, word;

	for (size_t at = 0; at < sizeof(*key); at += sizeof(word)) {
		size_t n = sizeof(*key) - at;

		word = 0;
		memcpy(&word, (const char *)key + at, n < sizeof(word) ? n : sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h = (h ^ h >> 29) + watch->seed;
	}
	return h ^ h >> 32;
}

static void put(struct nd_watch *watch, const struct nd_watch_key *key, int64_t us)
{
	struct nd_watch_seen *seen;
	size_t at = hash(watch, key) % ND_WATCH_SLOTS;

	for (; watch->slots[at]; at = (at + 1) % ND_WATCH_SLOTS) {
		seen = &watch->seen[watch->slots[at] - 1];
		if (memcmp(&seen->key, key, sizeof(*key)) == 0) {
			seen->count++;
			return;
		}
	}
	if (watch->nseen == ND_WATCH_MAX_SEEN) {
		watch->is_full = true;
		return;
	}
	seen = &ND_ARENA_PUSH(watch->arena, watch->seen, watch->nseen);
	memcpy(&seen->key, key, sizeof(*key)); /* with its padding */
	seen->count = 1;
	seen->us = us;
	watch->slots[at] = (uint16_t)watch->nseen;
}

/* When the kernel saw it. */
static int64_t passed_us(const struct nd_watch *watch, struct msghdr *msg)
{
	int64_t us = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct timespec at;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS ||
		    c->cmsg_len < CMSG_LEN(sizeof(at)))
			continue;
		memcpy(&at, CMSG_DATA(c), sizeof(at));
		us = (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
	}
	us = (us < 0 ? nd_clock_unix_us() : us) - watch->began_unix_us;
	return us < 0 ? 0 : us;
}

/* One packet; false: none is there now. */
static bool look(struct nd_watch *watch, size_t i)
{
	uint8_t bytes[ND_PACKET_SNAP];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct timespec)) + 64];
	} control;
	struct sockaddr_ll from = {0};
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr msg = {.msg_name = &from,
			     .msg_namelen = sizeof(from),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct nd_watch_key key;
	ssize_t n = recvmsg(watch->items[i].fd, &msg, 0);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			watch->read_errno = errno;
		return false;
	}
	memset(&key, 0, sizeof(key));
	if (!nd_packet_parse(bytes, (size_t)n, &key.packet))
		return true;
	key.ifindex = (uint32_t)from.sll_ifindex;
	key.watcher = (uint16_t)i;
	key.is_out = from.sll_pkttype == PACKET_OUTGOING;
	put(watch, &key, passed_us(watch, &msg));
	return true;
}

/*
 * Read up to max packets, of each socket as many as are there; the next time it begins with the
 * one behind the last, so that none has to wait for a busy one. Packets read.
 */
static size_t read_some(struct nd_watch *watch, size_t max)
{
	size_t nread = 0;

	if (poll(watch->polls, watch->nitems, 0) <= 0)
		return 0;
	for (size_t k = 0; k < watch->nitems && nread < max; k++) {
		size_t i = (watch->next + k) % watch->nitems;

		if (watch->polls[i].fd < 0 || !watch->polls[i].revents)
			continue;
		while (nread < max && look(watch, i))
			nread++;
		if (nread == max)
			watch->next = (i + 1) % watch->nitems;
	}
	return nread;
}

static void turn(struct nd_probe_also *also, int64_t now_us)
{
	struct nd_watch *watch = also->ctx;

	/* A full batch: more is there, to be read after the probes had their turn. */
	also->next_us = now_us + (read_some(watch, BATCH) < BATCH ? PAUSE_US : 0);
}

struct nd_probe_also *nd_watch_start(struct nd_watch *watch, int watch_ms)
{
	if (!watch->nitems)
		return NULL;
	watch->also = (struct nd_probe_also){
		.turn = turn,
		.ctx = watch,
		.until_us = nd_clock_mono_us() + (int64_t)watch_ms * 1000,
	};
	return &watch->also;
}

void nd_watch_finish(struct nd_watch *watch)
{
	size_t nread = 0, n = 1;

	if (!watch->nitems)
		return;
	watch->is_cut = nd_clock_mono_us() < watch->also.until_us;
	while (n && nread < MAX_LAST) {
		n = read_some(watch, BATCH);
		nread += n;
	}
	for (size_t i = 0; i < watch->nitems; i++) {
		struct tpacket_stats stats = {0};
		socklen_t size = sizeof(stats);

		if (watch->items[i].fd >= 0 && getsockopt(watch->items[i].fd, SOL_PACKET,
							  PACKET_STATISTICS, &stats, &size) == 0)
			watch->nlost += stats.tp_drops;
	}
}
