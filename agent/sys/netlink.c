#include "common/base.h"

#include "agent/sys/netlink.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/*
 * The kernel makes messages of at most 32 KiB for a dump (netlink_dump, net/netlink/af_netlink.c)
 * and sizes them by the largest buffer it was ever given, so more room would not be used. Nor
 * would a larger SO_RCVBUF: a dump waits for its reader, and a read takes one message.
 */
#define ROOM_BYTES (64u << 10)
#define MAX_TRIES 8
#define TIMEOUT_MS 5000
#define MAX_REQUEST 128

enum step { STEP_MORE, STEP_DONE, STEP_FAILED };

int nd_nl_open(struct nd_nl *nl, int protocol, struct nd_err *err)
{
	nl->seq = 0;
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (nl->fd < 0)
		return nd_err_sys(err, ND_E_IO, errno, "open netlink socket %d", protocol);
	return 0;
}

void nd_nl_close(struct nd_nl *nl)
{
	nd_close_fd(&nl->fd);
}

static int request_send(struct nd_nl *nl, uint16_t type, const void *request, size_t n,
			struct nd_err *err)
{
	struct {
		struct nlmsghdr head;
		char body[MAX_REQUEST];
	} out = {0};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	if (n > sizeof(out.body))
		ND_BUG("netlink request too long");
	out.head.nlmsg_len = (uint32_t)NLMSG_LENGTH(n);
	out.head.nlmsg_type = type;
	out.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	out.head.nlmsg_seq = ++nl->seq;
	memcpy(out.body, request, n);
	while (sendto(nl->fd, &out, out.head.nlmsg_len, 0, (struct sockaddr *)&kernel,
		      sizeof(kernel)) < 0)
		if (errno != EINTR)
			return nd_err_sys(err, ND_E_IO, errno, "ask netlink %u", type);
	return 0;
}

static int wait_readable(int fd, struct nd_err *err)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n;

	do {
		n = poll(&p, 1, TIMEOUT_MS);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return nd_err_sys(err, ND_E_IO, errno, "wait for netlink");
	if (n == 0)
		return nd_err_set(err, ND_E_TIMEOUT, "netlink did not answer within %d ms",
				  TIMEOUT_MS);
	return 0;
}

/* One datagram behind what is in raw; its length, 0 when it was not for us, -1. */
static ssize_t datagram_take(struct nd_nl *nl, struct nd_buf *raw, struct nd_err *err)
{
	struct sockaddr_nl from = {0};
	struct iovec iov;
	struct msghdr msg = {.msg_name = &from, .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	/* nd_buf_room clears what it gives; here that would cost more than the dump. */
	iov.iov_base = raw->cap > raw->len + ROOM_BYTES && raw->len + ROOM_BYTES <= raw->max_bytes
			       ? raw->data + raw->len
			       : nd_buf_room(raw, ROOM_BYTES);
	iov.iov_len = ROOM_BYTES;
	if (!iov.iov_base)
		return nd_err_set(err, ND_E_LIMIT, "netlink dump larger than %u bytes",
				  ND_NL_MAX_DUMP);
	for (;;) {
		msg.msg_namelen = sizeof(from);
		n = recvmsg(nl->fd, &msg, MSG_DONTWAIT);
		if (n >= 0)
			break;
		if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (wait_readable(nl->fd, err) < 0)
				return -1;
		} else if (errno != EINTR) {
			return nd_err_sys(err, ND_E_IO, errno, "read netlink");
		}
	}
	if (msg.msg_flags & MSG_TRUNC)
		return nd_err_set(err, ND_E_INPUT, "netlink message larger than %u bytes",
				  ROOM_BYTES);
	if (n == 0)
		return nd_err_set(err, ND_E_INPUT, "netlink socket is at its end");
	return from.nl_pid == 0 ? n : 0;
}

/* NLMSG_DONE and NLMSG_ERROR both begin with a negative errno, 0 when all went well. */
static enum step end_read(const struct nlmsghdr *msg, uint16_t type, struct nd_err *err)
{
	int32_t code = 0;

	if (msg->nlmsg_len >= NLMSG_LENGTH(sizeof(code)))
		memcpy(&code, NLMSG_DATA(msg), sizeof(code));
	if (code < 0) {
		nd_err_sys(err, ND_E_IO, code == INT32_MIN ? EIO : -code, "netlink %u", type);
		return STEP_FAILED;
	}
	return STEP_DONE;
}

/* Look at the n new bytes behind raw->len; takes them over when they are part of this dump. */
static enum step datagram_read(const struct nd_nl *nl, uint16_t type, struct nd_buf *raw, size_t n,
			       bool *is_torn, struct nd_err *err)
{
	struct nd_nl_iter it = {.p = raw->data + raw->len, .n = n};

	while (it.n > 0) {
		const struct nlmsghdr *msg = (const void *)it.p;

		if (it.n < sizeof(*msg) || msg->nlmsg_len < sizeof(*msg) || msg->nlmsg_len > it.n) {
			nd_err_set(err, ND_E_INPUT, "netlink %u: broken message", type);
			return STEP_FAILED;
		}
		if (msg->nlmsg_seq != nl->seq)
			return STEP_MORE; /* the rest of something older */
		if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
			*is_torn = true;
		if (msg->nlmsg_type == NLMSG_DONE || msg->nlmsg_type == NLMSG_ERROR) {
			raw->len = (size_t)(it.p - raw->data);
			return end_read(msg, type, err);
		}
		size_t step = NLMSG_ALIGN((size_t)msg->nlmsg_len);
		if (step > it.n)
			step = it.n;
		it.p += step;
		it.n -= step;
	}
	raw->len += n;
	while (raw->len % NLMSG_ALIGNTO) /* room for it is left: a message is below ROOM_BYTES */
		raw->data[raw->len++] = 0;
	return STEP_MORE;
}

/* One try: 0 whole, 1 torn, -1. */
static int dump_once(struct nd_nl *nl, uint16_t type, struct nd_buf *raw, struct nd_err *err)
{
	bool is_torn = false;

	for (;;) {
		ssize_t n = datagram_take(nl, raw, err);

		if (n < 0)
			return -1;
		switch (datagram_read(nl, type, raw, (size_t)n, &is_torn, err)) {
		case STEP_MORE:
			break;
		case STEP_DONE:
			return is_torn ? 1 : 0;
		case STEP_FAILED:
			return -1;
		}
	}
}

/* Take the rest of a dump that is too large off the socket: it answers nothing else before. */
static void dump_drain(struct nd_nl *nl, uint16_t type, struct nd_buf *raw)
{
	bool is_torn;
	ssize_t n;

	do {
		raw->len = 0;
		n = datagram_take(nl, raw, NULL);
	} while (n >= 0 && datagram_read(nl, type, raw, (size_t)n, &is_torn, NULL) == STEP_MORE);
	raw->len = 0;
}

int nd_nl_dump(struct nd_nl *nl, uint16_t type, const void *request, size_t n, struct nd_buf *raw,
	       struct nd_err *err)
{
	if (nl->fd < 0)
		return nd_err_set(err, ND_E_IO, "netlink %u: no socket", type);
	raw->max_bytes = ND_NL_MAX_DUMP;
	for (int i = 0; i < MAX_TRIES; i++) {
		int got;

		raw->len = 0;
		raw->is_over = false;
		if (request_send(nl, type, request, n, err) < 0)
			return -1;
		got = dump_once(nl, type, raw, err);
		if (got < 0 && raw->is_over)
			dump_drain(nl, type, raw);
		if (got <= 0)
			return got;
	}
	return nd_err_set(err, ND_E_IO, "netlink %u: the list changed while being read, %d times",
			  type, MAX_TRIES);
}

int nd_nl_visit(struct nd_nl *nl, uint16_t type, const void *request, size_t n,
		int (*visit)(void *ctx, const struct nlmsghdr *msg, struct nd_err *err), void *ctx,
		struct nd_err *err)
{
	nd_auto_buf struct nd_buf raw = {.max_bytes = 4 * ROOM_BYTES};
	enum step step = STEP_MORE;
	bool is_torn = false;

	if (nl->fd < 0)
		return nd_err_set(err, ND_E_IO, "netlink %u: no socket", type);
	if (request_send(nl, type, request, n, err) < 0)
		return -1;
	while (step == STEP_MORE) {
		const struct nlmsghdr *msg;

		raw.len = 0;
		ssize_t got = datagram_take(nl, &raw, err);
		if (got < 0)
			return -1;
		step = datagram_read(nl, type, &raw, (size_t)got, &is_torn, err);
		if (step == STEP_FAILED)
			return -1;
		struct nd_nl_iter it = nd_nl_iter(&raw);
		while ((msg = nd_nl_next(&it)))
			if (visit(ctx, msg, err) < 0) {
				if (step == STEP_MORE)
					dump_drain(nl, type, &raw);
				return -1;
			}
	}
	if (is_torn)
		return nd_err_set(err, ND_E_IO, "netlink %u: the list changed while being read",
				  type);
	return 0;
}

struct nd_nl_iter nd_nl_iter(const struct nd_buf *raw)
{
	return (struct nd_nl_iter){.p = raw->data, .n = raw->len};
}

const struct nlmsghdr *nd_nl_next(struct nd_nl_iter *it)
{
	while (it->n >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *msg = (const void *)it->p;
		size_t step;

		if (msg->nlmsg_len < sizeof(*msg) || msg->nlmsg_len > it->n)
			break;
		step = NLMSG_ALIGN((size_t)msg->nlmsg_len);
		if (step > it->n)
			step = it->n;
		it->p += step;
		it->n -= step;
		if (msg->nlmsg_type >= NLMSG_MIN_TYPE)
			return msg;
	}
	it->n = 0;
	return NULL;
}

bool nd_attr_next(struct nd_attr *list, struct nd_attr *out)
{
	struct nlattr head;

	if (!list->p || list->len < NLA_HDRLEN)
		return false;
	memcpy(&head, list->p, sizeof(head));
	if (head.nla_len < NLA_HDRLEN || head.nla_len > list->len)
		return false;
	const char *at = list->p;
	size_t step = NLA_ALIGN((size_t)head.nla_len);
	*out = (struct nd_attr){at + NLA_HDRLEN, head.nla_len - NLA_HDRLEN};
	if (step > list->len)
		step = list->len;
	*list = (struct nd_attr){at + step, list->len - step};
	return true;
}

void nd_attr_index(const void *p, size_t n, struct nd_attr *attrs, size_t max)
{
	const char *at = p;

	memset(attrs, 0, (max + 1) * sizeof(*attrs));
	while (n >= NLA_HDRLEN) {
		struct nlattr head;
		size_t type, step;

		memcpy(&head, at, sizeof(head));
		if (head.nla_len < NLA_HDRLEN || head.nla_len > n)
			return;
		type = head.nla_type & NLA_TYPE_MASK;
		if (type <= max)
			attrs[type] = (struct nd_attr){at + NLA_HDRLEN, head.nla_len - NLA_HDRLEN};
		step = NLA_ALIGN((size_t)head.nla_len);
		if (step > n)
			return;
		at += step;
		n -= step;
	}
}

bool nd_nl_attrs(const struct nlmsghdr *msg, size_t header_len, struct nd_attr *attrs, size_t max)
{
	size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(header_len);
	bool is_long_enough = msg->nlmsg_len >= NLMSG_HDRLEN + header_len;

	if (msg->nlmsg_len > skip)
		nd_attr_index((const char *)msg + skip, msg->nlmsg_len - skip, attrs, max);
	else
		nd_attr_index(NULL, 0, attrs, max);
	return is_long_enough;
}

bool nd_attr_u32(struct nd_attr attr, uint32_t *out)
{
	if (!attr.p || attr.len < sizeof(*out))
		return false;
	memcpy(out, attr.p, sizeof(*out));
	return true;
}

uint32_t nd_attr_u32_or(struct nd_attr attr, uint32_t otherwise)
{
	uint32_t value = otherwise;

	return nd_attr_u32(attr, &value) ? value : otherwise;
}

uint16_t nd_attr_u16_or(struct nd_attr attr, uint16_t otherwise)
{
	uint16_t value = otherwise;

	if (attr.p && attr.len >= sizeof(value))
		memcpy(&value, attr.p, sizeof(value));
	return value;
}

uint8_t nd_attr_u8_or(struct nd_attr attr, uint8_t otherwise)
{
	return attr.p && attr.len >= 1 ? *(const uint8_t *)attr.p : otherwise;
}

const char *nd_attr_text(struct nd_attr attr, char *dst, size_t size)
{
	size_t n = attr.p ? strnlen(attr.p, attr.len) : 0;

	if (n >= size)
		n = size - 1;
	if (n)
		memcpy(dst, attr.p, n);
	dst[n] = '\0';
	return dst;
}
