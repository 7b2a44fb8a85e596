/*
 * probe.h: the kinds and the outcomes of probes, and their words on the wire (docs/wire.md).
 */
#ifndef ND_COMMON_PROBE_H
#define ND_COMMON_PROBE_H

#include "common/text.h"

enum nd_probe_kind {
#define ND_PROBE_KIND(id, name, what) ND_PROBE_##id,
#include "common/probe_kinds.def"
#undef ND_PROBE_KIND
	ND_PROBE_KINDS
};

enum nd_probe_outcome {
#define ND_PROBE_OUTCOME(id, name, what) ND_OUTCOME_##id,
#include "common/probe_outcomes.def"
#undef ND_PROBE_OUTCOME
	ND_OUTCOMES
};

/* Limits of a request's probe lines. */
#define ND_PROBE_MAX 65535	/* probes */
#define ND_PROBE_MAX_FLIGHT 256 /* at one time */
#define ND_PROBE_MIN_TIMEOUT_MS 50
#define ND_PROBE_MAX_TIMEOUT_MS 10000
#define ND_PROBE_TIMEOUT_MS 1000 /* when the request says nothing */
#define ND_PROBE_MAX_RATE 100000
#define ND_PROBE_RATE 2000 /* packets a second that start a probe, when the request says nothing   \
			    */

/* Limits of a request's watch lines. */
#define ND_WATCH_MAX 64 /* namespaces */
#define ND_WATCH_MIN_MS 50
#define ND_WATCH_MAX_MS 10000
#define ND_WATCH_MS 1000 /* when the request says nothing */
#define ND_PROBE_MAX_DELAY_MS 2000

const char *nd_probe_kind_name(enum nd_probe_kind kind);
bool nd_probe_kind_find(struct nd_str name, enum nd_probe_kind *out);
const char *nd_probe_outcome_name(enum nd_probe_outcome outcome);
const char *nd_probe_outcome_what(enum nd_probe_outcome outcome);
bool nd_probe_outcome_find(struct nd_str name, enum nd_probe_outcome *out);

#endif
