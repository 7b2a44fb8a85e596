#include "common/base.h"
#include "plugin/cli/progress.h"
#include "plugin/cmd/cmd.h"
#include "plugin/pipeline.h"

static int exit_code(const struct nd_report *report, bool fails_on_warning)
{
	const struct nd_diagnosis *d = report->diagnosis;
	bool fails = report->nunexplained > 0;
	for (size_t i = 0; i < d->ncauses; i++)
		fails |= d->causes[i]->severity == ND_ERROR ||
			 (fails_on_warning && d->causes[i]->severity == ND_WARNING);
	if (fails)
		return ND_EXIT_PROBLEMS;
	return report->cluster->ngaps ? ND_EXIT_INCOMPLETE : ND_EXIT_OK;
}

static int run(const struct nd_args *args, struct nd_buf *out, struct nd_err *err)
{
	const struct nd_format *format = nd_format_find(args->output ? args->output : "text");
	if (!format)
		return nd_err_set(err, ND_E_USAGE, "-o %s: wanted one of %s", args->output,
				  nd_formats_names());
	if (args->fail_on && !nd_eq(args->fail_on, "error") && !nd_eq(args->fail_on, "warning"))
		return nd_err_set(err, ND_E_USAGE, "--fail-on %s: wanted error or warning",
				  args->fail_on);
	if (args->from && args->save)
		return nd_err_set(err, ND_E_USAGE, "--from and --save exclude each other");
	if (args->nwords)
		return nd_err_set(err, ND_E_USAGE, "diagnose takes no word %s", args->words[0]);
	struct nd_pipeline pipeline = {0};
	int rc = nd_pipeline_diagnose(&pipeline, args, err);
	if (rc == 0) {
		struct nd_style style = {.has_colour = nd_terminal_has_colour(STDOUT_FILENO)};
		format->print(pipeline.report, &style, out);
		rc = exit_code(pipeline.report, nd_eq(args->fail_on, "warning"));
	}
	nd_pipeline_free(&pipeline);
	return rc;
}

const struct nd_cmd nd_cmd_diagnose = {
	.name = "diagnose",
	.usage = "diagnose [flags]",
	.help = "find the cause, show the proof",
	.run = run,
};
