/*
 * report.h: the finished answer; a format only prints it.
 *
 *	const struct nd_report *report = nd_report_build(&arena, cluster, &diagnosis, seconds);
 *	nd_format_find("json")->print(report, &out);
 */
#ifndef ND_PLUGIN_REPORT_REPORT_H
#define ND_PLUGIN_REPORT_REPORT_H

#include "common/buf.h"
#include "plugin/diagnose/diagnose.h"
#include "plugin/probe/matrix.h"

enum nd_report_verdict { ND_HEALTHY, ND_PROBLEMS, ND_INCOMPLETE };

struct nd_report {
	enum nd_report_verdict verdict;
	const char *summary; /* one sentence a person can act on */
	const struct nd_diagnosis *diagnosis;
	const struct nd_cluster *cluster;
	struct nd_matrix matrix;	 /* of the probes */
	size_t nexplained, nunexplained; /* of the effects */
	double seconds;
};

struct nd_style {
	bool has_colour; /* the text goes to a terminal that shows colours */
	bool is_wide;	 /* everything, however long */
};

struct nd_format {
	const char *name; /* -o NAME */
	void (*print)(const struct nd_report *report, const struct nd_style *style,
		      struct nd_buf *out);
};

const struct nd_report *nd_report_build(struct nd_arena *arena, const struct nd_cluster *cluster,
					const struct nd_diagnosis *diagnosis, double seconds);
const struct nd_format *nd_format_find(const char *name); /* NULL: unknown */
const char *nd_formats_names(void);			  /* "text, wide, json" */

/* What to say of a finding: its own title or its check's. */
const char *nd_finding_title(const struct nd_finding *finding);
/* The check's `fix` with NODE replaced by the finding's node; "" when it has none. */
const char *nd_finding_fix(const struct nd_finding *finding, char *dst, size_t size);

#endif
