/*
 * route_index.h: the routes of a namespace that hold for an address, longest prefixes first.
 * Private to walk/.
 *
 *	struct nd_route_cursor cursor = nd_route_cursor_start(space, dst);
 *	while (nd_route_cursor_shorter(&cursor))
 *		while ((route = nd_route_cursor_next(&cursor)) != NULL)
 *			routes of one prefix length, as listed; all lengths at once without an index
 */
#ifndef ND_PLUGIN_WALK_ROUTE_INDEX_H
#define ND_PLUGIN_WALK_ROUTE_INDEX_H

#include "plugin/walk/space.h"

/* NULL: so few that going through them is faster. */
const struct nd_route_index *nd_route_index_build(struct nd_arena *arena,
						  const struct nd_route *routes, size_t n);

struct nd_route_cursor {
	const struct nd_space *space;
	struct nd_ip dst;
	size_t nlens; /* lengths that were looked at */
	size_t next;  /* with an index: route + 1; else: route */
};
struct nd_route_cursor nd_route_cursor_start(const struct nd_space *space, struct nd_ip dst);
/* Those of its prefix length that are listed behind a route. */
struct nd_route_cursor nd_route_cursor_behind(const struct nd_space *space, struct nd_ip dst,
					      const struct nd_route *route);
bool nd_route_cursor_shorter(struct nd_route_cursor *cursor);
const struct nd_route *nd_route_cursor_next(struct nd_route_cursor *cursor);

#endif
