#include "common/base.h"

#include "agent/probe/probe.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/epoll.h>

union any_addr {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

static socklen_t addr_of(const struct nd_probe_ask *ask, union any_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (ask->ip.family == 4) {
		out->in4.sin_family = AF_INET;
		out->in4.sin_port = htons(ask->port);
		memcpy(&out->in4.sin_addr, ask->ip.bytes, 4);
		return sizeof(out->in4);
	}
	out->in6.sin6_family = AF_INET6;
	out->in6.sin6_port = htons(ask->port);
	memcpy(&out->in6.sin6_addr, ask->ip.bytes, 16);
	return sizeof(out->in6);
}

int nd_probe_socket(const struct nd_probe *p, int type, int proto4, int proto6)
{
	bool is_v4 = p->ask->ip.family == 4;

	return socket(is_v4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      is_v4 ? proto4 : proto6);
}

/*
 * Without it a datagram socket hears only of port unreachable: the other ICMP errors count as
 * transient (kernel: icmp_err_convert, "fatal"). Streams (since Linux 5.19) tell who sent it.
 */
int nd_probe_want_errors(const struct nd_probe *p)
{
	const int on = 1;

	if (p->ask->ip.family == 4)
		return setsockopt(p->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	return setsockopt(p->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

static int socket_error(const struct nd_probe *p)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &value, &len) < 0 ? errno : value;
}

bool nd_probe_connect(struct nd_probes *all, struct nd_probe *p, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = p};
	union any_addr addr;
	socklen_t len = addr_of(p->ask, &addr);

	int error = 0;

	if (connect(p->fd, &addr.sa, len) < 0)
		error = errno;
	/*
	 * An ICMP error that comes while connect still holds the socket is only noted ("soft"),
	 * and would be told after the next SYN, a second later: seen with a REJECT on the same
	 * machine. SO_ERROR tells it now.
	 */
	if (error == EINPROGRESS)
		error = socket_error(p);
	if (error == 0 && epoll_ctl(all->epoll_fd, EPOLL_CTL_ADD, p->fd, &event) < 0)
		error = errno;
	if (error == 0)
		return true;
	nd_probe_fail(all, p, error);
	return false;
}

/* An error that is only in the queue; it must be taken out, or epoll would tell of it for ever. */
static int queued_error(struct nd_probe *p)
{
	struct nd_probe_sockerr e;

	if (!nd_probe_errqueue(p, &e))
		return 0;
	if (!e.is_local)
		p->hop = e.from;
	return e.sys_errno;
}

void nd_probe_find_hop(struct nd_probe *p)
{
	struct nd_probe_sockerr e;

	while (p->fd >= 0 && !p->hop.family && nd_probe_errqueue(p, &e))
		if (!e.is_local)
			p->hop = e.from;
}

bool nd_probe_connected(struct nd_probes *all, struct nd_probe *p, uint32_t events)
{
	int error;

	if (p->is_connected)
		return true;
	if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		return false;
	error = socket_error(p);
	if (!error && (events & EPOLLERR))
		error = queued_error(p);
	if (error) {
		nd_probe_fail(all, p, error);
		return false;
	}
	p->is_connected = events & EPOLLOUT;
	return p->is_connected;
}

bool nd_probe_asked(struct nd_probes *all, struct nd_probe *p, uint32_t events,
		    void (*ask)(struct nd_probes *all, struct nd_probe *p))
{
	bool was_connected = p->is_connected;

	if (!nd_probe_connected(all, p, events))
		return false;
	if (!was_connected)
		ask(all, p);
	return was_connected;
}

bool nd_probe_listen(struct nd_probes *all, struct nd_probe *p)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};

	if (epoll_ctl(all->epoll_fd, EPOLL_CTL_MOD, p->fd, &event) == 0)
		return true;
	nd_probe_fail(all, p, errno);
	return false;
}

bool nd_probe_send(struct nd_probes *all, struct nd_probe *p, const void *msg, size_t n)
{
	ssize_t sent = send(p->fd, msg, n, MSG_NOSIGNAL);

	if (sent == (ssize_t)n)
		return true;
	/* What is sent is small and the first on its connection: it fits the send buffer. */
	nd_probe_fail(all, p, sent < 0 ? errno : EAGAIN);
	return false;
}

ssize_t nd_probe_recv(struct nd_probes *all, struct nd_probe *p)
{
	ssize_t n;

	do
		n = recv(p->fd, all->scratch, sizeof(all->scratch), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		nd_probe_fail(all, p, errno);
	return n;
}

static void take_ip(const struct sockaddr *sa, struct nd_ip *out)
{
	if (sa->sa_family == AF_INET) {
		out->family = 4;
		memcpy(out->bytes, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		out->family = 6;
		memcpy(out->bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
	}
}

/* What the kernel says about the packet in an error message; false: it is none of IP's. */
static bool take_extended(const struct cmsghdr *c, struct nd_probe_sockerr *out)
{
	struct sock_extended_err ee;
	union any_addr from = {.sa.sa_family = AF_UNSPEC};
	size_t room = c->cmsg_len - CMSG_LEN(0);

	if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
	    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
		return false;
	if (room < sizeof(ee))
		return false;
	memcpy(&ee, CMSG_DATA(c), sizeof(ee));
	room -= sizeof(ee);
	memcpy(&from, CMSG_DATA(c) + sizeof(ee), room < sizeof(from) ? room : sizeof(from));
	out->sys_errno = (int)ee.ee_errno;
	out->is_local = ee.ee_origin == SO_EE_ORIGIN_LOCAL;
	out->info = ee.ee_info;
	take_ip(&from.sa, &out->from);
	return true;
}

bool nd_probe_errqueue(const struct nd_probe *p, struct nd_probe_sockerr *out)
{
	union {
		char bytes[512];
		struct cmsghdr align;
	} control;
	struct nd_probe_sockerr got = {0};
	struct iovec iov = {got.head, sizeof(got.head)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(p->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return false;
	got.nhead = (size_t)n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (take_extended(c, &got))
			break;
	*out = got;
	return true;
}
