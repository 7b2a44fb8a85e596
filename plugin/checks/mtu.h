/*
 * mtu.h: do pods send larger packets than the tunnel of their node takes?
 */
#ifndef ND_PLUGIN_CHECKS_MTU_H
#define ND_PLUGIN_CHECKS_MTU_H

#include "plugin/checks/check.h"

struct nd_mtu_gap {
	const char *tunnel, *pod_ns, *pod_name;
	uint32_t tunnel_mtu_bytes, pod_mtu_bytes;
};

/* True: some pod of the node has a larger MTU than the vxlan device. */
bool nd_mtu_gap_find(const struct nd_cluster *cluster, const struct nd_host *host,
		     struct nd_mtu_gap *out);
/* TCP agrees on the smaller side, so it takes pods of two nodes. */
bool nd_mtu_gap_matters(const struct nd_cluster *cluster, const struct nd_host *host,
			struct nd_mtu_gap *out);

#endif
