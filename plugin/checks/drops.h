/*
 * drops.h: which firewall rules of a node throw away packets that the cluster needs. A rule counts
 * only when a packet of flows.h surely reaches it: whatever might accept the packet before, or
 * can't be decided from the rule's text, is taken as "not proved".
 */
#ifndef ND_PLUGIN_CHECKS_DROPS_H
#define ND_PLUGIN_CHECKS_DROPS_H

#include "plugin/checks/check.h"

struct nd_drop {
	const char *table, *base,
		*chain; /* "filter", "FORWARD", "ufw-user-forward"; nft: "inet hardening" */
	const char *text; /* of the rule; or "policy DROP" */
	const char *what; /* "from its pods to pods on other nodes" */
	uint32_t number; /* in its chain, 1..; 0: the policy */
	uint64_t packets;
	bool is_policy, is_too_big; /* drops only "packet too big" */
};
struct nd_drops {
	struct nd_drop *items;
	size_t n;
};

/* IPv4 rules of one backend, in the order of tables and chains; each rule once. */
void nd_drops_ipt(struct nd_check_run *run, const struct nd_host *host, const struct nd_ipt *ipt,
		  struct nd_drops *out);
/* Native nftables tables that Kubernetes, the CNI or Docker did not make. */
void nd_drops_nft(struct nd_check_run *run, const struct nd_host *host, struct nd_drops *out);

#endif
