/* box.c: the three namespaces and the sockets in them. Nothing outside of them is touched. */
#include "common/base.h"

#include "tests/kernel/kernel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#ifndef IPV6_FLOWINFO
#define IPV6_FLOWINFO 11 /* linux/in6.h, which libc's header excludes */
#endif
#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

const uint16_t box_ports[] = {22,   53,	  80,	443,  6443,  8000,  8001,
			      8002, 8003, 8080, 9090, 30080, 30081, 0};

static ND_NORETURN void fail(const char *what)
{
	fprintf(stderr, "kernel: cannot %s: %m\n", what);
	exit(2);
}

bool box_write(const char *path, const char *text)
{
	nd_auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static int new_space(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		fail("make a network namespace (root?)");
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("open a network namespace");
	return fd;
}

static void enter(int fd)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		fail("enter a network namespace");
}

static void ip_batch(const char *text)
{
	static const char *const argv[] = {"ip", "-force", "-batch", "-", NULL};
	nd_auto_buf struct nd_buf out = {0};

	if (child_run(argv, text, strlen(text), &out) != 0) {
		fprintf(stderr, "kernel: ip -batch: %s", out.data ? out.data : "?");
		exit(2);
	}
}

/* Nothing of the kernel's own: no neighbour discovery, no reports, no redirects, no answers. */
static void quiet(bool is_router)
{
	static const char *const keys[][2] = {
		{"/proc/sys/net/ipv6/conf/all/accept_ra", "0"},
		{"/proc/sys/net/ipv6/conf/default/accept_ra", "0"},
		{"/proc/sys/net/ipv6/conf/default/accept_dad", "0"},
		{"/proc/sys/net/ipv6/conf/default/router_solicitations", "0"},
		{"/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1"},
		/* Reports of IPv6 groups go through OUTPUT: one, at once, before we look. */
		{"/proc/sys/net/ipv6/mld_qrv", "1"},
		{"/proc/sys/net/ipv6/conf/default/mldv1_unsolicited_report_interval", "1"},
		{"/proc/sys/net/ipv6/conf/default/mldv2_unsolicited_report_interval", "1"},
		{"/proc/sys/net/ipv4/conf/default/send_redirects", "0"},
		{"/proc/sys/net/ipv4/conf/all/send_redirects", "0"},
		{"/proc/sys/net/ipv4/icmp_ratelimit", "0"},
		{"/proc/sys/net/ipv4/icmp_msgs_per_sec", "1000000"},
		{"/proc/sys/net/ipv4/icmp_msgs_burst", "1000000"},
		{"/proc/sys/net/ipv6/icmp/ratelimit", "0"},
		{"/proc/sys/net/ipv4/icmp_echo_ignore_all", "1"},
		{"/proc/sys/net/ipv6/icmp/echo_ignore_all", "1"},
		{"/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts", "1"},
		{"/proc/sys/net/ipv4/ip_forward", "1"},
		{"/proc/sys/net/ipv6/conf/all/forwarding", "1"},
		{"/proc/sys/net/ipv4/conf/all/rp_filter", "0"},
		{"/proc/sys/net/ipv4/conf/default/rp_filter", "0"},
		{"/proc/sys/net/ipv4/ip_local_port_range", "50000 50999"},
	};

	for (size_t i = 0; i < ND_ARRAY_LEN(keys); i++)
		(void)box_write(keys[i][0], keys[i][1]);
	if (!is_router)
		(void)box_write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

static int frames_socket(const char *dev)
{
	struct sockaddr_ll addr = {.sll_family = AF_PACKET,
				   .sll_ifindex = (int)if_nametoindex(dev)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		fail("open a packet socket");
	return fd;
}

static void no_answers(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = {.len = 1, .filter = &drop};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0)
		fail("attach a filter");
}

/* A listener that swallows what it gets: no SYN-ACK, no RST, no port unreachable. */
static void listen_on(uint16_t port, int type)
{
	struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0), off = 0;

	if (fd < 0)
		fail("open a socket");
	no_answers(fd);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 16) < 0))
		fail("listen");
}

static int local_socket(int family, int proto)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, proto), on = 1;

	if (fd < 0)
		fail("open a raw socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &on, sizeof(on));
	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
		setsockopt(fd, IPPROTO_IPV6, IPV6_FLOWINFO, &on, sizeof(on));
	}
	return fd;
}

static void open_sockets(struct box *box)
{
	int on = 1, big = 4 << 20;
	static const int protos[2][3] = {{IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP},
					 {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6}};

	box->capture = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(0x0003));
	if (box->capture < 0)
		fail("open a packet socket");
	setsockopt(box->capture, SOL_SOCKET, SO_RCVMARK, &on, sizeof(on));
	setsockopt(box->capture, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	for (int v6 = 0; v6 < 2; v6++)
		for (int i = 0; i < 3; i++)
			box->local[v6][i] = local_socket(v6 ? AF_INET6 : AF_INET, protos[v6][i]);
	for (size_t i = 0; box_ports[i]; i++) {
		listen_on(box_ports[i], SOCK_STREAM);
		listen_on(box_ports[i], SOCK_DGRAM);
	}
	box->nfnl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	for (size_t i = 0; i < 3; i++)
		box->ifindex[i] = if_nametoindex(box->dev[i]);
}

static void make_devices(int a, int b)
{
	nd_auto_buf struct nd_buf text = {0};

	nd_buf_printf(&text,
		      "link set lo up\n"
		      "link add ra address 02:00:00:00:01:01 type veth peer name pa address "
		      "02:00:00:00:01:02 netns /proc/%d/fd/%d\n"
		      "link add rb address 02:00:00:00:02:01 type veth peer name pb address "
		      "02:00:00:00:02:02 netns /proc/%d/fd/%d\n"
		      "link set ra up\nlink set rb up\n"
		      "addr add 10.1.0.1/24 dev ra\naddr add 10.2.0.1/24 dev rb\n"
		      "addr add 10.9.0.1/32 dev lo\n"
		      "addr add fd00:1::1/64 dev ra nodad\naddr add fd00:2::1/64 dev rb nodad\n"
		      "addr add fd00:9::1/128 dev lo nodad\n",
		      getpid(), a, getpid(), b);
	for (int i = 2; i < 12; i++) {
		for (int net = 1; net <= 2; net++) {
			nd_buf_printf(&text,
				      "neigh replace 10.%d.0.%d lladdr 02:00:00:00:0%d:02 dev r%c "
				      "nud permanent\n",
				      net, i, net, net == 1 ? 'a' : 'b');
			nd_buf_printf(&text,
				      "neigh replace fd00:%d::%x lladdr 02:00:00:00:0%d:02 dev r%c "
				      "nud permanent\n",
				      net, i, net, net == 1 ? 'a' : 'b');
		}
	}
	ip_batch(text.data);
}

void box_make(struct box *box)
{
	cpu_set_t one;
	int cpu = sched_getcpu(), spaces[3];

	/* Frames of one CPU stay in order: what comes behind a packet proves that it has passed. */
	CPU_ZERO(&one);
	CPU_SET(cpu < 0 ? 0 : cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	box->dev[0] = "ra";
	box->dev[1] = "rb";
	box->dev[2] = "lo";
	for (size_t i = 0; i < 3; i++) {
		spaces[i] = new_space();
		quiet(i == 2);
	}
	make_devices(spaces[0], spaces[1]);
	enter(spaces[0]);
	ip_batch("link set lo up\nlink set pa up\n");
	box->frames[0] = frames_socket("pa");
	enter(spaces[1]);
	ip_batch("link set lo up\nlink set pb up\n");
	box->frames[1] = frames_socket("pb");
	enter(spaces[2]);
	open_sockets(box);
	usleep(300 * 1000); /* reports of IPv6 groups */
}

/* IPCTNL_MSG_CT_DELETE without a tuple: all of this namespace. */
void box_flush_conntrack(struct box *box)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg message;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.message = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0},
	};
	char answer[4096];

	if (send(box->nfnl, &request, sizeof(request), 0) < 0 ||
	    recv(box->nfnl, answer, sizeof(answer), 0) < 0)
		fail("flush connection tracking");
}
