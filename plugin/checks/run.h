/* run.h: ask every check. */
#ifndef ND_PLUGIN_CHECKS_RUN_H
#define ND_PLUGIN_CHECKS_RUN_H

#include "plugin/checks/check.h"

struct nd_finding_list {
	struct nd_finding **items; /* in the order of checks.def, then as found */
	size_t n;
};

void nd_checks_run(const struct nd_cluster *cluster, struct nd_arena *arena,
		   struct nd_finding_list *out);

#endif
