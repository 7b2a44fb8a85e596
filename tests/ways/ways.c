/* ways.c: ways-test -n LABORATORIES -s SEED [-a AGENT] [-m DIFFERENCES] [-o BUNDLE]: laboratory i
 * is made from SEED + i. */
#include "common/base.h"

#include "common/clock.h"
#include "tests/ways/ways.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 64
#define PROBE_MS 300
#define PATIENT_MS 1200
#define MAX_REASONS 64

struct reason {
	char text[160];
	uint64_t n, seed; /* of the first one */
};
struct score {
	uint64_t labs, broken, pairs, same, differ, unknown, outside, limited, learned, again,
		unsteady;
	uint64_t six, outcomes[ND_OUTCOMES];
	struct reason reasons[MAX_REASONS];
	size_t nreasons;
};
/* A laboratory that stands, and what the walk needs. */
struct stand {
	struct lab lab;
	struct nd_model *model;
	const struct nd_cluster *cluster;
	struct nd_world *world;
	struct pair pairs[PAIRS];
	size_t npairs;
};

static bool stand_up(struct stand *stand, uint64_t seed, uint32_t off)
{
	struct lab *lab = &stand->lab;
	nd_auto_buf struct nd_buf errors = {0};

	lab_generate(lab, seed);
	for (size_t i = 0; i < lab->nmutations; i++)
		lab->mutations[i].is_off = off >> i & 1;
	if (!lab_build(lab, &errors))
		fprintf(stderr, "ways: seed %llu: %s\n", (unsigned long long)seed,
			errors.data ? errors.data : "?");
	stand->model = errors.len ? NULL : lab_model(lab);
	if (!stand->model)
		return false;
	stand->cluster = nd_model_finish(stand->model);
	stand->world = nd_world_new(&lab->arena, stand->cluster);
	stand->npairs = pairs_make(lab, stand->pairs, PAIRS);
	return true;
}

static void stand_down(struct stand *stand)
{
	if (stand->model)
		nd_model_free(stand->model);
	stand->model = NULL;
	lab_free(&stand->lab);
}

/* Alone, with patience, and nothing that was learned before: does it still differ? */
static bool differs_alone(struct stand *stand, struct pair *pair)
{
	for (int i = 0; i < 3; i++) {
		lab_forget(&stand->lab);
		if (i)
			usleep(1200 * 1000);
		if (!lab_probe(&stand->lab, pair, 1, PATIENT_MS))
			return true;
		pair_judge(&stand->lab, stand->cluster, pair);
		if (pair->judgement != JUDGE_DIFFERS)
			return false;
	}
	return true;
}

/* The changes that it needs; the others are off. */
static uint32_t shrink(uint64_t seed, size_t at, size_t nmutations)
{
	uint32_t off = 0;

	for (size_t i = 0; i < nmutations; i++) {
		static struct stand stand;
		struct pair *pair = &stand.pairs[at];

		if (stand_up(&stand, seed, off | 1u << i)) {
			pair_walk(&stand.lab, stand.world, stand.cluster, pair);
			if (differs_alone(&stand, pair))
				off |= 1u << i;
		}
		stand_down(&stand);
	}
	return off;
}

static void show(uint64_t seed, size_t at, uint32_t off)
{
	static struct stand stand;
	nd_auto_buf struct nd_buf text = {0};

	if (stand_up(&stand, seed, off)) {
		struct pair *pair = &stand.pairs[at];

		pair_walk(&stand.lab, stand.world, stand.cluster, pair);
		if (!differs_alone(&stand, pair))
			printf("it did not happen again\n");
		lab_text(&stand.lab, &text);
		pair_text(&stand.lab, pair, &text);
		printf("%s", text.data);
	}
	stand_down(&stand);
}

/* Reasons without their numbers and names. */
static void count_reason(struct score *score, uint64_t seed, const char *why)
{
	char text[sizeof(score->reasons[0].text)];
	size_t n = 0;

	for (const char *p = why ? why : "no result"; *p && n + 1 < sizeof(text); p++)
		if ((*p < '0' || *p > '9') && *p != ':')
			text[n++] = *p;
		else if (n == 0 || text[n - 1] != '#')
			text[n++] = '#';
	text[n] = 0;
	for (size_t i = 0; i < score->nreasons; i++)
		if (nd_eq(score->reasons[i].text, text)) {
			score->reasons[i].n++;
			return;
		}
	if (score->nreasons < MAX_REASONS) {
		memcpy(score->reasons[score->nreasons].text, text, n + 1);
		score->reasons[score->nreasons].seed = seed;
		score->reasons[score->nreasons++].n = 1;
	}
}

static void count_pair(struct score *score, uint64_t seed, const struct pair *pair)
{
	score->pairs++;
	score->six += pair->dst.family == 6;
	if (pair->has_result)
		score->outcomes[pair->result.outcome]++;
	switch (pair->judgement) {
	case JUDGE_SAME:
		score->same++;
		break;
	case JUDGE_DIFFERS:
		score->differ++;
		break;
	case JUDGE_UNKNOWN:
		score->unknown++;
		count_reason(score, seed, pair->why);
		break;
	case JUDGE_OUTSIDE:
		score->outside++;
		break;
	case JUDGE_LEARNED:
		score->learned++;
		break;
	case JUDGE_LIMITED:
		score->limited++;
		break;
	}
}

/* Index of the first pair that differs, or -1. */
static int compare_all(struct stand *stand, struct score *score)
{
	int first = -1;

	for (size_t i = 0; i < stand->npairs; i++) {
		struct pair *pair = &stand->pairs[i];

		if (pair->judgement == JUDGE_LIMITED)
			continue;
		pair_judge(&stand->lab, stand->cluster, pair);
		if (pair->judgement != JUDGE_DIFFERS)
			continue;
		if (first >= 0)
			continue;
		score->again++;
		if (differs_alone(stand, pair))
			first = (int)i;
	}
	return first;
}

/* Those that would ask too much of one router are left out. */
static bool probe_all(struct stand *stand)
{
	size_t n = 0;

	for (size_t i = 0; i < stand->npairs; i++) {
		struct pair *pair = &stand->pairs[i];

		pair_walk(&stand->lab, stand->world, stand->cluster, pair);
		if (pair->judgement == JUDGE_LIMITED)
			continue;
		n++;
	}
	return n == 0 || lab_probe(&stand->lab, stand->pairs, stand->npairs, PROBE_MS);
}

/* Of all pairs, and whether one differs: its index, or -1. False: it could not be made. */
static bool try_lab(uint64_t seed, struct score *score, int *at, size_t *nmutations)
{
	static struct stand stand;
	bool ok = stand_up(&stand, seed, 0) && probe_all(&stand);

	*at = ok ? compare_all(&stand, score) : -1;
	for (size_t i = 0; ok && i < stand.npairs; i++)
		count_pair(score, seed, &stand.pairs[i]);
	*nmutations = stand.lab.nmutations;
	stand_down(&stand);
	return ok;
}

/* True: all agree. A difference that does not come again in a new one is the machine's. */
static bool run_lab(uint64_t seed, struct score *total)
{
	struct score *kept = malloc(sizeof(*kept));
	size_t nmutations;
	bool ok = false;
	int at = -1;

	if (!kept)
		nd_out_of_memory(sizeof(*kept));
	for (int i = 0; i < 2 && (i == 0 || at >= 0); i++) {
		*kept = *total;
		kept->unsteady += i == 1;
		ok = try_lab(seed, kept, &at, &nmutations);
	}
	*total = *kept;
	free(kept);
	total->labs++;
	total->broken += !ok;
	if (ok && at >= 0) {
		printf("seed %llu pair %d differs\n", (unsigned long long)seed, at);
		show(seed, (size_t)at,
		     getenv("WAYS_QUICK") ? 0 : shrink(seed, (size_t)at, nmutations));
	}
	return ok && at < 0;
}

static void report(const struct score *t, double seconds)
{
	printf("%llu laboratories, %llu pairs (%llu IPv6): %llu agree, %llu differ, %llu unknown; "
	       "not compared: %llu outside, "
	       "%llu rationed, %llu learned; %llu asked again, %llu laboratories made "
	       "again; %llu laboratories could "
	       "not be made; %.0f s\n",
	       (unsigned long long)t->labs, (unsigned long long)t->pairs,
	       (unsigned long long)t->six, (unsigned long long)t->same,
	       (unsigned long long)t->differ, (unsigned long long)t->unknown,
	       (unsigned long long)t->outside, (unsigned long long)t->limited,
	       (unsigned long long)t->learned, (unsigned long long)t->again,
	       (unsigned long long)t->unsteady, (unsigned long long)t->broken, seconds);
	for (int i = 0; i < ND_OUTCOMES; i++)
		if (t->outcomes[i])
			printf("%s %llu  ", nd_probe_outcome_name((enum nd_probe_outcome)i),
			       (unsigned long long)t->outcomes[i]);
	printf("\n");
	for (size_t i = 0; i < t->nreasons; i++)
		printf("unknown %llu, first of seed %llu: %s\n",
		       (unsigned long long)t->reasons[i].n, (unsigned long long)t->reasons[i].seed,
		       t->reasons[i].text);
}

static volatile sig_atomic_t is_told_to_stop;

static void stop(int signal)
{
	(void)signal;
	is_told_to_stop = 1;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	uint64_t n = 1000, seed = 1, max = 1, bad = 0;
	static struct score score;
	double start = now_s();
	int c;

	agent_path = "build/bin/netdoctor-agent-amd64";
	while ((c = getopt(argc, argv, "n:s:a:m:o:")) != -1) {
		if (c == 'a')
			agent_path = optarg;
		else if (c == 'o')
			save_path = optarg;
		else if (c == '?' || !nd_parse_u64(nd_str(optarg), UINT64_MAX,
						   c == 'n'   ? &n
						   : c == 's' ? &seed
							      : &max))
			return 2;
	}
	agent_path = realpath(agent_path, NULL);
	if (!agent_path || geteuid() != 0) {
		fprintf(stderr, "ways: needs root and an agent\n");
		return 77;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	for (uint64_t i = 0; i < n && bad < max && !is_told_to_stop; i++) {
		bad += !run_lab(seed + i, &score);
		if ((i + 1) % 100 == 0)
			report(&score, now_s() - start);
	}
	report(&score, now_s() - start);
	return bad || score.unknown ? 1 : 0;
}
