#include "common/base.h"
#include "plugin/checks/kubelet_dns.h"
#include "plugin/checks/policies.h"

#define MAX_DNS_ENDS 64
#define MAX_LOOKS 200000 /* flows asked, in all */
#define MAX_WALKED 8	 /* pods of a policy, until one is denied for sure */

struct look {
	struct nd_check_run *run;
	const struct nd_cluster *cluster;
	const struct nd_service *dns;
	struct nd_policy_end ends[MAX_DNS_ENDS]; /* nends: UDP and TCP 53 */
	size_t nends, looks;
};
/* Pods that one policy keeps from DNS. */
struct group {
	const struct nd_policy *policy;
	const struct nd_pod *pods[MAX_WALKED]; /* the first n of npods that can be walked */
	size_t n, npods;
	bool has_tcp; /* by TCP they may ask */
};

/* kubelet: dnsPolicy; a node whose kubelet names other servers has other rules. */
static bool uses_dns(const struct look *look, const struct nd_pod *pod)
{
	const struct nd_host *host = pod->node ? nd_look_host(look->cluster, pod->node) : NULL;
	struct nd_kubelet_dns dns;

	if (pod->dns_policy && !nd_starts(pod->dns_policy, "ClusterFirst"))
		return false;
	if (!host)
		return false;
	nd_kubelet_dns_read(host, &dns);
	for (size_t i = 0; i < dns.n && dns.is_known; i++)
		if (nd_ip_eq(dns.ips[i], look->dns->cluster_ip) ||
		    nd_ip_eq(dns.ips[i], look->dns->cluster_ip6))
			return true;
	return !dns.is_known;
}

static bool is_one_host(const struct nd_policy_peer *peer)
{
	return peer->block.ip.family && peer->block.len == (peer->block.ip.family == 6 ? 128 : 32);
}

/*
 * May it talk to others whose addresses it can only have from DNS? Pods that may talk to nobody, or
 * to single addresses, are shut in on purpose.
 */
static bool needs_names(const struct look *look, const struct nd_pod *pod)
{
	const struct nd_policy *policy;
	enum nd_holds isolates;
	size_t at = 0;

	while ((policy = nd_netpol_next(look->cluster, pod, false, &at, &isolates)))
		for (size_t i = 0; i < policy->negress; i++) {
			const struct nd_policy_rule *rule = &policy->egress[i];

			for (size_t k = 0; k < rule->npeers; k++)
				if (!is_one_host(&rule->peers[k]))
					return true;
			if (rule->npeers == 0)
				return true;
		}
	return false;
}

/* The policy that forbids it to ask any server by UDP, as its resolver does first; or NULL. */
static const struct nd_policy *denied_by(struct look *look, const struct nd_pod *pod, bool *has_tcp)
{
	const struct nd_policy *policy = NULL;

	*has_tcp = false;
	for (size_t i = 0; i < look->nends; i++) {
		const struct nd_policy_end *end = &look->ends[i];
		struct nd_netpol_flow flow = nd_policy_flow_to(pod, end);
		struct nd_netpol_answer answer;

		if (!flow.src.family || look->looks++ > MAX_LOOKS)
			continue;
		nd_netpol_check(NULL, look->cluster, &flow, &answer);
		if (end->proto != 17) {
			*has_tcp = *has_tcp || answer.is_allowed;
			continue;
		}
		if (answer.is_allowed || answer.is_unknown || !answer.is_egress)
			return NULL;
		policy = answer.policy;
	}
	return policy;
}

static void add(struct nd_arena *arena, struct group **groups, size_t *n, const struct look *look,
		const struct nd_policy *policy, const struct nd_pod *pod, bool has_tcp)
{
	struct group *group = NULL;

	for (size_t i = 0; i < *n && !group; i++)
		if ((*groups)[i].policy == policy)
			group = &(*groups)[i];
	if (!group) {
		ND_ARENA_PUSH(arena, *groups, *n) = (struct group){.policy = policy};
		group = &(*groups)[*n - 1];
	}
	group->npods++;
	group->has_tcp = group->has_tcp || has_tcp;
	if (group->n < MAX_WALKED && nd_policy_netns(look->cluster, pod))
		group->pods[group->n++] = pod;
}

static void report(struct look *look, const struct group *group)
{
	struct nd_check_run *run = look->run;
	const struct nd_policy *policy = group->policy;
	const char *name = nd_policy_name(run, policy);
	const struct nd_pod *pod = NULL;
	struct nd_denial denial = {0};

	for (size_t i = 0; i < group->n && !pod; i++) {
		const struct nd_pod *p = group->pods[i];
		struct nd_ip ip =
			p->ip.family == 6 ? look->dns->cluster_ip6 : look->dns->cluster_ip;

		if (nd_policy_walk(run, p, ip, 17, 53, true, &denial))
			pod = p;
	}
	if (!pod)
		return;
	struct nd_finding *f = nd_find(run, "pod/%s/%s", pod->meta.ns, pod->meta.name);
	const char *more =
		group->npods > 1 ? nd_check_text(run, " and %zu more", group->npods - 1) : "";

	f->title = nd_check_text(run, "Pod %s/%s%s can't resolve names: %s does not allow DNS",
				 pod->meta.ns, pod->meta.name, more, name);
	nd_prove(run, f, name, "podSelector %s; no egress rule allows %s 53 to the pods of %s/%s",
		 nd_policy_selector_text(run, &policy->selector),
		 group->has_tcp ? "UDP (only TCP)" : "UDP or TCP", look->dns->meta.ns,
		 look->dns->meta.name);
	for (size_t i = 0; i < policy->negress && i < 4; i++)
		nd_prove(run, f, name, "%s", nd_policy_rule_text(run, policy, &policy->egress[i]));
	nd_policy_prove(run, f, &denial);
}

static void run(struct nd_check_run *run)
{
	struct look look = {.run = run, .cluster = run->cluster};
	struct group *groups = NULL;
	size_t ngroups = 0;

	look.dns = nd_look_service(run->cluster, "kube-system", "kube-dns");
	if (!look.dns || !nd_policies_can_tell(run->cluster))
		return;
	look.nends = nd_policy_ends(run->cluster, look.dns, look.ends, MAX_DNS_ENDS);
	for (size_t i = look.nends; i-- > 0;)
		if (look.ends[i].port->port != 53)
			look.ends[i] = look.ends[--look.nends];
	for (size_t i = 0; i < run->cluster->npods && look.nends; i++) {
		const struct nd_pod *pod = &run->cluster->pods[i];
		const struct nd_policy *policy;
		bool has_tcp;

		if (!nd_policy_is_about(pod) || !nd_netpol_isolates(run->cluster, pod, false) ||
		    !needs_names(&look, pod) || !uses_dns(&look, pod))
			continue;
		policy = denied_by(&look, pod, &has_tcp);
		if (policy)
			add(run->arena, &groups, &ngroups, &look, policy, pod, has_tcp);
	}
	for (size_t i = 0; i < ngroups; i++)
		report(&look, &groups[i]);
}

const struct nd_check nd_check_np_egress_dns = {
	.id = "np-egress-dns",
	.layer = ND_LAYER_POLICY,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "An egress policy leaves out DNS",
	.why = "As soon as a policy selects pods for egress, everything that no rule allows is "
	       "denied, questions to the cluster's DNS too. The pods may talk to others, but can't "
	       "look up their names: \"temporary failure in name resolution\".",
	.fix = "allow egress to namespace kube-system, pods k8s-app=kube-dns, on 53/UDP and 53/TCP",
	.source = "networking.k8s.io/v1 types.go, NetworkPolicyEgressRule; Kubernetes: DNS for "
		  "Services "
		  "and Pods, dnsPolicy",
	.run = run,
};
