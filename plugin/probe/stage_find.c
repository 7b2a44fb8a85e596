#include "common/base.h"
#include "plugin/model/look.h"
#include "plugin/probe/pick.h"
#include "plugin/probe/stage_find.h"

#define DNS_PORT 53
#define MAX_SEARCHES 1000 /* through all packets of a host, a probe */
/* Microseconds that a host may need to hand a packet on; times are the kernel's. */
#define MASK_US 2000

static bool is_end(const struct nd_stage_end_point *e, struct nd_ip ip, uint16_t port)
{
	return e->port == port && nd_ip_eq(e->ip, ip);
}

static bool is_among(const struct nd_stage_end_point *ends, size_t n, struct nd_ip ip,
		     uint16_t port)
{
	for (size_t i = 0; i < n; i++)
		if (is_end(&ends[i], ip, port))
			return true;
	return false;
}

static void add_end(struct nd_stage_find *f, struct nd_ip ip, uint16_t port)
{
	if (f->nends < ND_STAGE_MAX_ENDS)
		f->ends[f->nends++] = (struct nd_stage_end_point){ip, port};
}

void nd_stage_ends(struct nd_stage_find *f)
{
	const struct nd_stage *stage = f->stage;
	const struct nd_flow *flow = &stage->flow;
	size_t n = 0;
	const struct nd_slice *slices = flow->service && flow->service_port
						? nd_look_slices(stage->cluster, flow->service, &n)
						: NULL;

	f->there = stage->result->kind == ND_PROBE_dns_udp ? ND_SEEN_UDP : ND_SEEN_SYN;
	f->answer = f->there == ND_SEEN_UDP ? ND_SEEN_UDP : ND_SEEN_SYN_ACK;
	add_end(f, stage->result->ip, stage->result->port);
	for (size_t i = 0; i < n; i++) {
		const struct nd_slice_port *port = nd_slice_port_of(&slices[i], flow->service_port);

		for (size_t j = 0; port && j < slices[i].nendpoints; j++)
			if (slices[i].endpoints[j].ip.family == stage->result->ip.family)
				add_end(f, slices[i].endpoints[j].ip, port->port);
	}
}

bool nd_stage_has_address(const struct nd_cluster *cluster, const struct nd_host *host,
			  struct nd_ip ip)
{
	const struct nd_node *node = nd_look_node(cluster, host->node);

	if (node && (nd_ip_eq(node->internal_ip, ip) || nd_ip_eq(node->internal_ip6, ip)))
		return true;
	for (size_t i = 0; i < host->naddrs; i++)
		if (nd_ip_eq(host->addrs[i].prefix.ip, ip))
			return true;
	return false;
}

bool nd_stage_was_watched(const struct nd_host *host, uint64_t inode)
{
	for (size_t i = 0; i < host->nsightings; i++)
		if (host->sightings[i].netns_inode == inode)
			return true;
	return inode == 0 && host->has_watched;
}

static bool is_answer(const struct nd_stage_find *f, const struct nd_sighting *s)
{
	if (s->what == ND_SEEN_RST)
		return true;
	return s->what == f->answer && (s->what != ND_SEEN_UDP || s->sport == DNS_PORT);
}

bool nd_stage_is_icmp(const struct nd_stage_find *f, const struct nd_sighting *s)
{
	return s->what == ND_SEEN_ICMP && (is_among(f->from, f->nfrom, s->src, s->sport) ||
					   is_among(f->from, f->nfrom, s->dst, s->dport));
}

/* ---- where it began ---- */

/* What came back to where the probe began. */
static bool came_back(struct nd_stage_find *f, struct nd_stage_end_point from, bool is_answered)
{
	const struct nd_host *h = f->stage->host;
	bool is_enough = f->nsearches++ >= MAX_SEARCHES;

	for (size_t i = 0; i < h->nsightings && !is_enough; i++) {
		const struct nd_sighting *s = &h->sightings[i];

		if (s->netns_inode != f->stage->result->netns_inode || s->is_out)
			continue;
		if (is_answered
			    ? s->what == f->answer && is_end(&from, s->dst, s->dport)
			    : (s->what == ND_SEEN_RST && is_end(&from, s->dst, s->dport)) ||
				      (s->what == ND_SEEN_ICMP && is_end(&from, s->src, s->sport)))
			return true;
	}
	return false;
}

/* DNAT of what a node itself sends is done before it is seen; not for another node's address. */
static bool is_dnat_hidden(const struct nd_stage *stage)
{
	return !stage->result->netns_inode && stage->flow.service &&
	       (!stage->flow.target_node || nd_eq(stage->flow.target_node, stage->host->node));
}

enum view { FROM_INSIDE, FROM_NODE, BEHIND_DNAT };

static bool is_first(const struct nd_stage_find *f, const struct nd_sighting *s, enum view view)
{
	const struct nd_stage *stage = f->stage;
	const struct nd_pod *pod = stage->flow.source_pod;

	if (s->what != f->there || s->vxlan_src.family)
		return false;
	if (view == BEHIND_DNAT ? !is_among(f->ends + 1, f->nends - 1, s->dst, s->dport)
				: !is_end(&f->ends[0], s->dst, s->dport))
		return false;
	if (view == FROM_NODE)
		return !s->netns_inode && !s->is_out && pod &&
		       (nd_ip_eq(s->src, pod->ip) || nd_ip_eq(s->src, pod->ip6));
	if (s->netns_inode != stage->result->netns_inode || !s->is_out)
		return false;
	return s->netns_inode || nd_stage_has_address(stage->cluster, stage->host, s->src);
}

/*
 * The same place may have asked the same more than once: the connection whose fate is that of the
 * result. One that was answered is not the one that was not, unless there is no other: then the
 * answer was dropped behind where it was seen.
 */
static bool begin_at(struct nd_stage_find *f, enum view view, bool may_be_answered)
{
	const struct nd_host *h = f->stage->host;
	bool is_refused = f->stage->result->outcome != ND_OUTCOME_timeout, is_found = false;

	for (size_t i = 0; i < h->nsightings; i++) {
		const struct nd_sighting *s = &h->sightings[i];
		struct nd_stage_end_point from = {s->src, s->sport};

		if (!is_first(f, s, view) || (!may_be_answered && came_back(f, from, true)))
			continue;
		if (is_found && !(is_refused && came_back(f, from, false)))
			continue;
		f->from[0] = from;
		f->nfrom = 1;
		is_found = true;
		if (!is_refused || came_back(f, from, false))
			break;
	}
	return is_found;
}

/* Connections that may be it, each from a port of its own; no more than most. */
static size_t count_first(const struct nd_stage_find *f, enum view view, size_t most)
{
	const struct nd_host *h = f->stage->host;
	size_t n = 0;

	for (size_t i = 0; i < h->nsightings && n < most; i++) {
		const struct nd_sighting *s = &h->sightings[i];
		bool is_again = false;

		if (!is_first(f, s, view))
			continue;
		for (size_t j = 0; j < i && !is_again; j++)
			is_again = h->sightings[j].sport == s->sport &&
				   is_first(f, &h->sightings[j], view);
		n += !is_again;
	}
	return n;
}

/* Other probes of the round that look the same there. */
static size_t count_twins(const struct nd_stage_find *f, enum view view, bool is_only_ok)
{
	const struct nd_probe_result *mine = f->stage->result;
	const struct nd_host *h = f->stage->host;
	size_t n = 0;

	for (size_t i = 0; i < h->nprobes; i++) {
		const struct nd_probe_result *r = &h->probes[i];
		bool is_behind = is_among(f->ends + 1, f->nends - 1, r->ip, r->port);
		bool is_same = is_end(&f->ends[0], r->ip, r->port);

		n += r != mine && r->is_second && r->netns_inode == mine->netns_inode &&
		     nd_stage_is_seen(r->kind) &&
		     (r->kind == ND_PROBE_dns_udp) == (mine->kind == ND_PROBE_dns_udp) &&
		     (!is_only_ok || r->outcome == ND_OUTCOME_ok) &&
		     (view == BEHIND_DNAT ? is_behind || is_same : is_same);
	}
	return n;
}

enum nd_stage_begun nd_stage_begin(struct nd_stage_find *f)
{
	const struct nd_stage *stage = f->stage;
	size_t n;

	if (begin_at(f, FROM_INSIDE, false))
		return ND_STAGE_BEGUN;
	if (stage->result->netns_inode && begin_at(f, FROM_NODE, false))
		return ND_STAGE_BEGUN;
	if (begin_at(f, FROM_INSIDE, true))
		return count_twins(f, FROM_INSIDE, true) ? ND_STAGE_UNCLEAR : ND_STAGE_BEGUN;
	if (!is_dnat_hidden(stage))
		return ND_STAGE_NOT_BEGUN;
	n = count_twins(f, BEHIND_DNAT, false);
	/* It may have gone to an address that nobody knows of. */
	if (count_first(f, BEHIND_DNAT, n + 1) <= n)
		return ND_STAGE_UNCLEAR;
	return begin_at(f, BEHIND_DNAT, false) || begin_at(f, BEHIND_DNAT, true) ? ND_STAGE_BEGUN
										 : ND_STAGE_UNCLEAR;
}

/* ---- what one host saw of it ---- */

static const struct nd_link *link_of(const struct nd_host *host, const struct nd_sighting *s)
{
	return s->netns_inode ? NULL : nd_look_link(host, s->dev);
}

/*
 * The order of a packet's way through a host. Times alone do not tell it: packets are read from
 * one socket after the other.
 */
static int rank_of(const struct nd_host *host, const struct nd_sighting *s)
{
	const struct nd_link *link = link_of(host, s);
	bool is_upper = link && (nd_eq(link->kind, "bridge") || nd_eq(link->kind, "vxlan"));

	if (s->netns_inode)
		return s->is_out ? 0 : 9;
	if (nd_eq(s->dev, "lo"))
		return s->is_out ? 7 : 8;
	if (s->vxlan_src.family)
		return s->is_out ? 6 : 1;
	if (!s->is_out)
		return is_upper ? 3 : 2;
	return is_upper ? 4 : 5;
}

static bool is_before(const struct nd_host *host, const struct nd_sighting *a,
		      const struct nd_sighting *b)
{
	int ra = rank_of(host, a), rb = rank_of(host, b);

	return ra != rb ? ra < rb : a->us < b->us;
}

/* It asks for something else from the same port: another connection. */
static bool is_other(struct nd_stage_find *f, const struct nd_sighting *s)
{
	const struct nd_stage *stage = f->stage;

	if (is_among(f->ends, f->nends, s->dst, s->dport))
		return false;
	if (!stage->result->netns_inode || f->nsearches++ >= MAX_SEARCHES)
		return true;
	for (size_t i = 0; i < stage->host->nsightings; i++) {
		const struct nd_sighting *o = &stage->host->sightings[i];

		if (o->netns_inode == stage->result->netns_inode && o->is_out &&
		    o->what == s->what && o->sport == s->sport && o->dport == s->dport &&
		    nd_ip_eq(o->dst, s->dst))
			return true;
	}
	return false;
}

static bool is_mine(struct nd_stage_find *f, const struct nd_sighting *s, bool is_back)
{
	if (is_back)
		return is_answer(f, s) && is_among(f->from, f->nfrom, s->dst, s->dport);
	return s->what == f->there && is_among(f->from, f->nfrom, s->src, s->sport) &&
	       !is_other(f, s);
}

static void add_step(struct nd_stage_find *f, const struct nd_host *host,
		     const struct nd_sighting *s, size_t first, bool is_back)
{
	struct nd_stage *st = f->stage;
	struct nd_stage_step step = {.node = host->node,
				     .netns_inode = s->netns_inode,
				     .dev = s->dev,
				     .is_out = s->is_out,
				     .sighting = s};
	struct nd_stage_step **steps = is_back ? &st->back : &st->steps;
	size_t *n = is_back ? &st->nback : &st->nsteps, at;

	if (*n - first >= 64) /* no way is that long: hostile evidence */
		return;
	if (s->netns_inode)
		step.pod = nd_look_pod_by_netns(st->cluster, host, s->netns_inode);
	ND_ARENA_PUSH(f->arena, *steps, *n) = step;
	for (at = *n - 1; at > first && is_before(host, s, (*steps)[at - 1].sighting); at--)
		(*steps)[at] = (*steps)[at - 1];
	(*steps)[at] = step;
}

static void add_steps(struct nd_stage_find *f, const struct nd_host *host, size_t first,
		      bool is_back)
{
	*(is_back ? &f->stage->nback : &f->stage->nsteps) = first;
	for (size_t i = 0; i < host->nsightings; i++)
		if (is_mine(f, &host->sightings[i], is_back))
			add_step(f, host, &host->sightings[i], first, is_back);
}

/* ---- after SNAT ---- */

/* Does a node put its own address on such packets? Not on what goes from pod to pod. */
static bool is_masked(const struct nd_stage *stage)
{
	return stage->flow.kind == ND_FLOW_NODEPORT || stage->flow.kind == ND_FLOW_EXTERNAL ||
	       stage->flow.kind == ND_FLOW_SERVICE_OUTSIDE ||
	       stage->flow.kind == ND_FLOW_API_ENDPOINT || stage->flow.kind == ND_FLOW_API_VIP ||
	       stage->flow.kind == ND_FLOW_HAIRPIN;
}

/*
 * It came in and did not go on under its own address: did it under the host's? The same port
 * says so; another port only when it is the one packet that left right after it.
 */
static bool find_masked(struct nd_stage_find *f, const struct nd_host *host, int64_t us)
{
	struct nd_stage_end_point found = {0}, last = f->from[f->nfrom - 1];
	bool is_same = false;
	size_t n = 0;

	for (size_t i = 0; i < host->nsightings && !is_same; i++) {
		const struct nd_sighting *s = &host->sightings[i];
		struct nd_stage_end_point from = {s->src, s->sport};

		if (s->netns_inode || !s->is_out || s->what != f->there || s->vxlan_src.family ||
		    !is_among(f->ends, f->nends, s->dst, s->dport) ||
		    is_among(f->from, f->nfrom, s->src, s->sport) ||
		    !nd_stage_has_address(f->stage->cluster, host, s->src) ||
		    (n && is_end(&found, s->src, s->sport)))
			continue;
		is_same = s->sport == last.port;
		if (!is_same && (!is_masked(f->stage) || s->us < us || s->us > us + MASK_US))
			continue;
		found = from;
		n = is_same ? 1 : n + 1;
	}
	f->is_unclear |= n > 1;
	if (n != 1 || f->nfrom == ND_STAGE_MAX_TUPLES)
		return false;
	f->from[f->nfrom++] = found;
	return true;
}

static bool has_gone_on(const struct nd_stage *stage, size_t first)
{
	for (size_t i = first; i < stage->nsteps; i++)
		if (stage->steps[i].is_out ? !stage->steps[i].netns_inode
					   : stage->steps[i].netns_inode != 0)
			return true;
	return false;
}

void nd_stage_collect(struct nd_stage_find *f, const struct nd_host *host, bool is_back)
{
	size_t first = is_back ? f->stage->nback : f->stage->nsteps;

	add_steps(f, host, first, is_back);
	if (is_back || f->stage->nsteps == first || has_gone_on(f->stage, first))
		return;
	if (find_masked(f, host, f->stage->steps[f->stage->nsteps - 1].sighting->us))
		add_steps(f, host, first, is_back);
}
