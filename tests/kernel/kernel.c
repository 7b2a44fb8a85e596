/*
 * kernel.c: random rule sets and packets against the kernel.
 *
 *	kernel [-n CASES] [-s SEED] [-l LEVEL] [-c SCENARIO_SEED] [-m MAX_DIFFERENCES]
 *	kernel -r CASE...	kept cases (case.c), nothing random
 *
 * Exit 0: all cases agree; 1: some do not; 2: it could not run; 77: not root.
 */
#include "common/base.h"

#include "tests/kernel/gen_ipt.h"
#include "tests/kernel/kernel.h"

#include <time.h>

#define LEVELS 4

struct options {
	uint64_t cases, seed, scenario;
	uint32_t level, max_differences;
	bool is_replay;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct options parse(int argc, char **argv)
{
	struct options o = {.cases = 500, .seed = 1, .max_differences = 1};
	int c;

	while ((c = getopt(argc, argv, "n:s:l:c:m:r")) != -1) {
		switch (c) {
		case 'n':
			o.cases = strtoull(optarg, NULL, 10);
			break;
		case 's':
			o.seed = strtoull(optarg, NULL, 10);
			break;
		case 'l':
			o.level = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			o.scenario = strtoull(optarg, NULL, 10);
			break;
		case 'm':
			o.max_differences = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'r':
			o.is_replay = true;
			break;
		default:
			exit(2);
		}
	}
	return o;
}

static void report(const struct tally *tallies, double seconds)
{
	static const char *const fates[] = {"gone", "local", "sent", "rejected"};
	uint64_t all = 0;

	for (uint32_t level = 1; level <= LEVELS; level++) {
		const struct tally *t = &tallies[level];

		if (!t->sets)
			continue;
		all += t->cases;
		printf("level %u: %llu cases of %llu rule sets (%llu with ipsets): %llu agree, %llu differ, %llu "
		       "unknown; %llu sets "
		       "refused, %llu packets refused;",
		       level, (unsigned long long)t->cases, (unsigned long long)t->sets,
		       (unsigned long long)t->with_ipsets,
		       (unsigned long long)t->agree, (unsigned long long)t->differ,
		       (unsigned long long)t->unknown, (unsigned long long)t->broken_sets,
		       (unsigned long long)t->skipped);
		for (int i = 0; i < 4; i++)
			printf(" %s %llu", fates[i], (unsigned long long)t->fates[i]);
		printf("\n");
	}
	printf("%.1f cases a second\n", (double)all / seconds);
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	struct tally tallies[LEVELS + 1] = {0};
	struct rng rng = {o.seed};
	struct box box;
	uint64_t cases = 0;
	uint32_t differences = 0, unsteady = 0;
	double start = now_s();

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid() != 0) {
		fprintf(stderr, "kernel: needs root\n");
		return 77;
	}
	if (o.is_replay && !replay_can(argv + optind, (size_t)(argc - optind)))
		return 2;
	setenv("XTABLES_LOCKFILE", "/tmp/nd-kernel-xtables.lock", 1);
	box_make(&box);
	if (o.is_replay)
		return replay(&box, argv + optind, (size_t)(argc - optind));
	gen_sets_probe();
	gen_uncovered();
	for (uint64_t i = 0; cases < o.cases && differences + unsteady < o.max_differences; i++) {
		uint32_t level = o.level ? o.level : (uint32_t)(i % LEVELS) + 1;
		uint64_t seed = rng_next(&rng), before = tallies[level].cases;
		struct scenario s;
		nd_auto_buf struct nd_buf why = {0};
		int packet;

		gen_scenario(&s, o.scenario ? o.scenario : seed, level);
		if (!case_is_exact(&s)) {
			printf("level %u seed %llu: its file says something else\n", level,
			       (unsigned long long)s.seed);
			differences++;
		}
		packet = scenario_run(&box, &s, &tallies[level], &why);
		cases += tallies[level].cases - before;
		if (packet >= 0) {
			printf("level %u seed %llu packet %d differs\n", level,
			       (unsigned long long)s.seed, packet);
			if (scenario_shrink(&box, &s, packet)) {
				differences++;
			} else {
				unsteady++;
				case_write(&s, &why);
				printf("%s", why.data);
			}
		}
		nd_arena_free(&s.arena);
		if (o.scenario)
			break;
	}
	report(tallies, now_s() - start);
	/* Those had causes too: which hook was made first, reports of IPv6 groups. None is let
	 * pass. */
	printf("%u differences, %u that did not happen again\n", differences, unsteady);
	return differences || unsteady ? 1 : 0;
}
