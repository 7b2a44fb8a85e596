/* rules.h: what kube-proxy makes of many services, as iptables-save prints it. */
#ifndef ND_TESTS_BENCH_RULES_H
#define ND_TESTS_BENCH_RULES_H

#include "common/buf.h"

#define ENDPOINTS 4u

/* One chain after the other, in the order of iptables-save. */
static inline void endpoint(struct nd_buf *out, uint32_t i, uint32_t k)
{
	uint32_t n = i * ENDPOINTS + k;

	nd_buf_printf(out,
		      "-A KUBE-SEP-%08uABCD%u -s 10.%u.%u.%u/32 -m comment --comment \"ns/svc-%u\""
		      " -j KUBE-MARK-MASQ\n",
		      i, k, 100 + (n >> 16), n >> 8 & 255, n & 255, i);
	nd_buf_printf(out,
		      "-A KUBE-SEP-%08uABCD%u -p tcp -m comment --comment \"ns/svc-%u\" -m tcp -j DNAT"
		      " --to-destination 10.%u.%u.%u:8080\n",
		      i, k, i, 100 + (n >> 16), n >> 8 & 255, n & 255);
}

static inline void cluster_ip(struct nd_buf *out, uint32_t i)
{
	nd_buf_printf(out,
		      "-A KUBE-SERVICES -d 10.%u.%u.%u/32 -p tcp -m comment --comment \"ns/svc-%u cluster IP\""
		      " -m tcp --dport 80 -j KUBE-SVC-%08uABCDEF\n",
		      112 + (i >> 16), i >> 8 & 255, i & 255, i, i);
}

static inline void service(struct nd_buf *out, uint32_t i)
{
	static const char *const odds[ENDPOINTS] = {"0.25000000000", "0.33333333349", "0.50000000000", NULL};

	nd_buf_printf(out,
		      "-A KUBE-SVC-%08uABCDEF ! -s 10.100.0.0/14 -d 10.%u.%u.%u/32 -p tcp -m comment --comment"
		      " \"ns/svc-%u\" -m tcp --dport 80 -j KUBE-MARK-MASQ\n",
		      i, 112 + (i >> 16), i >> 8 & 255, i & 255, i);
	for (uint32_t k = 0; k < ENDPOINTS; k++) {
		nd_buf_printf(out, "-A KUBE-SVC-%08uABCDEF -m comment --comment \"ns/svc-%u\"", i, i);
		if (odds[k])
			nd_buf_printf(out, " -m statistic --mode random --probability %s", odds[k]);
		nd_buf_printf(out, " -j KUBE-SEP-%08uABCD%u\n", i, k);
	}
}

/* What they add to a nat table: chains, rules of KUBE-SERVICES, rules of their own chains. */
static inline void save_chains(struct nd_buf *out, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		nd_buf_printf(out, ":KUBE-SVC-%08uABCDEF - [0:0]\n", i);
		for (uint32_t k = 0; k < ENDPOINTS; k++)
			nd_buf_printf(out, ":KUBE-SEP-%08uABCD%u - [0:0]\n", i, k);
	}
}

static inline void save_cluster_ips(struct nd_buf *out, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		cluster_ip(out, i);
}

static inline void save_services(struct nd_buf *out, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		service(out, i);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < ENDPOINTS; k++)
			endpoint(out, i, k);
}

#endif
