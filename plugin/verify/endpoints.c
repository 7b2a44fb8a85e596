#include "common/base.h"
#include "plugin/checks/service.h"
#include "plugin/verify/test.h"

/*
 * As diagnose judges: a workload scaled to zero leaves its service without an answer, whoever meant
 * it; a selector that matches nothing at all and resembles nothing (a StatefulSet at zero looks so)
 * hurts nobody that is known, and is left out.
 */
static bool is_idle(const struct nd_cluster *c, const struct nd_service *s, size_t ntotal)
{
	struct nd_backends b;
	struct nd_near_miss near;
	nd_service_backends(c, s, &b);
	return !ntotal && !b.npods && !b.workload && !nd_service_is_dns(s) &&
	       !nd_service_near_miss(c, s, &near);
}

static void run(struct nd_verify_run *run)
{
	static const char *const lists[] = {"pods", "services", "endpointslices", "deployments",
					    "daemonsets"};
	const struct nd_cluster *c = run->cluster;
	size_t nidle = 0;
	if (!nd_verify_has_lists(run, lists, ND_ARRAY_LEN(lists)))
		return;
	for (size_t i = 0; i < c->nservices; i++) {
		const struct nd_service *s = &c->services[i];
		size_t ntotal, nready;
		if (!nd_service_wants_pods(s))
			continue;
		nready = nd_look_ready_endpoints(c, s, &ntotal);
		if (nready || (s->publish_not_ready && ntotal))
			nd_verify_pass(run);
		else if (is_idle(c, s, ntotal))
			nidle++;
		else
			nd_verify_fail(run, "service %s/%s: %zu endpoint%s, none ready", s->meta.ns,
				       s->meta.name, ntotal, ntotal == 1 ? "" : "s");
	}
	if (nidle)
		run->out->why = nd_arena_printf(
			run->arena, "%zu left out: the selector matches nothing at all", nidle);
}

const struct nd_verify_test nd_verify_test_endpoints = {
	.id = "endpoints",
	.title = "Services have endpoints",
	.what = "every service with a selector has a ready endpoint, headless ones too; one that "
		"publishes pods before they are ready needs any",
	.run = run,
	.nothing = "no service selects pods",
};
