#include "common/base.h"

#include "agent/sys/sockets.h"
#include "common/addr.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Kernel: include/net/tcp_states.h. A UDP socket without a peer is in TCP_CLOSE. */
#define STATE_CLOSE 7
#define STATE_LISTEN 10
#define CHUNK_BYTES (32u << 10)

static const struct {
	const char *name;
	const char *path;
	uint8_t family, protocol, state;
} protos[ND_SOCK_NPROTOS] = {
	{"tcp", "/proc/self/net/tcp", AF_INET, IPPROTO_TCP, STATE_LISTEN},
	{"tcp6", "/proc/self/net/tcp6", AF_INET6, IPPROTO_TCP, STATE_LISTEN},
	{"udp", "/proc/self/net/udp", AF_INET, IPPROTO_UDP, STATE_CLOSE},
	{"udp6", "/proc/self/net/udp6", AF_INET6, IPPROTO_UDP, STATE_CLOSE},
};

static int diag_dump(struct nd_nl *nl, int proto, struct nd_buf *raw, struct nd_err *err)
{
	struct inet_diag_req_v2 request = {
		.sdiag_family = protos[proto].family,
		.sdiag_protocol = protos[proto].protocol,
		.idiag_states = 1u << protos[proto].state,
	};

	return nd_nl_dump(nl, SOCK_DIAG_BY_FAMILY, &request, sizeof(request), raw, err);
}

bool nd_socksrc_has_diag(struct nd_buf *raw)
{
	struct nd_nl nl = {.fd = -1};
	bool has = nd_nl_open(&nl, NETLINK_SOCK_DIAG, NULL) == 0 &&
		   diag_dump(&nl, 0, raw, NULL) == 0 && diag_dump(&nl, 2, raw, NULL) == 0;

	nd_nl_close(&nl);
	return has;
}

int nd_socksrc_open(struct nd_socksrc *src, bool has_diag, struct nd_err *err)
{
	src->diag.fd = -1;
	for (int i = 0; i < ND_SOCK_NPROTOS; i++)
		src->proc_fds[i] = -1;
	if (has_diag)
		return nd_nl_open(&src->diag, NETLINK_SOCK_DIAG, err);
	for (int i = 0; i < ND_SOCK_NPROTOS; i++) {
		src->proc_fds[i] = open(protos[i].path, O_RDONLY | O_CLOEXEC);
		if (src->proc_fds[i] < 0 && !(errno == ENOENT && protos[i].family == AF_INET6)) {
			nd_err_sys(err, ND_E_IO, errno, "open %s", protos[i].path);
			nd_socksrc_close(src);
			return -1;
		}
	}
	return 0;
}

void nd_socksrc_close(struct nd_socksrc *src)
{
	nd_nl_close(&src->diag);
	for (int i = 0; i < ND_SOCK_NPROTOS; i++)
		nd_close_fd(&src->proc_fds[i]);
}

static void socket_write(struct nd_jsonw *w, int proto, struct nd_ip ip, uint16_t port)
{
	char text[ND_IP_TEXT];

	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "proto", protos[proto].name);
	nd_jsonw_str(w, "addr", nd_ip_text(ip, text));
	nd_jsonw_uint(w, "port", port);
	nd_jsonw_end(w, '}');
}

static int diag_write(struct nd_nl *nl, int proto, struct nd_buf *raw, struct nd_jsonw *w,
		      struct nd_err *err)
{
	struct nd_err why = {0};
	struct nd_nl_iter it;
	const struct nlmsghdr *msg;

	if (diag_dump(nl, proto, raw, &why) < 0) {
		if (why.sys_errno == ENOENT && protos[proto].family == AF_INET6)
			return 0; /* no IPv6 in this kernel */
		if (err)
			*err = why;
		return -1;
	}
	it = nd_nl_iter(raw);
	while ((msg = nd_nl_next(&it))) {
		const struct inet_diag_msg *sock = NLMSG_DATA(msg);
		struct nd_ip ip = {.family = protos[proto].family == AF_INET ? 4 : 6};

		if (msg->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		    msg->nlmsg_len < NLMSG_LENGTH(sizeof(*sock)) ||
		    sock->idiag_family != protos[proto].family)
			continue;
		memcpy(ip.bytes, sock->id.idiag_src, ip.family == 4 ? 4 : 16);
		socket_write(w, proto, ip, ntohs(sock->id.idiag_sport));
	}
	return 0;
}

/* "0100007F" or four such words: each is 32 bits in the byte order of the machine. */
static bool proc_ip_parse(struct nd_str text, int family, struct nd_ip *ip)
{
	size_t nwords = family == AF_INET ? 1 : 4;

	*ip = (struct nd_ip){.family = family == AF_INET ? 4 : 6};
	if (text.n != nwords * 8)
		return false;
	for (size_t i = 0; i < nwords; i++) {
		uint64_t word;
		uint32_t bytes;

		if (!nd_parse_hex((struct nd_str){text.p + i * 8, 8}, UINT32_MAX, &word))
			return false;
		bytes = (uint32_t)word;
		memcpy(ip->bytes + i * 4, &bytes, sizeof(bytes));
	}
	return true;
}

/* "sl local_address rem_address st ..."; false for the head line and for other states. */
static bool proc_line_parse(struct nd_str line, int proto, struct nd_ip *ip, uint16_t *port)
{
	struct nd_str slot, local, remote, state, address;
	const char *colon;
	uint64_t number;

	if (!nd_str_word(&line, &slot) || !nd_str_word(&line, &local) ||
	    !nd_str_word(&line, &remote) || !nd_str_word(&line, &state))
		return false;
	if (!nd_parse_hex(state, UINT8_MAX, &number) || number != protos[proto].state)
		return false;
	colon = memchr(local.p, ':', local.n);
	if (!colon)
		return false;
	address = (struct nd_str){local.p, (size_t)(colon - local.p)};
	local = (struct nd_str){colon + 1, local.n - address.n - 1};
	if (!proc_ip_parse(address, protos[proto].family, ip) ||
	    !nd_parse_hex(local, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

void nd_socksrc_write_proc(struct nd_jsonw *w, int proto, const char *text, size_t n)
{
	struct nd_str rest = {text, n}, line;
	struct nd_ip ip;
	uint16_t port;

	while (nd_str_line(&rest, &line))
		if (proc_line_parse(line, proto, &ip, &port))
			socket_write(w, proto, ip, port);
}

static int file_take(int fd, const char *path, struct nd_buf *raw, struct nd_err *err)
{
	raw->max_bytes = ND_NL_MAX_DUMP;
	raw->len = 0;
	raw->is_over = false;
	for (;;) {
		char *room = nd_buf_room(raw, CHUNK_BYTES);
		ssize_t n;

		if (!room)
			return nd_err_set(err, ND_E_LIMIT, "%s larger than %u bytes", path,
					  ND_NL_MAX_DUMP);
		n = pread(fd, room, CHUNK_BYTES, (off_t)raw->len);
		if (n < 0 && errno != EINTR)
			return nd_err_sys(err, ND_E_IO, errno, "read %s", path);
		if (n == 0)
			return 0;
		if (n > 0)
			raw->len += (size_t)n;
	}
}

static int proto_write(struct nd_socksrc *src, int proto, struct nd_buf *raw, struct nd_jsonw *w,
		       struct nd_err *err)
{
	if (src->diag.fd >= 0)
		return diag_write(&src->diag, proto, raw, w, err);
	if (src->proc_fds[proto] < 0)
		return 0;
	if (file_take(src->proc_fds[proto], protos[proto].path, raw, err) < 0)
		return -1;
	nd_socksrc_write_proc(w, proto, raw->data, raw->len);
	return 0;
}

int nd_socksrc_write(struct nd_socksrc *src, struct nd_buf *raw, struct nd_jsonw *w,
		     const char *key, struct nd_err *err)
{
	int result = 0;

	nd_jsonw_begin(w, key, '[');
	for (int i = 0; i < ND_SOCK_NPROTOS && result == 0; i++)
		result = proto_write(src, i, raw, w, err);
	nd_jsonw_end(w, ']');
	return result;
}
