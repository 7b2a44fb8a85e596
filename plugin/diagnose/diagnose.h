/*
 * diagnose.h: from findings to causes, what they explain, and what only might hurt.
 *
 * For now by layer order and direct proof: a cause that a lower cause explains (its check's
 * `explains` names it, and they are at the same node where that matters) becomes an effect of it.
 */
#ifndef ND_PLUGIN_DIAGNOSE_DIAGNOSE_H
#define ND_PLUGIN_DIAGNOSE_DIAGNOSE_H

#include "plugin/checks/run.h"

struct nd_diagnosis {
	const struct nd_finding **causes; /* ncauses; the first is the one to mend first */
	size_t ncauses;
	const struct nd_finding *
		*effects; /* neffects; explained_by is NULL where nobody explains it */
	size_t neffects;
	const struct nd_finding **hazards; /* nhazards */
	size_t nhazards;
};

/* Narrow the answer; NULL: everything. Causes on nodes stay whatever the namespace. */
struct nd_scope {
	const char *ns, *node;
};

/* Sorts findings in place and fills explained_by. Arrays live in the arena. */
void nd_diagnose(struct nd_arena *arena, struct nd_finding_list *findings,
		 const struct nd_scope *scope, struct nd_diagnosis *out);

#endif
