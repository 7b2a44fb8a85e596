#include "common/base.h"
#include "plugin/checks/policies.h"

#define MAX_ENDS 64
#define MAX_LOOKS 20000000u /* services and pods compared with rules, in all */
#define MAX_WALKED 8	    /* pods of a policy, until one is denied for sure */

struct look {
	struct nd_check_run *run;
	const struct nd_cluster *cluster;
	size_t looks;
};
/* A rule that was written for a service, seen from a pod that may send. */
struct meant {
	const struct nd_policy *policy;
	const struct nd_policy_rule *rule;
	const struct nd_service *service;
	const struct nd_service_port *port;
	struct nd_policy_end ends[MAX_ENDS]; /* n, of that port */
	size_t n;
	bool is_by_address; /* it names the ClusterIP */
};

/* ---- what a rule was written for ---- */

/* No packet that policies see goes to such addresses: only services have them. */
static bool is_service_block(const struct nd_cluster *c, const struct nd_policy_peer *peer)
{
	if (peer->unknown || !peer->block.ip.family || peer->nexcept)
		return false;
	for (size_t i = 0; i < c->nnodes; i++) {
		const struct nd_node *node = &c->nodes[i];

		if (nd_prefix_has(peer->block, node->internal_ip) ||
		    nd_prefix_has(peer->block, node->internal_ip6))
			return false;
		for (size_t k = 0; k < node->npod_cidrs; k++)
			if (nd_prefix_overlaps(peer->block, node->pod_cidrs[k]))
				return false;
	}
	return true;
}

static bool names_port(const struct nd_policy_rule *rule, uint8_t proto, uint16_t number,
		       const struct nd_pod *pod)
{
	for (size_t i = 0; i < rule->nports; i++)
		if (nd_netpol_port_holds(&rule->ports[i], proto, number, pod) != ND_HOLDS_NO)
			return true;
	return false;
}

static bool names_address(const struct look *look, const struct nd_policy_rule *rule,
			  const struct nd_service *s)
{
	for (size_t i = 0; i < rule->npeers; i++)
		if ((nd_prefix_has(rule->peers[i].block, s->cluster_ip) ||
		     nd_prefix_has(rule->peers[i].block, s->cluster_ip6)) &&
		    is_service_block(look->cluster, &rule->peers[i]))
			return true;
	return false;
}

static bool declares(const struct nd_pod *pod, uint16_t number)
{
	for (size_t i = 0; i < pod->ncontainers; i++)
		for (size_t k = 0; k < pod->containers[i].nports; k++)
			if (pod->containers[i].ports[k].port == number)
				return true;
	return false;
}

static bool is_peer(const struct look *look, const struct meant *m, const struct nd_pod *pod)
{
	for (size_t i = 0; i < m->rule->npeers; i++) {
		const struct nd_policy_peer *peer = &m->rule->peers[i];

		if ((peer->pods || peer->namespaces) &&
		    nd_netpol_peer_holds(look->cluster, m->policy, peer, pod) == ND_HOLDS_YES)
			return true;
	}
	return false;
}

/*
 * Its selectors find the pods behind the service, and its port is the service's, which none of the
 * pods it finds declares. A rule for everybody says nothing of any service.
 */
static bool names_pods(struct look *look, const struct meant *m)
{
	const struct nd_cluster *c = look->cluster;

	for (size_t i = 0; i < m->n; i++)
		if (!m->ends[i].pod || m->ends[i].number == m->port->port ||
		    !is_peer(look, m, m->ends[i].pod))
			return false;
	for (size_t i = 0; i < c->npods; i++)
		if (++look->looks > MAX_LOOKS ||
		    (declares(&c->pods[i], m->port->port) && is_peer(look, m, &c->pods[i])))
			return false;
	return true;
}

static bool is_meant(struct look *look, struct meant *m)
{
	const struct nd_service *s = m->service;
	bool is_port_named =
		names_port(m->rule, nd_policy_proto(m->port->protocol), m->port->port, NULL);
	struct nd_policy_end ends[MAX_ENDS];
	size_t n;

	if (!is_port_named && m->rule->nports)
		return false;
	m->is_by_address = names_address(look, m->rule, s);
	if (!m->is_by_address && !is_port_named)
		return false;
	n = nd_policy_ends(look->cluster, s, ends, MAX_ENDS);
	m->n = 0;
	for (size_t i = 0; i < n; i++)
		if (ends[i].port == m->port)
			m->ends[m->n++] = ends[i];
	return m->n && n < MAX_ENDS && (m->is_by_address || names_pods(look, m));
}

/* ---- whom it does not help ---- */

static bool is_kept_out(struct look *look, const struct meant *m, const struct nd_pod *pod)
{
	size_t ndenied = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct nd_policy_end *end = &m->ends[i];
		struct nd_netpol_flow flow = nd_policy_flow_to(pod, end);
		struct nd_netpol_answer answer;

		if (!flow.src.family)
			continue;
		nd_netpol_check(NULL, look->cluster, &flow, &answer);
		if (answer.is_allowed || answer.is_unknown || !answer.is_egress)
			return false;
		ndenied++;
	}
	return ndenied > 0;
}

static const struct nd_pod *find_pod(struct look *look, const struct meant *m,
				     struct nd_denial *out)
{
	const struct nd_cluster *c = look->cluster;
	const struct nd_service *s = m->service;
	size_t nwalked = 0;

	for (size_t i = 0; i < c->npods && nwalked < MAX_WALKED; i++) {
		const struct nd_pod *pod = &c->pods[i];
		bool is_v6 = m->ends[0].ip.family == 6;

		if (!nd_eq(pod->meta.ns, m->policy->meta.ns) || !nd_policy_is_about(pod) ||
		    nd_netpol_selects(&m->policy->selector, &pod->meta.labels) != ND_HOLDS_YES ||
		    !nd_policy_netns(c, pod) || !is_kept_out(look, m, pod))
			continue;
		nwalked++;
		if (nd_policy_walk(look->run, pod, is_v6 ? s->cluster_ip6 : s->cluster_ip,
				   m->ends[0].proto, m->port->port, true, out))
			return pod;
	}
	return NULL;
}

static void report(struct nd_check_run *run, const struct meant *m, const struct nd_pod *pod,
		   const struct nd_denial *denial)
{
	const struct nd_service *s = m->service;
	const char *name = nd_policy_name(run, m->policy);
	struct nd_finding *f = nd_find(run, "pod/%s/%s", pod->meta.ns, pod->meta.name);
	char vip[ND_IP_TEXT], ip[ND_IP_TEXT];

	nd_ip_text(m->ends[0].ip.family == 6 ? s->cluster_ip6 : s->cluster_ip, vip);
	nd_ip_text(m->ends[0].ip, ip);
	f->title = nd_check_text(run,
				 "Pod %s/%s can't reach service %s/%s: %s allows the %s of the "
				 "service, not of what is behind it",
				 pod->meta.ns, pod->meta.name, s->meta.ns, s->meta.name, name,
				 m->is_by_address ? "address" : "port");
	nd_prove(run, f, name, "%s", nd_policy_rule_text(run, m->policy, m->rule));
	nd_prove(run, f, nd_check_text(run, "service/%s/%s", s->meta.ns, s->meta.name),
		 "%s port %u goes to %s port %u: that is what policies see", vip, m->port->port, ip,
		 m->ends[0].number);
	nd_policy_prove(run, f, denial);
}

/* With addresses of services, or with numbers of ports for pods? Most rules have neither. */
static bool can_be_meant(const struct look *look, const struct nd_policy_rule *rule)
{
	bool has_number = false;

	for (size_t i = 0; i < rule->nports; i++)
		has_number = has_number || rule->ports[i].port;
	for (size_t i = 0; i < rule->npeers; i++)
		if (is_service_block(look->cluster, &rule->peers[i]) ||
		    (has_number && (rule->peers[i].pods || rule->peers[i].namespaces)))
			return true;
	return false;
}

/* One finding a rule: the first service that it was written for in vain. */
static void look_at(struct look *look, const struct nd_policy *policy,
		    const struct nd_policy_rule *rule)
{
	const struct nd_cluster *c = look->cluster;
	struct meant m = {.policy = policy, .rule = rule};
	struct nd_denial denial = {0};

	if (rule->unknown || !can_be_meant(look, rule))
		return;
	for (size_t i = 0; i < c->nservices; i++)
		for (size_t k = 0; k < c->services[i].nports; k++) {
			const struct nd_pod *pod;

			m.service = &c->services[i];
			m.port = &m.service->ports[k];
			if (++look->looks > MAX_LOOKS || m.service->is_headless ||
			    (!m.service->cluster_ip.family && !m.service->cluster_ip6.family) ||
			    !is_meant(look, &m))
				continue;
			pod = find_pod(look, &m, &denial);
			if (!pod)
				continue;
			report(look->run, &m, pod, &denial);
			return;
		}
}

/* ---- the same mistake at the pods that are asked ---- */

static void report_closed(struct nd_check_run *run, const struct nd_closed *c)
{
	const struct nd_service *s = c->service;
	const char *name = nd_policy_name(run, c->policy);
	struct nd_finding *f = nd_find(run, "service/%s/%s", s->meta.ns, s->meta.name);

	f->title = nd_check_text(run,
				 "Nobody can reach service %s/%s: %s allows its port %u, but the "
				 "pods are asked on %u",
				 s->meta.ns, s->meta.name, name, c->end.port->port, c->end.number);
	nd_prove(run, f, name, "%s", nd_policy_rule_text(run, c->policy, c->rule));
	nd_prove(run, f, nd_check_text(run, "service/%s/%s", s->meta.ns, s->meta.name),
		 "port %u goes to port %u of %zu ready pods: that is what policies see",
		 c->end.port->port, c->end.number, c->npods);
	nd_policy_prove(run, f, &c->denial);
}

static void run(struct nd_check_run *run)
{
	struct look look = {.run = run, .cluster = run->cluster};
	const struct nd_closed_list *list = nd_closed_get(run);

	for (size_t i = 0; i < list->n; i++) {
		bool is_first = list->items[i].why == ND_CLOSED_PORT;

		for (size_t k = 0; k < i && is_first; k++)
			is_first = list->items[k].rule != list->items[i].rule;
		if (is_first)
			report_closed(run, &list->items[i]);
	}
	if (!nd_policies_can_tell(run->cluster))
		return;
	for (size_t i = 0; i < run->cluster->npolicies; i++)
		for (size_t k = 0; k < run->cluster->policies[i].negress; k++)
			if (run->cluster->policies[i].is_egress &&
			    !run->cluster->policies[i].unknown)
				look_at(&look, &run->cluster->policies[i],
					&run->cluster->policies[i].egress[k]);
}

const struct nd_check nd_check_np_post_dnat_port = {
	.id = "np-post-dnat-port",
	.layer = ND_LAYER_POLICY,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A NetworkPolicy allows a service's own address or port, which policies never see",
	.why = "Before a policy is asked, kube-proxy has put the address and port of a pod in the "
	       "place of the service's. A rule with the ClusterIP, or with the service's port "
	       "where the pods have another, matches no packet, and what it should allow is "
	       "denied. A rule for everybody, such as port 443 to anywhere, is not taken for one "
	       "about a service.",
	.fix = "allow the pods behind the service (podSelector, or ipBlock with the nodes' "
	       "addresses for the API server: port 6443) on their own port",
	.source =
		"kindnetd and kube-network-policies: their rules are in POSTROUTING, behind DNAT; "
		"Kubernetes: Network Policies, \"ipBlock\"",
	.explains = {{"np-egress-dns", ND_SAME_SUBJECT}},
	.run = run,
};
