#include "common/base.h"
#include "plugin/checks/crashloop.h"

static const struct nd_container *crashing(const struct nd_pod *pod)
{
	for (size_t i = 0; i < pod->ncontainers; i++)
		if (nd_eq(pod->containers[i].waiting_reason, "CrashLoopBackOff"))
			return &pod->containers[i];
	return NULL;
}

void nd_crashloop_find(struct nd_check_run *run,
		       bool (*is_mine)(const struct nd_cluster *cluster, const struct nd_pod *pod),
		       const char *what)
{
	for (size_t i = 0; i < run->cluster->npods; i++) {
		const struct nd_pod *pod = &run->cluster->pods[i];
		const struct nd_container *c = crashing(pod);
		if (!c || pod->meta.is_deleting || !is_mine(run->cluster, pod))
			continue;
		struct nd_finding *f = nd_find(run, "pod/%s/%s", pod->meta.ns, pod->meta.name);
		f->node = pod->node;
		f->title = nd_check_text(run, "%s crashes again and again on %s", what,
					 pod->node ? pod->node : "no node");
		nd_prove(run, f, "API: pod",
			 "container %s: CrashLoopBackOff, %d restarts, last %s%s%s", c->name,
			 (int)c->restarts,
			 c->terminated_reason ? c->terminated_reason : "end unknown",
			 c->terminated_message ? ": " : "",
			 c->terminated_message ? c->terminated_message : "");
	}
}
