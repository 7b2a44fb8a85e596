#include "common/base.h"
#include "plugin/cli/progress.h"
#include "plugin/cmd/cmd.h"
#include "plugin/gather.h"
#include "plugin/status/status.h"

static int print(const struct nd_status *status, const char *format, struct nd_buf *out)
{
	static const int codes[] = {[ND_MET] = ND_EXIT_OK,
				    [ND_MISSED] = ND_EXIT_PROBLEMS,
				    [ND_BLOCKED] = ND_EXIT_INCOMPLETE};
	struct nd_status_style style = {.has_colour = nd_terminal_has_colour(STDOUT_FILENO),
					.is_wide = nd_eq(format, "wide")};
	if (nd_eq(format, "json"))
		nd_status_print_json(status, out);
	else
		nd_status_print_text(status, &style, out);
	return codes[status->verdict];
}

static int run(const struct nd_args *args, struct nd_buf *out, struct nd_err *err)
{
	const char *format = args->output ? args->output : "text";
	struct nd_arena arena = {0};
	struct nd_gathering gathering = {.arena = &arena};
	if (!nd_eq(format, "text") && !nd_eq(format, "wide") && !nd_eq(format, "json"))
		return nd_err_set(err, ND_E_USAGE, "-o %s: wanted one of text, wide, json", format);
	if (args->from && args->save)
		return nd_err_set(err, ND_E_USAGE, "--from and --save exclude each other");
	if (args->nwords)
		return nd_err_set(err, ND_E_USAGE, "status takes no word %s", args->words[0]);
	int rc = nd_gather(&gathering, args, err);
	if (rc == 0)
		rc = print(nd_status_build(&arena, gathering.cluster, args->kube.namespace_),
			   format, out);
	nd_gathering_free(&gathering);
	nd_arena_free(&arena);
	return rc;
}

const struct nd_cmd nd_cmd_status = {
	.name = "status",
	.usage = "status [flags]",
	.help = "what is deployed, and whether it works, on one screen",
	.run = run,
};
