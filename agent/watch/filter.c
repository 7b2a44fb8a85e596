#include "common/base.h"

#include "agent/watch/watch.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

/*
 * Classic BPF: jumps go forward only, a load behind the end of the packet rejects it. The packet
 * begins with its IP header (SOCK_DGRAM). X is where the transport's header begins, M[0] the
 * protocol of that header.
 */
enum { PROTO = 0 };
enum { FRAGMENT_OFFSET = 0x1fff, TCP_FLAGS_AT = 13, TCP_SYN_RST = 0x06 };
/* From the transport's header on, UDP: the frame in VXLAN and the IP packet in that. */
enum { INNER_TYPE = 8 + 8 + 12, INNER_IP = 8 + 8 + 14 };

static unsigned short add(struct nd_watch_filter *f, unsigned code, uint32_t k)
{
	if (f->n == ND_WATCH_MAX_FILTER)
		ND_BUG("the filter of watchers is too long");
	f->code[f->n] = (struct sock_filter){.code = (uint16_t)code, .k = k};
	return f->n++;
}

static void finish(struct nd_watch_filter *f, bool is_wanted)
{
	add(f, BPF_RET | BPF_K, is_wanted ? ND_PACKET_SNAP : 0);
}

/* If the test holds the packet's fate is known, else go on behind. */
static void finish_if(struct nd_watch_filter *f, bool is_wanted, unsigned test, uint32_t k)
{
	f->code[add(f, BPF_JMP | test | BPF_K, k)].jf = 1;
	finish(f, is_wanted);
}

/* If the test holds go on here, else behind the matching end_when. */
static unsigned short when(struct nd_watch_filter *f, unsigned test, uint32_t k)
{
	return add(f, BPF_JMP | test | BPF_K, k);
}

static void end_when(struct nd_watch_filter *f, unsigned short at)
{
	f->code[at].jf = (uint8_t)(f->n - at - 1);
}

static void end_jump(struct nd_watch_filter *f, unsigned short at)
{
	f->code[at].k = f->n - at - 1u;
}

static void reject_unless(struct nd_watch_filter *f, unsigned test, uint32_t k)
{
	f->code[add(f, BPF_JMP | test | BPF_K, k)].jt = 1;
	finish(f, false);
}

/* A holds the next header of an IPv6 one. Extension headers are rare: the parser walks them. */
static void next_header(struct nd_watch_filter *f)
{
	static const uint8_t extensions[] = {IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
					     IPPROTO_DSTOPTS};

	for (size_t i = 0; i < ND_ARRAY_LEN(extensions); i++)
		finish_if(f, true, BPF_JEQ, extensions[i]);
	add(f, BPF_ST, PROTO);
}

static void icmp(struct nd_watch_filter *f)
{
	unsigned short at = when(f, BPF_JEQ, IPPROTO_ICMP);

	add(f, BPF_LD | BPF_B | BPF_IND, 0);
	finish_if(f, true, BPF_JEQ, 3);
	finish_if(f, true, BPF_JEQ, 5);
	finish_if(f, true, BPF_JEQ, 11);
	finish(f, false);
	end_when(f, at);
	at = when(f, BPF_JEQ, IPPROTO_ICMPV6);
	add(f, BPF_LD | BPF_B | BPF_IND, 0);
	finish_if(f, false, BPF_JEQ, 0);
	finish_if(f, false, BPF_JGT, 4);
	finish(f, true);
	end_when(f, at);
}

/* To the transport's header of the packet in VXLAN. */
static void unwrap(struct nd_watch_filter *f)
{
	unsigned short at, jump;

	add(f, BPF_LD | BPF_H | BPF_IND, INNER_TYPE);
	at = when(f, BPF_JEQ, ETH_P_IP);
	add(f, BPF_LD | BPF_H | BPF_IND, INNER_IP + 6);
	finish_if(f, false, BPF_JSET, FRAGMENT_OFFSET);
	add(f, BPF_LD | BPF_B | BPF_IND, INNER_IP + 9);
	add(f, BPF_ST, PROTO);
	add(f, BPF_LD | BPF_B | BPF_IND, INNER_IP);
	add(f, BPF_ALU | BPF_AND | BPF_K, 0x0f);
	add(f, BPF_ALU | BPF_LSH | BPF_K, 2);
	add(f, BPF_ALU | BPF_ADD | BPF_X, 0);
	add(f, BPF_ALU | BPF_ADD | BPF_K, INNER_IP);
	add(f, BPF_MISC | BPF_TAX, 0);
	jump = add(f, BPF_JMP | BPF_JA, 0);
	end_when(f, at);
	reject_unless(f, BPF_JEQ, ETH_P_IPV6);
	add(f, BPF_LD | BPF_B | BPF_IND, INNER_IP + 6);
	next_header(f);
	add(f, BPF_MISC | BPF_TXA, 0);
	add(f, BPF_ALU | BPF_ADD | BPF_K, INNER_IP + 40);
	add(f, BPF_MISC | BPF_TAX, 0);
	end_jump(f, jump);
}

static void transport(struct nd_watch_filter *f, bool is_outer)
{
	unsigned short at;

	add(f, BPF_LD | BPF_MEM, PROTO);
	at = when(f, BPF_JEQ, IPPROTO_TCP);
	add(f, BPF_LD | BPF_B | BPF_IND, TCP_FLAGS_AT);
	finish_if(f, true, BPF_JSET, TCP_SYN_RST);
	finish(f, false);
	end_when(f, at);
	icmp(f);
	reject_unless(f, BPF_JEQ, IPPROTO_UDP);
	add(f, BPF_LD | BPF_H | BPF_IND, 0);
	finish_if(f, true, BPF_JEQ, ND_PORT_DNS);
	add(f, BPF_LD | BPF_H | BPF_IND, 2);
	finish_if(f, true, BPF_JEQ, ND_PORT_DNS);
	if (!is_outer) {
		finish(f, false);
		return;
	}
	f->code[when(f, BPF_JEQ, ND_PORT_VXLAN_LINUX)].jt = 2;
	reject_unless(f, BPF_JEQ, ND_PORT_VXLAN);
	/* The overlay carries all the traffic there is: what is inside decides. */
	unwrap(f);
	transport(f, false);
}

void nd_watch_filter_build(struct nd_watch_filter *f)
{
	unsigned short at, jump;

	f->n = 0;
	add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
	at = when(f, BPF_JEQ, ETH_P_IP);
	add(f, BPF_LD | BPF_H | BPF_ABS, 6);
	finish_if(f, false, BPF_JSET, FRAGMENT_OFFSET);
	add(f, BPF_LD | BPF_B | BPF_ABS, 9);
	add(f, BPF_ST, PROTO);
	add(f, BPF_LDX | BPF_B | BPF_MSH, 0);
	jump = add(f, BPF_JMP | BPF_JA, 0);
	end_when(f, at);
	reject_unless(f, BPF_JEQ, ETH_P_IPV6);
	add(f, BPF_LD | BPF_B | BPF_ABS, 6);
	next_header(f);
	add(f, BPF_LDX | BPF_W | BPF_IMM, 40);
	end_jump(f, jump);
	transport(f, true);
}
