#include "common/base.h"
#include "plugin/checks/check.h"
#include "plugin/checks/failures.h"
#include "plugin/checks/run.h"
#include "plugin/checks/walks.h"

#include <stdarg.h>

#define ND_CHECK(id) extern const struct nd_check nd_check_##id;
#include "plugin/checks/checks.def"
#undef ND_CHECK

const struct nd_check *const nd_checks[] = {
#define ND_CHECK(id) &nd_check_##id,
#include "plugin/checks/checks.def"
#undef ND_CHECK
};
const size_t nd_nchecks = ND_ARRAY_LEN(nd_checks);

const struct nd_check *nd_check_find(const char *id)
{
	for (size_t i = 0; i < nd_nchecks; i++)
		if (nd_eq(nd_checks[i]->id, id))
			return nd_checks[i];
	return NULL;
}

static const char *format(struct nd_arena *arena, const char *fmt, va_list args)
{
	nd_auto_free char *text = NULL;
	int n = vasprintf(&text, fmt, args);
	if (n < 0)
		ND_BUG("out of memory");
	return nd_arena_strdup(arena, text, (size_t)n);
}

struct nd_finding *nd_find(struct nd_check_run *run, const char *subject_fmt, ...)
{
	va_list args;
	va_start(args, subject_fmt);
	struct nd_finding *f = nd_arena_alloc(run->arena, sizeof(*f));
	f->check = run->check;
	f->subject = format(run->arena, subject_fmt, args);
	va_end(args);
	f->kind = run->check->kind;
	f->severity = run->check->severity;
	if (nd_starts(f->subject, "node/"))
		f->node = f->subject + strlen("node/");
	ND_ARENA_PUSH(run->arena, run->findings, run->nfindings) = f;
	return f;
}

void nd_prove(struct nd_check_run *run, struct nd_finding *f, const char *where, const char *fmt,
	      ...)
{
	va_list args;
	va_start(args, fmt);
	struct nd_evidence_line line = {format(run->arena, fmt, args),
					nd_arena_strdup(run->arena, where, strlen(where))};
	va_end(args);
	ND_ARENA_PUSH(run->arena, f->proof, f->nproof) = line;
}

const char *nd_check_text(struct nd_check_run *run, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const char *text = format(run->arena, fmt, args);
	va_end(args);
	return text;
}

void nd_checks_run(const struct nd_cluster *cluster, struct nd_arena *arena,
		   struct nd_finding_list *out)
{
	struct nd_failures failures;
	struct nd_check_run run = {.cluster = cluster, .arena = arena, .failures = &failures};
	nd_failures_find(arena, cluster, &failures);
	for (size_t i = 0; i < nd_nchecks; i++) {
		run.check = nd_checks[i];
		run.check->run(&run);
	}
	nd_walks_prove(&run);
	out->items = run.findings;
	out->n = run.nfindings;
}
