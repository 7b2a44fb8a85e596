#include "common/base.h"
#include "common/text.h"
#include "plugin/cli/progress.h"

static bool is_terminal(int fd)
{
	const char *term = getenv("TERM");
	return isatty(fd) && term && !nd_eq(term, "dumb");
}

bool nd_terminal_has_colour(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	return is_terminal(fd) && (!no_color || !*no_color);
}

void nd_progress_start(struct nd_progress *p, bool is_quiet)
{
	*p = (struct nd_progress){.is_on = !is_quiet, .is_terminal = is_terminal(STDERR_FILENO)};
}

static void draw_bar(const struct nd_progress *p, const char *node, const char *state)
{
	char bar[21], name[48], what[48];
	size_t filled = p->nnodes ? p->ndone * 20 / p->nnodes : 0;
	for (size_t i = 0; i < 20; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[20] = '\0';
	fprintf(stderr, "\r\033[K[%s] %zu/%zu nodes · %s: %s", bar, p->ndone, p->nnodes,
		nd_text_safe(name, sizeof(name), node), nd_text_safe(what, sizeof(what), state));
	fflush(stderr);
}

void nd_progress_node(void *ctx, const char *node, const char *state)
{
	struct nd_progress *p = ctx;
	bool is_end = nd_eq(state, "done") || nd_starts(state, "failed");
	if (!p->is_on)
		return;
	if (is_end)
		p->ndone++;
	else if (nd_eq(state, "connecting"))
		p->nnodes++;
	if (p->is_terminal) {
		draw_bar(p, node, state);
	} else if (nd_starts(state, "failed")) {
		char name[64], what[256];
		fprintf(stderr, "node %s: %s\n", nd_text_safe(name, sizeof(name), node),
			nd_text_safe(what, sizeof(what), state));
	}
}

void nd_progress_end(struct nd_progress *p)
{
	if (p->is_on && p->is_terminal)
		fputs("\r\033[K", stderr);
}

void nd_progress_say(bool is_quiet, const char *line)
{
	char safe[512];
	if (!is_quiet)
		fprintf(stderr, "%s\n", nd_text_safe(safe, sizeof(safe), line));
}
