/* f_ipt_compile.c: lines of a hostile node's rules. First byte: even IPv4, odd IPv6. */
#include "common/base.h"

#include "plugin/walk/ipt_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_test(const struct nd_rstep *step)
{
	size_t width = 0;

	if (step->op == ND_IN_IPSET || step->op == ND_NOT_IN_IPSET) {
		if (step->nloads || !step->ipset || !step->ipset->name || step->ipset->set ||
		    step->ipset->ndirs == 0 || step->ipset->ndirs > ND_IPSET_MAX_DIRS)
			abort();
		return;
	}
	if (!step->loads || step->nloads == 0 || step->nloads > 4)
		abort();
	for (size_t i = 0; i < step->nloads; i++)
		if (step->loads[i].field >= ND_FIELDS)
			abort();
	if (step->op == ND_IN || step->op == ND_NOT_IN) {
		if (!step->set || step->set->nitems == 0 || step->set->nparts != step->nloads)
			abort();
		for (size_t i = 0; i < step->set->nparts; i++)
			width += step->set->widths[i];
		for (size_t i = 0; i < step->set->nitems; i++)
			if (step->set->items[i].lo.n != width || step->set->items[i].hi.n != width)
				abort();
	} else if (step->lo.n == 0 || step->lo.n > 16) {
		abort();
	}
}

static void check_rule(const struct nd_rrule *rule)
{
	if (rule->nsteps == 0 || rule->nsteps > ND_IPT_MAX_STEPS || !rule->text)
		abort();
	for (size_t i = 0; i < rule->nsteps; i++) {
		const struct nd_rstep *step = &rule->steps[i];

		if (step->kind == ND_DO_TEST)
			check_test(step);
		if (step->kind == ND_DO_UNKNOWN && (!step->unknown || i + 1 != rule->nsteps))
			abort();
		if (step->kind == ND_DO_VERDICT &&
		    (step->verdict.kind == ND_V_JUMP || step->verdict.kind == ND_V_GOTO) &&
		    !step->verdict.chain)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nd_str rest, line;
	uint8_t family;

	if (size == 0)
		return 0;
	family = *data & 1 ? 6 : 4;
	rest = (struct nd_str){(const char *)data + 1, size - 1};
	while (nd_str_line(&rest, &line)) {
		struct nd_arena arena = {0};
		struct nd_rrule rule;
		char *text = malloc(line.n + 1);

		memcpy(text, line.p, line.n);
		text[line.n] = '\0';
		nd_ipt_compile_rule(&arena, text, family, &rule);
		check_rule(&rule);
		free(text);
		nd_arena_free(&arena);
	}
	return 0;
}
