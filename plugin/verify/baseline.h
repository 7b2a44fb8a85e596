/*
 * baseline.h: how fast the way between two nodes is, kept in a file to compare with later.
 *
 *	nd_baseline_measure(&arena, flows, nflows, &now);
 *	nd_baseline_write("net.json", &now, err);
 *	nd_baseline_read(&arena, "net.json", &then, err);
 */
#ifndef ND_PLUGIN_VERIFY_BASELINE_H
#define ND_PLUGIN_VERIFY_BASELINE_H

#include "common/err.h"
#include "plugin/verify/flows.h"

/* Pods of one node to pods of another, or of the same. The best of what was measured; 0: nothing.
 */
struct nd_baseline_pair {
	const char *from, *to; /* nodes */
	int64_t icmp_us, tcp_us, dns_us;
	int64_t bytes_per_s; /* bulk; of some ten kilobytes, so a bound more than a rate */
	int64_t mtu_bytes;
};
struct nd_baseline {
	struct nd_baseline_pair *pairs; /* npairs, by from, then to; each once */
	size_t npairs;
	/* Of what was measured: asked, but nothing got through. Never in a file. */
	struct nd_baseline_pair *lost; /* nlost, by from, then to */
	size_t nlost;
};

void nd_baseline_measure(struct nd_arena *arena, const struct nd_verify_flow *flows, size_t nflows,
			 struct nd_baseline *out);
/* The best of both, in arena; lost is what more says. */
void nd_baseline_add(struct nd_arena *arena, struct nd_baseline *to,
		     const struct nd_baseline *more);
const struct nd_baseline_pair *nd_baseline_find(const struct nd_baseline_pair *pairs, size_t n,
						const char *from, const char *to);
/* Whole or not at all: a file beside it, then renamed. ND_E_IO. */
int nd_baseline_write(const char *path, const struct nd_baseline *baseline,
		      struct nd_err *err) ND_MUST_USE;
/* ND_E_IO; ND_E_INPUT: not such a file, says where; ND_E_LIMIT: too big. */
int nd_baseline_read(struct nd_arena *arena, const char *path, struct nd_baseline *out,
		     struct nd_err *err) ND_MUST_USE;
/* The text of a file, for tests and fuzzing. */
int nd_baseline_parse(struct nd_arena *arena, struct nd_str text, struct nd_baseline *out,
		      struct nd_err *err) ND_MUST_USE;

#endif
