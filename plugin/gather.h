/*
 * gather.h: from the flags to the model: ask API server and nodes side by side, then probe, or read
 * it all from a bundle.
 *
 *	struct nd_gathering g = {.arena = &arena};
 *	if (nd_gather(&g, args, err) == 0) ... g.cluster ...
 *	nd_gathering_free(&g);
 */
#ifndef ND_PLUGIN_GATHER_H
#define ND_PLUGIN_GATHER_H

#include "plugin/cli/options.h"
#include "plugin/model/build.h"
#include "plugin/rounds.h"

struct nd_gathering {
	struct nd_arena *arena; /* of the configuration; the caller's */
	struct nd_round_options rounds; /* what the command wants; the flags are put over it */
	struct nd_model *model;
	const struct nd_cluster *cluster; /* the model's */
};

/*
 * Live, or from args->from; saved to args->save. -1 only when there is nothing at all to look at
 * (no configuration, or neither API server nor any node answered), or the bundle could not be read
 * or written. Free it in either case.
 */
int nd_gather(struct nd_gathering *g, const struct nd_args *args, struct nd_err *err) ND_MUST_USE;
void nd_gathering_free(struct nd_gathering *g);

#endif
