#include "common/base.h"
#include "plugin/checks/policies.h"

#define MAX_WALKED 8 /* pods of a policy, until one is denied for sure */

static void prove_near(struct nd_check_run *run, struct nd_finding *f,
		       const struct nd_policy_near *near)
{
	if (near->pod)
		nd_prove(run, f,
			 nd_check_text(run, "pod/%s/%s", near->pod->meta.ns, near->pod->meta.name),
			 "the rule wants %s=%s, here it is %s", near->key, near->wanted, near->has);
}

static void report(struct nd_check_run *run, const struct nd_closed *c)
{
	const struct nd_service *s = c->service;
	const char *name = nd_policy_name(run, c->policy);
	struct nd_finding *f = nd_find(run, "service/%s/%s", s->meta.ns, s->meta.name);

	f->title =
		nd_check_text(run, "Nobody can reach service %s/%s: the labels in %s match nobody",
			      s->meta.ns, s->meta.name, name);
	nd_prove(run, f, name, "%s: no pod matches, and no other rule admits anybody",
		 nd_policy_rule_text(run, c->policy, c->rule));
	prove_near(run, f, &c->near);
	nd_policy_prove(run, f, &c->denial);
	/* Those it was written for may not have come yet. */
	if (c->near.pod)
		return;
	f->kind = ND_HAZARD;
	f->severity = ND_WARNING;
}

/* ---- the same slip where pods may send ---- */

/* A port of the pod that the rule is about; 0: none is known. */
static uint16_t port_of(const struct nd_pod *pod, const struct nd_policy_rule *rule)
{
	for (size_t i = 0; i < pod->ncontainers; i++)
		for (size_t k = 0; k < pod->containers[i].nports; k++) {
			const struct nd_container_port *port = &pod->containers[i].ports[k];
			bool is_it = rule->nports == 0;

			if (port->protocol && !nd_eq(port->protocol, "TCP"))
				continue;
			for (size_t p = 0; p < rule->nports && !is_it; p++)
				is_it = nd_netpol_port_holds(&rule->ports[p], 6, port->port, pod) ==
					ND_HOLDS_YES;
			if (is_it)
				return port->port;
		}
	return 0;
}

static const struct nd_pod *find_sender(struct nd_check_run *run, const struct nd_policy *policy,
					const struct nd_pod *to, uint16_t port,
					struct nd_denial *out)
{
	const struct nd_cluster *c = run->cluster;
	struct nd_ip ip = to->ip.family ? to->ip : to->ip6;
	size_t nwalked = 0;

	for (size_t i = 0; i < c->npods && nwalked < MAX_WALKED; i++) {
		const struct nd_pod *pod = &c->pods[i];

		if (pod == to || !nd_eq(pod->meta.ns, policy->meta.ns) ||
		    !nd_policy_is_about(pod) || !nd_policy_netns(c, pod) ||
		    nd_netpol_selects(&policy->selector, &pod->meta.labels) != ND_HOLDS_YES)
			continue;
		nwalked++;
		if (nd_policy_walk(run, pod, ip, 6, port, true, out))
			return pod;
	}
	return NULL;
}

/*
 * A warning, for the pod that nearly matches may not be the one that is meant: web-v2 may be yet to
 * come where web-v1 is.
 */
static void look_at(struct nd_check_run *run, const struct nd_policy *policy,
		    const struct nd_policy_rule *rule)
{
	struct nd_policy_near near = {0};
	struct nd_denial denial = {0};
	const struct nd_pod *pod;
	uint16_t port;

	if (rule->unknown || !rule->npeers)
		return;
	for (size_t i = 0; i < rule->npeers; i++)
		if (nd_policy_has_peer(run, policy, &rule->peers[i]))
			return;
	nd_policy_find_near(run, policy, rule, &near);
	port = near.pod ? port_of(near.pod, rule) : 0;
	pod = port ? find_sender(run, policy, near.pod, port, &denial) : NULL;
	if (!pod)
		return;
	const char *name = nd_policy_name(run, policy);
	struct nd_finding *f = nd_find(run, "pod/%s/%s", pod->meta.ns, pod->meta.name);

	f->severity = ND_WARNING;
	f->title = nd_check_text(
		run, "Pod %s/%s can't reach pod %s/%s: the labels in %s match nobody", pod->meta.ns,
		pod->meta.name, near.pod->meta.ns, near.pod->meta.name, name);
	nd_prove(run, f, name, "%s: no pod matches", nd_policy_rule_text(run, policy, rule));
	prove_near(run, f, &near);
	nd_policy_prove(run, f, &denial);
}

static void run(struct nd_check_run *run)
{
	const struct nd_closed_list *list = nd_closed_get(run);

	for (size_t i = 0; i < list->n; i++) {
		const struct nd_closed *c = &list->items[i];
		bool is_first = c->why == ND_CLOSED_PEER;

		for (size_t k = 0; k < i && is_first; k++)
			is_first = list->items[k].rule != c->rule;
		if (is_first)
			report(run, c);
	}
	if (!nd_policies_can_tell(run->cluster))
		return;
	for (size_t i = 0; i < run->cluster->npolicies; i++) {
		const struct nd_policy *policy = &run->cluster->policies[i];

		for (size_t k = 0; k < policy->negress && policy->is_egress && !policy->unknown;
		     k++)
			look_at(run, policy, &policy->egress[k]);
	}
}

const struct nd_check nd_check_np_wrong_labels = {
	.id = "np-wrong-labels",
	.layer = ND_LAYER_POLICY,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A NetworkPolicy admits labels that nobody has",
	.why = "Pods are isolated, and the rule that should let their clients in (or let them talk "
	       "to others) selects no pod and no namespace of the cluster. One label differs from "
	       "what the others have, so they are denied and time out.",
	.fix = "correct the labels in the policy's rule (kubectl edit networkpolicy), or label the "
	       "clients",
	.source = "networking.k8s.io/v1 types.go, NetworkPolicyPeer",
	.explains = {{"eff-clusterip-fail", ND_SAME_SUBJECT},
		     {"eff-external-access-fail", ND_SAME_SUBJECT}},
	.run = run,
};
