#include "common/base.h"
#include "plugin/diagnose/diagnose.h"

/* Row of checks.def: by layer, then id. */
static size_t check_rank(const struct nd_check *check)
{
	for (size_t i = 0; i < nd_nchecks; i++)
		if (nd_checks[i] == check)
			return i;
	return nd_nchecks;
}

/* Errors before warnings, proved before likely, lower layers first; then names, so that the order
 * is stable. */
static int by_rank(const void *pa, const void *pb)
{
	const struct nd_finding *a = *(struct nd_finding *const *)pa,
				*b = *(struct nd_finding *const *)pb;
	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->is_likely != b->is_likely)
		return a->is_likely ? 1 : -1;
	size_t ra = check_rank(a->check), rb = check_rank(b->check);
	if (ra != rb)
		return ra < rb ? -1 : 1;
	return strcmp(a->subject, b->subject);
}

static bool is_at(const struct nd_finding *effect, const char *node)
{
	for (size_t i = 0; i < effect->nnodes; i++)
		if (nd_eq(effect->nodes[i], node))
			return true;
	return nd_eq(effect->node, node) || (!effect->node && !effect->nnodes);
}

static bool is_explained_by(const struct nd_finding *effect, const struct nd_finding *cause)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(cause->check->explains); i++) {
		const struct nd_explains *e = &cause->check->explains[i];
		if (!e->id)
			return false;
		if (!nd_eq(e->id, effect->check->id))
			continue;
		if (e->reach == ND_SAME_SUBJECT)
			return nd_eq(effect->subject, cause->subject);
		if (e->reach == ND_OF_DNS && !nd_eq(cause->subject, "service/kube-system/kube-dns"))
			continue;
		return e->reach == ND_ANYWHERE || !cause->node || is_at(effect, cause->node);
	}
	return false;
}

/* Would `cause` explaining `effect` close a ring? */
static bool makes_ring(const struct nd_finding *effect, const struct nd_finding *cause)
{
	for (const struct nd_finding *f = cause; f; f = f->explained_by)
		if (f == effect)
			return true;
	return false;
}

static void explain(struct nd_finding_list *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		struct nd_finding *effect = findings->items[i];
		const struct nd_finding *best = NULL;
		for (size_t j = 0; j < findings->n; j++) {
			const struct nd_finding *cause = findings->items[j];
			if (i == j || cause->kind != ND_CAUSE || effect->kind == ND_HAZARD ||
			    !is_explained_by(effect, cause) || makes_ring(effect, cause))
				continue;
			if (!best || check_rank(cause->check) < check_rank(best->check))
				best = cause;
		}
		effect->explained_by = best;
	}
}

static bool is_in_scope(const struct nd_finding *f, const struct nd_scope *scope)
{
	if (scope->node && f->node && !nd_eq(scope->node, f->node))
		return false;
	if (!scope->ns || nd_starts(f->subject, "node/") || nd_eq(f->subject, "cluster"))
		return true;
	const char *slash = strchr(f->subject, '/');
	size_t n = strlen(scope->ns);
	return slash && strncmp(slash + 1, scope->ns, n) == 0 && slash[1 + n] == '/';
}

void nd_diagnose(struct nd_arena *arena, struct nd_finding_list *findings,
		 const struct nd_scope *scope, struct nd_diagnosis *out)
{
	*out = (struct nd_diagnosis){0};
	if (findings->n == 0)
		return;
	qsort(findings->items, findings->n, sizeof(findings->items[0]), by_rank);
	explain(findings);
	for (size_t i = 0; i < findings->n; i++) {
		const struct nd_finding *f = findings->items[i];
		if (!is_in_scope(f, scope))
			continue;
		if (f->kind == ND_HAZARD)
			ND_ARENA_PUSH(arena, out->hazards, out->nhazards) = f;
		else if (f->kind == ND_EFFECT || f->explained_by)
			ND_ARENA_PUSH(arena, out->effects, out->neffects) = f;
		else
			ND_ARENA_PUSH(arena, out->causes, out->ncauses) = f;
	}
}
