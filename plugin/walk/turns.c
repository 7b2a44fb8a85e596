/* turns.c: the answer, and what the two ends say to each other behind it. */
#include "common/base.h"

#include "plugin/walk/eval_run.h"
#include "plugin/walk/run.h"

#define TTL 64
#define TCP_OPTIONS 12 /* bytes: time stamps, as all but the first packets have them */
#define REQUEST 100    /* bytes: "GET / HTTP/1.1" with a few headers */
#define MTU_OUTSIDE 1500

/* Bits of the TCP header. */
enum { TCP_SYN = 2, TCP_PSH = 8, TCP_ACK = 16 };

void nd_run_begin(struct nd_run *run)
{
	run->ways = NULL;
	run->nways = 0;
	run->kept = NULL;
	run->is_over = false;
	run->next = NULL;
	run->reason = run->error = NULL;
	run->end_at = 0;
	run->ninner = 0;
}

/* From the socket that got the packet, to whom that seemed to come from. */
static void turn_round(struct nd_run *run)
{
	struct nd_pkt *pkt = &run->pkt;

	run->is_answer = true;
	run->net = run->there;
	pkt->t = nd_tuple_invert(&run->got, pkt->proto);
	if (pkt->proto == ND_PROTO_ICMP)
		pkt->icmp_type = 0;
	if (pkt->proto == ND_PROTO_ICMP6)
		pkt->icmp_type = 129;
	pkt->icmp_code = 0;
	pkt->ttl = TTL;
	nd_run_scrub(run);
	/* An address of a link means the link by which it was heard of. */
	if (nd_ip_is_link_local(pkt->t.dst))
		run->bound = run->got_by;
	run->next = nd_way_output;
}

void nd_run_answer(struct nd_run *run)
{
	run->there = run->net;
	run->got = run->pkt.t;
	run->got_by = run->pkt.iif;
	nd_run_begin(run);
	turn_round(run);
	run->pkt.tcp_flags = run->pkt.proto == ND_PROTO_TCP ? TCP_SYN | TCP_ACK : 0;
	nd_run_way(run, ND_WAY_SOURCE, NULL, "the answer from %s", run->net->label);
}

static uint32_t mtu_of(const struct nd_net *net, const char *dev)
{
	const struct nd_link *link = net ? nd_space_link(&net->space, dev) : NULL;

	return link && link->mtu_bytes ? link->mtu_bytes : MTU_OUTSIDE;
}

/* What both ends say they can take (kernel: the MSS of SYN and SYN-ACK). */
static uint16_t full_size(const struct nd_run *run)
{
	uint32_t here = mtu_of(run->home, run->sent_by), there = mtu_of(run->there, run->got_by),
		 least = here < there ? here : there;

	return least < UINT16_MAX ? (uint16_t)least : UINT16_MAX;
}

static void shape(struct nd_run *run, enum nd_turn_kind kind)
{
	struct nd_pkt *pkt = &run->pkt;
	uint16_t head = (uint16_t)((pkt->family == 6 ? 40 : 20) + 20 + TCP_OPTIONS);

	if (pkt->proto != ND_PROTO_TCP)
		return;
	pkt->tcp_flags = kind == ND_TURN_ACK ? TCP_ACK : TCP_ACK | TCP_PSH;
	pkt->length = kind == ND_TURN_ACK    ? head
		      : kind == ND_TURN_DATA ? (uint16_t)(head + REQUEST)
					     : full_size(run);
}

static void walk_turn(struct nd_run *run, struct nd_walk_path *path, enum nd_turn_kind kind)
{
	struct nd_walk_turn *turn = &path->turns[path->nturns++];

	nd_run_begin(run);
	run->is_answer = false;
	run->is_further = true;
	nd_run_start(run);
	if (kind == ND_TURN_DATA_BACK) {
		nd_run_begin(run);
		turn_round(run);
	}
	shape(run, kind);
	*turn = (struct nd_walk_turn){.kind = kind, .length = run->pkt.length};
	run->nways = 0; /* what starts says which packet it is */
	nd_run_way(run, ND_WAY_SOURCE, NULL, "the %s, %u bytes, from %s",
		   nd_walk_turn_name(turn, run->pkt.proto), run->pkt.length,
		   run->is_answer || run->home ? run->net->label : "outside");
	nd_run_go(run);
	turn->verdict = run->verdict;
	turn->reason = run->reason;
	turn->error = run->error;
	turn->ways = run->ways;
	turn->nways = run->nways;
	turn->end = nd_run_last(run);
}

void nd_run_turns(struct nd_run *run, struct nd_walk_path *path)
{
	path->turns = nd_arena_array(run->arena, ND_WALK_TURNS, sizeof(*path->turns));
	if (run->pkt.proto == ND_PROTO_TCP)
		walk_turn(run, path, ND_TURN_ACK);
	walk_turn(run, path, ND_TURN_DATA);
	if (path->turns[path->nturns - 1].verdict == ND_WALK_DELIVERED)
		walk_turn(run, path, ND_TURN_DATA_BACK);
}

const struct nd_walk_turn *nd_walk_bad_turn(const struct nd_walk_path *path)
{
	for (size_t i = 0; i < path->nturns; i++)
		if (path->turns[i].verdict != ND_WALK_DELIVERED)
			return &path->turns[i];
	return NULL;
}

const char *nd_walk_turn_name(const struct nd_walk_turn *turn, uint8_t proto)
{
	static const char *const names[][ND_WALK_TURNS] = {
		{"ACK", "second question", "second answer"}, {"ACK", "data", "data back"}};

	return names[proto == ND_PROTO_TCP][turn->kind];
}

enum nd_walk_verdict nd_walk_path_verdict(const struct nd_walk_path *path)
{
	const struct nd_walk_turn *bad = nd_walk_bad_turn(path);

	if (path->verdict != ND_WALK_DELIVERED)
		return path->verdict;
	if (path->nback && path->back_verdict != ND_WALK_DELIVERED)
		return path->back_verdict;
	return bad ? bad->verdict : ND_WALK_DELIVERED;
}
