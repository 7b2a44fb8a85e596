/*
 * drops.h: which firewall rules of a node throw away packets that the cluster needs: the rules, or
 * policies of chains, at which a walk ended (walks.h). What cannot be known proves nothing.
 */
#ifndef ND_PLUGIN_CHECKS_DROPS_H
#define ND_PLUGIN_CHECKS_DROPS_H

#include "plugin/checks/check.h"

struct nd_drop {
	const char *program; /* "iptables-nft", "ip6tables-legacy", "nft" */
	const char *table, *base,
		*chain;	  /* "filter", "FORWARD", "ufw-user-forward"; nft: "inet hardening" */
	const char *text; /* of the rule; or "policy DROP" */
	const char *what; /* "from its pods to pods on other nodes" */
	uint32_t number;  /* in its chain, 1..; 0: the policy */
	uint64_t packets;
	bool is_policy, is_too_big; /* drops only "packet too big" */
	bool is_later;		    /* drops only what comes behind a packet and its answer */
};
struct nd_drops {
	struct nd_drop *items;
	size_t n;
};

/*
 * Rules of one backend, IPv4 and IPv6, in the order of tables and hooks; each once. What Kubernetes
 * and policy engines drop for a reason is left out, unless nobody keeps these rules any more.
 */
void nd_drops_ipt(struct nd_check_run *run, const struct nd_host *host, enum nd_ipt_backend backend,
		  struct nd_drops *out);
/* "packets", or "packets of established connections". */
const char *nd_drop_packets(const struct nd_drop *drop);
/* Native nftables tables that Kubernetes, the CNI or Docker did not make. */
void nd_drops_nft(struct nd_check_run *run, const struct nd_host *host, struct nd_drops *out);

#endif
