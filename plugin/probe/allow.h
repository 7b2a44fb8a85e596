/*
 * allow.h: may a flow be planned, as far as NetworkPolicy goes? Private to probe/.
 *
 * Ends that no policy isolates may talk. With an isolated one every pair is asked of
 * model/netpol.h, but only where its answer can be relied on: the lists came whole, and the CNI is
 * one that means by a policy what the API says. (Cilium matches no ipBlock against nodes and pods.)
 * Else an isolated pod is left alone.
 */
#ifndef ND_PLUGIN_PROBE_ALLOW_H
#define ND_PLUGIN_PROBE_ALLOW_H

#include "plugin/probe/pick.h"

#define ND_ALLOW_MAX_TRIES 64 /* targets looked at for one that is allowed */

/* Who sends: a pod, or with pod NULL the node itself. */
struct nd_allow_from {
	const struct nd_pod *pod;
	const struct nd_node *node;
};

/* Fills is_exact and keeps_source of a pick. */
void nd_allow_prepare(struct nd_pick *pick);
/* proto: of IP; port 0 for those that have none. ip: of an endpoint, never of a service. */
bool nd_allow_ip(const struct nd_pick *pick, const struct nd_allow_from *from, struct nd_ip ip,
		 uint8_t proto, uint16_t port);
/*
 * TCP to its port, or an echo request when it has none. *left counts down with each pair that
 * policies forbid; at 0 only pairs that no policy isolates are allowed: where all is denied to all,
 * that must not cost a look at all pairs.
 */
bool nd_allow_pod(const struct nd_pick *pick, const struct nd_allow_from *from,
		  const struct nd_pick_pod *to, int family, size_t *left);
/*
 * A target on a node, another one for each turn: the ones that nobody isolates first. NULL: none
 * is allowed.
 */
const struct nd_pick_pod *nd_allow_target(const struct nd_pick *pick,
					  const struct nd_allow_from *from,
					  const struct nd_pick_node *on, size_t turn, int family,
					  size_t *left);
/*
 * By its ClusterIP: every ready endpoint must be allowed, for which one is taken is chance. True
 * when there is none, unless the sender is isolated.
 */
bool nd_allow_service(const struct nd_pick *pick, const struct nd_allow_from *from,
		      const struct nd_service *service, const struct nd_service_port *port,
		      int family);
/* The cluster's DNS, by that port of its service. */
bool nd_allow_dns(const struct nd_pick *pick, const struct nd_allow_from *from,
		  const struct nd_service_port *port, int family);

#endif
