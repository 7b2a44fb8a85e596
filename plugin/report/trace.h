/*
 * trace.h: the way of a packet, for people and for programs.
 */
#ifndef ND_PLUGIN_REPORT_TRACE_H
#define ND_PLUGIN_REPORT_TRACE_H

#include "plugin/report/report.h"
#include "plugin/walk/place.h"
#include "plugin/walk/walk.h"

/* What a real packet did, beside what the walk says. */
struct nd_trace_live {
	const struct nd_probe_result *result; /* NULL: no answer of the agent */
	bool is_same;			      /* the walk expects this outcome */
	const char *expected;		      /* "TIMEOUT", "ok", "REFUSED or NOHOST" */
	/* Rules of the likeliest path whose counters rose meanwhile; those that did not. */
	const char **moved, **still; /* nmoved, nstill: "w1: nat KUBE-SERVICES rule 5" */
	size_t nmoved, nstill;
};

struct nd_trace {
	const struct nd_place *from, *to;
	const char *proto; /* "tcp" */
	uint16_t dport;
	const struct nd_walk *walk;
	const struct nd_trace_live *live; /* NULL: not asked for */
};

void nd_trace_print_text(const struct nd_trace *trace, const struct nd_style *style,
			 struct nd_buf *out);
void nd_trace_print_json(const struct nd_trace *trace, struct nd_buf *out);

#endif
