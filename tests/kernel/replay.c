/* replay.c: kept cases, each once. */
#include "common/base.h"

#include "tests/kernel/kernel.h"

/* NULL: each packet was sent, and agrees. */
static const char *run_case(struct box *box, struct scenario *s, struct nd_buf *why)
{
	struct tally tally = {0};
	int differs = scenario_run(box, s, &tally, why);

	if (tally.broken_sets)
		return "the tools do not load it";
	if (differs >= 0)
		return "differs";
	return tally.agree == s->npackets ? NULL : "a packet could not be sent";
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool replay_can(char *const *paths, size_t n)
{
	bool is_good = n > 0;

	for (size_t i = 0; i < n && is_good; i++) {
		struct nd_err err = {0};
		struct scenario s;

		is_good = case_read(paths[i], &s, &err) == 0;
		if (!is_good)
			printf("not ok kernel-case %s: %s\n", name_of(paths[i]), err.text);
		nd_arena_free(&s.arena);
	}
	return is_good;
}

int replay(struct box *box, char *const *paths, size_t n)
{
	size_t nbad = 0;

	for (size_t i = 0; i < n; i++) {
		nd_auto_buf struct nd_buf why = {0};
		struct nd_err err = {0};
		struct scenario s;
		const char *what =
			case_read(paths[i], &s, &err) < 0 ? err.text : run_case(box, &s, &why);

		if (what)
			printf("not ok kernel-case %s: %s\n%s", name_of(paths[i]), what,
			       why.data ? why.data : "");
		else
			printf("ok kernel-case %s\n", name_of(paths[i]));
		nbad += what != NULL;
		nd_arena_free(&s.arena);
	}
	return nbad ? 1 : 0;
}
