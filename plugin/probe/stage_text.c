#include "common/base.h"
#include "plugin/model/look.h"
#include "plugin/probe/stage.h"

struct names {
	const char *there, *answer; /* "SYN", "SYN-ACK" */
};

static struct names names_of(const struct nd_stage *st)
{
	bool is_rst = st->nback && st->back[st->nback - 1].sighting->what == ND_SEEN_RST;

	if (st->result->kind == ND_PROBE_dns_udp)
		return (struct names){"question", "answer"};
	return (struct names){"SYN", is_rst ? "RST" : "SYN-ACK"};
}

static const char *pod_text(struct nd_arena *arena, const struct nd_pod *pod)
{
	return nd_arena_printf(arena, "pod %s/%s", pod->meta.ns, pod->meta.name);
}

static const char *source_text(struct nd_arena *arena, const struct nd_stage *st)
{
	return st->flow.source_pod	 ? pod_text(arena, st->flow.source_pod)
	       : st->result->netns_inode ? "its namespace"
					 : st->host->node;
}

static const char *end_text(struct nd_arena *arena, struct nd_ip ip, uint16_t port)
{
	char text[ND_IP_TEXT];

	return nd_arena_printf(arena, ip.family == 6 ? "[%s]:%u" : "%s:%u", nd_ip_text(ip, text),
			       port);
}

/* "172.18.0.3 (w2)" */
static const char *address_text(struct nd_arena *arena, const struct nd_stage *st, struct nd_ip ip)
{
	char text[ND_IP_TEXT];
	const char *node = nd_stage_node_of(st->cluster, ip);
	const struct nd_pod *pod = nd_look_pod_by_ip(st->cluster, ip);

	nd_ip_text(ip, text);
	if (pod)
		return nd_arena_printf(arena, "%s (%s)", text, pod_text(arena, pod));
	return node ? nd_arena_printf(arena, "%s (%s)", text, node)
		    : nd_arena_printf(arena, "%s", text);
}

/* "left pod a/b by eth0", "came in on eth0 of w2" */
static const char *step_text(struct nd_arena *arena, const struct nd_stage *st,
			     const struct nd_stage_step *step)
{
	const char *whose = step->pod		? pod_text(arena, step->pod)
			    : step->netns_inode ? nd_arena_printf(arena, "a pod of %s", step->node)
						: step->node;

	if (step->netns_inode && !step->is_out)
		return nd_arena_printf(arena, "reached %s on %s", whose, step->node);
	if (!step->is_out)
		return nd_arena_printf(arena, "came in on %s of %s", step->dev, step->node);
	if (step->sighting->vxlan_dst.family)
		return nd_arena_printf(arena, "left %s by %s in VXLAN to %s", whose, step->dev,
				       address_text(arena, st, step->sighting->vxlan_dst));
	return nd_arena_printf(arena, "left %s by %s", whose, step->dev);
}

/* One host has it several times (veth, bridge, tunnel): where it came in and where it left. */
static size_t shorten(struct nd_arena *arena, const struct nd_stage_step *steps, size_t n,
		      const struct nd_stage_step ***out)
{
	size_t nout = 0;

	*out = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct nd_stage_step *last = nout ? (*out)[nout - 1] : NULL;
		bool is_same = last && nd_eq(last->node, steps[i].node) &&
			       last->netns_inode == steps[i].netns_inode &&
			       last->is_out == steps[i].is_out;

		if (is_same && steps[i].is_out)
			(*out)[nout - 1] = &steps[i];
		else if (!is_same)
			ND_ARENA_PUSH(arena, *out, nout) = &steps[i];
	}
	return nout;
}

/* The last one or two steps, where a way that broke off can be seen. */
static const char *way_text(struct nd_arena *arena, const struct nd_stage *st, bool is_back)
{
	const struct nd_stage_step **steps;
	size_t n = shorten(arena, is_back ? st->back : st->steps, is_back ? st->nback : st->nsteps,
			   &steps);
	const struct nd_stage_step *last = steps[n - 1];

	if (n == 1 || (last->is_out && !last->netns_inode))
		return step_text(arena, st, last);
	return nd_arena_printf(arena, "%s, %s", step_text(arena, st, steps[n - 2]),
			       step_text(arena, st, last));
}

/* ", DNAT to 10.244.2.7:8080 on w1," when a service's address was made another one. */
static const char *nat_text(struct nd_arena *arena, const struct nd_stage *st)
{
	for (size_t i = 0; i < st->nsteps; i++) {
		const struct nd_sighting *s = st->steps[i].sighting;

		if (!nd_ip_eq(s->dst, st->result->ip) || s->dport != st->result->port)
			return nd_arena_printf(arena, ", DNAT to %s on %s,",
					       end_text(arena, s->dst, s->dport),
					       st->steps[i].node);
	}
	return "";
}

static const char *icmp_name(const struct nd_sighting *s)
{
	static const char *const codes[] = {"net unreachable",
					    "host unreachable",
					    "protocol unreachable",
					    "port unreachable",
					    "fragmentation needed",
					    "source route failed",
					    "net unknown",
					    "host unknown",
					    "source isolated",
					    "net prohibited",
					    "host prohibited",
					    "net unreachable for TOS",
					    "host unreachable for TOS",
					    "admin prohibited"};
	static const char *const codes6[] = {"no route",	 "admin prohibited",
					     "beyond scope",	 "address unreachable",
					     "port unreachable", "source address failed policy",
					     "reject route"};

	if (s->icmp_from.family == 4 && s->icmp_type == 3 && s->icmp_code < ND_ARRAY_LEN(codes))
		return codes[s->icmp_code];
	if (s->icmp_from.family == 6 && s->icmp_type == 1 && s->icmp_code < ND_ARRAY_LEN(codes6))
		return codes6[s->icmp_code];
	if ((s->icmp_from.family == 4 && s->icmp_type == 11) ||
	    (s->icmp_from.family == 6 && s->icmp_type == 3))
		return "time exceeded";
	return NULL;
}

static const char *rejected_text(struct nd_arena *arena, const struct nd_stage *st,
				 struct names names)
{
	if (st->icmp && !st->is_back) {
		const char *name = icmp_name(st->icmp);

		if (!name)
			name = nd_arena_printf(arena, "type %u code %u", st->icmp->icmp_type,
					       st->icmp->icmp_code);
		return nd_arena_printf(arena, "%s%s %s, %s answered with ICMP %s", names.there,
				       nat_text(arena, st), way_text(arena, st, false),
				       address_text(arena, st, st->icmp->icmp_from), name);
	}
	const struct nd_stage_step *first = &st->back[0];
	/* What has the pod's address and came from its node was not sent by the pod. */
	const char *who =
		first->pod ? pod_text(arena, first->pod)
		: first->is_out || !first->netns_inode
			? nd_arena_printf(arena, first->is_out ? "%s" : "something behind %s",
					  first->node)
			: "a pod";
	return nd_arena_printf(arena, "%s%s %s, %s answered with RST as %s", names.there,
			       nat_text(arena, st), way_text(arena, st, false), who,
			       end_text(arena, first->sighting->src, first->sighting->sport));
}

/* What comes behind the steps. */
static const char *tail_text(struct nd_arena *arena, const struct nd_stage *st)
{
	const struct nd_stage_step *last =
		st->is_back ? &st->back[st->nback - 1] : &st->steps[st->nsteps - 1];
	const char *back = st->is_back ? " on the way back" : "";
	/* It came to the address that the first packet had: nothing was to be sent on. */
	bool is_home = st->is_back && !last->is_out &&
		       nd_ip_eq(last->sighting->dst, st->steps[0].sighting->src) &&
		       last->netns_inode == st->steps[0].netns_inode &&
		       nd_eq(last->node, st->host->node);

	switch (st->end) {
	case ND_STAGE_LOST_ON:
		return nd_arena_printf(arena, "%s: lost on %s%s",
				       is_home		   ? ", was not accepted"
				       : last->netns_inode ? ", never came in on its node"
				       : last->is_out	   ? ", went no further"
							   : ", was not sent on",
				       st->lost_node, back);
	case ND_STAGE_BETWEEN:
		return nd_arena_printf(arena, ", never came in on %s: lost between %s and %s%s",
				       st->lost_next, st->lost_node, st->lost_next, back);
	case ND_STAGE_NO_ANSWER:
		return last->is_out ? ", no answer came from the pod behind it"
		       : last->netns_inode
			       ? ", no answer left it"
			       : nd_arena_printf(arena, ", no answer left %s", last->node);
	default:
		return st->lost_next
			       ? nd_arena_printf(arena,
						 "; what came of it%s is not known: %s "
						 "was not watched",
						 back, st->lost_next)
			       : nd_arena_printf(arena, "; what came of it%s was not seen", back);
	}
}

const char *nd_stage_text(struct nd_arena *arena, const struct nd_stage *st)
{
	struct names names = names_of(st);

	if (st->end == ND_STAGE_UNSENT)
		return nd_arena_printf(arena, "no %s of it left %s: lost on %s", names.there,
				       source_text(arena, st), st->lost_node);
	if (st->end == ND_STAGE_REJECTED)
		return rejected_text(arena, st, names);
	if (!st->is_back)
		return nd_arena_printf(arena, "%s%s %s%s", names.there, nat_text(arena, st),
				       way_text(arena, st, false), tail_text(arena, st));
	return nd_arena_printf(arena, "%s%s was answered; %s %s%s", names.there,
			       nat_text(arena, st), names.answer, way_text(arena, st, true),
			       tail_text(arena, st));
}
