#include "common/base.h"

#include "plugin/model/netpol.h"

/* One end of a flow. */
struct end {
	struct nd_ip ip;
	const struct nd_pod *pod; /* NULL: no pod that policies know */
	bool may_be_pod;	  /* the list of pods is not whole, and it is in none of it */
};

struct check {
	struct nd_arena *arena;
	const struct nd_cluster *cluster;
	const struct nd_netpol_flow *flow;
	struct nd_netpol_answer *out;
	bool is_egress;
	struct end self, other; /* the pod whose policies are looked at, and who it talks with */
};

static enum nd_holds least(enum nd_holds a, enum nd_holds b)
{
	return a < b ? a : b;
}

static enum nd_holds most(enum nd_holds a, enum nd_holds b)
{
	return a > b ? a : b;
}

static int by_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

/* ---- selectors ---- */

static bool is_value(const struct nd_selector_term *term, const char *value)
{
	for (size_t i = 0; i < term->nvalues; i++)
		if (nd_eq(term->values[i], value))
			return true;
	return false;
}

/* apimachinery, labels.Requirement.Matches: NotIn also holds where the key is not there. */
static bool term_holds(const struct nd_selector_term *term, const struct nd_labels *labels)
{
	const char *value = nd_labels_get(labels, term->key);

	switch (term->op) {
	case ND_SELECT_IN:
		return value && is_value(term, value);
	case ND_SELECT_NOT_IN:
		return !value || !is_value(term, value);
	case ND_SELECT_EXISTS:
		return value != NULL;
	case ND_SELECT_NOT_EXISTS:
		return value == NULL;
	}
	return false;
}

static enum nd_holds selects(const struct nd_selector *selector, const struct nd_labels *labels)
{
	if (!nd_labels_match(&selector->labels, labels))
		return ND_HOLDS_NO;
	for (size_t i = 0; i < selector->nterms; i++)
		if (!term_holds(&selector->terms[i], labels))
			return ND_HOLDS_NO;
	return selector->unknown ? ND_HOLDS_MAYBE : ND_HOLDS_YES;
}

static bool is_everything(const struct nd_selector *selector)
{
	return selector->labels.n == 0 && selector->nterms == 0 && !selector->unknown;
}

static const struct nd_namespace *find_namespace(const struct nd_cluster *c, const char *name)
{
	size_t low = 0, high = c->nnamespaces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = by_text(c->namespaces[middle].meta.name, name);

		if (order == 0)
			return &c->namespaces[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static enum nd_holds selects_namespace(const struct nd_cluster *c,
				       const struct nd_selector *selector, const char *name)
{
	const struct nd_namespace *ns;

	if (is_everything(selector))
		return ND_HOLDS_YES;
	ns = find_namespace(c, name);
	if (!ns)
		return nd_look_has_list(c, "namespaces") ? ND_HOLDS_NO : ND_HOLDS_MAYBE;
	return selects(selector, &ns->meta.labels);
}

/* ---- rules ---- */

static enum nd_holds block_holds(const struct nd_policy_peer *peer, struct nd_ip ip)
{
	if (peer->unknown)
		return ND_HOLDS_MAYBE;
	if (!nd_prefix_has(peer->block, ip))
		return ND_HOLDS_NO;
	for (size_t i = 0; i < peer->nexcept; i++)
		if (nd_prefix_has(peer->except[i], ip))
			return ND_HOLDS_NO;
	return ND_HOLDS_YES;
}

static enum nd_holds peer_holds(const struct check *k, const struct nd_policy *policy,
				const struct nd_policy_peer *peer)
{
	const struct nd_pod *pod = k->other.pod;
	enum nd_holds holds = ND_HOLDS_YES;

	if (peer->block.ip.family || peer->unknown)
		return block_holds(peer, k->other.ip);
	if (!peer->pods && !peer->namespaces)
		return ND_HOLDS_NO;
	if (!pod)
		return k->other.may_be_pod ? ND_HOLDS_MAYBE : ND_HOLDS_NO;
	if (peer->pods)
		holds = selects(peer->pods, &pod->meta.labels);
	if (!peer->namespaces)
		return nd_eq(pod->meta.ns, policy->meta.ns) ? holds : ND_HOLDS_NO;
	return holds == ND_HOLDS_NO ? ND_HOLDS_NO
				    : least(holds, selects_namespace(k->cluster, peer->namespaces,
								     pod->meta.ns));
}

static const char *proto_name(uint8_t proto)
{
	return proto == 6 ? "TCP" : proto == 17 ? "UDP" : proto == 132 ? "SCTP" : NULL;
}

/* Of a container's port, as the engine looks it up: init containers are not among them. */
static bool is_named_port(const struct nd_pod *pod, const struct nd_policy_port *port,
			  uint16_t number)
{
	for (size_t i = 0; i < pod->ncontainers; i++) {
		const struct nd_container *container = &pod->containers[i];

		for (size_t j = 0; j < container->nports && !container->is_init; j++)
			if (nd_eq(container->ports[j].name, port->name) &&
			    container->ports[j].port == number &&
			    nd_eq(container->ports[j].protocol, port->protocol))
				return true;
	}
	return false;
}

static enum nd_holds port_holds(const struct check *k, const struct nd_policy_port *port)
{
	const struct end *target = k->is_egress ? &k->other : &k->self;
	uint16_t number = k->flow->dport;

	if (!nd_eq(proto_name(k->flow->proto), port->protocol))
		return ND_HOLDS_NO;
	if (!port->name)
		return !port->port || (number >= port->port && number <= port->end_port)
			       ? ND_HOLDS_YES
			       : ND_HOLDS_NO;
	if (!target->pod)
		return target->may_be_pod ? ND_HOLDS_MAYBE : ND_HOLDS_NO;
	return is_named_port(target->pod, port, number) ? ND_HOLDS_YES : ND_HOLDS_NO;
}

static enum nd_holds rule_holds(const struct check *k, const struct nd_policy *policy,
				const struct nd_policy_rule *rule)
{
	enum nd_holds ports = rule->nports ? ND_HOLDS_NO : ND_HOLDS_YES,
		      peers = rule->npeers ? ND_HOLDS_NO : ND_HOLDS_YES;

	if (rule->unknown)
		return ND_HOLDS_MAYBE;
	for (size_t i = 0; i < rule->nports && ports != ND_HOLDS_YES; i++)
		ports = most(ports, port_holds(k, &rule->ports[i]));
	for (size_t i = 0; i < rule->npeers && peers != ND_HOLDS_YES && ports != ND_HOLDS_NO; i++)
		peers = most(peers, peer_holds(k, policy, &rule->peers[i]));
	return least(ports, peers);
}

static enum nd_holds policy_allows(const struct check *k, const struct nd_policy *policy)
{
	const struct nd_policy_rule *rules = k->is_egress ? policy->egress : policy->ingress;
	size_t n = k->is_egress ? policy->negress : policy->ningress;
	enum nd_holds holds = policy->unknown ? ND_HOLDS_MAYBE : ND_HOLDS_NO;

	for (size_t i = 0; i < n && holds != ND_HOLDS_YES; i++)
		holds = most(holds, rule_holds(k, policy, &rules[i]));
	return holds;
}

/* ---- one direction ---- */

/* The first policy whose namespace is not before ns. */
static size_t first_policy(const struct nd_cluster *c, const char *ns)
{
	size_t low = 0, high = c->npolicies;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_text(c->policies[middle].meta.ns, ns) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* NULL: no more policies of the pod's namespace isolate it in that direction. */
static const struct nd_policy *next_policy(const struct nd_cluster *c, const struct nd_pod *pod,
					   bool is_egress, size_t *at, enum nd_holds *isolates)
{
	for (; *at < c->npolicies; (*at)++) {
		const struct nd_policy *policy = &c->policies[*at];

		if (by_text(policy->meta.ns, pod->meta.ns) != 0)
			return NULL;
		if (!(is_egress ? policy->is_egress : policy->is_ingress))
			continue;
		*isolates = selects(&policy->selector, &pod->meta.labels);
		if (*isolates == ND_HOLDS_NO)
			continue;
		(*at)++;
		return policy;
	}
	return NULL;
}

static const char *end_text(const struct check *k, const struct end *end)
{
	char ip[ND_IP_TEXT];

	if (!end->pod)
		return nd_arena_printf(k->arena, "%s", nd_ip_text(end->ip, ip));
	return nd_arena_printf(k->arena, "pod %s/%s", end->pod->meta.ns, end->pod->meta.name);
}

static const char *what_text(const struct check *k)
{
	uint8_t proto = k->flow->proto;

	if (proto == 1 || proto == 58)
		return "icmp";
	if (!proto_name(proto))
		return nd_arena_printf(k->arena, "protocol %u", proto);
	return nd_arena_printf(k->arena, "%s %u",
			       proto == 6    ? "tcp"
			       : proto == 17 ? "udp"
					     : "sctp",
			       k->flow->dport);
}

/* allows: what the rules of all policies together say; policy: that which says it. */
static void explain(struct check *k, const struct nd_policy *policy, enum nd_holds allows)
{
	struct nd_netpol_answer *out = k->out;
	const char *to = k->is_egress ? "to" : "from";

	out->is_allowed = allows == ND_HOLDS_YES;
	out->is_unknown = allows == ND_HOLDS_MAYBE;
	out->is_egress = k->is_egress;
	out->policy = policy;
	if (!k->arena)
		return;
	const char *self = end_text(k, &k->self), *other = end_text(k, &k->other);
	const char *what = what_text(k);
	const char *ns = policy->meta.ns ? policy->meta.ns : "";

	if (allows == ND_HOLDS_YES)
		out->why = nd_arena_printf(k->arena, "networkpolicy/%s/%s allows %s %s %s %s %s",
					   ns, policy->meta.name, k->is_egress ? "from" : "to",
					   self, what, to, other);
	else if (allows == ND_HOLDS_MAYBE)
		out->why = nd_arena_printf(
			k->arena,
			"networkpolicy/%s/%s may isolate %s or allow %s %s %s: not all is known",
			ns, policy->meta.name, self, what, to, other);
	else
		out->why = nd_arena_printf(
			k->arena, "networkpolicy/%s/%s isolates %s for %s, no rule allows %s %s %s",
			ns, policy->meta.name, self, k->is_egress ? "egress" : "ingress", what, to,
			other);
}

/* Policies add up: one that allows is enough. False: it does not pass. */
static bool check_direction(struct check *k)
{
	const struct nd_cluster *c = k->cluster;
	const struct nd_policy *policy, *isolating = NULL, *doubtful = NULL, *may_allow = NULL;
	enum nd_holds isolates;

	if (!k->self.pod)
		return true;
	for (size_t at = first_policy(c, k->self.pod->meta.ns);
	     (policy = next_policy(c, k->self.pod, k->is_egress, &at, &isolates));) {
		enum nd_holds allows = least(isolates, policy_allows(k, policy));

		if (allows == ND_HOLDS_YES) {
			explain(k, policy, ND_HOLDS_YES);
			return true;
		}
		if (allows == ND_HOLDS_MAYBE && !may_allow)
			may_allow = policy;
		if (isolates == ND_HOLDS_YES && !isolating)
			isolating = policy;
		if (isolates == ND_HOLDS_MAYBE && !doubtful)
			doubtful = policy;
	}
	if (!isolating && !doubtful)
		return true;
	if (may_allow || !isolating)
		explain(k, may_allow ? may_allow : doubtful, ND_HOLDS_MAYBE);
	else
		explain(k, isolating, ND_HOLDS_NO);
	return false;
}

/* ---- both ---- */

bool nd_netpol_is_own_node(const struct nd_cluster *cluster, const struct nd_pod *pod,
			   struct nd_ip ip)
{
	const struct nd_node *node = pod->node ? nd_look_node(cluster, pod->node) : NULL;
	const struct nd_host *host = pod->node ? nd_look_host(cluster, pod->node) : NULL;

	if (!ip.family)
		return false;
	if (node && (nd_ip_eq(node->internal_ip, ip) || nd_ip_eq(node->internal_ip6, ip)))
		return true;
	for (size_t i = 0; host && i < host->naddrs; i++)
		if (nd_ip_eq(host->addrs[i].prefix.ip, ip))
			return true;
	return false;
}

/* A list that did not come whole hides pods; a node's own address belongs to none of them. */
static struct end end_of(const struct nd_cluster *c, struct nd_ip ip)
{
	struct end end = {.ip = ip, .pod = nd_look_pod_by_ip(c, ip)};

	end.may_be_pod = !end.pod && !nd_look_has_list(c, "pods");
	for (size_t i = 0; i < c->nnodes && end.may_be_pod; i++)
		end.may_be_pod = !nd_ip_eq(c->nodes[i].internal_ip, ip) &&
				 !nd_ip_eq(c->nodes[i].internal_ip6, ip);
	return end;
}

static void say(struct check *k, bool is_unknown, const char *why)
{
	*k->out = (struct nd_netpol_answer){.is_allowed = !is_unknown, .is_unknown = is_unknown};
	if (k->arena)
		k->out->why = why;
}

static bool is_excepted(const struct nd_cluster *c, const struct nd_netpol_flow *flow,
			const struct end *src, const struct end *dst)
{
	if (flow->is_queued)
		return false;
	return nd_ip_eq(flow->src, flow->dst) ||
	       (src->pod && nd_netpol_is_own_node(c, src->pod, flow->dst)) ||
	       (dst->pod && nd_netpol_is_own_node(c, dst->pod, flow->src));
}

void nd_netpol_check(struct nd_arena *arena, const struct nd_cluster *cluster,
		     const struct nd_netpol_flow *flow, struct nd_netpol_answer *out)
{
	struct end src = end_of(cluster, flow->src), dst = end_of(cluster, flow->dst);
	struct check k = {.arena = arena, .cluster = cluster, .flow = flow, .out = out};

	if (is_excepted(cluster, flow, &src, &dst)) {
		say(&k, false, "no policy is asked within a pod, and between it and its own node");
		return;
	}
	if (!nd_look_has_list(cluster, "networkpolicies")) {
		say(&k, true, "the NetworkPolicies could not be read whole");
		return;
	}
	if (cluster->npolicies && (src.may_be_pod || dst.may_be_pod)) {
		say(&k, true, "the pods could not be read whole");
		return;
	}
	say(&k, false, "no NetworkPolicy isolates either end");
	k.is_egress = true;
	k.self = src;
	k.other = dst;
	if (!check_direction(&k))
		return;
	k.is_egress = false;
	k.self = dst;
	k.other = src;
	check_direction(&k);
}

/* ---- the parts, one by one ---- */

enum nd_holds nd_netpol_selects(const struct nd_selector *selector, const struct nd_labels *labels)
{
	return selects(selector, labels);
}

enum nd_holds nd_netpol_selects_namespace(const struct nd_cluster *cluster,
					  const struct nd_selector *selector, const char *name)
{
	return selects_namespace(cluster, selector, name);
}

enum nd_holds nd_netpol_peer_holds(const struct nd_cluster *cluster, const struct nd_policy *policy,
				   const struct nd_policy_peer *peer, const struct nd_pod *pod)
{
	struct check k = {.cluster = cluster, .other = {.ip = pod->ip, .pod = pod}};

	return peer_holds(&k, policy, peer);
}

enum nd_holds nd_netpol_port_holds(const struct nd_policy_port *port, uint8_t proto,
				   uint16_t number, const struct nd_pod *pod)
{
	struct nd_netpol_flow flow = {.proto = proto, .dport = number};
	struct check k = {.flow = &flow, .self = {.pod = pod}};

	return port_holds(&k, port);
}

const struct nd_policy *nd_netpol_next(const struct nd_cluster *cluster, const struct nd_pod *pod,
				       bool is_ingress, size_t *at, enum nd_holds *isolates)
{
	if (*at == 0)
		*at = first_policy(cluster, pod->meta.ns);
	return next_policy(cluster, pod, !is_ingress, at, isolates);
}

bool nd_netpol_isolates(const struct nd_cluster *cluster, const struct nd_pod *pod, bool is_ingress)
{
	enum nd_holds isolates;
	size_t at = first_policy(cluster, pod->meta.ns);

	if (pod->is_host_network)
		return false;
	return !nd_look_has_list(cluster, "networkpolicies") ||
	       next_policy(cluster, pod, !is_ingress, &at, &isolates) != NULL;
}
