/* route.c: the routing decisions of a walk, and what it means when there is no way. */
#include "common/base.h"

#include "plugin/walk/run.h"

struct nd_ip nd_fib_hop(const struct nd_fib *fib, struct nd_ip dst)
{
	return fib->gateway.family ? fib->gateway : dst;
}

/* What the kernel tells the sender, as iptables names it; NULL: nothing, it vanishes. */
static const char *error_of(enum nd_fib_kind kind, uint8_t family)
{
	switch (kind) {
	case ND_FIB_NONE:
		return family == 6 ? "icmp6-no-route" : "icmp-net-unreachable";
	case ND_FIB_UNREACHABLE:
		return family == 6 ? "icmp6-no-route" : "icmp-host-unreachable";
	case ND_FIB_PROHIBIT:
		return family == 6 ? "icmp6-adm-prohibited" : "icmp-admin-prohibited";
	default:
		return NULL;
	}
}

static void end_here(struct nd_run *run)
{
	const struct nd_fib *fib = &run->fib;
	const char *dst = nd_run_ip(run, run->pkt.t.dst), *where = nd_run_where(run, "ip route");
	const char *what = fib->route  ? nd_net_route_text(run->net, fib->route)
			   : fib->rule ? nd_arena_printf(run->arena, "policy rule %u: %s",
							 fib->rule->priority, fib->rule->action)
				       : "";

	if (fib->kind == ND_FIB_UNKNOWN) {
		nd_run_end(run, ND_WALK_UNKNOWN, where, "%s", fib->unknown);
	} else if (fib->kind == ND_FIB_BLACKHOLE) {
		nd_run_end(run, ND_WALK_DROPPED, where, "%s swallows packets to %s", what, dst);
	} else if (fib->kind == ND_FIB_NONE) {
		run->error = error_of(fib->kind, run->pkt.family);
		nd_run_end(run, ND_WALK_REJECTED, where, "%s has no route to %s", run->net->label,
			   dst);
	} else {
		run->error = error_of(fib->kind, run->pkt.family);
		nd_run_end(run, ND_WALK_REJECTED, where, "%s refuses packets to %s", what, dst);
	}
}

bool nd_run_route(struct nd_run *run, const char *iif, const char *oif, bool is_first)
{
	struct nd_fib_key key = {.dst = run->pkt.t.dst,
				 .src = run->pkt.t.src,
				 .iif = iif,
				 .oif = oif,
				 .mark = run->pkt.mark};

	if (!run->net->is_known) {
		nd_run_end(run, ND_WALK_UNKNOWN, NULL, "the routes of %s are not known",
			   run->net->label);
		return false;
	}
	nd_space_route(&run->net->space, &key, &run->fib);
	return nd_run_follow(run, key, is_first);
}

/* What is forwarded again, in a loop, takes the way that it took before. */
static uint32_t pick(struct nd_run *run, const struct nd_fib_key *key)
{
	uint32_t nth;

	for (size_t i = 0; key->iif && i < run->npicks; i++) {
		const struct nd_pick *old = &run->picks[i];

		if (old->route == run->fib.route && nd_ip_eq(old->src, key->src) &&
		    nd_ip_eq(old->dst, key->dst))
			return old->nth;
	}
	nth = nd_choices_take(run->choices, run->fib.nequal, NULL);
	if (key->iif && run->npicks < ND_RUN_PICKS)
		run->picks[run->npicks++] =
			(struct nd_pick){run->fib.route, key->src, key->dst, nth};
	return nth;
}

bool nd_run_follow(struct nd_run *run, struct nd_fib_key key, bool is_first)
{
	struct nd_fib *fib = &run->fib;

	if (fib->nequal > 1) {
		key.nth = pick(run, &key);
		nd_space_route(&run->net->space, &key, fib);
	}
	switch (fib->kind) {
	case ND_FIB_UNICAST:
		nd_run_way(run, ND_WAY_ROUTE, nd_run_where(run, "ip route"), "route%s: %s",
			   is_first ? "" : " again", nd_net_route_text(run->net, fib->route));
		return true;
	case ND_FIB_LOCAL:
	case ND_FIB_BROADCAST:
		nd_run_way(run, ND_WAY_ROUTE, nd_run_where(run, "ip route"),
			   "route: %s is an address of %s", nd_run_ip(run, run->pkt.t.dst),
			   run->net->label);
		return true;
	case ND_FIB_MULTICAST:
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "ip route"),
			   "multicast is not modelled");
		return false;
	default:
		end_here(run);
		return false;
	}
}
