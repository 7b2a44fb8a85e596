#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/policies.h"
#include "plugin/checks/walks.h"
#include "plugin/probe/pick.h"

/* Each is some 20 us, and 1,000 more when it is the first of its node. */
#define MAX_WALKS 4096
#define MAX_TEXT 6 /* of a list in a proof */

bool nd_policies_can_tell(const struct nd_cluster *c)
{
	return c->npolicies && nd_look_has_list(c, "networkpolicies") &&
	       nd_look_has_list(c, "namespaces") && nd_look_has_list(c, "pods") &&
	       nd_look_has_list(c, "services") && nd_look_has_list(c, "endpointslices");
}

bool nd_policy_is_about(const struct nd_pod *pod)
{
	return nd_eq(pod->phase, "Running") && !pod->is_host_network && !pod->meta.is_deleting &&
	       !nd_fact_pod_ended(pod) && (pod->ip.family || pod->ip6.family);
}

uint64_t nd_policy_netns(const struct nd_cluster *cluster, const struct nd_pod *pod)
{
	const struct nd_host *host = pod->node ? nd_look_host(cluster, pod->node) : NULL;
	const struct nd_podns *podns = host ? nd_look_podns(host, pod->meta.uid) : NULL;

	return podns && !podns->error && !podns->is_host_network ? podns->inode : 0;
}

/* ---- walks ---- */

static const char *keep(struct nd_check_run *run, const char *text)
{
	return text ? nd_arena_strdup(run->arena, text, strlen(text)) : NULL;
}

/* The rule that handed it over: the last of the hook before the policy was asked. */
static const char *queue_rule(struct nd_check_run *run, const struct nd_walk_path *path)
{
	const struct nd_way *way = path->end;

	while (way && way > path->ways && way->kind != ND_WAY_HOOK)
		way--;
	for (size_t i = way && way->kind == ND_WAY_HOOK ? way->nevents : 0; i-- > 0;)
		if (way->events[i].rule && way->events[i].rule->text)
			return keep(run, way->events[i].rule->text);
	return NULL;
}

static bool is_denied(struct nd_check_run *run, const struct nd_walk_path *path, bool is_egress,
		      struct nd_netpol_answer *out)
{
	const struct nd_way *end = path->end;

	if (path->verdict != ND_WALK_DROPPED || !end || end->kind != ND_WAY_POLICY)
		return false;
	struct nd_netpol_flow flow = {.src = end->packet->t.src,
				      .dst = end->packet->t.dst,
				      .proto = end->packet->proto,
				      .dport = end->packet->t.dport,
				      .is_queued = true};

	nd_netpol_check(run->arena, run->cluster, &flow, out);
	return !out->is_allowed && !out->is_unknown && out->policy && out->is_egress == is_egress;
}

static bool walk(struct nd_check_run *run, struct nd_arena *arena, const struct nd_pod *from,
		 struct nd_ip dst, uint8_t proto, uint16_t port, struct nd_walk *out)
{
	struct nd_walk_ask ask = {.arena = arena,
				  .host = from->node ? nd_look_host(run->cluster, from->node)
						     : NULL,
				  .netns_inode = nd_policy_netns(run->cluster, from),
				  .dst = dst,
				  .proto = proto,
				  .dport = port,
				  .is_terse = true};

	if (!ask.host || !ask.netns_inode || !dst.family || run->npolicy_walks++ >= MAX_WALKS)
		return false;
	nd_walk_run(nd_walks_world(run), &ask, out);
	return out->npaths && !out->is_cut;
}

static const char *flow_text(struct nd_check_run *run, const struct nd_pod *from, struct nd_ip dst,
			     uint8_t proto, uint16_t port)
{
	char ip[ND_IP_TEXT];

	return nd_check_text(run,
			     dst.family == 6 ? "%s from pod %s/%s to [%s]:%u"
					     : "%s from pod %s/%s to %s:%u",
			     proto == 6	   ? "tcp"
			     : proto == 17 ? "udp"
					   : "sctp",
			     from->meta.ns, from->meta.name, nd_ip_text(dst, ip), port);
}

bool nd_policy_walk(struct nd_check_run *run, const struct nd_pod *from, struct nd_ip dst,
		    uint8_t proto, uint16_t port, bool is_egress, struct nd_denial *out)
{
	struct nd_arena arena = {0};
	struct nd_walk w = {0};
	bool is_all = walk(run, &arena, from, dst, proto, port, &w);

	for (size_t i = w.npaths; i-- > 0 && is_all;) /* the likeliest is told */
		is_all = is_denied(run, &w.paths[i], is_egress, &out->answer);
	if (is_all) {
		out->where = keep(run, w.paths[0].end->where);
		out->rule = queue_rule(run, &w.paths[0]);
		out->flow = flow_text(run, from, dst, proto, port);
	}
	nd_arena_free(&arena);
	return is_all;
}

bool nd_policy_is_ignored(struct nd_check_run *run, const struct nd_pod *from, struct nd_ip dst,
			  uint16_t port, struct nd_denial *out)
{
	struct nd_netpol_flow flow = {
		.src = from->ip, .dst = dst, .proto = 6, .dport = port, .is_queued = true};
	struct nd_arena arena = {0};
	struct nd_walk w = {0};
	bool is_all;

	nd_netpol_check(run->arena, run->cluster, &flow, &out->answer);
	is_all = !out->answer.is_allowed && !out->answer.is_unknown &&
		 walk(run, &arena, from, dst, 6, port, &w);
	for (size_t i = 0; i < w.npaths && is_all; i++) {
		is_all = w.paths[i].verdict == ND_WALK_DELIVERED;
		for (size_t k = 0; k < w.paths[i].nways; k++)
			is_all = is_all && w.paths[i].ways[k].kind != ND_WAY_POLICY;
	}
	out->flow = is_all ? flow_text(run, from, dst, 6, port) : NULL;
	nd_arena_free(&arena);
	return is_all;
}

void nd_policy_prove(struct nd_check_run *run, struct nd_finding *f, const struct nd_denial *d)
{
	nd_prove(run, f, d->where, "%s ends here: %s", d->flow, d->answer.why);
	if (d->rule)
		nd_prove(run, f, d->where, "asked by: %s", d->rule);
}

/* ---- words ---- */

const char *nd_policy_name(struct nd_check_run *run, const struct nd_policy *policy)
{
	return nd_check_text(run, "networkpolicy/%s/%s", policy->meta.ns ? policy->meta.ns : "",
			     policy->meta.name ? policy->meta.name : "");
}

static const char *term_text(struct nd_check_run *run, const struct nd_selector_term *term)
{
	static const char *const ops[] = {[ND_SELECT_IN] = " in (",
					  [ND_SELECT_NOT_IN] = " notin (",
					  [ND_SELECT_EXISTS] = " exists",
					  [ND_SELECT_NOT_EXISTS] = " does not exist"};
	const char *text = nd_check_text(run, "%s%s", term->key ? term->key : "", ops[term->op]);

	if (term->op != ND_SELECT_IN && term->op != ND_SELECT_NOT_IN)
		return text;
	for (size_t i = 0; i < term->nvalues && i < MAX_TEXT; i++)
		text = nd_check_text(run, "%s%s%s", text, i ? ", " : "", term->values[i]);
	return nd_check_text(run, "%s%s)", text, term->nvalues > MAX_TEXT ? ", ..." : "");
}

const char *nd_policy_selector_text(struct nd_check_run *run, const struct nd_selector *selector)
{
	const char *text = "";

	for (size_t i = 0; i < selector->labels.n && i < MAX_TEXT; i++)
		text = nd_check_text(
			run, "%s%s%s=%s", text, *text ? "," : "", selector->labels.items[i].key,
			selector->labels.items[i].value ? selector->labels.items[i].value : "");
	for (size_t i = 0; i < selector->nterms && i < MAX_TEXT; i++)
		text = nd_check_text(run, "%s%s%s", text, *text ? "," : "",
				     term_text(run, &selector->terms[i]));
	return *text ? text : "all";
}

static const char *peer_text(struct nd_check_run *run, const struct nd_policy_peer *peer)
{
	char block[ND_PREFIX_TEXT];

	if (peer->block.ip.family)
		return nd_check_text(run, "ipBlock %s%s", nd_prefix_text(peer->block, block),
				     peer->nexcept ? " with exceptions" : "");
	if (peer->namespaces && peer->pods)
		return nd_check_text(run, "podSelector %s in namespaceSelector %s",
				     nd_policy_selector_text(run, peer->pods),
				     nd_policy_selector_text(run, peer->namespaces));
	if (peer->namespaces)
		return nd_check_text(run, "namespaceSelector %s",
				     nd_policy_selector_text(run, peer->namespaces));
	return peer->pods ? nd_check_text(run, "podSelector %s",
					  nd_policy_selector_text(run, peer->pods))
			  : "nobody";
}

static const char *port_text(struct nd_check_run *run, const struct nd_policy_port *port)
{
	if (port->name)
		return nd_check_text(run, "%s %s", port->protocol, port->name);
	if (!port->port)
		return port->protocol;
	if (port->end_port > port->port)
		return nd_check_text(run, "%s %u-%u", port->protocol, port->port, port->end_port);
	return nd_check_text(run, "%s %u", port->protocol, port->port);
}

const char *nd_policy_rule_text(struct nd_check_run *run, const struct nd_policy *policy,
				const struct nd_policy_rule *rule)
{
	bool is_ingress = policy->ningress && rule >= policy->ingress &&
			  rule < policy->ingress + policy->ningress;
	size_t at = (size_t)(rule - (is_ingress ? policy->ingress : policy->egress));
	const char *peers = rule->npeers ? "" : "anybody", *ports = rule->nports ? "" : "all ports";

	for (size_t i = 0; i < rule->npeers && i < MAX_TEXT; i++)
		peers = nd_check_text(run, "%s%s%s", peers, i ? " or " : "",
				      peer_text(run, &rule->peers[i]));
	for (size_t i = 0; i < rule->nports && i < MAX_TEXT; i++)
		ports = nd_check_text(run, "%s%s%s", ports, i ? ", " : "",
				      port_text(run, &rule->ports[i]));
	return nd_check_text(run, "%s rule %zu: %s %s; %s", is_ingress ? "ingress" : "egress",
			     at + 1, is_ingress ? "from" : "to", peers, ports);
}

/* ---- endpoints ---- */

uint8_t nd_policy_proto(const char *protocol)
{
	return nd_eq(protocol, "UDP") ? 17 : nd_eq(protocol, "SCTP") ? 132 : 6;
}

static void add_ends(const struct nd_cluster *cluster, const struct nd_slice *slice,
		     const struct nd_service_port *port, struct nd_policy_end *out, size_t max,
		     size_t *n)
{
	const struct nd_slice_port *target = nd_slice_port_of(slice, port);

	for (size_t i = 0; target && i < slice->nendpoints && *n < max; i++) {
		const struct nd_endpoint *e = &slice->endpoints[i];

		if (e->is_ready && e->ip.family)
			out[(*n)++] =
				(struct nd_policy_end){.port = port,
						       .ip = e->ip,
						       .pod = nd_look_pod_by_ip(cluster, e->ip),
						       .proto = nd_policy_proto(target->protocol),
						       .number = target->port};
	}
}

size_t nd_policy_ends(const struct nd_cluster *cluster, const struct nd_service *service,
		      struct nd_policy_end *out, size_t max)
{
	size_t nslices, n = 0;
	const struct nd_slice *slices = nd_look_slices(cluster, service, &nslices);

	for (size_t p = 0; p < service->nports; p++)
		for (size_t i = 0; i < nslices; i++)
			add_ends(cluster, &slices[i], &service->ports[p], out, max, &n);
	return n;
}

struct nd_netpol_flow nd_policy_flow_to(const struct nd_pod *pod, const struct nd_policy_end *end)
{
	return (struct nd_netpol_flow){.src = end->ip.family == 6 ? pod->ip6 : pod->ip,
				       .dst = end->ip,
				       .proto = end->proto,
				       .dport = end->number,
				       .is_queued = true};
}
