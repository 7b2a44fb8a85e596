/*
 * flows.h: packets that a working cluster sends through a node, picked so that a given rule would
 * meet one. The walk of drops.c then shows whether the rule really gets it.
 */
#ifndef ND_PLUGIN_CHECKS_FLOWS_H
#define ND_PLUGIN_CHECKS_FLOWS_H

#include "plugin/checks/check.h"
#include "plugin/model/ruleset.h"

/* IPv4. */
struct nd_packet {
	struct nd_ip src, dst;
	const char *in, *out; /* devices; NULL: none at this hook, "?": not known */
	const char *proto; /* "tcp", "udp", "icmp" (that a packet is too big) */
	uint16_t dport;
	bool is_new; /* conntrack state NEW, else ESTABLISHED */
	const char *what; /* "from its pods to pods on other nodes" */
};

/* What a rule wants of a packet, as far as packets can be picked for it. */
struct nd_flow_wish {
	struct nd_prefix src, dst; /* family 0: any */
	bool src_not, dst_not;
	const char *in, *out, *proto; /* or NULL */
	uint16_t dport_min, dport_max; /* 0,0: any */
	const char *dports; /* of multiport: "53,8000:8080", or NULL */
	bool wants_established;
};

#define ND_FLOWS_MAX 16
struct nd_flows {
	struct nd_packet items[ND_FLOWS_MAX];
	size_t n;
};

/* Packets of the cluster at this hook that may fulfil the wish. is_before_nat: services still have
 * their address. */
void nd_flows_pick(const struct nd_cluster *cluster, const struct nd_host *host, enum nd_hook hook,
		   bool is_before_nat, const struct nd_flow_wish *wish, struct nd_flows *out);

/* Is the port in "53,8000:8080"? */
bool nd_flow_in_ports(const char *list, uint16_t port);

#endif
