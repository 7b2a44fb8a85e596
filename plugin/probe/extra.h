/*
 * extra.h: what verify sends besides the plan that diagnose has. Private to probe/.
 */
#ifndef ND_PLUGIN_PROBE_EXTRA_H
#define ND_PLUGIN_PROBE_EXTRA_H

#include "plugin/probe/emit.h"
#include "plugin/probe/pick.h"

struct nd_extra;
/* NULL: the options want nothing besides. */
struct nd_extra *nd_extra_new(const struct nd_pick *pick, struct nd_emit *emit,
			      const struct nd_probe_options *options);
/*
 * For the node that emit is at, an index of pick->nodes; extra may be NULL. dns_name: what its
 * pods ask cluster DNS, "kubernetes.default.svc.cluster.local.".
 */
void nd_extra_plan(struct nd_extra *extra, size_t node, const char *dns_name);

#endif
