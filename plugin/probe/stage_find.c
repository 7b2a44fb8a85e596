#include "common/base.h"
#include "plugin/model/look.h"
#include "plugin/probe/pick.h"
#include "plugin/probe/stage_find.h"

#define DNS_PORT 53

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
static bool came_back(const struct nd_stage_find *f, struct nd_stage_end_point from,
		      bool is_answered)
{
	const struct nd_host *h = f->stage->host;

	for (size_t i = 0; i < h->nsightings; i++) {
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

/* Of a node's own packets DNAT is done before they are seen. */
static bool is_first(const struct nd_stage_find *f, const struct nd_sighting *s, bool is_inside)
{
	const struct nd_stage *stage = f->stage;

	if (s->what != f->there || s->vxlan_src.family)
		return false;
	if (!stage->result->netns_inode)
		return !s->netns_inode && s->is_out &&
		       is_among(f->ends, f->nends, s->dst, s->dport) &&
		       nd_stage_has_address(stage->cluster, stage->host, s->src);
	if (!is_end(&f->ends[0], s->dst, s->dport))
		return false;
	if (is_inside)
		return s->netns_inode == stage->result->netns_inode && s->is_out;
	return !s->netns_inode && !s->is_out && stage->flow.source_pod &&
	       (nd_ip_eq(s->src, stage->flow.source_pod->ip) ||
		nd_ip_eq(s->src, stage->flow.source_pod->ip6));
}

/*
 * The same pod may have asked the same more than once: the one whose fate is that of the result. A
 * connection that was answered is not the one that was not.
 */
static bool begin_at(struct nd_stage_find *f, bool is_inside)
{
	const struct nd_host *h = f->stage->host;
	bool is_refused = f->stage->result->outcome != ND_OUTCOME_timeout, is_found = false;

	for (size_t i = 0; i < h->nsightings; i++) {
		const struct nd_sighting *s = &h->sightings[i];
		struct nd_stage_end_point from = {s->src, s->sport};

		if (!is_first(f, s, is_inside) || came_back(f, from, true))
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

bool nd_stage_begin(struct nd_stage_find *f)
{
	return begin_at(f, true) || (f->stage->result->netns_inode && begin_at(f, false));
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
static bool is_other(const struct nd_stage_find *f, const struct nd_sighting *s)
{
	const struct nd_stage *stage = f->stage;

	if (is_among(f->ends, f->nends, s->dst, s->dport))
		return false;
	if (!stage->result->netns_inode)
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

static bool is_mine(const struct nd_stage_find *f, const struct nd_sighting *s, bool is_back)
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
	       stage->flow.kind == ND_FLOW_API_ENDPOINT || stage->flow.kind == ND_FLOW_API_VIP ||
	       stage->flow.kind == ND_FLOW_HAIRPIN;
}

/*
 * It came in and did not go on under its own address: did it under the host's? The same port
 * says so; another port only when one such packet is there at all.
 */
static bool find_masked(struct nd_stage_find *f, const struct nd_host *host)
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
		if (!is_same && !is_masked(f->stage))
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
	if (find_masked(f, host))
		add_steps(f, host, first, is_back);
}
