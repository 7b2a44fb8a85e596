#include "common/base.h"

#include "plugin/walk/eval_run.h"

uint32_t nd_choices_take(struct nd_choices *choices, uint32_t n, const double *shares)
{
	size_t at = choices->next;

	if (n <= 1)
		return 0;
	if (at >= ND_CHOICES_MAX) {
		choices->is_over = true;
		return 0;
	}
	if (at >= choices->nitems) {
		choices->nitems = at + 1;
		choices->items[at].at = 0;
	}
	choices->next++;
	choices->items[at].n = n;
	if (choices->items[at].at >= n) /* another packet than the run before: not ours to tell */
		choices->items[at].at = n - 1;
	choices->items[at].share = shares ? shares[choices->items[at].at] : 1.0 / n;
	return choices->items[at].at;
}

void nd_choices_rewind(struct nd_choices *choices)
{
	choices->next = 0;
}

bool nd_choices_next(struct nd_choices *choices)
{
	/* What was not reached in the last run is not a choice of it. */
	choices->nitems = choices->next;
	while (choices->nitems) {
		size_t last = choices->nitems - 1;

		if (++choices->items[last].at < choices->items[last].n)
			return true;
		choices->nitems--;
	}
	return false;
}

double nd_choices_share(const struct nd_choices *choices)
{
	double share = 1;

	for (size_t i = 0; i < choices->next; i++)
		share *= choices->items[i].share;
	return share;
}

/* ---- chance in rules: as many alternatives as a test or a set can tell apart ---- */
#define CLASSES_MAX 4096

struct classes {
	uint64_t *starts; /* n: first value of each; the next one's start ends it */
	size_t n;
	uint64_t first, end; /* all values */
};

static int u64_order(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static void cut(struct classes *classes, uint64_t at)
{
	if (at > classes->first && at < classes->end)
		classes->starts[classes->n++] = at;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Where the values of part `at` begin to mean something else. */
static void cut_by(struct classes *classes, const struct nd_value *lo, const struct nd_value *hi,
		   size_t at)
{
	if (at + 4 > lo->n)
		return;
	cut(classes, get32(lo->bytes + at));
	cut(classes, (uint64_t)get32(lo->bytes + at) + 1);
	if (at + 4 > hi->n)
		return;
	cut(classes, get32(hi->bytes + at));
	cut(classes, (uint64_t)get32(hi->bytes + at) + 1);
}

static void classes_settle(struct classes *classes)
{
	size_t n = 1;

	qsort(classes->starts, classes->n, sizeof(*classes->starts), u64_order);
	for (size_t i = 1; i < classes->n; i++)
		if (classes->starts[i] != classes->starts[n - 1])
			classes->starts[n++] = classes->starts[i];
	classes->n = n;
}

static double class_share(const struct classes *classes, size_t i)
{
	uint64_t end = i + 1 < classes->n ? classes->starts[i + 1] : classes->end;

	return (double)(end - classes->starts[i]) / (double)(classes->end - classes->first);
}

static uint32_t choose(struct nd_eval_run *run, uint32_t n, const double *shares)
{
	uint32_t at = nd_choices_take(run->eval->choices, n, shares);

	run->share *= n > 1 ? shares[at] : 1;
	return at;
}

/* A test knows two outcomes only: those that hold and those that do not. */
static void choose_outcome(struct nd_eval_run *run, const struct nd_rstep *step,
			   const struct classes *classes)
{
	double shares[2] = {0, 0};
	uint32_t values[2] = {0, 0}, at;

	for (size_t i = 0; i < classes->n; i++) {
		uint32_t v = (uint32_t)classes->starts[i];
		struct nd_value value = {.n = 4,
					 .bytes = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
						   (uint8_t)(v >> 8), (uint8_t)v}};
		bool holds = nd_value_holds(step->op, &value, &step->lo, &step->hi);

		if (shares[!holds] <= 0)
			values[!holds] = v;
		shares[!holds] += class_share(classes, i);
	}
	if (shares[0] <= 0 || shares[1] <= 0)
		at = shares[0] <= 0;
	else
		at = choose(run, 2, shares);
	run->chance = values[at];
}

static void choose_class(struct nd_eval_run *run, const struct classes *classes)
{
	double *shares = nd_arena_array(run->eval->arena, classes->n, sizeof(*shares));

	for (size_t i = 0; i < classes->n; i++)
		shares[i] = class_share(classes, i);
	run->chance = (uint32_t)classes->starts[choose(run, (uint32_t)classes->n, shares)];
}

/* The place of the only load of chance in a step; false: none. Its offset in the value. */
static const struct nd_load *chance_load(const struct nd_rstep *step)
{
	for (size_t i = 0; i < step->nloads && step->nloads <= ND_MAX_LOADS; i++)
		if (step->loads[i].field == ND_F_RANDOM || step->loads[i].field == ND_F_COUNTER)
			return &step->loads[i];
	return NULL;
}

bool nd_chance_take(struct nd_eval_run *run, const struct nd_rstep *step, const struct nd_rset *set)
{
	const struct nd_load *load = chance_load(step);
	struct classes classes;
	size_t nitems = set ? set->nitems : 1;

	if (!load)
		return true;
	run->why = "chance that is not modelled";
	if (step->nloads != 1 || load->has_mask || load->arg == 0 || !run->eval->choices ||
	    nitems > CLASSES_MAX || (!set && step->lo.n != 4))
		return false;
	classes = (struct classes){.first = load->arg2, .end = (uint64_t)load->arg2 + load->arg};
	classes.starts = nd_arena_array(run->eval->arena, 4 * nitems + 1, sizeof(*classes.starts));
	classes.starts[classes.n++] = classes.first;
	for (size_t i = 0; set && i < nitems; i++)
		cut_by(&classes, &set->items[i].lo, &set->items[i].hi, 0);
	if (!set)
		cut_by(&classes, &step->lo, &step->hi, 0);
	classes_settle(&classes);
	if (set)
		choose_class(run, &classes);
	else
		choose_outcome(run, step, &classes);
	run->why = "more choices by chance than are gone through";
	return !run->eval->choices->is_over;
}
