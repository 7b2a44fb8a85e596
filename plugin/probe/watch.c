#include "common/base.h"
#include "plugin/model/look.h"
#include "plugin/probe/pick.h"
#include "plugin/probe/stage.h"
#include "plugin/probe/watch.h"

struct search {
	struct nd_flow_index index;
	struct nd_probe_watch *hosts; /* as cluster->hosts; node NULL: not wanted */
};

/* Only nodes whose agent answered before. */
static struct nd_probe_watch *want(struct search *s, const char *node)
{
	const struct nd_cluster *c = s->index.cluster;
	const struct nd_host *host = node ? nd_look_host(c, node) : NULL;

	if (!nd_host_has(host, ND_SECTION_pods))
		return NULL;
	s->hosts[host - c->hosts].node = host->node;
	return &s->hosts[host - c->hosts];
}

static void want_inode(struct search *s, const char *node, uint64_t inode)
{
	struct nd_probe_watch *watch = want(s, node);

	if (!watch || !inode || watch->ninodes == ND_PROBE_MAX_WATCHED)
		return;
	for (size_t i = 0; i < watch->ninodes; i++)
		if (watch->inodes[i] == inode)
			return;
	watch->inodes[watch->ninodes++] = inode;
}

static void want_pod(struct search *s, const struct nd_pod *pod)
{
	const struct nd_host *host = pod->node ? nd_look_host(s->index.cluster, pod->node) : NULL;
	const struct nd_podns *podns = host ? nd_look_podns(host, pod->meta.uid) : NULL;

	want(s, pod->node);
	if (podns && !podns->error && !podns->is_host_network)
		want_inode(s, pod->node, podns->inode);
}

static void want_endpoints(struct search *s, const struct nd_flow *flow, uint8_t family)
{
	size_t n, nwanted = 0;
	const struct nd_slice *slices = nd_look_slices(s->index.cluster, flow->service, &n);

	for (size_t i = 0; i < n; i++) {
		if (slices[i].family != family || !nd_slice_port_of(&slices[i], flow->service_port))
			continue;
		for (size_t j = 0; j < slices[i].nendpoints; j++) {
			const struct nd_endpoint *ep = &slices[i].endpoints[j];
			const struct nd_pod *pod = nd_look_pod_by_ip(s->index.cluster, ep->ip);
			const char *node =
				ep->node ? ep->node : nd_stage_node_of(s->index.cluster, ep->ip);

			if (!ep->is_ready || nwanted++ == ND_PROBE_MAX_WATCHED_ENDPOINTS)
				continue;
			if (pod)
				want_pod(s, pod);
			else
				want(s, node);
		}
	}
}

static void want_way(struct search *s, const struct nd_probe *probe)
{
	const struct nd_host *host = nd_look_host(s->index.cluster, probe->node);
	struct nd_probe_result result = {.kind = probe->kind,
					 .netns_inode = probe->netns_inode,
					 .ip = probe->ip,
					 .port = probe->port,
					 .name = probe->name};
	struct nd_flow flow;

	if (!host || !nd_stage_is_seen(probe->kind))
		return;
	nd_flow_find(&s->index, host, &result, &flow);
	if (flow.kind == ND_FLOW_SELF)
		return;
	want_inode(s, probe->node, probe->netns_inode);
	if (flow.target_pod)
		want_pod(s, flow.target_pod);
	else
		want(s, flow.target_node);
	if (flow.service && flow.service_port)
		want_endpoints(s, &flow, probe->ip.family);
}

void nd_probe_watches_find(struct nd_arena *arena, const struct nd_cluster *cluster,
			   const struct nd_probe_plan *plan, struct nd_probe_watches *out)
{
	struct search s = {0};

	*out = (struct nd_probe_watches){0};
	s.hosts = nd_arena_array(arena, cluster->nhosts + 1, sizeof(*s.hosts));
	nd_flow_index_build(arena, cluster, &s.index);
	for (size_t i = 0; i < plan->nprobes; i++)
		want_way(&s, &plan->probes[i]);
	for (size_t i = 0; i < cluster->nhosts; i++)
		if (s.hosts[i].node)
			ND_ARENA_PUSH(arena, out->items, out->n) = s.hosts[i];
}

const struct nd_probe_watch *nd_probe_watches_of(const struct nd_probe_watches *watches,
						 const char *node)
{
	for (size_t low = 0, high = watches->n; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(watches->items[middle].node, node);

		if (order == 0)
			return &watches->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
