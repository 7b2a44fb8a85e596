#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/failures.h"
#include "plugin/checks/shut.h"
#include "plugin/probe/pick.h"

#define MAX_PROOFS 3
#define MAX_NODES 4 /* that a title names */

/* ---- endpoints ---- */

bool nd_shut_is_usable(const struct nd_endpoint *e)
{
	return e->is_ready || (e->is_serving && e->is_terminating);
}

bool nd_shut_has_endpoint(const struct nd_cluster *cluster, const struct nd_service *service,
			  const struct nd_service_port *port, uint8_t family, const char *node)
{
	size_t n;
	const struct nd_slice *slices = nd_look_slices(cluster, service, &n);

	for (size_t i = 0; i < n; i++) {
		if (slices[i].family != family || !nd_slice_port_of(&slices[i], port))
			continue;
		for (size_t k = 0; k < slices[i].nendpoints; k++)
			if (nd_shut_is_usable(&slices[i].endpoints[k]) &&
			    (!node || nd_eq(slices[i].endpoints[k].node, node)))
				return true;
	}
	return false;
}

struct names {
	const char *text;
	const char *list[64];
	size_t n;
};

static void add_name(struct nd_check_run *run, struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (nd_eq(names->list[i], name))
			return;
	if (!name || names->n == ND_ARRAY_LEN(names->list))
		return;
	if (names->n < MAX_NODES)
		names->text = nd_check_text(run, "%s%s%s", names->n ? names->text : "",
					    names->n ? ", " : "", name);
	else if (names->n == MAX_NODES)
		names->text = nd_check_text(run, "%s, ...", names->text);
	names->list[names->n++] = name;
}

const char *nd_shut_endpoint_nodes(struct nd_check_run *run, const struct nd_service *service)
{
	struct names names = {.text = "no node"};
	size_t n;
	const struct nd_slice *slices = nd_look_slices(run->cluster, service, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < slices[i].nendpoints; k++)
			if (slices[i].endpoints[k].is_ready)
				add_name(run, &names, slices[i].endpoints[k].node);
	return names.text;
}

bool nd_shut_is_by_node(const struct nd_cluster *cluster, const struct nd_service *service)
{
	bool is_some = false;
	size_t n;
	const struct nd_slice *slices = nd_look_slices(cluster, service, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < slices[i].nendpoints; k++) {
			const struct nd_endpoint *e = &slices[i].endpoints[k];
			const struct nd_pod *pod =
				e->pod_name ? nd_look_pod(cluster, e->pod_ns, e->pod_name) : NULL;

			if (!e->is_ready)
				continue;
			if (!pod || !nd_eq(pod->meta.owner_kind, "DaemonSet"))
				return false;
			is_some = true;
		}
	return is_some;
}

/* ---- rules of kube-proxy ---- */

/* By name, not by comment: large clusters have none (largeClusterMode). */
static bool is_rule_of(const struct nd_walk_loss *loss, enum nd_shut_kind kind)
{
	static const char *const ipt[] = {[ND_SHUT_INTERNAL] = "KUBE-SERVICES",
					  [ND_SHUT_EXTERNAL] = "KUBE-EXTERNAL-SERVICES",
					  [ND_SHUT_RANGES] = "KUBE-PROXY-FIREWALL"};

	if (!loss->rule || loss->is_back || loss->verdict != ND_WALK_DROPPED)
		return false;
	if (loss->table->backend != ND_RULES_NFT)
		return nd_eq(loss->table->name, "filter") && nd_eq(loss->chain->name, ipt[kind]);
	if (!nd_eq(loss->table->name, "kube-proxy"))
		return false;
	if (kind == ND_SHUT_RANGES)
		return nd_starts(loss->chain->name, "firewall-");
	return nd_eq(loss->chain->name, "service-endpoints-check") ||
	       nd_eq(loss->chain->name, "nodeport-endpoints-check");
}

static bool is_of(const struct nd_cluster *cluster, const struct nd_walk_loss *loss,
		  enum nd_shut_kind kind, const struct nd_flow *flow)
{
	const struct nd_service *s = flow->service;
	bool is_vip =
		nd_ip_eq(s->cluster_ip, loss->ask.dst) || nd_ip_eq(s->cluster_ip6, loss->ask.dst);
	const char *policy = kind == ND_SHUT_INTERNAL ? s->internal_policy : s->external_policy;

	if (is_vip != (kind == ND_SHUT_INTERNAL) || !flow->service_port)
		return false;
	if (kind == ND_SHUT_RANGES)
		return s->nsource_ranges > 0;
	/* Rules that are late are another matter. */
	return nd_eq(policy, "Local") &&
	       !nd_shut_has_endpoint(cluster, s, flow->service_port, loss->ask.dst.family,
				     loss->host->node);
}

static bool is_udp(enum nd_probe_kind kind)
{
	return kind == ND_PROBE_udp || kind == ND_PROBE_dns_udp;
}

static bool was_probed(const struct nd_check_run *run, const struct nd_walk_ask *ask)
{
	for (size_t i = 0; i < run->failures->n; i++) {
		const struct nd_probe_result *r = run->failures->items[i].result;

		if (run->failures->items[i].host == ask->host &&
		    r->netns_inode == ask->netns_inode && nd_ip_eq(r->ip, ask->dst) &&
		    r->port == ask->dport && is_udp(r->kind) == (ask->proto == ND_PROTO_UDP))
			return true;
	}
	return false;
}

/* Services stand side by side in the model; losses in one array. */
static int order(const void *pa, const void *pb)
{
	const struct nd_shut *a = pa, *b = pb;

	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	if (a->is_probed != b->is_probed)
		return a->is_probed ? -1 : 1;
	if (a->loss->rule->packets != b->loss->rule->packets)
		return a->loss->rule->packets > b->loss->rule->packets ? -1 : 1;
	return (a->loss > b->loss) - (a->loss < b->loss);
}

struct shuts {
	struct nd_shut *items; /* n, by service; probed ones, then those that counted, first */
	size_t n;
};

static void find(struct nd_check_run *run, enum nd_shut_kind kind, struct shuts *out)
{
	const struct nd_walks *walks;

	*out = (struct shuts){0};
	if (!nd_look_has_list(run->cluster, "services") ||
	    !nd_look_has_list(run->cluster, "endpointslices"))
		return;
	walks = nd_walks_get(run);
	for (size_t i = 0; i < walks->n; i++) {
		const struct nd_walk_loss *loss = &walks->items[i];
		struct nd_probe_result sent = {
			.netns_inode = loss->ask.netns_inode,
			.kind = loss->ask.proto == ND_PROTO_UDP ? ND_PROBE_udp : ND_PROBE_tcp,
			.ip = loss->ask.dst,
			.port = loss->ask.dport};
		struct nd_flow flow;

		if (!is_rule_of(loss, kind))
			continue;
		nd_flow_of(run->cluster, loss->ask.host, &sent, &flow);
		if (!flow.service || !is_of(run->cluster, loss, kind, &flow))
			continue;
		bool is_probed = was_probed(run, &loss->ask);

		/* What nodes send to an outside address is walked for its ranges only. */
		if (kind == ND_SHUT_EXTERNAL && flow.kind != ND_FLOW_NODEPORT && !is_probed)
			continue;
		ND_ARENA_PUSH(run->arena, out->items, out->n) =
			(struct nd_shut){flow.service, loss, is_probed};
	}
	if (out->n)
		qsort(out->items, out->n, sizeof(*out->items), order);
}

/* How many from the first on are of its service. */
static size_t count_same(const struct shuts *shuts, size_t first)
{
	size_t n = 1;

	while (first + n < shuts->n &&
	       shuts->items[first + n].service == shuts->items[first].service)
		n++;
	return n;
}

void nd_shuts_each(struct nd_check_run *run, enum nd_shut_kind kind,
		   void (*report)(struct nd_check_run *run, const struct nd_shut *shuts, size_t n))
{
	struct shuts shuts;

	find(run, kind, &shuts);
	for (size_t i = 0, n; i < shuts.n; i += n) {
		n = count_same(&shuts, i);
		report(run, &shuts.items[i], n);
	}
}

/* ---- what they say ---- */

void nd_shuts_sum(struct nd_check_run *run, const struct nd_shut *shuts, size_t n,
		  struct nd_shut_sum *out)
{
	struct names names = {.text = ""};

	*out = (struct nd_shut_sum){0};
	for (size_t i = 0; i < n; i++) {
		out->is_probed |= shuts[i].is_probed;
		if (shuts[i].loss->rule->packets > out->packets)
			out->packets = shuts[i].loss->rule->packets;
		add_name(run, &names, shuts[i].loss->host->node);
	}
	out->nodes = names.text;
	out->node = names.n == 1 ? names.list[0] : NULL;
}

static const char *rule_text(struct nd_check_run *run, const struct nd_walk_loss *loss)
{
	char ip[ND_IP_TEXT];
	const char *proto = loss->ask.proto == ND_PROTO_UDP ? "udp" : "tcp";

	if (nd_eq(loss->chain->name, "service-endpoints-check"))
		return nd_check_text(run, "%s (%s . %s . %u : drop)", loss->rule->text,
				     nd_ip_text(loss->ask.dst, ip), proto, loss->ask.dport);
	if (nd_eq(loss->chain->name, "nodeport-endpoints-check"))
		return nd_check_text(run, "%s (%s . %u : drop)", loss->rule->text, proto,
				     loss->ask.dport);
	if (!loss->rule->has_counter && !loss->rule->packets)
		return loss->rule->text;
	return nd_check_text(run, "%s (%llu packets)", loss->rule->text,
			     (unsigned long long)loss->rule->packets);
}

/* Each rule once, with one packet that ended at it. */
void nd_shuts_prove(struct nd_check_run *run, struct nd_finding *f, const struct nd_shut *shuts,
		    size_t n)
{
	const struct nd_rrule *told[MAX_PROOFS];
	size_t ntold = 0;

	for (size_t i = 0; i < n && ntold < MAX_PROOFS; i++) {
		const struct nd_walk_loss *loss = shuts[i].loss;
		size_t k = 0;

		while (k < ntold && told[k] != loss->rule)
			k++;
		/* Where some were seen to get lost, those that would be say little. */
		if (k < ntold || (i && !shuts[i].is_probed && !loss->rule->packets &&
				  (shuts[0].is_probed || shuts[0].loss->rule->packets)))
			continue;
		told[ntold++] = loss->rule;
		nd_prove(run, f,
			 nd_check_text(run, "%s: %s %s rule %u", loss->host->node,
				       loss->table->backend == ND_RULES_NFT ? "nft kube-proxy"
									    : "iptables filter",
				       loss->chain->name, loss->rule->number),
			 "%s ends here: %s", nd_walk_loss_text(run, loss), rule_text(run, loss));
	}
}
