#include "common/base.h"
#include "plugin/checks/policies.h"

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
	if (c->near)
		nd_prove(run, f,
			 nd_check_text(run, "pod/%s/%s", c->near->meta.ns, c->near->meta.name),
			 "the rule wants %s=%s, here it is %s", c->key, c->wanted, c->has);
	nd_policy_prove(run, f, &c->denial);
	/* Those it was written for may not have come yet. */
	if (c->near)
		return;
	f->kind = ND_HAZARD;
	f->severity = ND_WARNING;
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
}

const struct nd_check nd_check_np_wrong_labels = {
	.id = "np-wrong-labels",
	.layer = ND_LAYER_POLICY,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A NetworkPolicy admits labels that nobody has",
	.why = "The pods behind the service are isolated, and the rule that should admit its "
	       "clients "
	       "selects no pod and no namespace of the cluster. One label differs from what the "
	       "clients have, so they are denied and time out.",
	.fix = "correct the labels in the policy's rule (kubectl edit networkpolicy), or label the "
	       "clients",
	.source = "networking.k8s.io/v1 types.go, NetworkPolicyPeer",
	.explains = {{"eff-clusterip-fail", ND_SAME_SUBJECT},
		     {"eff-external-access-fail", ND_SAME_SUBJECT}},
	.run = run,
};
