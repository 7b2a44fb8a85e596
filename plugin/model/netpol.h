/*
 * netpol.h: would NetworkPolicy let the first packet of a connection pass? Pure. What answers a
 * packet that passed, passes: never ask about it.
 *
 *	struct nd_netpol_flow flow = {.src = pod->ip, .dst = endpoint->ip, .proto = 6, .dport =
 *8080}; struct nd_netpol_answer answer; nd_netpol_check(&arena, cluster, &flow, &answer);
 *
 * Both directions are looked at: egress of the pod that src belongs to, then ingress of the pod
 * that dst belongs to. An address of no pod is matched by ipBlock only, and hostNetwork pods are
 * such addresses: they are never isolated, and no selector finds them. Whether anything in the
 * cluster enforces policies is not asked here.
 *
 * Sources: networking.k8s.io/v1 types.go; kube-network-policies v0.6, pkg/networkpolicy
 * (networkpolicy.go: evaluator; packet.go: what is neither TCP, UDP nor SCTP has no ports).
 */
#ifndef ND_PLUGIN_MODEL_NETPOL_H
#define ND_PLUGIN_MODEL_NETPOL_H

#include "plugin/model/look.h"

struct nd_netpol_flow {
	struct nd_ip src, dst; /* as policies see them: behind DNAT, before SNAT */
	uint8_t proto; /* of IP: 6, 17, 132; any other is only matched by rules without ports */
	uint16_t dport;
	/*
	 * As kindnet's engine answers what it gets from its queue: it does not except what the API
	 * always allows, a pod's way to itself and to and from its own node. Its rules keep that
	 * away from the queue.
	 */
	bool is_queued;
};

struct nd_netpol_answer {
	bool is_allowed;
	bool is_unknown; /* then it is not allowed either */
	bool is_egress;	 /* the direction that policy is about */
	/* That lets it through, or the first that isolates; NULL: none does either. */
	const struct nd_policy *policy;
	/*
	 * "networkpolicy/locked/deny-all isolates pod locked/vault for ingress, no rule allows tcp
	 * 8080 from pod data-platform/client"; NULL without an arena
	 */
	const char *why;
};

/* arena NULL: without words. */
void nd_netpol_check(struct nd_arena *arena, const struct nd_cluster *cluster,
		     const struct nd_netpol_flow *flow, struct nd_netpol_answer *out);
/* Does some policy isolate the pod in that direction? Also true when it cannot be known. */
bool nd_netpol_isolates(const struct nd_cluster *cluster, const struct nd_pod *pod,
			bool is_ingress);
/* Is ip an address of the node that the pod runs on? */
bool nd_netpol_is_own_node(const struct nd_cluster *cluster, const struct nd_pod *pod,
			   struct nd_ip ip);

/*
 * The parts of it, for those who ask why. In this order: of all that must hold the least counts, of
 * all that may hold the most.
 */
enum nd_holds { ND_HOLDS_NO, ND_HOLDS_MAYBE, ND_HOLDS_YES };
enum nd_holds nd_netpol_selects(const struct nd_selector *selector, const struct nd_labels *labels);
enum nd_holds nd_netpol_selects_namespace(const struct nd_cluster *cluster,
					  const struct nd_selector *selector, const char *name);
/* Is it about that pod, not hostNetwork, at the other end? */
enum nd_holds nd_netpol_peer_holds(const struct nd_cluster *cluster, const struct nd_policy *policy,
				   const struct nd_policy_peer *peer, const struct nd_pod *pod);
/* Is it about that port of the pod that is talked to? */
enum nd_holds nd_netpol_port_holds(const struct nd_policy_port *port, uint8_t proto,
				   uint16_t number, const struct nd_pod *pod);
/* The policies that (may) isolate a pod, *at 0 before the first; NULL: no more. */
const struct nd_policy *nd_netpol_next(const struct nd_cluster *cluster, const struct nd_pod *pod,
				       bool is_ingress, size_t *at, enum nd_holds *isolates);

#endif
