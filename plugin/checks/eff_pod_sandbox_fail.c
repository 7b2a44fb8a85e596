#include "common/base.h"
#include "plugin/checks/check.h"

/* An event stays for an hour: it counts only while its pod still waits. */
static const struct nd_event *sandbox_event(const struct nd_cluster *cluster,
					    const struct nd_pod *pod)
{
	const struct nd_event *last = NULL;
	if (!nd_eq(pod->phase, "Pending") || !pod->node || !pod->meta.uid)
		return NULL;
	for (size_t i = 0; i < cluster->nevents; i++) {
		const struct nd_event *e = &cluster->events[i];
		if (nd_eq(e->reason, "FailedCreatePodSandBox") && nd_eq(e->uid, pod->meta.uid) &&
		    (!last || e->last_unix_s >= last->last_unix_s))
			last = e;
	}
	return last;
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->npods; i++) {
		const struct nd_pod *pod = &run->cluster->pods[i];
		const struct nd_event *event = sandbox_event(run->cluster, pod);
		if (!event || pod->meta.is_deleting)
			continue;
		struct nd_finding *f = nd_find(run, "pod/%s/%s", pod->meta.ns, pod->meta.name);
		f->node = pod->node;
		f->title = nd_check_text(run, "Pod %s/%s gets no network", pod->meta.ns,
					 pod->meta.name);
		nd_prove(run, f, "API: event", "FailedCreatePodSandBox: %s",
			 event->message ? event->message : "no message");
	}
}

const struct nd_check nd_check_eff_pod_sandbox_fail = {
	.id = "eff-pod-sandbox-fail",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_ERROR,
	.title = "A pod gets no network",
	.why = "The container runtime could not make the pod's network namespace, most often "
	       "because "
	       "the CNI plugin failed; its words are in the event.",
	.fix = "read the event: kubectl describe pod",
	.source = "kubelet: event FailedCreatePodSandBox",
	.run = run,
};
