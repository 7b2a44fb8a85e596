/* observe.c: what left R, what R's own sockets got, and which errors came of it. */
#include "common/base.h"

#include "tests/kernel/kernel.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define FENCE_TYPE 0x88b5
#define MAX_SEEN 64
#define MAX_BYTES 256

#ifndef IPV6_FLOWINFO
#define IPV6_FLOWINFO 11 /* linux/in6.h, which libc's header excludes */
#endif
#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

/* An IP packet and where it was seen. */
struct seen {
	int dev;  /* index of box->dev; -1: by a socket of R */
	size_t n; /* bytes */
	uint8_t bytes[MAX_BYTES];
	uint32_t mark;
};
static struct seen seen[MAX_SEEN];
static size_t nseen;

static uint32_t mark_of(struct msghdr *message)
{
	uint32_t mark = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_MARK)
			memcpy(&mark, CMSG_DATA(c), sizeof(mark));
	return mark;
}

static ssize_t receive(int fd, void *bytes, size_t size, void *from, socklen_t nfrom, void *control,
		       size_t ncontrol, struct msghdr *message)
{
	static struct iovec part;

	part = (struct iovec){.iov_base = bytes, .iov_len = size};
	*message = (struct msghdr){.msg_name = from,
				   .msg_namelen = nfrom,
				   .msg_iov = &part,
				   .msg_iovlen = 1,
				   .msg_control = control,
				   .msg_controllen = ncontrol};
	return recvmsg(fd, message, MSG_DONTWAIT);
}

static void keep(int dev, const uint8_t *bytes, size_t n, uint32_t mark)
{
	struct seen *one = &seen[nseen];

	if (nseen == MAX_SEEN)
		return;
	*one = (struct seen){.dev = dev, .n = n < MAX_BYTES ? n : MAX_BYTES, .mark = mark};
	memcpy(one->bytes, bytes, one->n);
	nseen++;
}

bool observe_is_fence(struct box *box, uint32_t number)
{
	uint8_t bytes[2048];
	char control[256];
	struct sockaddr_ll from;
	struct msghdr message;
	ssize_t n = receive(box->capture, bytes, sizeof(bytes), &from, sizeof(from), control,
			    sizeof(control), &message);
	uint16_t type = ntohs(from.sll_protocol);

	if (n < 18)
		return false;
	if (type == FENCE_TYPE)
		return memcmp(bytes + 14, &number, 4) == 0;
	if (from.sll_pkttype != PACKET_OUTGOING || (type != 0x0800 && type != 0x86dd))
		return false;
	for (int dev = 0; dev < 2; dev++)
		if ((uint32_t)from.sll_ifindex == box->ifindex[dev])
			keep(dev, bytes + 14, (size_t)n - 14, mark_of(&message));
	return false;
}

/* IPv6 raw sockets give no header: make one of what they say. */
static size_t make_header(struct msghdr *message, const struct sockaddr_in6 *from, uint8_t proto,
			  uint8_t *out)
{
	memset(out, 0, 40);
	memcpy(out, &from->sin6_flowinfo, 4);
	out[0] = (uint8_t)(out[0] | 0x60);
	out[6] = proto;
	memcpy(out + 8, &from->sin6_addr, 16);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		int value;

		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_PKTINFO)
			memcpy(out + 24, CMSG_DATA(c), 16);
		if (c->cmsg_type == IPV6_HOPLIMIT) {
			memcpy(&value, CMSG_DATA(c), sizeof(value));
			out[7] = (uint8_t)value;
		}
		if (c->cmsg_type == IPV6_FLOWINFO)
			memcpy(out, CMSG_DATA(c), 4);
	}
	out[0] = (uint8_t)((out[0] & 0x0f) | 0x60);
	return 40;
}

static void read_local(int fd, bool is_six, uint8_t proto)
{
	uint8_t bytes[2048];
	char control[256];
	struct sockaddr_in6 from;
	struct msghdr message;
	ssize_t n;

	while ((n = receive(fd, bytes + (is_six ? 40 : 0), 1900, &from, sizeof(from), control,
			    sizeof(control), &message)) >= 0) {
		size_t total = (size_t)n;

		if (is_six)
			total += make_header(&message, &from, proto, bytes);
		keep(-1, bytes, total, mark_of(&message));
	}
}

static void read_locals(struct box *box)
{
	static const uint8_t protos[2][3] = {{6, 17, 1}, {6, 17, 58}};

	for (int six = 0; six < 2; six++)
		for (int i = 0; i < 3; i++)
			read_local(box->local[six][i], six, protos[six][i]);
}

void observe_start(struct box *box)
{
	while (observe_is_fence(box, 0) || recv(box->capture, &(char){0}, 1, MSG_PEEK) > 0)
		;
	read_locals(box);
	nseen = 0;
}

/* ---- what an IP packet is ---- */
struct parsed {
	uint8_t family, proto, ttl, dscp;
	uint32_t id;
	struct nd_tuple t;
	const uint8_t *l4;
	size_t nl4;
};

static bool parse(const uint8_t *p, size_t n, struct parsed *out)
{
	size_t head = n && p[0] >> 4 == 6 ? 40 : 20, width = head == 40 ? 16 : 4;

	*out = (struct parsed){0};
	if (n < head + 8)
		return false;
	out->family = head == 40 ? 6 : 4;
	out->proto = p[head == 40 ? 6 : 9];
	out->ttl = p[head == 40 ? 7 : 8];
	out->dscp = head == 40 ? (uint8_t)((p[0] & 15) << 2 | p[1] >> 6) : p[1] >> 2;
	out->id = head == 40 ? (uint32_t)((p[1] & 15) << 16 | p[2] << 8 | p[3])
			     : (uint32_t)(p[4] << 8 | p[5]);
	out->t.src.family = out->t.dst.family = out->family;
	memcpy(out->t.src.bytes, p + (head == 40 ? 8 : 12), width);
	memcpy(out->t.dst.bytes, p + (head == 40 ? 24 : 16), width);
	out->l4 = p + head;
	out->nl4 = n - head;
	if (out->proto == ND_PROTO_TCP || out->proto == ND_PROTO_UDP) {
		out->t.sport = (uint16_t)(out->l4[0] << 8 | out->l4[1]);
		out->t.dport = (uint16_t)(out->l4[2] << 8 | out->l4[3]);
	} else {
		out->t.sport = (uint16_t)(out->l4[4] << 8 | out->l4[5]);
	}
	return true;
}

static const char *error_name(uint8_t family, uint8_t type, uint8_t code)
{
	static const struct {
		uint8_t family, type, code;
		const char *name;
	} rows[] = {
		{4, 3, 0, "icmp-net-unreachable"},   {4, 3, 1, "icmp-host-unreachable"},
		{4, 3, 2, "icmp-proto-unreachable"}, {4, 3, 3, "icmp-port-unreachable"},
		{4, 3, 9, "icmp-net-prohibited"},    {4, 3, 10, "icmp-host-prohibited"},
		{4, 3, 13, "icmp-admin-prohibited"}, {4, 11, 0, "icmp-time-exceeded"},
		{6, 1, 0, "icmp6-no-route"},	     {6, 1, 1, "icmp6-adm-prohibited"},
		{6, 1, 3, "icmp6-addr-unreachable"}, {6, 1, 4, "icmp6-port-unreachable"},
		{6, 1, 5, "icmp6-policy-fail"},	     {6, 1, 6, "icmp6-reject-route"},
		{6, 3, 0, "icmp6-time-exceeded"},
	};

	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++)
		if (rows[i].family == family && rows[i].type == type && rows[i].code == code)
			return rows[i].name;
	return NULL;
}

/* An answer of R to our packet: an ICMP error with it inside, or a RST. */
static const char *error_of(const struct parsed *p, const struct test_packet *packet, uint16_t id)
{
	struct parsed inner;
	const char *name = NULL;

	if (p->proto == ND_PROTO_ICMP || p->proto == ND_PROTO_ICMP6)
		name = error_name(p->family, p->l4[0], p->l4[1]);
	if (name)
		return parse(p->l4 + 8, p->nl4 - 8, &inner) && inner.id == id ? name : NULL;
	if (p->proto == ND_PROTO_TCP && packet->proto == ND_PROTO_TCP && p->nl4 >= 14 &&
	    (p->l4[13] & 4) && p->id != id)
		return "tcp-reset";
	return NULL;
}

void observe_outcome(struct box *box, struct nd_arena *arena, const struct test_packet *packet,
		     uint16_t id, struct outcome *out)
{
	(void)arena;
	*out = (struct outcome){.fate = FATE_GONE};
	read_locals(box);
	for (size_t i = 0; i < nseen; i++) {
		struct parsed p;
		const char *error;

		if (!parse(seen[i].bytes, seen[i].n, &p))
			continue;
		error = error_of(&p, packet, id);
		if (error) {
			out->error = error;
			if (out->fate == FATE_GONE)
				out->fate = FATE_REJECTED;
		}
		if (error || p.id != id || p.proto != packet->proto || p.family != packet->family)
			continue;
		out->fate = seen[i].dev < 0 ? FATE_LOCAL : FATE_SENT;
		out->dev = seen[i].dev < 0 ? NULL : box->dev[seen[i].dev];
		out->t = p.t;
		out->mark = seen[i].mark;
		out->ttl = p.ttl;
		out->dscp = p.dscp;
	}
}
