/*
 * agent.h: what the agent holds open. Everything here is had before the sandbox closes: after
 * that no namespace can be entered and no socket opened; collectors use only what is here.
 *
 *	struct nd_agent agent = {0};
 *	nd_agent_open(&agent, wants_pods);
 *	...enter the sandbox, run collectors...
 *	nd_agent_close(&agent);
 *
 * What the network half needs from the sandbox afterwards: sendto, recvfrom/recvmsg, pread,
 * read, close, ppoll, ioctl(SIOCETHTOOL), memory; no capability and no file.
 */
#ifndef ND_AGENT_AGENT_H
#define ND_AGENT_AGENT_H

#include "common/base.h"

#include "agent/sys/ifnames.h"
#include "agent/sys/netlink.h"
#include "agent/sys/podns.h"
#include "agent/sys/sockets.h"
#include "common/arena.h"
#include "common/err.h"

struct nd_agent {
	struct nd_arena arena; /* lives as long as the agent */

	/* The node's own namespace (the one the agent was started in). */
	struct nd_nl nl;	 /* NETLINK_ROUTE; fd -1: see nl_err */
	struct nd_err nl_err;	 /* why nl is not open */
	struct nd_socksrc socks; /* listening sockets; see socks_err */
	struct nd_err socks_err; /* code ND_E_NONE: socks is open */
	int ioctl_fd;		 /* any socket, for SIOCETHTOOL; -1: not open */
	struct nd_ifnames names; /* of the node's namespace; has_names */
	bool has_names;

	/* The pods' namespaces; pods_err.code ND_E_NONE: the list is true. */
	struct nd_podns_list pods;
	struct nd_err pods_err;

	/* Messages of ipsets, taken while the agent still has CAP_NET_ADMIN; collect/ipsets.h. */
	struct nd_buf ipsets;
	struct nd_err ipsets_err;

	struct nd_buf raw; /* scratch of dumps, kept between collectors */
};

/* Never fails: what cannot be had is remembered, and its collectors become gaps. */
void nd_agent_open(struct nd_agent *agent, bool wants_pods);
void nd_agent_close(struct nd_agent *agent);

#endif
