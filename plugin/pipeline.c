#include "common/base.h"
#include "common/clock.h"
#include "plugin/checks/run.h"
#include "plugin/pipeline.h"

int nd_pipeline_diagnose(struct nd_pipeline *p, const struct nd_args *args, struct nd_err *err)
{
	int64_t start_us = nd_clock_mono_us();
	p->gathering.arena = &p->arena;
	if (nd_gather(&p->gathering, args, err) < 0)
		return -1;
	const struct nd_cluster *cluster = p->gathering.cluster;
	struct nd_finding_list findings = {0};
	struct nd_scope scope = {.ns = args->kube.namespace_, .node = args->node};
	struct nd_diagnosis *diagnosis = nd_arena_alloc(&p->arena, sizeof(*diagnosis));
	nd_checks_run(cluster, &p->arena, &findings);
	nd_diagnose(&p->arena, &findings, &scope, diagnosis);
	p->report = nd_report_build(&p->arena, cluster, diagnosis,
				    (double)(nd_clock_mono_us() - start_us) / 1e6);
	return 0;
}

void nd_pipeline_free(struct nd_pipeline *p)
{
	nd_gathering_free(&p->gathering);
	nd_arena_free(&p->arena);
}
