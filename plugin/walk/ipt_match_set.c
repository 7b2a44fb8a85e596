/* The match `set` and the target SET. Source: kernel net/netfilter/xt_set.c, iptables libxt_set.c,
 * libxt_SET.c. */
#include "common/base.h"

#include "plugin/walk/ipset.h"
#include "plugin/walk/ipt_rule.h"

/* "src,dst,dst" */
static bool read_dirs(const char *text, struct nd_ipset_use *use)
{
	struct nd_str rest = nd_str(text), item;

	while (nd_ipt_list_next(&rest, &item)) {
		bool is_src = nd_str_eq(item, "src");

		if (use->ndirs == ND_IPSET_MAX_DIRS || (!is_src && !nd_str_eq(item, "dst")))
			return false;
		use->is_src[use->ndirs++] = is_src;
	}
	return use->ndirs > 0;
}

/* Counters of a set are raised or not; that changes none of its elements. */
static bool finish_set(struct nd_ipt_work *work)
{
	const struct nd_ipt_arg *arg = nd_ipt_arg_find(work, "--match-set");
	struct nd_ipset_use *use;
	struct nd_rstep *step;

	for (size_t i = 0; i < work->nargs; i++)
		if (nd_eq(work->args[i].option->name, "--match-set") && &work->args[i] != arg)
			return false;
	if (!arg)
		return false;
	use = nd_arena_alloc(work->arena, sizeof(*use));
	if (!read_dirs(arg->values[1], use))
		return false;
	use->name = nd_arena_strdup(work->arena, arg->values[0], strlen(arg->values[0]));
	use->set = nd_ipset_book_find(work->ipsets, use->name);
	use->returns_nomatch = nd_ipt_arg_find(work, "--return-nomatch") != NULL;
	step = nd_ipt_step(work, ND_DO_TEST);
	step->op = arg->is_not ? ND_NOT_IN_IPSET : ND_IN_IPSET;
	step->ipset = use;
	return true;
}

/* What it adds or takes away matters only to rules that look at the same set. */
static bool finish_target(struct nd_ipt_work *work)
{
	for (size_t i = 0; i < work->nargs; i++) {
		const struct nd_ipt_arg *arg = &work->args[i];

		if (arg->option->nvalues == 2 &&
		    (!work->ipsets || nd_ipset_book_is_matched(work->ipsets, arg->values[0])))
			return false;
	}
	nd_ipt_step(work, ND_DO_NOTHING);
	return true;
}

#define END                                                                                        \
	{                                                                                          \
		NULL, 0, NULL, 0, 0                                                                \
	}
/* --packets-eq and the like are not known: counters of elements are not read. */
static const struct nd_ipt_option set[] = {
	{"--match-set", 2, NULL, 0, 0},
	{"--return-nomatch", 0, NULL, 0, 0},
	{"--update-counters", 0, NULL, 0, 0},
	{"--update-subcounters", 0, NULL, 0, 0},
	END,
};
/* --map-set is not known: marks of elements are not read. */
static const struct nd_ipt_option target[] = {
	{"--add-set", 2, NULL, 0, 0},
	{"--del-set", 2, NULL, 0, 0},
	{"--exist", 0, NULL, 0, 0},
	{"--timeout", 1, NULL, 0, 0},
	END,
};

const struct nd_ipt_ext nd_ipt_matches_set[] = {
	{.name = "set", .options = set, .finish = finish_set},
	{.name = NULL},
};
const struct nd_ipt_ext nd_ipt_targets_set[] = {
	{.name = "SET", .options = target, .finish = finish_target},
	{.name = NULL},
};
