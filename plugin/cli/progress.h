/*
 * progress.h: what is happening, on standard error: one line that is drawn over on a terminal,
 * plain lines elsewhere, nothing with --quiet.
 */
#ifndef ND_PLUGIN_CLI_PROGRESS_H
#define ND_PLUGIN_CLI_PROGRESS_H

#include "common/base.h"

struct nd_progress {
	bool is_on, is_terminal;
	size_t nnodes, ndone; /* nodes seen, nodes that have answered or failed */
};

void nd_progress_start(struct nd_progress *progress, bool is_quiet);
/* state: "connecting", "collecting", "done", "failed: ..."; ctx is a struct nd_progress. */
void nd_progress_node(void *ctx, const char *node, const char *state);
void nd_progress_end(struct nd_progress *progress); /* wipes the line on a terminal */
/* One line for people, of its own. */
void nd_progress_say(bool is_quiet, const char *line);

/* Colour goes to fd when it is a terminal, TERM is not "dumb", and NO_COLOR is unset or empty. */
bool nd_terminal_has_colour(int fd);

#endif
