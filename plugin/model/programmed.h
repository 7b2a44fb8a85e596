/*
 * programmed.h: what kube-proxy must have programmed on a node, from the API's objects, beside what
 * the node's rules say. Pure; knows neither findings nor whether kube-proxy runs.
 *
 *	const struct nd_expected *expected = nd_expected_new(&arena, cluster);	once for all nodes
 *	struct nd_programmed_ask ask = {host, ND_PROXY_IPTABLES, ND_IPT_NFT, 4};
 *	struct nd_programmed diff;
 *	if (nd_programmed_diff(&arena, expected, &ask, &diff)) ...	diff.ports[i].verdict
 *
 * Rules are read, not only names: from the address and port that a packet is for, over all chains
 * that it may take, to the addresses it is translated to. Rules for some senders only (the hairpin
 * mark, session affinity, the short cut of externalTrafficPolicy Local) are left out.
 *
 * Source: kubernetes 1.31 to 1.33, pkg/proxy/topology.go (CategorizeEndpoints), iptables/proxier.go
 * and nftables/proxier.go (syncProxyRules), serviceport.go, endpointslicecache.go.
 *
 * Not in it, as the model lacks them: which endpoints the hints of a slice leave to a node's zone
 *(a part of the ready ones is right then).
 */
#ifndef ND_PLUGIN_MODEL_PROGRAMMED_H
#define ND_PLUGIN_MODEL_PROGRAMMED_H

#include "plugin/model/look.h"

struct nd_backend {
	struct nd_ip ip;
	uint16_t port;
	bool is_leaving; /* terminating; of what is expected only */
};

enum nd_programmed_kind {
	ND_PROGRAMMED_CLUSTER_IP,
	ND_PROGRAMMED_NODE_PORT,
	ND_PROGRAMMED_EXTERNAL_IP, /* spec.externalIPs */
	ND_PROGRAMMED_LB_IP	   /* status.loadBalancer */
};
enum nd_programmed_verdict {
	ND_PROGRAMMED_OK,
	ND_PROGRAMMED_MISSING,	     /* it has endpoints, and no rule leads anywhere */
	ND_PROGRAMMED_REJECT_WANTED, /* it has none, and no rule rejects it */
	ND_PROGRAMMED_LACKS,	     /* some or all endpoints */
	ND_PROGRAMMED_SENDERS,	     /* LB_IP: lets in others than loadBalancerSourceRanges */
	ND_PROGRAMMED_STALE,	     /* leads to what is no endpoint of it; may lack some, too */
	ND_PROGRAMMED_UNEXPECTED     /* an address and port that no service has */
};
struct nd_programmed_port {
	enum nd_programmed_kind kind;
	enum nd_programmed_verdict verdict;
	const struct nd_service *service; /* NULL: UNEXPECTED */
	const struct nd_service_port *port;
	struct nd_ip vip;     /* family 0: node ports */
	uint16_t number;      /* of the service, or the node port */
	const char *protocol; /* "TCP", "UDP", "SCTP" */
	const char *chain;    /* where the rule leads; NULL: there is none */
	bool is_rejected;     /* a rule rejects or drops it */
	/* Both sorted by address and port, no two the same. */
	const struct nd_backend *expected, *programmed; /* nexpected, nprogrammed */
	size_t nexpected, nprogrammed;
	size_t nlacking, nlacking_live; /* live: without those that are terminating */
	size_t nstale;
};
/* "n of m services"; a service that has one port in disorder counts as not ok. */
struct nd_programmed_summary {
	size_t nservices, nservices_ok;
	size_t nports, nports_ok;
};
struct nd_programmed {
	/* nports: in the order of the cluster's services, then those that are UNEXPECTED */
	struct nd_programmed_port *ports;
	size_t nports;
	struct nd_programmed_summary summary;
	bool is_empty; /* the node's rules lead to no service at all */
};
struct nd_programmed_ask {
	const struct nd_host *host;
	enum nd_proxy_mode mode;     /* ND_PROXY_IPTABLES or ND_PROXY_NFTABLES */
	enum nd_ipt_backend backend; /* of ND_PROXY_IPTABLES */
	uint8_t family;		     /* 4 or 6 */
};

struct nd_expected;
/* In the arena, which must live as long as it and the diffs made of it. */
const struct nd_expected *nd_expected_new(struct nd_arena *arena, const struct nd_cluster *cluster);
/* Does any slice name this address, ready or not? */
bool nd_expected_has_address(const struct nd_expected *expected, struct nd_ip ip);
/* Is it among the expected of this port? */
bool nd_programmed_expects(const struct nd_programmed_port *port, const struct nd_backend *backend);
/* False: not known (lists or rules are not whole, another mode, too many rules to follow). */
bool nd_programmed_diff(struct nd_arena *arena, const struct nd_expected *expected,
			const struct nd_programmed_ask *ask, struct nd_programmed *out);
const char *nd_programmed_verdict_name(enum nd_programmed_verdict verdict); /* "ok", ... */

#endif
