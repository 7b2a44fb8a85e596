/* compare.c: did the kernel do what one of the walk's alternatives says? */
#include "common/base.h"

#include "tests/kernel/kernel.h"

static const char *const layers[] = {"iptables-nft", "iptables-legacy", "nft"};
static const char *const fate_names[] = {"gone", "delivered in R", "sent", "rejected", "unknown"};

static const char *hits_differ(struct nd_arena *arena, const struct counters *counters,
			       const struct outcome *kernel, const struct outcome *walk)
{
	/* The error itself goes through OUTPUT and POSTROUTING, and over lo through more. */
	bool may_be_more = walk->fate == FATE_REJECTED || walk->error;

	for (size_t i = 0; i < counters->nrows; i++) {
		const struct counter_row *row = &counters->rows[i];

		if (kernel->hits[i] == walk->hits[i] ||
		    (may_be_more && kernel->hits[i] > walk->hits[i]))
			continue;
		return nd_arena_printf(arena, "rule hit %u times, walk says %u: %s %s %s %u: %s",
				       kernel->hits[i], walk->hits[i], row->family, row->table,
				       row->chain, row->number, row->text);
	}
	return NULL;
}

static const char *fate_differs(struct nd_arena *arena, const struct outcome *kernel,
				const struct outcome *walk)
{
	if (walk->fate == FATE_REJECTED) {
		/* The error may be dropped on its own way. */
		if (kernel->fate == FATE_GONE)
			return NULL;
		if (kernel->fate == FATE_REJECTED &&
		    (!kernel->error || nd_eq(kernel->error, walk->error)))
			return NULL;
	} else if (kernel->fate == walk->fate &&
		   (kernel->fate != FATE_SENT || nd_eq(kernel->dev, walk->dev))) {
		return NULL;
	}
	return nd_arena_printf(arena, "kernel: %s %s%s, walk: %s %s%s", fate_names[kernel->fate],
			       kernel->dev ? kernel->dev : "", kernel->error ? kernel->error : "",
			       fate_names[walk->fate],
			       walk->dev && walk->fate == FATE_SENT ? walk->dev : "",
			       walk->error ? walk->error : "");
}

static const char *packet_differs(struct nd_arena *arena, const struct outcome *kernel,
				  const struct outcome *walk)
{
	bool is_same_port = kernel->t.sport == walk->t.sport || walk->is_port_free;

	if (kernel->fate != FATE_LOCAL && kernel->fate != FATE_SENT)
		return NULL;
	if (!nd_ip_eq(kernel->t.src, walk->t.src) || !nd_ip_eq(kernel->t.dst, walk->t.dst))
		return "addresses";
	if (!is_same_port || kernel->t.dport != walk->t.dport)
		return nd_arena_printf(arena, "ports: kernel %u > %u, walk %u > %u",
				       kernel->t.sport, kernel->t.dport, walk->t.sport,
				       walk->t.dport);
	if (kernel->mark != walk->mark)
		return nd_arena_printf(arena, "mark: kernel 0x%x, walk 0x%x", kernel->mark,
				       walk->mark);
	if (kernel->ttl != walk->ttl)
		return nd_arena_printf(arena, "ttl: kernel %u, walk %u", kernel->ttl, walk->ttl);
	if (kernel->dscp != walk->dscp)
		return nd_arena_printf(arena, "dscp: kernel %u, walk %u", kernel->dscp, walk->dscp);
	return NULL;
}

const char *compare(struct nd_arena *arena, const struct counters *counters, struct outcome *kernel,
		    struct outcome *walks, size_t nwalks, size_t *which)
{
	const char *first = NULL;
	bool has_unknown = false;

	for (size_t i = 0; i < nwalks; i++) {
		const char *why = NULL;

		*which = i;
		has_unknown = has_unknown || walks[i].fate == FATE_UNKNOWN;
		if (walks[i].fate == FATE_UNKNOWN || walks[i].share <= 0)
			continue;
		why = fate_differs(arena, kernel, &walks[i]);
		if (!why)
			why = packet_differs(arena, kernel, &walks[i]);
		if (!why)
			why = hits_differ(arena, counters, kernel, &walks[i]);
		if (!why)
			return NULL;
		if (!first)
			first = why;
	}
	*which = nwalks;
	return has_unknown ? "unknown" : first ? first : "no alternative";
}

void outcome_text(const struct counters *counters, const struct outcome *outcome,
		  struct nd_buf *out)
{
	char src[ND_IP_TEXT], dst[ND_IP_TEXT];

	nd_buf_printf(out, "%s%s%s %s:%u > %s:%u mark 0x%x ttl %u %s\n", fate_names[outcome->fate],
		      outcome->dev ? " " : "", outcome->dev ? outcome->dev : "",
		      nd_ip_text(outcome->t.src, src), outcome->t.sport,
		      nd_ip_text(outcome->t.dst, dst), outcome->t.dport, outcome->mark,
		      outcome->ttl, outcome->error ? outcome->error : "");
	if (outcome->why)
		nd_buf_printf(out, "#   because: %s\n", outcome->why);
	for (size_t i = 0; i < counters->nrows; i++) {
		const struct counter_row *row = &counters->rows[i];

		if (outcome->hits && outcome->hits[i])
			nd_buf_printf(out, "#   %ux %s %s %s %s %u: %s\n", outcome->hits[i],
				      layers[row->layer], row->family, row->table, row->chain, row->number, row->text);
	}
}
