#include "common/base.h"

#include "agent/probe/echo.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/epoll.h>

enum { IP4_HEAD = 20, IP6_HEAD = 40, MAX_PACKET = 65535 };

static bool is_v4(const struct nd_probe *p)
{
	return p->ask->ip.family == 4;
}

/* Let only echo replies in, or nothing. */
static int set_filter(const struct nd_probe *p, bool is_open)
{
	if (is_v4(p)) {
		struct icmp_filter block = {is_open ? ~(1u << ICMP_ECHOREPLY) : ~0u};
		return setsockopt(p->fd, SOL_RAW, ICMP_FILTER, &block, sizeof(block));
	}
	struct icmp6_filter filter;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	if (is_open)
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
	return setsockopt(p->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
}

int nd_echo_open(struct nd_probe *p)
{
	p->fd = nd_probe_socket(p, SOCK_RAW, IPPROTO_ICMP, IPPROTO_ICMPV6);
	if (p->fd < 0 || set_filter(p, false) < 0)
		return -1;
	return nd_probe_want_errors(p);
}

bool nd_echo_start(struct nd_probes *all, struct nd_probe *p)
{
	if (!nd_probe_connect(all, p, EPOLLIN))
		return false;
	if (set_filter(p, true) == 0)
		return true;
	nd_probe_fail(all, p, errno);
	return false;
}

uint32_t nd_echo_overhead(const struct nd_probe *p)
{
	return ND_ECHO_HEAD + (is_v4(p) ? IP4_HEAD : IP6_HEAD);
}

/* RFC 1071 of a header before zeros. */
static uint16_t checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

int nd_echo_send(const struct nd_probe *p, uint16_t seq, uint32_t size)
{
	static const uint8_t zeros[MAX_PACKET];
	uint8_t head[ND_ECHO_HEAD] = {is_v4(p) ? ICMP_ECHO : ICMP6_ECHO_REQUEST};
	struct iovec iov[2] = {{head, sizeof(head)}, {(void *)(uintptr_t)zeros, 0}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	iov[1].iov_len = size - nd_echo_overhead(p);
	put16(head + 4, p->cookie);
	put16(head + 6, seq);
	if (is_v4(p)) /* the kernel does it for ICMPv6 */
		put16(head + 2, checksum(head, sizeof(head)));
	return sendmsg(p->fd, &msg, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

uint32_t nd_echo_recv(struct nd_probes *all, struct nd_probe *p)
{
	for (ssize_t n; (n = nd_probe_recv(all, p)) >= 0;) {
		const uint8_t *got = all->scratch;
		size_t len = (size_t)n, head = 0;

		if (is_v4(p)) { /* its IP header comes along; with options it may be longer */
			head = len ? (got[0] & 0xfu) * 4u : 0;
			if (head < IP4_HEAD)
				continue;
		}
		if (len < head + ND_ECHO_HEAD || get16(got + head + 4) != p->cookie ||
		    got[head] != (is_v4(p) ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY))
			continue;
		return (uint32_t)(len - head) + (is_v4(p) ? IP4_HEAD : IP6_HEAD);
	}
	return 0;
}

bool nd_echo_is_ours(const struct nd_probe *p, const struct nd_probe_sockerr *e)
{
	return e->is_local || (e->nhead == sizeof(e->head) && get16(e->head + 4) == p->cookie);
}
