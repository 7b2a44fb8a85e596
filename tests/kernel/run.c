/* run.c: one scenario: load it, send its packets, compare each with the walk. */
#include "common/base.h"

#include "tests/kernel/kernel.h"

#include <errno.h>

/* What is known of the packets before this one. */
struct memory {
	bool is_seen[MAX_PACKETS]; /* it arrived, and walk and kernel agree how */
	struct outcome kernel[MAX_PACKETS];
	bool is_id_free[MAX_PACKETS]; /* ICMP: the kernel picked another id */
	struct nd_ct ct[MAX_PACKETS]; /* of its connection, after the last packet of it */
};

static size_t root_of(const struct scenario *s, size_t i)
{
	while (s->packets[i].follows >= 0)
		i = (size_t)s->packets[i].follows;
	return i;
}

static enum side side_of(const struct outcome *outcome)
{
	return outcome->fate == FATE_LOCAL ? SIDE_R : nd_eq(outcome->dev, "ra") ? SIDE_A : SIDE_B;
}

/* Packets that follow others are made of what became of those. False: it makes no sense. */
static bool resolve(const struct scenario *s, const struct memory *memory, size_t i,
		    struct test_packet *out)
{
	size_t root = root_of(s, i);
	const struct test_packet *first = &s->packets[root];
	struct nd_tuple seen = memory->kernel[root].t;

	*out = s->packets[i];
	if (out->follows < 0)
		return true;
	if (!memory->is_seen[root] ||
	    (root != (size_t)out->follows && !memory->is_seen[out->follows]))
		return false;
	out->family = first->family;
	out->proto = first->proto;
	out->t = first->t;
	out->from = first->from;
	/* To an answer that was not tracked R's own stack says RST, which ends the connection. */
	if (!out->is_reply)
		return first->proto != ND_PROTO_TCP || first->from != SIDE_R ||
		       memory->ct[root].state == ND_CT_ESTABLISHED;
	out->from = side_of(&memory->kernel[root]);
	out->t = (struct nd_tuple){
		.src = seen.dst, .dst = seen.src, .sport = seen.dport, .dport = seen.sport};
	if (first->proto == ND_PROTO_ICMP || first->proto == ND_PROTO_ICMP6) {
		out->t.sport = seen.sport;
		out->t.dport = 0;
	}
	return true;
}

static bool send_and_see(struct box *box, struct nd_arena *arena, const struct test_packet *packet,
			 uint16_t id, struct outcome *out)
{
	int errno_sent = 0;

	observe_start(box);
	if (!packet_send(box, packet, id))
		errno_sent = errno;
	packet_fence(box);
	observe_outcome(box, arena, packet, id, out);
	if (!errno_sent)
		return true;
	if (errno_sent == ENETUNREACH || errno_sent == EHOSTUNREACH || errno_sent == EACCES)
		out->fate = FATE_REJECTED;
	/* EPERM: a rule; EINVAL: a blackhole. EADDRNOTAVAIL and others: we could not. */
	return out->fate != FATE_GONE || errno_sent == EPERM || errno_sent == EINVAL;
}

static void take_hits(struct nd_arena *arena, const struct counters *before,
		      const struct counters *after, struct outcome *out)
{
	out->hits = nd_arena_array(arena, after->nrows, sizeof(*out->hits));
	for (size_t i = 0; i < after->nrows && i < before->nrows; i++)
		out->hits[i] = (uint32_t)(after->rows[i].packets - before->rows[i].packets);
}

static void remember(const struct scenario *s, struct memory *memory, size_t i,
		     const struct outcome *kernel, const struct outcome *walk)
{
	struct nd_ct *ct = &memory->ct[root_of(s, i)];

	memory->kernel[i] = *kernel;
	memory->is_seen[i] = kernel->fate == FATE_LOCAL || kernel->fate == FATE_SENT;
	/* A reply that is dropped later has been seen all the same. */
	if (walk->is_before_ct || !walk->ct.orig.src.family || walk->ct.state == ND_CT_UNTRACKED ||
	    walk->ct.state == ND_CT_INVALID || (!memory->is_seen[i] && s->packets[i].follows < 0))
		return;
	*ct = walk->ct;
	if (walk->is_port_free && s->packets[i].follows < 0) {
		if (kernel->t.sport != s->packets[i].t.sport)
			ct->status |= 0x10; /* IPS_SRC_NAT */
		if (s->packets[i].proto == ND_PROTO_TCP || s->packets[i].proto == ND_PROTO_UDP)
			ct->reply.dport = kernel->t.sport;
		else
			ct->reply.sport = kernel->t.sport;
		memory->is_id_free[i] = s->packets[i].proto == ND_PROTO_ICMP ||
					s->packets[i].proto == ND_PROTO_ICMP6;
	}
}

static void tell(const struct counters *counters, size_t i, const char *why,
		 const struct test_packet *packet, const struct outcome *kernel,
		 const struct outcome *walks, size_t nwalks, struct nd_buf *out)
{
	char src[ND_IP_TEXT], dst[ND_IP_TEXT];

	nd_buf_printf(out, "# difference at packet %zu (from %c, %s:%u > %s:%u): %s\n# kernel: ", i,
		      "ABR"[packet->from], nd_ip_text(packet->t.src, src), packet -> t.sport,
		      nd_ip_text(packet->t.dst, dst), packet->t.dport, why);
	outcome_text(counters, kernel, out);
	for (size_t k = 0; k < nwalks && k < 8; k++) {
		nd_buf_printf(out, "# walk %zu of %zu, share %.3f: ", k + 1, nwalks,
			      walks[k].share);
		outcome_text(counters, &walks[k], out);
	}
}

/* True: they agree, or the packet could not be sent. */
static bool run_packet(struct box *box, struct scenario *s, size_t i, struct router *router,
		       struct counters *before, struct memory *memory, struct tally *tally,
		       struct nd_buf *out)
{
	static uint16_t last_id;
	struct test_packet packet;
	struct outcome kernel, *walks;
	struct counters after;
	size_t nwalks, which = 0;
	const char *why;

	if (s->packets[i].is_off || !resolve(s, memory, i, &packet))
		return true;
	last_id = (uint16_t)(last_id % 60000 + 1);
	nwalks = router_walk(router, &packet,
			     s->packets[i].follows < 0 ? NULL : &memory->ct[root_of(s, i)], &walks);
	if (!send_and_see(box, &router->arena, &packet, last_id, &kernel)) {
		tally->skipped++;
		return true;
	}
	counters_read(&router->arena, s, &after);
	take_hits(&router->arena, before, &after, &kernel);
	before->rows = after.rows;
	counters_free(&after);
	for (size_t k = 0; k < nwalks; k++)
		walks[k].is_port_free |= memory->is_id_free[root_of(s, i)];
	why = compare(&router->arena, router->counters, &kernel, walks, nwalks, &which);
	if (!why)
		why = case_differs(&router->arena, packet.expect, &kernel);
	tally->cases++;
	tally->fates[kernel.fate]++;
	if (!why) {
		tally->agree++;
		remember(s, memory, i, &kernel, &walks[which]);
		return true;
	}
	if (nd_eq(why, "unknown"))
		tally->unknown++;
	else
		tally->differ++;
	if (out)
		tell(router->counters, i, why, &packet, &kernel, walks, nwalks, out);
	return false;
}

int scenario_run(struct box *box, struct scenario *s, struct tally *tally, struct nd_buf *out)
{
	struct counters first, before;
	struct memory memory = {0};
	struct router router;
	nd_auto_buf struct nd_buf errors = {0};
	int differs = -1;

	tally->sets++;
	tally->with_ipsets += s->nsets > 0;
	if (!scenario_load(box, s, &errors)) {
		tally->broken_sets++;
		if (getenv("KERNEL_VERBOSE") && tally->sets > tally->broken_sets + 5)
			fprintf(stderr, "kernel: seed %llu: %s\n", (unsigned long long)s->seed,
				errors.data ? errors.data : "?");
		return -1;
	}
	counters_read(&s->arena, s, &first);
	before = first;
	router_make(&router, s, &first);
	for (size_t i = 0; i < s->npackets && differs < 0; i++)
		if (!run_packet(box, s, i, &router, &before, &memory, tally, out))
			differs = (int)i;
	router_free(&router);
	counters_free(&first);
	return differs;
}
