/* policies_in.c: services whose pods let nobody in, and what the policies nearly say. */
#include "common/base.h"
#include "plugin/checks/policies.h"
#include "plugin/checks/service.h"

#define MAX_ENDS 256	      /* of a service; one with more is left alone */
#define MAX_LOOKS (10000000u) /* pods compared with selectors, in all */
#define MAX_CLIENTS 16	      /* walked for a service until one is denied */
#define MAX_CLIENT_LOOKS 1024 /* pods looked at for these */

struct look {
	struct nd_check_run *run;
	const struct nd_cluster *cluster;
};

/* ---- whom a rule admits ---- */

static bool is_everything(const struct nd_selector *selector)
{
	return !selector->labels.n && !selector->nterms && !selector->unknown;
}

static bool is_namespace_there(const struct nd_cluster *c, const struct nd_selector *selector)
{
	for (size_t i = 0; i < c->nnamespaces; i++)
		if (nd_netpol_selects(selector, &c->namespaces[i].meta.labels) != ND_HOLDS_NO)
			return true;
	return false;
}

bool nd_policy_has_peer(struct nd_check_run *run, const struct nd_policy *policy,
			const struct nd_policy_peer *peer)
{
	const struct nd_cluster *c = run->cluster;

	if (peer->unknown || peer->block.ip.family)
		return true;
	if (!peer->pods && !peer->namespaces)
		return false;
	if ((!peer->pods || is_everything(peer->pods)) &&
	    (!peer->namespaces || is_namespace_there(c, peer->namespaces)))
		return true;
	for (size_t i = 0; peer->pods && i < c->npods; i++)
		if (++run->npolicy_looks > MAX_LOOKS ||
		    (!c->pods[i].is_host_network &&
		     nd_netpol_peer_holds(c, policy, peer, &c->pods[i]) != ND_HOLDS_NO))
			return true;
	return false;
}

static bool is_in_reach(const struct nd_cluster *c, const struct nd_policy *policy,
			const struct nd_policy_peer *peer, const struct nd_pod *pod)
{
	if (peer->namespaces)
		return nd_netpol_selects_namespace(c, peer->namespaces, pod->meta.ns) ==
		       ND_HOLDS_YES;
	return nd_eq(pod->meta.ns, policy->meta.ns);
}

void nd_policy_find_near(struct nd_check_run *run, const struct nd_policy *policy,
			 const struct nd_policy_rule *rule, struct nd_policy_near *out)
{
	const struct nd_cluster *c = run->cluster;
	struct nd_near_miss near = {0};

	for (size_t p = 0; p < rule->npeers; p++) {
		const struct nd_policy_peer *peer = &rule->peers[p];

		if (!peer->pods || peer->pods->nterms)
			continue;
		for (size_t i = 0; i < c->npods && !out->pod; i++) {
			const struct nd_pod *pod = &c->pods[i];

			if (++run->npolicy_looks <= MAX_LOOKS && nd_policy_is_about(pod) &&
			    is_in_reach(c, policy, peer, pod) &&
			    nd_labels_near_miss(&peer->pods->labels, &pod->meta.labels, &near))
				*out = (struct nd_policy_near){pod, near.key, near.wanted,
							       near.has};
		}
	}
}

static bool has_port(const struct nd_policy_rule *rule, const struct nd_policy_end *end,
		     uint16_t number)
{
	for (size_t i = 0; i < rule->nports; i++)
		if (nd_netpol_port_holds(&rule->ports[i], end->proto, number, end->pod) !=
		    ND_HOLDS_NO)
			return true;
	return rule->nports == 0;
}

/*
 * Is it about a port where the pod listens, or says it does? Then it was written by someone who
 * knows these pods, and what is closed of them is meant to be.
 */
static bool opens_a_port(const struct look *look, const struct nd_policy_rule *rule,
			 const struct nd_policy_end *end)
{
	const struct nd_pod *pod = end->pod;
	const struct nd_host *host = pod->node ? nd_look_host(look->cluster, pod->node) : NULL;
	const struct nd_podns *podns = host ? nd_look_podns(host, pod->meta.uid) : NULL;
	struct nd_policy_end other = *end;

	for (size_t i = 0; i < pod->ncontainers; i++)
		for (size_t k = 0; k < pod->containers[i].nports; k++) {
			const struct nd_container_port *port = &pod->containers[i].ports[k];

			other.proto = nd_policy_proto(port->protocol);
			if (has_port(rule, &other, port->port))
				return true;
		}
	for (size_t i = 0; podns && i < podns->nsockets; i++) {
		other.proto = podns->sockets[i].is_udp ? 17 : 6;
		if (has_port(rule, &other, podns->sockets[i].port))
			return true;
	}
	return false;
}

/* ---- one endpoint ---- */

static void note(struct nd_closed *closed, enum nd_closed_why why, const struct nd_policy *policy,
		 const struct nd_policy_rule *rule)
{
	bool is_better = !closed->policy || (why > closed->why && !closed->rule);

	if (!is_better)
		return;
	closed->why = why;
	closed->policy = policy;
	closed->rule = rule;
}

/* False: it admits somebody, or may, there or at another port of the pod. */
static bool is_rule_closed(struct look *look, struct nd_closed *closed,
			   const struct nd_policy *policy, const struct nd_policy_rule *rule,
			   const struct nd_policy_end *end)
{
	bool is_for_target = has_port(rule, end, end->number);
	bool is_for_service =
		end->number != end->port->port && has_port(rule, end, end->port->port);
	bool has_anybody = rule->npeers == 0;

	if (rule->unknown)
		return false;
	for (size_t i = 0; i < rule->npeers && !has_anybody; i++)
		has_anybody = nd_policy_has_peer(look->run, policy, &rule->peers[i]);
	if (has_anybody && (is_for_target || opens_a_port(look, rule, end)))
		return false;
	if (is_for_target)
		note(closed, ND_CLOSED_PEER, policy, rule);
	else if (is_for_service && has_anybody)
		note(closed, ND_CLOSED_PORT, policy, rule);
	return true;
}

static bool is_end_closed(struct look *look, struct nd_closed *closed,
			  const struct nd_policy_end *end)
{
	const struct nd_policy *policy;
	enum nd_holds isolates;
	size_t at = 0, n = 0;

	if (!end->pod)
		return false;
	while ((policy = nd_netpol_next(look->cluster, end->pod, true, &at, &isolates))) {
		if (isolates != ND_HOLDS_YES || policy->unknown)
			return false;
		for (size_t i = 0; i < policy->ningress; i++)
			if (!is_rule_closed(look, closed, policy, &policy->ingress[i], end))
				return false;
		note(closed, ND_CLOSED_NO_RULE, policy, NULL);
		n++;
	}
	return n > 0;
}

/* ---- one service ---- */

static bool has_word(const char *text, const char *word)
{
	return text && strstr(text, word);
}

/* Where only monitoring is meant to come, many clusters have none. */
static bool is_measuring(const char *name)
{
	return has_word(name, "metrics") || has_word(name, "monitor") ||
	       has_word(name, "prometheus") || has_word(name, "health");
}

static bool is_side_door(const struct nd_service *service)
{
	bool is_all = service->nports > 0;

	for (size_t i = 0; i < service->nports; i++)
		is_all = is_all && is_measuring(service->ports[i].name);
	return is_all || is_measuring(service->meta.name);
}

/* Someone whose packets only the service's own policies stop. */
static bool find_client(struct look *look, struct nd_closed *closed, const struct nd_pod *pod)
{
	struct nd_service const *s = closed->service;
	struct nd_ip ip = closed->end.ip.family == 6 ? s->cluster_ip6 : s->cluster_ip;

	if (!nd_policy_is_about(pod) || nd_labels_match(&s->selector, &pod->meta.labels) ||
	    !nd_policy_walk(look->run, pod, ip, closed->end.proto, closed->end.port->port, false,
			    &closed->denial))
		return false;
	closed->client = pod;
	return true;
}

static bool has_client(struct look *look, struct nd_closed *closed)
{
	const struct nd_cluster *c = look->cluster;
	const char *ns = closed->service->meta.ns;
	size_t nwalked = 0, nlooks = 0;

	if (closed->near.pod && find_client(look, closed, closed->near.pod))
		return true;
	for (int is_other = 0; is_other < 2; is_other++)
		for (size_t i = 0; i < c->npods && nwalked < MAX_CLIENTS; i++) {
			const struct nd_pod *pod = &c->pods[i];

			if (nd_eq(pod->meta.ns, ns) == is_other || !nd_policy_netns(c, pod) ||
			    nlooks++ > MAX_CLIENT_LOOKS)
				continue;
			if (closed->why == ND_CLOSED_PORT && closed->rule->npeers) {
				bool is_meant = false;

				for (size_t k = 0; k < closed->rule->npeers; k++)
					is_meant = is_meant ||
						   nd_netpol_peer_holds(c, closed->policy,
									&closed->rule->peers[k],
									pod) == ND_HOLDS_YES;
				if (!is_meant)
					continue;
			}
			nwalked++;
			if (find_client(look, closed, pod))
				return true;
		}
	return false;
}

static void look_at(struct look *look, const struct nd_service *service, struct nd_closed_list *out)
{
	struct nd_policy_end ends[MAX_ENDS + 1];
	struct nd_closed closed = {.service = service};
	size_t n;

	if (!nd_service_wants_pods(service) || service->is_headless || service->proxy_name ||
	    (!service->cluster_ip.family && !service->cluster_ip6.family) || is_side_door(service))
		return;
	n = nd_policy_ends(look->cluster, service, ends, ND_ARRAY_LEN(ends));
	if (n == 0 || n > MAX_ENDS)
		return;
	for (size_t i = 0; i < n; i++)
		if (!is_end_closed(look, &closed, &ends[i]))
			return;
	closed.end = ends[0];
	for (size_t i = 0; i < n; i++) /* the endpoint that the rule is about */
		if (closed.why == ND_CLOSED_PORT && ends[i].number != ends[i].port->port &&
		    has_port(closed.rule, &ends[i], ends[i].port->port)) {
			closed.end = ends[i];
			break;
		}
	for (size_t i = 0; i < n; i++)
		closed.npods += ends[i].port == ends[0].port;
	closed.is_on_every_node = nd_eq(closed.end.pod->meta.owner_kind, "DaemonSet");
	if (closed.why == ND_CLOSED_PEER)
		nd_policy_find_near(look->run, closed.policy, closed.rule, &closed.near);
	if (has_client(look, &closed))
		ND_ARENA_PUSH(look->run->arena, out->items, out->n) = closed;
}

const struct nd_closed_list *nd_closed_get(struct nd_check_run *run)
{
	struct look look = {.run = run, .cluster = run->cluster};

	if (run->closed)
		return run->closed;
	run->closed = nd_arena_alloc(run->arena, sizeof(*run->closed));
	if (!nd_policies_can_tell(run->cluster))
		return run->closed;
	for (size_t i = 0; i < run->cluster->nservices; i++)
		look_at(&look, &run->cluster->services[i], run->closed);
	return run->closed;
}
