#include "common/base.h"

#include "plugin/walk/run.h"

#define SOURCE_PORT 40000
#define TTL 64
#define LENGTH 60

#define TCP_SYN 2 /* bit of the TCP header */

static struct nd_pkt first_packet(const struct nd_walk_ask *ask)
{
	bool is_icmp = ask->proto == ND_PROTO_ICMP || ask->proto == ND_PROTO_ICMP6;

	return (struct nd_pkt){
		.family = ask->dst.family,
		.proto = ask->proto,
		.t = {.src = ask->src,
		      .dst = ask->dst,
		      .sport = ask->sport ? ask->sport : SOURCE_PORT,
		      .dport = is_icmp ? 0 : ask->dport},
		.tcp_flags = ask->proto == ND_PROTO_TCP ? TCP_SYN : 0,
		.icmp_type = !is_icmp		    ? 0
			     : ask->icmp_type	    ? ask->icmp_type
			     : ask->dst.family == 6 ? 128
						    : 8,
		.icmp_code = is_icmp ? ask->icmp_code : 0,
		.ttl = TTL,
		.length = LENGTH,
		.mark = ask->mark,
	};
}

void nd_run_go(struct nd_run *run)
{
	while (run->next && !run->is_over) {
		void (*step)(struct nd_run *) = run->next;

		run->next = NULL;
		if (run->nways >= ND_WALK_MAX_WAYS)
			nd_run_end(run, ND_WALK_DROPPED, nd_run_where(run, "ip route"),
				   "it goes round in circles");
		else
			step(run);
	}
	if (!run->is_over)
		nd_run_end(run, ND_WALK_UNKNOWN, NULL, "the way ends here");
}

/* From outside a packet comes in by the device of the node that has its destination. */
static void start_outside(struct nd_run *run)
{
	size_t n;
	const struct nd_owner *owners = nd_world_owners(run->world, run->pkt.t.dst, &n);

	for (size_t i = 0; i < n; i++)
		if (!owners[i].inode) {
			run->net = nd_world_net(run->world, owners[i].host, 0);
			run->dev = owners[i].dev;
			run->sent = run->pkt.t;
			run->sent_by = run->dev;
			run->next = nd_way_receive;
			nd_run_way(run, ND_WAY_SOURCE, NULL, "from outside, into %s of %s",
				   run->dev, run->net->label);
			return;
		}
	nd_run_end(run, ND_WALK_UNKNOWN, NULL,
		   "by which node packets from outside to %s come is not known",
		   nd_run_ip(run, run->pkt.t.dst));
}

void nd_run_start(struct nd_run *run)
{
	const struct nd_walk_ask *ask = run->ask;

	run->pkt = first_packet(ask);
	if (run->is_further)
		run->pkt.t = run->sent;
	run->net = nd_world_net(run->world, ask->host, ask->netns_inode);
	run->home = ask->host ? run->net : NULL;
	if (!ask->dst.family || (ask->src.family && ask->src.family != ask->dst.family)) {
		nd_run_end(run, ND_WALK_UNKNOWN, NULL, "no destination of the source's family");
	} else if (!ask->host) {
		start_outside(run);
	} else {
		nd_run_way(run, ND_WAY_SOURCE, NULL, "from %s", run->net->label);
		run->next = nd_way_output;
	}
}

const struct nd_way *nd_run_last(const struct nd_run *run)
{
	return run->nways ? &run->ways[(run->end_at ? run->end_at : run->nways) - 1] : NULL;
}

/*
 * Whoever refuses the outer packet tells the tunnel's end, not who sent the inner one. Of a route
 * that is refused behind OUTPUT (ip_route_me_harder) TCP does not hear: it sends again.
 */
static bool is_untold(const struct nd_run *run)
{
	return run->ninner ||
	       (run->net == run->home && run->needs_route && run->pkt.proto == ND_PROTO_TCP);
}

static void keep_way(struct nd_run *run, struct nd_walk_path *path)
{
	path->verdict = run->verdict == ND_WALK_REJECTED && is_untold(run) ? ND_WALK_DROPPED
									   : run->verdict;
	path->reason = run->reason;
	path->error = run->error;
	path->ways = run->ways;
	path->nways = run->nways;
	path->end = nd_run_last(run);
	path->node = run->net->host ? run->net->host->node : NULL;
	path->pod = run->verdict == ND_WALK_DELIVERED || run->verdict == ND_WALK_REFUSED
			    ? run->net->pod
			    : NULL;
}

static void walk_once(struct nd_run *run, struct nd_walk_path *path)
{
	nd_run_start(run);
	nd_run_go(run);
	keep_way(run, path);
	if (path->verdict == ND_WALK_DELIVERED)
		nd_run_answer(run);
	else if ((path->verdict != ND_WALK_REFUSED && path->verdict != ND_WALK_REJECTED) ||
		 !nd_run_refusal(run))
		return;
	nd_run_go(run);
	path->back = run->ways;
	path->nback = run->nways;
	path->back_end = nd_run_last(run);
	path->back_verdict = run->verdict;
	path->back_reason = run->reason;
	if (path->verdict == ND_WALK_DELIVERED && path->back_verdict == ND_WALK_DELIVERED &&
	    run->ask->has_turns)
		nd_run_turns(run, path);
}

static int path_order(const void *a, const void *b)
{
	const struct nd_walk_path *x = a, *y = b;

	return x->share > y->share ? -1 : x->share < y->share ? 1 : 0;
}

/* Stable, the few there are. */
static void sort_paths(struct nd_walk_path *paths, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && path_order(&paths[k - 1], &paths[k]) > 0; k--) {
			struct nd_walk_path path = paths[k];

			paths[k] = paths[k - 1];
			paths[k - 1] = path;
		}
}

uint64_t nd_world_nrules(const struct nd_world *world)
{
	return world->nrules;
}

void nd_walk_run(struct nd_world *world, const struct nd_walk_ask *ask, struct nd_walk *out)
{
	struct nd_arena *arena = ask->arena ? ask->arena : world->arena;
	struct nd_choices choices = {0};

	*out = (struct nd_walk){0};
	do {
		struct nd_run run = {
			.world = world, .arena = arena, .choices = &choices, .ask = ask};
		struct nd_walk_path path = {0};

		nd_choices_rewind(&choices);
		walk_once(&run, &path);
		path.share = nd_choices_share(&choices);
		ND_ARENA_PUSH(arena, out->paths, out->npaths) = path;
		out->is_cut = choices.is_over;
		if (!nd_choices_next(&choices))
			break;
		out->is_cut = out->is_cut || out->npaths == ND_WALK_MAX_PATHS;
	} while (out->npaths < ND_WALK_MAX_PATHS);
	sort_paths(out->paths, out->npaths);
}
