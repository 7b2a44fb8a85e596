/* send.c: one real packet, every field of it ours. */
#include "common/base.h"

#include "tests/kernel/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#define FENCE_TYPE 0x88b5 /* IEEE: local experiments */

static uint32_t sum(uint32_t total, const void *p, size_t n)
{
	const uint8_t *bytes = p;

	for (size_t i = 0; i < n; i++)
		total += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return total;
}

static uint16_t fold(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return htons((uint16_t)~total);
}

static uint32_t pseudo(const struct test_packet *p, size_t n)
{
	size_t width = p->family == 4 ? 4 : 16;
	uint32_t total = sum(0, p->t.src.bytes, width);

	return sum(total, p->t.dst.bytes, width) + p->proto + (uint32_t)n;
}

static size_t make_l4(const struct test_packet *p, uint8_t *out)
{
	struct tcphdr tcp = {.source = htons(p->t.sport),
			     .dest = htons(p->t.dport),
			     .seq = htonl(p->is_reply	     ? 5000
					  : p->tcp_flags & 2 ? 1000
							     : 1001),
			     .doff = 5,
			     .window = htons(64000)};
	struct udphdr udp = {.source = htons(p->t.sport), .dest = htons(p->t.dport)};
	uint8_t icmp[8] = {p->icmp_type,
			   p->icmp_code,
			   0,
			   0,
			   (uint8_t)(p->t.sport >> 8),
			   (uint8_t)p->t.sport,
			   0,
			   1};
	size_t head = p->proto == ND_PROTO_TCP ? sizeof(tcp) : 8, n = head + p->payload;
	uint16_t check;

	memset(out, 'x', n);
	if (p->proto == ND_PROTO_TCP) {
		((uint8_t *)&tcp)[13] = p->tcp_flags;
		if (p->tcp_flags & 16)
			tcp.ack_seq = htonl(p->is_reply ? 1001 : 5001);
		memcpy(out, &tcp, head);
	} else if (p->proto == ND_PROTO_UDP) {
		udp.len = htons((uint16_t)n);
		memcpy(out, &udp, head);
	} else {
		memcpy(out, icmp, head);
	}
	check = fold(sum(p->proto == ND_PROTO_ICMP ? 0 : pseudo(p, n), out, n));
	memcpy(out + (p->proto == ND_PROTO_TCP ? 16 : p->proto == ND_PROTO_UDP ? 6 : 2), &check, 2);
	return n;
}

static size_t make_ip(const struct test_packet *p, uint16_t id, uint8_t *out)
{
	struct ip6_hdr six = {.ip6_nxt = p->proto, .ip6_hlim = p->ttl};
	struct iphdr four = {.version = 4,
			     .ihl = 5,
			     .tos = (uint8_t)(p->dscp << 2),
			     .id = htons(id),
			     .frag_off = htons(IP_DF),
			     .ttl = p->ttl,
			     .protocol = p->proto};
	size_t head = p->family == 4 ? sizeof(four) : sizeof(six), n = make_l4(p, out + head);

	if (p->family == 4) {
		four.tot_len = htons((uint16_t)(head + n));
		memcpy(&four.saddr, p->t.src.bytes, 4);
		memcpy(&four.daddr, p->t.dst.bytes, 4);
		four.check = fold(sum(0, &four, sizeof(four)));
		memcpy(out, &four, head);
	} else {
		/* The flow label tells our packets from the kernel's. */
		six.ip6_flow = htonl(6u << 28 | (uint32_t)p->dscp << 22 | id);
		six.ip6_plen = htons((uint16_t)n);
		memcpy(&six.ip6_src, p->t.src.bytes, 16);
		memcpy(&six.ip6_dst, p->t.dst.bytes, 16);
		memcpy(out, &six, head);
	}
	return head + n;
}

static bool send_frame(struct box *box, enum side from, uint16_t type, const uint8_t *p, size_t n)
{
	uint8_t frame[2048] = {2,
			       0,
			       0,
			       0,
			       (uint8_t)(from + 1),
			       1,
			       2,
			       0,
			       0,
			       0,
			       (uint8_t)(from + 1),
			       2,
			       (uint8_t)(type >> 8),
			       (uint8_t)type};

	memcpy(frame + 14, p, n);
	return send(box->frames[from], frame, 14 + n, 0) == (ssize_t)(14 + n);
}

/* As a process of R: bound to the address, so that routing knows it. */
static bool send_local(const struct test_packet *p, const uint8_t *bytes, size_t n)
{
	int family = p->family == 4 ? AF_INET : AF_INET6, on = 1;
	nd_auto_fd int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct sockaddr_in six_or_four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_MARK, &p->mark, sizeof(p->mark)) < 0)
		return false;
	if (p->family == 4) {
		memcpy(&six_or_four.sin_addr, p->t.src.bytes, 4);
		if (bind(fd, (struct sockaddr *)&six_or_four, sizeof(six_or_four)) < 0)
			return false;
		memcpy(&six_or_four.sin_addr, p->t.dst.bytes, 4);
		return sendto(fd, bytes, n, 0, (struct sockaddr *)&six_or_four,
			      sizeof(six_or_four)) == (ssize_t)n;
	}
	setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on));
	memcpy(&six.sin6_addr, p->t.src.bytes, 16);
	if (bind(fd, (struct sockaddr *)&six, sizeof(six)) < 0)
		return false;
	memcpy(&six.sin6_addr, p->t.dst.bytes, 16);
	return sendto(fd, bytes, n, 0, (struct sockaddr *)&six, sizeof(six)) == (ssize_t)n;
}

bool packet_send(struct box *box, const struct test_packet *packet, uint16_t id)
{
	uint8_t bytes[2000];
	size_t n = make_ip(packet, id, bytes);

	if (packet->from == SIDE_R)
		return send_local(packet, bytes, n);
	return send_frame(box, packet->from, packet->family == 4 ? ETH_P_IP : ETH_P_IPV6, bytes, n);
}

/* Twice: what a packet made (an error over lo) is queued behind the first. */
void packet_fence(struct box *box)
{
	static uint32_t number;

	for (int i = 0; i < 2; i++) {
		uint8_t bytes[46] = {0};
		struct pollfd wait = {.fd = box->capture, .events = POLLIN};
		bool is_seen = false;

		number++;
		memcpy(bytes, &number, 4);
		if (!send_frame(box, SIDE_A, FENCE_TYPE, bytes, sizeof(bytes)))
			return;
		while (!is_seen && poll(&wait, 1, 2000) == 1)
			is_seen = observe_is_fence(box, number);
	}
}
