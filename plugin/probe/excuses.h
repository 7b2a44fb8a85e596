/*
 * excuses.h: pods that are themselves the reason why nothing comes back: they ended while they were
 * asked, or do not answer even themselves. What was sent to them tells nothing of the network.
 *
 *	struct nd_excuses excuses;
 *	nd_excuses_find(&arena, &index, &excuses);
 *	if (nd_excuses_of(&excuses, &flow) != ND_EXCUSE_NONE) ... no failure of the network
 */
#ifndef ND_PLUGIN_PROBE_EXCUSES_H
#define ND_PLUGIN_PROBE_EXCUSES_H

#include "plugin/probe/flow.h"

enum nd_excuse {
	ND_EXCUSE_NONE,
	ND_EXCUSE_SILENT, /* does not answer itself */
	ND_EXCUSE_ENDED
};
struct nd_excused {
	const struct nd_pod *pod;
	enum nd_excuse why;
};
struct nd_excuses {
	const struct nd_flow_index *index; /* the caller's, must stay */
	struct nd_excused *pods;	   /* npods, each once */
	size_t npods;
};

void nd_excuses_find(struct nd_arena *arena, const struct nd_flow_index *index,
		     struct nd_excuses *out);
/* Of the pod that was asked, or of any behind the service: which one was asked is not known. */
enum nd_excuse nd_excuses_of(const struct nd_excuses *excuses, const struct nd_flow *flow);

#endif
