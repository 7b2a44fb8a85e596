#include "common/base.h"
#include "plugin/model/look.h"
#include "plugin/probe/excuses.h"

static struct nd_excused *find(const struct nd_excuses *excuses, const struct nd_pod *pod)
{
	for (size_t i = 0; pod && i < excuses->npods; i++)
		if (excuses->pods[i].pod == pod)
			return &excuses->pods[i];
	return NULL;
}

/* A pod that has ended cannot answer itself either: that is the better reason. */
static void excuse(struct nd_arena *arena, struct nd_excuses *excuses, const struct nd_pod *pod,
		   enum nd_excuse why)
{
	struct nd_excused *known = find(excuses, pod);
	if (known && why == ND_EXCUSE_ENDED)
		known->why = why;
	else if (!known)
		ND_ARENA_PUSH(arena, excuses->pods, excuses->npods) =
			((struct nd_excused){pod, why});
}

static void find_at(struct nd_arena *arena, struct nd_excuses *excuses, const struct nd_host *host)
{
	struct nd_flow flow;
	for (size_t i = 0; i < host->nprobes; i++) {
		const struct nd_probe_result *r = &host->probes[i];
		if (r->outcome == ND_OUTCOME_ok || !r->netns_inode)
			continue;
		nd_flow_find(excuses->index, host, r, &flow);
		if (!flow.source_pod)
			continue;
		if (r->outcome == ND_OUTCOME_gone)
			excuse(arena, excuses, flow.source_pod, ND_EXCUSE_ENDED);
		else if (flow.kind == ND_FLOW_SELF)
			excuse(arena, excuses, flow.source_pod, ND_EXCUSE_SILENT);
	}
}

void nd_excuses_find(struct nd_arena *arena, const struct nd_flow_index *index,
		     struct nd_excuses *out)
{
	*out = (struct nd_excuses){.index = index};
	for (size_t i = 0; i < index->cluster->nhosts; i++)
		find_at(arena, out, &index->cluster->hosts[i]);
}

enum nd_excuse nd_excuses_of(const struct nd_excuses *excuses, const struct nd_flow *flow)
{
	const struct nd_cluster *cluster = excuses->index->cluster;
	const struct nd_excused *found = find(excuses, flow->target_pod);
	enum nd_excuse why = found ? found->why : ND_EXCUSE_NONE;
	size_t n = 0;
	if (found || !flow->service || !excuses->npods)
		return why;
	const struct nd_slice *slices = nd_look_slices(cluster, flow->service, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t e = 0; e < slices[i].nendpoints; e++) {
			found = find(excuses,
				     nd_look_pod_by_ip(cluster, slices[i].endpoints[e].ip));
			if (found && found->why > why)
				why = found->why;
		}
	return why;
}
