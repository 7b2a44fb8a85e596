#include "common/base.h"
#include "plugin/model/look.h"
#include "plugin/probe/stage_find.h"

/* VXLAN is looked into only on these ports; docs/wire.md. */
#define VXLAN_PORT 4789
#define VXLAN_PORT_LINUX 8472

bool nd_stage_is_seen(enum nd_probe_kind kind)
{
	return kind == ND_PROBE_tcp || kind == ND_PROBE_http || kind == ND_PROBE_bulk ||
	       kind == ND_PROBE_dns_tcp || kind == ND_PROBE_dns_udp;
}

/* It ended because a packet got no answer, or a bad one; not for what the answer said. */
static bool is_about_packets(enum nd_probe_outcome outcome)
{
	return outcome == ND_OUTCOME_timeout || outcome == ND_OUTCOME_refused ||
	       outcome == ND_OUTCOME_nohost || outcome == ND_OUTCOME_nonet;
}

const char *nd_stage_node_of(const struct nd_cluster *cluster, struct nd_ip ip)
{
	for (size_t i = 0; ip.family && i < cluster->nnodes; i++)
		if (nd_ip_eq(cluster->nodes[i].internal_ip, ip) ||
		    nd_ip_eq(cluster->nodes[i].internal_ip6, ip))
			return cluster->nodes[i].meta.name;
	return NULL;
}

/* The node where a packet to this address must come in. */
static const char *home_of(const struct nd_cluster *cluster, struct nd_ip ip)
{
	const struct nd_pod *pod = nd_look_pod_by_ip(cluster, ip);

	return pod ? pod->node : nd_stage_node_of(cluster, ip);
}

/* The node where a packet that left this host comes next. */
static const char *next_of(const struct nd_cluster *cluster, const struct nd_host *host,
			   const struct nd_sighting *s)
{
	const struct nd_route *route;
	const char *node;

	if (s->vxlan_dst.family)
		return nd_stage_node_of(cluster, s->vxlan_dst);
	node = home_of(cluster, s->dst);
	if (nd_eq(node, host->node))
		return node;
	route = nd_look_route(host, s->dst);
	const char *gateway = route ? nd_stage_node_of(cluster, route->gateway) : NULL;
	return gateway ? gateway : node;
}

/* ---- follow the packet from host to host ---- */

static bool has_visited(const struct nd_stage_find *f, const struct nd_host *host)
{
	for (size_t i = 0; i < f->nhosts; i++)
		if (f->hosts[i] == host)
			return true;
	return f->nhosts == ND_STAGE_MAX_HOSTS;
}

/* True: this host saw it. */
static bool visit(struct nd_stage_find *f, const char *node, bool is_back)
{
	const struct nd_host *host = nd_look_host(f->stage->cluster, node);
	size_t before = is_back ? f->stage->nback : f->stage->nsteps;

	if (!host || has_visited(f, host))
		return false;
	f->hosts[f->nhosts++] = host;
	nd_stage_collect(f, host, is_back);
	return (is_back ? f->stage->nback : f->stage->nsteps) > before;
}

/* From node on; what a host's table says first, then where the address is at home. */
static void follow(struct nd_stage_find *f, const char *node, bool is_back)
{
	const struct nd_cluster *c = f->stage->cluster;
	struct nd_stage *st = f->stage;

	f->nhosts = 0;
	visit(f, node, is_back);
	for (;;) {
		size_t n = is_back ? st->nback : st->nsteps;
		const struct nd_stage_step *last =
			n ? &(is_back ? st->back : st->steps)[n - 1] : NULL;
		const struct nd_host *host = last ? nd_look_host(c, last->node) : NULL;

		if (!last || !last->is_out || last->netns_inode)
			return;
		if (!visit(f, next_of(c, host, last->sighting), is_back) &&
		    !visit(f, home_of(c, last->sighting->dst), is_back))
			return;
	}
}

/* ---- where it ended ---- */

static void end_at(struct nd_stage *st, enum nd_stage_end end, const char *node, const char *next)
{
	st->end = end;
	st->lost_node = node;
	st->lost_next = next;
}

static bool is_local(const struct nd_stage_find *f, const struct nd_host *host,
		     const struct nd_sighting *s, bool is_back)
{
	const struct nd_stage *st = f->stage;
	bool is_asked = nd_ip_eq(s->dst, st->result->ip) && s->dport == st->result->port;

	if (!nd_stage_has_address(st->cluster, host, s->dst))
		return false;
	/* An answer to what SNAT put there goes on to the one who asked. */
	if (is_back)
		return !st->result->netns_inode && s->dport == f->from[0].port;
	/* An address of a service (IPVS gives it to the node), a port of a service: it goes on. */
	return !is_asked || !st->flow.service || st->flow.kind == ND_FLOW_API_ENDPOINT;
}

static bool has_arrived(const struct nd_stage_find *f, const struct nd_host *host,
			const struct nd_stage_step *last, bool is_back)
{
	if (last->is_out)
		return false;
	return last->netns_inode || is_local(f, host, last->sighting, is_back);
}

static bool is_uplink(const struct nd_cluster *cluster, const struct nd_host *host, const char *dev)
{
	for (size_t i = 0; i < host->naddrs; i++)
		if (nd_eq(host->addrs[i].dev, dev) &&
		    nd_eq(nd_stage_node_of(cluster, host->addrs[i].prefix.ip), host->node))
			return true;
	return false;
}

/* It left by a device that hands it on to another one of the same host, and that never had it. */
static bool is_stuck_in(const struct nd_host *host, const struct nd_stage_step *last)
{
	const struct nd_link *link = nd_look_link(host, last->dev);

	if (!link || last->sighting->vxlan_src.family)
		return false;
	if (nd_eq(link->kind, "bridge"))
		return true;
	return nd_eq(link->kind, "vxlan") &&
	       (link->vxlan_port == VXLAN_PORT || link->vxlan_port == VXLAN_PORT_LINUX);
}

/* It left by a device that does not lead out of this host. */
static bool is_inward(const struct nd_cluster *cluster, const struct nd_host *host,
		      const struct nd_stage_step *last)
{
	const struct nd_link *link = nd_look_link(host, last->dev);

	return !last->sighting->vxlan_src.family && link && nd_eq(link->kind, "veth") &&
	       host->naddrs && !is_uplink(cluster, host, last->dev);
}

/* The last step left the host. */
static void judge_out(struct nd_stage_find *f, const struct nd_host *host,
		      const struct nd_stage_step *last)
{
	struct nd_stage *st = f->stage;
	const char *next = next_of(st->cluster, host, last->sighting);
	const struct nd_host *there = nd_look_host(st->cluster, next);

	if (!host->has_watched)
		end_at(st, ND_STAGE_UNKNOWN, NULL, host->node);
	else if (is_stuck_in(host, last))
		end_at(st, ND_STAGE_LOST_ON, host->node, NULL);
	else if (is_inward(st->cluster, host, last)) {
		const struct nd_pod *pod = nd_look_pod_by_ip(st->cluster, last->sighting->dst);
		bool is_to_pod = pod && nd_eq(pod->node, host->node);

		/* A pod that nobody looked into may have had it: but no answer came out of it. */
		end_at(st, is_to_pod && !st->is_back ? ND_STAGE_NO_ANSWER : ND_STAGE_LOST_ON,
		       host->node, NULL);
	} else if (next && !nd_eq(next, host->node) && there && there->has_watched)
		end_at(st, ND_STAGE_BETWEEN, host->node, next);
	else
		end_at(st, ND_STAGE_UNKNOWN, NULL, nd_eq(next, host->node) ? NULL : next);
}

static void judge(struct nd_stage_find *f, bool is_back)
{
	struct nd_stage *st = f->stage;
	size_t n = is_back ? st->nback : st->nsteps;
	const struct nd_stage_step *last = &(is_back ? st->back : st->steps)[n - 1];
	const struct nd_host *host = nd_look_host(st->cluster, last->node);

	st->is_back = is_back;
	st->lost_after = nd_arena_printf(f->arena, "%s: %s %s", last->node, last->dev,
					 last->is_out ? "out" : "in");
	if (!host->has_watched || f->is_unclear)
		end_at(st, ND_STAGE_UNKNOWN, NULL, host->has_watched ? NULL : host->node);
	else if (has_arrived(f, host, last, is_back))
		/* An answer that was there and did not count was dropped behind that. */
		end_at(st, is_back ? ND_STAGE_LOST_ON : ND_STAGE_NO_ANSWER, host->node, NULL);
	else if (last->netns_inode || !last->is_out)
		end_at(st, ND_STAGE_LOST_ON, host->node, NULL);
	else
		judge_out(f, host, last);
}

static void find_icmp(struct nd_stage_find *f)
{
	const struct nd_cluster *c = f->stage->cluster;
	const struct nd_host *last = NULL;

	for (size_t i = 0; i < f->stage->nsteps && !f->stage->icmp; i++) {
		const struct nd_host *host = nd_look_host(c, f->stage->steps[i].node);

		for (size_t j = 0; host != last && j < host->nsightings && !f->stage->icmp; j++)
			if (nd_stage_is_icmp(f, &host->sightings[j]))
				f->stage->icmp = &host->sightings[j];
		last = host;
	}
}

/* An answer came: is it the one that the source had, or did it get lost? */
static void judge_answer(struct nd_stage_find *f)
{
	struct nd_stage *st = f->stage;
	const struct nd_stage_step *last = &st->back[st->nback - 1];
	bool is_rst = last->sighting->what == ND_SEEN_RST;
	bool is_home = nd_eq(last->node, st->host->node) && !last->is_out &&
		       last->netns_inode == st->result->netns_inode;

	if (is_rst && (is_home || st->result->outcome == ND_OUTCOME_refused)) {
		st->is_back = true;
		end_at(st, ND_STAGE_REJECTED, NULL, NULL);
	} else {
		judge(f, true);
	}
}

static bool is_watched_whole(const struct nd_stage *st)
{
	const char *ends[] = {st->host->node, st->flow.target_node, st->lost_next};

	for (size_t i = 0; i < st->nsteps; i++)
		if (!nd_look_host(st->cluster, st->steps[i].node)->has_watched)
			return false;
	for (size_t i = 0; i < ND_ARRAY_LEN(ends); i++) {
		const struct nd_host *host = nd_look_host(st->cluster, ends[i]);

		if (ends[i] && (!host || !host->has_watched))
			return false;
	}
	return true;
}

bool nd_stage_of(struct nd_arena *arena, const struct nd_cluster *cluster,
		 const struct nd_host *host, const struct nd_probe_result *result,
		 struct nd_stage *out)
{
	struct nd_stage_find find = {.arena = arena, .stage = out}, *f = &find;

	*out = (struct nd_stage){.cluster = cluster, .host = host, .result = result};
	if (!result->is_second || !nd_stage_is_seen(result->kind) ||
	    !is_about_packets(result->outcome) || (!host->nsightings && !host->has_watched))
		return false;
	nd_flow_of(cluster, host, result, &out->flow);
	if (out->flow.kind == ND_FLOW_SELF)
		return false;
	nd_stage_ends(f);
	enum nd_stage_begun begun = nd_stage_begin(f);
	if (begun == ND_STAGE_UNCLEAR)
		return false;
	if (begun == ND_STAGE_NOT_BEGUN) {
		if (!host->has_watched)
			return false;
		out->is_complete = true;
		end_at(out, ND_STAGE_UNSENT, host->node, NULL);
		return true;
	}
	follow(f, host->node, false);
	if (!out->nsteps)
		return false;
	follow(f, out->steps[out->nsteps - 1].node, true);
	visit(f, host->node, true); /* where nobody watched what is between */
	find_icmp(f);
	if (out->icmp && (!out->nback || out->back[0].sighting->what != ND_SEEN_RST))
		end_at(out, ND_STAGE_REJECTED, NULL, NULL);
	else if (out->nback)
		judge_answer(f);
	else
		judge(f, false);
	out->is_complete = is_watched_whole(out);
	return true;
}
