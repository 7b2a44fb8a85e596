/*
 * collect.h: what a collector is. Each agent/collect/<id>.c answers one row of
 * common/sections.def and ends with
 *
 *	const struct nd_collector nd_collector_links = {.name = "links", .run = run};
 *
 * run appends exactly the bytes docs/wire.md promises for the section to out (empty at the start,
 * out->max_bytes set by the caller) and returns 0. -1: the section becomes a gap with err->text
 * as its reason, and out is thrown away. A collector that runs over out->max_bytes need not
 * notice: the caller looks at out->is_over.
 */
#ifndef ND_AGENT_COLLECT_COLLECT_H
#define ND_AGENT_COLLECT_COLLECT_H

#include "common/base.h"

#include "agent/agent.h"
#include "common/buf.h"
#include "common/err.h"

struct nd_collector {
	const char *name; /* the section on the wire */
	int (*run)(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err);
};

#define ND_SECTION(id, name, what) extern const struct nd_collector nd_collector_##id;
#include "common/sections.def"
#undef ND_SECTION

#endif
