/*
 * policies.h: NetworkPolicies that contradict what the cluster says it wants, for the np-* checks.
 *
 * A policy that denies is no fault: that is what policies are for. What makes it one here is that
 * some other object says the opposite, and that the denied packet was walked into the engine:
 *  - a Service stands in front of pods that let nobody in on any port (whoever makes a ClusterIP
 *    wants to be asked; where a rule opens one port, the others are closed on purpose);
 *  - a rule was written for a peer or a port that does not exist, with what was meant beside it;
 *  - pods may talk to others, by name, but not to cluster DNS.
 * Not counted: headless services (a StatefulSet must have one), pods that may talk to nobody at
 * all, or to single addresses, services that are only there to be measured.
 *
 * Nothing is a cause unless the walk of such a packet ends in a queue whose engine is known
 * (walk/netpol_queue.h). So all this is silent where enforcement can't be seen: Calico's chains are
 * walked but not told apart from its own kinds of policy, Cilium's programs are not modelled,
 * flannel enforces nothing; and where policies of other kinds may allow what NetworkPolicy denies.
 */
#ifndef ND_PLUGIN_CHECKS_POLICIES_H
#define ND_PLUGIN_CHECKS_POLICIES_H

#include "plugin/checks/check.h"
#include "plugin/model/netpol.h"

/* Were all lists read whole that say whom a policy is about? And is there any policy? */
bool nd_policies_can_tell(const struct nd_cluster *cluster);
/* A running pod that policies are about, with an address. */
bool nd_policy_is_about(const struct nd_pod *pod);
/* The pod's own namespace was entered: packets can be walked from it. */
uint64_t nd_policy_netns(const struct nd_cluster *cluster, const struct nd_pod *pod);

/* What a policy says of some flow, and where the packet ended. */
struct nd_denial {
	struct nd_netpol_answer answer; /* policy and why, in the arena of the run */
	const char *where, *rule; /* "w1: netfilter", the rule that asked the engine or NULL */
	const char *flow;	  /* "tcp from pod shop/web-1 to 10.96.0.1:443" */
};
/*
 * Walk it. False: it passes, or not all of it ends in a policy for that direction, or it can't be
 * known; and also when too many were asked.
 */
bool nd_policy_walk(struct nd_check_run *run, const struct nd_pod *from, struct nd_ip dst,
		    uint8_t proto, uint16_t port, bool is_egress, struct nd_denial *out);
/* The same packet, delivered on all its ways without any policy asked? */
bool nd_policy_is_ignored(struct nd_check_run *run, const struct nd_pod *from, struct nd_ip dst,
			  uint16_t port, struct nd_denial *out);
/* Two lines of proof: what the policy says, and the packet that ended there. */
void nd_policy_prove(struct nd_check_run *run, struct nd_finding *f, const struct nd_denial *d);

/* "app=web, tier in (a, b)"; "all" when it selects everything. */
const char *nd_policy_selector_text(struct nd_check_run *run, const struct nd_selector *selector);
/* "ingress rule 2: from podSelector app=webb; ports TCP 80, TCP http" */
const char *nd_policy_rule_text(struct nd_check_run *run, const struct nd_policy *policy,
				const struct nd_policy_rule *rule);
const char *nd_policy_name(struct nd_check_run *run, const struct nd_policy *policy);

/* The number of "TCP", "UDP" or "SCTP"; TCP when it is not said. */
uint8_t nd_policy_proto(const char *protocol);
/* The address and target port of the n-th ready endpoint of a service port. */
struct nd_policy_end {
	const struct nd_service_port *port;
	struct nd_ip ip;
	const struct nd_pod *pod; /* NULL: no pod that policies know */
	uint8_t proto;		  /* 6, 17, 132 */
	uint16_t number;	  /* target port */
};
/* All ready endpoints of a service, port by port, at most max; how many. */
size_t nd_policy_ends(const struct nd_cluster *cluster, const struct nd_service *service,
		      struct nd_policy_end *out, size_t max);
/* What the queue is asked when pod begins to talk to end; src.family 0: it can't. */
struct nd_netpol_flow nd_policy_flow_to(const struct nd_pod *pod, const struct nd_policy_end *end);

/* ---- policies_in.c ---- */

/*
 * Does anybody match? An empty selector means "whoever is there", and that nobody is there just now
 * is no mistake of the rule. True when it can't be known.
 */
bool nd_policy_has_peer(struct nd_check_run *run, const struct nd_policy *policy,
			const struct nd_policy_peer *peer);
/* A pod that the selectors of a rule miss by a slip in one label. */
struct nd_policy_near {
	const struct nd_pod *pod; /* NULL: nobody is near */
	const char *key, *wanted, *has;
};
void nd_policy_find_near(struct nd_check_run *run, const struct nd_policy *policy,
			 const struct nd_policy_rule *rule, struct nd_policy_near *out);

/* Services that nobody may use. */

enum nd_closed_why {
	ND_CLOSED_NO_RULE, /* no rule is about its ports */
	ND_CLOSED_PORT,	   /* a rule has the port of the service, not that of the pods */
	ND_CLOSED_PEER	   /* the rules' selectors match nobody */
};
struct nd_closed {
	const struct nd_service *service;
	enum nd_closed_why why;
	const struct nd_policy *policy;
	const struct nd_policy_rule *rule; /* that nearly admits, or NULL */
	struct nd_policy_end end;	   /* the first that it is about */
	size_t npods;			   /* behind the service */
	bool is_on_every_node;		   /* pods of a DaemonSet: their node always reaches them */
	struct nd_policy_near near;	   /* PEER: who was meant */
	const struct nd_pod *client;	   /* who was walked */
	struct nd_denial denial;
};
struct nd_closed_list {
	struct nd_closed *items; /* n, as services */
	size_t n;
};
/* Looked for when first asked; the same for all checks of a run. */
const struct nd_closed_list *nd_closed_get(struct nd_check_run *run);

#endif
