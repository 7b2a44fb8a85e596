/*
 * pipeline.h: the way of the data, from where the evidence is to the finished report. The only
 * module that knows the order.
 */
#ifndef ND_PLUGIN_PIPELINE_H
#define ND_PLUGIN_PIPELINE_H

#include "plugin/gather.h"
#include "plugin/report/report.h"

struct nd_pipeline {
	struct nd_arena arena; /* configuration, findings, report */
	struct nd_gathering gathering;
	const struct nd_report *report;
};

/*
 * Gather (live, or from args->from), decode, check, diagnose, build the report. -1 only when there
 * is nothing at all to diagnose (no configuration, or neither API server nor any node answered) or
 * the bundle could not be read or written.
 */
int nd_pipeline_diagnose(struct nd_pipeline *pipeline, const struct nd_args *args,
			 struct nd_err *err) ND_MUST_USE;
void nd_pipeline_free(struct nd_pipeline *pipeline);

#endif
