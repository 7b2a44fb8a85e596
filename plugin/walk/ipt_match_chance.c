/* Matches on chance and rates. Source: kernel net/netfilter/xt_statistic.c, xt_limit.c,
 * xt_hashlimit.c; iptables extensions/libxt_statistic.c. */
#include "common/base.h"

#include "plugin/walk/ipt_rule.h"

#define ALL_CHANCES 0x80000000u /* get_random_u32() & 0x7fffffff is below it */

/* "0.33333333349" as lround(0x80000000 * p), which is how iptables stores it. */
static bool read_probability(const char *text, uint32_t *threshold)
{
	uint64_t number = 0, scale = 1;
	bool is_behind_point = false;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text == '.' && !is_behind_point) {
			is_behind_point = true;
			continue;
		}
		if (*text < '0' || *text > '9' || (!is_behind_point && number > 1))
			return false;
		/* More digits than 15 change nothing. */
		if (scale >= 1000000000000000ull)
			continue;
		number = number * 10 + (uint64_t)(*text - '0');
		scale *= is_behind_point ? 10 : 1;
	}
	if (number > scale)
		return false;
	*threshold = (uint32_t)((double)number / (double)scale * ALL_CHANCES + 0.5);
	return true;
}

static bool do_random(struct nd_ipt_work *work, const struct nd_ipt_arg *probability)
{
	struct nd_load load = {.field = ND_F_RANDOM, .arg = ALL_CHANCES};
	uint32_t threshold;

	if (!probability || !read_probability(probability->values[0], &threshold))
		return false;
	nd_ipt_test(work, nd_ipt_load(work, load), probability->is_not ? ND_GE : ND_LT, threshold,
		    4);
	return true;
}

/* The counter of the rule runs through 0..every-1; --packet says where it began. */
static bool do_nth(struct nd_ipt_work *work, const struct nd_ipt_arg *every)
{
	struct nd_load load = {.field = ND_F_COUNTER};

	if (!every || !nd_ipt_number(nd_str(every->values[0]), UINT32_MAX, &load.arg) ||
	    load.arg == 0)
		return false;
	nd_ipt_test(work, nd_ipt_load(work, load), every->is_not ? ND_NE : ND_EQ, 0, 4);
	return true;
}

static bool finish_statistic(struct nd_ipt_work *work)
{
	const struct nd_ipt_arg *mode = nd_ipt_arg_find(work, "--mode");

	if (mode && nd_eq(mode->values[0], "random"))
		return do_random(work, nd_ipt_arg_find(work, "--probability"));
	if (mode && nd_eq(mode->values[0], "nth"))
		return do_nth(work, nd_ipt_arg_find(work, "--every"));
	return false;
}

static bool finish_limit(struct nd_ipt_work *work)
{
	for (size_t i = 0; i < work->nargs; i++)
		if (work->args[i].is_not)
			return false;
	nd_ipt_step(work, ND_DO_LIMIT);
	return true;
}

/* "above": one packet alone is not. */
static bool finish_hashlimit(struct nd_ipt_work *work)
{
	const struct nd_ipt_arg *upto = nd_ipt_arg_find(work, "--hashlimit-upto");
	const struct nd_ipt_arg *above = nd_ipt_arg_find(work, "--hashlimit-above");

	if (!upto)
		upto = nd_ipt_arg_find(work, "--hashlimit");
	if (!upto == !above)
		return false;
	nd_ipt_step(work, ND_DO_LIMIT)->value = upto ? upto->is_not : !above->is_not;
	return true;
}

/* ---- the rows ---- */
#define END                                                                                        \
	{                                                                                          \
		NULL, 0, NULL, 0, 0                                                                \
	}
static const struct nd_ipt_option statistic[] = {
	{"--mode", 1, NULL, 0, 0},
	{"--probability", 1, NULL, 0, 0},
	{"--every", 1, NULL, 0, 0},
	{"--packet", 1, NULL, 0, 0},
	END,
};
static const struct nd_ipt_option limit[] = {
	{"--limit", 1, NULL, 0, 0},
	{"--limit-burst", 1, NULL, 0, 0},
	END,
};
static const struct nd_ipt_option hashlimit[] = {
	{"--hashlimit-upto", 1, NULL, 0, 0},
	{"--hashlimit", 1, NULL, 0, 0},
	{"--hashlimit-above", 1, NULL, 0, 0},
	{"--hashlimit-burst", 1, NULL, 0, 0},
	{"--hashlimit-mode", 1, NULL, 0, 0},
	{"--hashlimit-name", 1, NULL, 0, 0},
	{"--hashlimit-srcmask", 1, NULL, 0, 0},
	{"--hashlimit-dstmask", 1, NULL, 0, 0},
	{"--hashlimit-htable-size", 1, NULL, 0, 0},
	{"--hashlimit-htable-max", 1, NULL, 0, 0},
	{"--hashlimit-htable-expire", 1, NULL, 0, 0},
	{"--hashlimit-htable-gcinterval", 1, NULL, 0, 0},
	{"--hashlimit-rate-interval", 1, NULL, 0, 0},
	END,
};

const struct nd_ipt_ext nd_ipt_matches_chance[] = {
	{.name = "statistic", .options = statistic, .finish = finish_statistic},
	{.name = "limit", .options = limit, .finish = finish_limit},
	{.name = "hashlimit", .options = hashlimit, .finish = finish_hashlimit},
	{.name = NULL},
};
