/*
 * ndisc.c: IPv6 finds its neighbours with packets that the rules of both ends see; ARP does not.
 * Connection tracking leaves them alone (kernel: nf_conntrack_proto_icmpv6.c, noct_valid_new).
 */
#include "common/base.h"

#include "plugin/walk/run.h"

#define HOPS 255
#define LENGTH 72 /* bytes: with one option */

enum { SOLICITATION = 135, ADVERTISEMENT = 136 };

/* One of the two messages on its way; way is what goes on meanwhile. */
struct message {
	struct nd_run run; /* ways are its own */
	struct nd_run *way;
};

static struct nd_ip group_of(struct nd_ip ip)
{
	struct nd_ip group = {.family = 6, .bytes = {0xff, 0x02, [11] = 1, [12] = 0xff}};

	memcpy(group.bytes + 13, ip.bytes + 13, 3);
	return group;
}

static void make(struct message *m, struct nd_run *run, uint8_t type, struct nd_ip src,
		 struct nd_ip dst)
{
	m->way = run;
	m->run = *run;
	m->run.ways = NULL;
	m->run.nways = 0;
	m->run.kept = NULL;
	m->run.ninner = 0;
	m->run.is_error = false;
	m->run.pkt = (struct nd_pkt){.family = 6,
				     .proto = ND_PROTO_ICMP6,
				     .t = {.src = src, .dst = dst},
				     .icmp_type = type,
				     .ttl = HOPS,
				     .length = LENGTH,
				     .ct = {.state = ND_CT_UNTRACKED}};
}

static bool hook(struct message *m, struct nd_net *net, enum nd_hook hook, const char *iif,
		 const char *oif)
{
	m->run.net = net;
	m->run.pkt.iif = iif;
	m->run.pkt.oif = oif;
	return nd_run_hook(&m->run, hook);
}

/* A message that goes elsewhere is none for who hears it there. False: it has ended. */
static bool is_kept_here(struct message *m, const char *dev)
{
	struct nd_run *run = &m->run;

	if (!nd_run_route(run, NULL, NULL, false))
		return false;
	if (nd_eq(run->fib.dev, dev) && !run->fib.gateway.family)
		return true;
	nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "ip route"),
		   "a rule in OUTPUT had it routed again (%s), not to the asker on %s",
		   run->fib.route ? nd_net_route_text(run->net, run->fib.route) : "to itself", dev);
	return false;
}

/*
 * kernel: ip6_route_me_harder(): who marks these packets in OUTPUT has them routed again, too. What
 * is for a group or an address of the link keeps its device.
 */
static bool is_sent(struct message *m, struct nd_net *net, const char *dev)
{
	struct nd_ip dst = m->run.pkt.t.dst;
	bool is_strict = dst.bytes[0] == 0xff || nd_ip_is_link_local(dst);

	if (!hook(m, net, ND_OUTPUT, NULL, dev) ||
	    (m->run.needs_route && !is_strict && !is_kept_here(m, dev)))
		return false;
	return hook(m, net, ND_POSTROUTING, NULL, dev);
}

static bool is_heard(struct message *m, struct nd_net *net, const char *dev)
{
	return hook(m, net, ND_PREROUTING, dev, NULL) && hook(m, net, ND_INPUT, dev, NULL);
}

static bool is_bridged(struct message *m, struct nd_net *net, const char *bridge)
{
	return hook(m, net, ND_PREROUTING, bridge, NULL) &&
	       hook(m, net, ND_FORWARD, bridge, bridge) &&
	       hook(m, net, ND_POSTROUTING, NULL, bridge);
}

/* The rule that ended it goes into the way, then the reason. */
static void tell(struct message *m)
{
	struct nd_run *run = m->way;
	bool is_question = m->run.pkt.icmp_type == SOLICITATION;
	const struct nd_way *last = m->run.end_at ? &m->run.ways[m->run.end_at - 1] : NULL;

	if (last)
		ND_ARENA_PUSH(run->arena, run->ways, run->nways) = *last;
	nd_run_end(run, m->run.verdict == ND_WALK_UNKNOWN ? ND_WALK_UNKNOWN : ND_WALK_LOST,
		   m->run.ways[m->run.nways - 1].where,
		   "the neighbour %s for %s does not pass %s: %s",
		   is_question ? "solicitation" : "advertisement", nd_run_ip(run, run->hop),
		   m->run.net->label, m->run.reason);
	run->end_at = last ? run->nways - 1 : 0;
}

/* asker NULL: nobody whose rules are known. */
bool nd_run_ndisc(struct nd_run *run, struct nd_net *asker, const char *dev, struct nd_net *there,
		  const char *there_dev, struct nd_ip src)
{
	struct message m;

	if (run->hop.family != 6)
		return true;
	make(&m, run, SOLICITATION, src, group_of(run->hop));
	if ((!asker || is_sent(&m, asker, dev)) && is_heard(&m, there, there_dev)) {
		make(&m, run, ADVERTISEMENT, run->hop, src);
		if (is_sent(&m, there, there_dev) && (!asker || is_heard(&m, asker, dev)))
			return true;
	}
	tell(&m);
	return false;
}

bool nd_run_ndisc_bridged(struct nd_run *run, const char *bridge, struct nd_ip src)
{
	struct message m;

	if (run->hop.family != 6)
		return true;
	make(&m, run, SOLICITATION, src, group_of(run->hop));
	if (is_bridged(&m, run->net, bridge)) {
		make(&m, run, ADVERTISEMENT, run->hop, src);
		if (is_bridged(&m, run->net, bridge))
			return true;
	}
	tell(&m);
	return false;
}
