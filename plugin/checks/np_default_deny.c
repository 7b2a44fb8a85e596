#include "common/base.h"
#include "plugin/checks/policies.h"

#define MAX_SERVICES 8 /* named in the proof */
#define MAX_RULES 4

/* The service that is told: one that its own node's programs can't use either. */
static bool is_clearer(const struct nd_closed *a, const struct nd_closed *b)
{
	return !a->is_on_every_node && b->is_on_every_node;
}

static const char *service_text(struct nd_check_run *run, const struct nd_closed *c)
{
	return nd_check_text(run, "service/%s/%s", c->service->meta.ns, c->service->meta.name);
}

static void prove_service(struct nd_check_run *run, struct nd_finding *f, const struct nd_closed *c)
{
	nd_prove(run, f, service_text(run, c),
		 "port %u goes to port %u of %zu ready pod%s that no rule lets anybody reach",
		 c->end.port->port, c->end.number, c->npods, c->npods == 1 ? "" : "s");
}

/* All services that this one policy closes are one finding. */
static void report(struct nd_check_run *run, const struct nd_closed_list *list, size_t first)
{
	const struct nd_closed *told = &list->items[first];
	const struct nd_policy *policy = told->policy;
	size_t n = 0;

	for (size_t i = first; i < list->n; i++) {
		const struct nd_closed *c = &list->items[i];

		if (c->why != ND_CLOSED_NO_RULE || c->policy != policy)
			continue;
		n++;
		if (is_clearer(c, told))
			told = c;
	}
	struct nd_finding *f = nd_find(run, "%s", service_text(run, told));
	const char *more = n > 1 ? nd_check_text(run, " (and %zu more)", n - 1) : "";

	f->title = nd_check_text(run, "Nobody can reach service %s/%s%s: %s denies all",
				 told->service->meta.ns, told->service->meta.name, more,
				 nd_policy_name(run, policy));
	nd_prove(run, f, nd_policy_name(run, policy),
		 "podSelector %s, %zu ingress rule%s; no policy of these pods admits anybody",
		 nd_policy_selector_text(run, &policy->selector), policy->ningress,
		 policy->ningress == 1 ? "" : "s");
	for (size_t i = 0; i < policy->ningress && i < MAX_RULES; i++)
		nd_prove(run, f, nd_policy_name(run, policy), "%s",
			 nd_policy_rule_text(run, policy, &policy->ingress[i]));
	prove_service(run, f, told);
	nd_policy_prove(run, f, &told->denial);
	for (size_t i = first, done = 1; i < list->n && done < MAX_SERVICES; i++) {
		const struct nd_closed *c = &list->items[i];

		if (c == told || c->why != ND_CLOSED_NO_RULE || c->policy != policy)
			continue;
		prove_service(run, f, c);
		done++;
	}
	if (n > MAX_SERVICES)
		nd_prove(run, f, "services", "and %zu more", n - MAX_SERVICES);
}

/* The policy has a rule with a slip in it: what else it denies comes of that, or is meant. */
static bool is_slip(const struct nd_closed_list *list, const struct nd_policy *policy)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].why != ND_CLOSED_NO_RULE && list->items[i].policy == policy)
			return true;
	return false;
}

static void run(struct nd_check_run *run)
{
	const struct nd_closed_list *list = nd_closed_get(run);

	for (size_t i = 0; i < list->n; i++) {
		bool is_first = list->items[i].why == ND_CLOSED_NO_RULE &&
				!is_slip(list, list->items[i].policy);

		for (size_t k = 0; k < i && is_first; k++)
			is_first = list->items[k].why != ND_CLOSED_NO_RULE ||
				   list->items[k].policy != list->items[i].policy;
		if (is_first)
			report(run, list, i);
	}
}

const struct nd_check nd_check_np_default_deny = {
	.id = "np-default-deny",
	.layer = ND_LAYER_POLICY,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "NetworkPolicies let nobody in to a service",
	.why = "A policy isolates all pods behind the service, and no policy of theirs admits "
	       "anybody on any port of the service. Connections time out, by the service address "
	       "and by the pod addresses. Usually a default-deny was added to a namespace without "
	       "the rules for those who use its services.",
	.fix = "add a NetworkPolicy that admits the clients on the pods' port, or delete the "
	       "Service if nobody is to use it",
	.source =
		"networking.k8s.io/v1 types.go, NetworkPolicySpec: pods are isolated by any policy "
		"that selects them",
	.explains = {{"eff-clusterip-fail", ND_SAME_SUBJECT},
		     {"eff-external-access-fail", ND_SAME_SUBJECT}},
	.run = run,
};
