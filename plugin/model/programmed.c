#include "common/base.h"

#include "plugin/model/programmed_parts.h"

#include <strings.h>

/* ---- entries ---- */
uint8_t nd_entries_proto(const char *name)
{
	static const struct {
		const char *name, *number;
		uint8_t proto;
	} known[] = {{"tcp", "6", 6}, {"udp", "17", 17}, {"sctp", "132", 132}};

	for (size_t i = 0; name && i < ND_ARRAY_LEN(known); i++)
		if (strcasecmp(name, known[i].name) == 0 || nd_eq(name, known[i].number))
			return known[i].proto;
	return 0;
}

static const char *proto_name(uint8_t proto)
{
	return proto == 6 ? "TCP" : proto == 17 ? "UDP" : "SCTP";
}

#define KEY_BYTES (sizeof(struct nd_ip) + 4)
static void write_key(const struct nd_entry *like, char key[KEY_BYTES])
{
	memcpy(key, &like->vip, sizeof(like->vip));
	memcpy(key + sizeof(like->vip), &like->number, sizeof(like->number));
	key[KEY_BYTES - 2] = (char)like->proto;
	key[KEY_BYTES - 1] = (char)like->kind;
}

struct nd_entry *nd_entries_find(const struct nd_entries *entries, const struct nd_entry *like)
{
	char key[KEY_BYTES];
	uint32_t at;

	write_key(like, key);
	if (!nd_index_find(&entries->index, (struct nd_str){key, sizeof(key)}, &at))
		return NULL;
	return &entries->items[at];
}

struct nd_entry *nd_entries_get(struct nd_entries *entries, const struct nd_entry *like)
{
	struct nd_entry *entry = nd_entries_find(entries, like);

	if (entry)
		return entry;
	char *key = nd_arena_alloc(entries->arena, KEY_BYTES);

	write_key(like, key);
	nd_index_put(&entries->index, entries->arena, (struct nd_str){key, KEY_BYTES},
		     (uint32_t)entries->nitems);
	ND_ARENA_PUSH(entries->arena, entries->items, entries->nitems) = *like;
	return &entries->items[entries->nitems - 1];
}

void nd_entries_add_backend(struct nd_entries *entries, struct nd_backends_list *list,
			    struct nd_ip ip, uint16_t port)
{
	ND_ARENA_PUSH(entries->arena, list->items, list->nitems) =
		(struct nd_backend){.ip = ip, .port = port};
}

/* ---- one port ---- */
static void read_backends(struct nd_entries *entries, const struct nd_entry *entry,
			  struct nd_programmed_port *out)
{
	struct nd_backends_list list = {0};
	size_t n = 0;

	if (!entry->chain)
		return;
	if (entries->ipt)
		nd_entries_follow_ipt(entries, entry->chain, &list);
	else
		nd_entries_follow_nft(entries, entry->chain, &list);
	if (list.nitems)
		qsort(list.items, list.nitems, sizeof(*list.items), nd_backend_compare);
	for (size_t i = 0; i < list.nitems; i++)
		if (n == 0 || nd_backend_compare(&list.items[n - 1], &list.items[i]) != 0)
			list.items[n++] = list.items[i];
	out->programmed = list.items;
	out->nprogrammed = n;
}

/* Both lists are sorted. */
static void compare(struct nd_programmed_port *out)
{
	size_t e = 0, p = 0;

	while (e < out->nexpected || p < out->nprogrammed) {
		int order = e == out->nexpected ? 1
			    : p == out->nprogrammed
				    ? -1
				    : nd_backend_compare(&out->expected[e], &out->programmed[p]);

		if (order < 0) {
			out->nlacking++;
			out->nlacking_live += !out->expected[e].is_leaving;
		}
		out->nstale += order > 0;
		e += order <= 0;
		p += order >= 0;
	}
}

/* Shut out of a policy Local is also who finds a chain: that one is for local senders. */
static enum nd_programmed_verdict judge(const struct nd_programmed_port *out)
{
	if (out->nstale)
		return ND_PROGRAMMED_STALE;
	if (out->nexpected == 0)
		return out->is_rejected ? ND_PROGRAMMED_OK : ND_PROGRAMMED_REJECT_WANTED;
	if (!out->chain)
		return ND_PROGRAMMED_MISSING;
	return out->nlacking ? ND_PROGRAMMED_LACKS : ND_PROGRAMMED_OK;
}

bool nd_entries_may_look(struct nd_entries *entries, size_t n)
{
	entries->nsteps = n < entries->nsteps ? entries->nsteps - n : 0;
	return entries->nsteps > 0;
}

static bool has_address(const struct nd_ip *ips, size_t n, struct nd_ip ip)
{
	for (size_t i = 0; i < n; i++)
		if (nd_ip_eq(ips[i], ip))
			return true;
	return false;
}

/*
 * Does the firewall of a load balancer address let in whom it must? kube-proxy adds the addresses
 * of the load balancer itself when the node is in some range. Without endpoints iptables has none.
 */
static bool has_right_senders(struct nd_entries *entries, const struct nd_entry *entry,
			      const struct nd_expected_port *port, struct nd_ip vip)
{
	const struct nd_service *s = port->service;
	struct nd_senders want = {0}, have = {0};
	bool is_open = !entry || !entry->senders;

	if (!nd_entries_may_look(entries, s->nsource_ranges + s->nlb_ips) ||
	    (entries->ipt && !port->ncluster) ||
	    has_address(s->external_ips, s->nexternal_ips, vip))
		return true;
	for (size_t i = 0; i < s->nsource_ranges; i++)
		if (s->source_ranges[i].ip.family == vip.family)
			nd_senders_add_prefix(entries->arena, &want, s->source_ranges[i]);
	if (is_open || !want.nitems)
		return is_open == !want.nitems;
	if (entry->senders->is_unknown || !nd_entries_may_look(entries, entry->senders->nitems))
		return true;
	for (size_t i = 0; i < entry->senders->nitems; i++)
		nd_senders_add(entries->arena, &have, entry->senders->items[i].lo,
			       entry->senders->items[i].hi);
	for (size_t i = 0; i < s->nlb_ips; i++)
		if (s->lb_ips[i].family == vip.family) {
			nd_senders_add(entries->arena, &want, s->lb_ips[i], s->lb_ips[i]);
			nd_senders_add(entries->arena, &have, s->lb_ips[i], s->lb_ips[i]);
		}
	return entry->is_guarded && nd_senders_are_same(&want, &have);
}

#define PORT_STEPS 16 /* what a port is worth: no more than a million of them */

/* vip: none for node ports. */
static void diff_port(struct nd_arena *arena, struct nd_entries *entries,
		      const struct nd_expected_port *port, enum nd_programmed_kind kind,
		      struct nd_ip vip, const char *node, struct nd_programmed *diff)
{
	const struct nd_service *service = port->service;
	bool is_node_port = kind == ND_PROGRAMMED_NODE_PORT;
	const char *policy = kind == ND_PROGRAMMED_CLUSTER_IP ? service->internal_policy
							      : service->external_policy;
	struct nd_programmed_port out = {.kind = kind,
					 .service = service,
					 .port = port->port,
					 .vip = vip,
					 .protocol = port->port->protocol,
					 .expected = port->cluster,
					 .nexpected = port->ncluster};

	if (!nd_entries_may_look(entries, PORT_STEPS))
		return;
	out.number = is_node_port ? port->port->node_port : port->port->port;
	if (nd_eq(policy, "Local"))
		out.expected = nd_expected_local(arena, port, node, &out.nexpected);
	struct nd_entry like = {.kind = is_node_port ? kind : ND_PROGRAMMED_CLUSTER_IP,
				.vip = vip,
				.number = out.number};

	like.proto = nd_entries_proto(out.protocol);
	struct nd_entry *entry = nd_entries_find(entries, &like);

	if (entry) {
		entry->is_used = true;
		out.chain = entry->chain;
		out.is_rejected = entry->is_rejected;
		read_backends(entries, entry, &out);
	}
	compare(&out);
	if (port->has_hints && out.nprogrammed)
		out.nlacking = out.nlacking_live = 0;
	out.verdict = judge(&out);
	if (kind == ND_PROGRAMMED_LB_IP && out.verdict == ND_PROGRAMMED_OK &&
	    !has_right_senders(entries, entry, port, vip))
		out.verdict = ND_PROGRAMMED_SENDERS;
	ND_ARENA_PUSH(arena, diff->ports, diff->nports) = out;
}

/* All that a port is reached by in the family of its cluster IP. */
static void diff_ways(struct nd_arena *arena, struct nd_entries *entries,
		      const struct nd_expected_port *port, bool has_node_ports, const char *node,
		      struct nd_programmed *diff)
{
	const struct nd_service *s = port->service;
	uint8_t family = port->vip.family;

	diff_port(arena, entries, port, ND_PROGRAMMED_CLUSTER_IP, port->vip, node, diff);
	if (port->port->node_port && has_node_ports)
		diff_port(arena, entries, port, ND_PROGRAMMED_NODE_PORT, (struct nd_ip){0}, node,
			  diff);
	for (size_t i = 0; i < s->nexternal_ips; i++)
		if (s->external_ips[i].family == family)
			diff_port(arena, entries, port, ND_PROGRAMMED_EXTERNAL_IP,
				  s->external_ips[i], node, diff);
	for (size_t i = 0; i < s->nlb_ips; i++)
		if (s->lb_ips[i].family == family)
			diff_port(arena, entries, port, ND_PROGRAMMED_LB_IP, s->lb_ips[i], node,
				  diff);
}

static void add_unexpected(struct nd_arena *arena, struct nd_entries *entries,
			   struct nd_programmed *diff)
{
	for (size_t i = 0; i < entries->nitems; i++) {
		const struct nd_entry *entry = &entries->items[i];
		struct nd_programmed_port out = {.verdict = ND_PROGRAMMED_UNEXPECTED,
						 .kind = entry->kind,
						 .vip = entry->vip,
						 .number = entry->number,
						 .protocol = proto_name(entry->proto),
						 .chain = entry->chain};

		if (entry->is_used || !entry->is_service)
			continue;
		read_backends(entries, entry, &out);
		out.nstale = out.nprogrammed;
		ND_ARENA_PUSH(arena, diff->ports, diff->nports) = out;
	}
}

static void sum_up(struct nd_programmed *diff)
{
	struct nd_programmed_summary *sum = &diff->summary;
	const struct nd_service *last = NULL;
	bool is_ok = true;

	for (size_t i = 0; i < diff->nports && diff->ports[i].service; i++) {
		const struct nd_programmed_port *port = &diff->ports[i];
		bool port_ok = port->verdict == ND_PROGRAMMED_OK;

		if (port->service != last) {
			sum->nservices_ok += last && is_ok;
			sum->nservices++;
			last = port->service;
			is_ok = true;
		}
		is_ok = is_ok && port_ok;
		sum->nports++;
		sum->nports_ok += port_ok;
	}
	sum->nservices_ok += last && is_ok;
}

static bool read_rules(struct nd_entries *entries, const struct nd_programmed_ask *ask)
{
	const struct nd_host *host = ask->host;

	if (ask->mode == ND_PROXY_IPTABLES && nd_host_has(host, ND_SECTION_iptables))
		return nd_entries_of_ipt(entries,
					 ask->family == 6 ? &host->ipt6[ask->backend]
							  : &host->ipt[ask->backend],
					 ask->family);
	if (ask->mode == ND_PROXY_NFTABLES && nd_host_has(host, ND_SECTION_nft))
		return nd_entries_of_nft(entries, host, ask->family);
	return false;
}

bool nd_programmed_diff(struct nd_arena *arena, const struct nd_expected *expected,
			const struct nd_programmed_ask *ask, struct nd_programmed *out)
{
	struct nd_entries entries = {.arena = arena, .nsteps = ND_ENTRIES_MAX_STEPS};

	*out = (struct nd_programmed){.is_empty = true};
	if (!expected->is_known || !read_rules(&entries, ask))
		return false;
	for (size_t i = 0; i < entries.nitems; i++)
		out->is_empty = out->is_empty && !entries.items[i].is_service;
	for (size_t i = 0; i < expected->nports; i++) {
		const struct nd_expected_port *port = &expected->ports[i];

		if (port->vip.family != ask->family)
			continue;
		diff_ways(arena, &entries, port, expected->has_node_ports, ask->host->node, out);
	}
	add_unexpected(arena, &entries, out);
	sum_up(out);
	return entries.nsteps > 0;
}

bool nd_programmed_expects(const struct nd_programmed_port *port, const struct nd_backend *backend)
{
	return port->nexpected && bsearch(backend, port->expected, port->nexpected,
					  sizeof(*port->expected), nd_backend_compare);
}

const char *nd_programmed_verdict_name(enum nd_programmed_verdict verdict)
{
	static const char *const names[] = {
		[ND_PROGRAMMED_OK] = "ok",
		[ND_PROGRAMMED_MISSING] = "missing",
		[ND_PROGRAMMED_REJECT_WANTED] = "not rejected",
		[ND_PROGRAMMED_LACKS] = "lacks endpoints",
		[ND_PROGRAMMED_SENDERS] = "other senders",
		[ND_PROGRAMMED_STALE] = "stale",
		[ND_PROGRAMMED_UNEXPECTED] = "unexpected",
	};

	return names[verdict];
}
