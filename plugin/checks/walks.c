#include "common/base.h"
#include "plugin/checks/walks.h"

#define STRIDE 16 /* neighbours in the list share a node: where it is cut, all nodes had some */

static const char *keep(struct nd_check_run *run, const char *text)
{
	return text ? nd_arena_strdup(run->arena, text, strlen(text)) : NULL;
}

/* The rule that had the last word in a hook. */
static void blame(struct nd_walk_loss *loss, const struct nd_way *end)
{
	const struct nd_rule_event *last;

	if (end->kind != ND_WAY_HOOK || !end->nevents)
		return;
	last = &end->events[end->nevents - 1];
	loss->packet = *last->packet;
	if ((last->kind != ND_EV_RULE && last->kind != ND_EV_POLICY) || !last->chain)
		return;
	for (size_t i = end->nevents; i-- > 0 && !loss->base;)
		if (end->events[i].chain && end->events[i].chain->is_base)
			loss->base = end->events[i].chain;
	loss->hook = end->hook;
	loss->table = last->table;
	loss->chain = last->chain;
	loss->rule = last->kind == ND_EV_RULE ? last->rule : NULL;
}

/* One of the packets of a walk, and how it ended. */
struct leg {
	bool is_back, is_later;
	const char *what;
	enum nd_walk_verdict verdict;
	const struct nd_way *ways, *end; /* nways */
	size_t nways;
};

static void add(struct nd_check_run *run, struct nd_walks *walks, const struct nd_walk_ask *ask,
		const struct leg *leg)
{
	const struct nd_way *end = leg->end, *last = &leg->ways[leg->nways - 1];
	const struct nd_host *host = end ? nd_look_host(run->cluster, end->node) : NULL;

	if (!host || end->kind == ND_WAY_POLICY)
		return;
	struct nd_walk_loss loss = {.ask = *ask,
				    .is_back = leg->is_back,
				    .is_later = leg->is_later,
				    .what = leg->what,
				    .is_too_big = nd_walk_ask_is_too_big(ask),
				    .host = host,
				    .verdict = leg->verdict,
				    .where = keep(run, last->where),
				    .reason = keep(run, last->text),
				    .packet = *end->packet};

	blame(&loss, end);
	loss.ask.arena = NULL;
	loss.packet.iif = loss.packet.oif = loss.packet.physin = loss.packet.physout = NULL;
	ND_ARENA_PUSH(run->arena, walks->items, walks->n) = loss;
}

/* Nobody listening is not the way's fault; what is not known tells nothing. */
static bool is_lost(const struct nd_check_run *run, enum nd_walk_verdict verdict,
		    const struct nd_way *last)
{
	if (verdict == ND_WALK_OUTSIDE)
		return nd_look_is_pod_ip(run->cluster, last->packet->t.dst);
	return verdict == ND_WALK_DROPPED || verdict == ND_WALK_REJECTED || verdict == ND_WALK_LOST;
}

static bool add_lost(struct nd_check_run *run, struct nd_walks *out, const struct nd_walk_ask *ask,
		     const struct leg *leg)
{
	if (!leg->nways || !is_lost(run, leg->verdict, &leg->ways[leg->nways - 1]))
		return false;
	add(run, out, ask, leg);
	return true;
}

static void add_path(struct nd_check_run *run, struct nd_walks *out, const struct nd_walk_ask *ask,
		     const struct nd_walk_path *path)
{
	struct leg there = {.verdict = path->verdict,
			    .ways = path->ways,
			    .nways = path->nways,
			    .end = path->end};
	struct leg back = {.is_back = true,
			   .verdict = path->back_verdict,
			   .ways = path->back,
			   .nways = path->nback,
			   .end = path->back_end};

	/* Nobody answers to an ICMP error. */
	if (add_lost(run, out, ask, &there) || nd_walk_ask_is_too_big(ask) ||
	    add_lost(run, out, ask, &back))
		return;
	for (size_t i = 0; i < path->nturns; i++) {
		const struct nd_walk_turn *turn = &path->turns[i];
		struct leg leg = {.is_back = turn->kind == ND_TURN_DATA_BACK,
				  .is_later = true,
				  .what = nd_walk_turn_name(turn, ask->proto),
				  .verdict = turn->verdict,
				  .ways = turn->ways,
				  .nways = turn->nways,
				  .end = turn->end};

		add_lost(run, out, ask, &leg);
	}
}

static void walk(struct nd_check_run *run, struct nd_world *world, struct nd_walk_ask *ask,
		 struct nd_walks *out)
{
	struct nd_arena arena = {0};
	struct nd_walk walk;

	ask->arena = &arena;
	ask->is_terse = true;
	ask->has_turns =
		!nd_walk_ask_is_too_big(ask) && nd_world_nrules(world) < ND_WALKS_MAX_RULES / 2;
	nd_walk_run(world, ask, &walk);
	for (size_t i = 0; i < walk.npaths; i++)
		add_path(run, out, ask, &walk.paths[i]);
	nd_arena_free(&arena);
}

struct nd_world *nd_walks_world(struct nd_check_run *run)
{
	if (!run->world)
		run->world = nd_world_new(run->arena, run->cluster);
	return run->world;
}

const struct nd_walks *nd_walks_get(struct nd_check_run *run)
{
	struct nd_walk_list list = {0};
	struct nd_arena arena = {0};
	struct nd_world *world;

	if (run->walks)
		return run->walks;
	run->walks = nd_arena_alloc(run->arena, sizeof(*run->walks));
	world = nd_walks_world(run);
	nd_walk_list_build(&arena, run->cluster, &list);
	for (size_t first = 0; first < STRIDE; first++)
		for (size_t i = first; i < list.n && nd_world_nrules(world) < ND_WALKS_MAX_RULES;
		     i += STRIDE) {
			walk(run, world, &list.items[i], run->walks);
			run->walks->nwalked++;
		}
	nd_arena_free(&arena);
	return run->walks;
}

const char *nd_walk_loss_text(struct nd_check_run *run, const struct nd_walk_loss *loss)
{
	const struct nd_walk_ask *ask = &loss->ask;
	const struct nd_pod *pod =
		ask->netns_inode ? nd_look_pod_by_netns(run->cluster, ask->host, ask->netns_inode)
				 : NULL;
	const char *proto = ask->proto == ND_PROTO_TCP	 ? "tcp"
			    : ask->proto == ND_PROTO_UDP ? "udp"
							 : "icmp";
	const char *from = pod ? nd_check_text(run, "pod %s/%s", pod->meta.ns, pod->meta.name)
			       : ask->host->node;
	const char *lead = loss->is_later  ? nd_check_text(run, "%s of ", loss->what)
			   : loss->is_back ? "the answer to "
					   : "";
	char ip[ND_IP_TEXT];

	nd_ip_text(ask->dst, ip);
	if (!ask->dport)
		return nd_check_text(run, "%s%s from %s to %s", lead, proto, from, ip);
	return nd_check_text(
		run, ask->dst.family == 6 ? "%s%s from %s to [%s]:%u" : "%s%s from %s to %s:%u",
		lead, proto, from, ip, ask->dport);
}
