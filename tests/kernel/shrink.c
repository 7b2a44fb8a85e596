/* shrink.c: a disagreement made as small as it can be, and kept in a file. */
#include "common/base.h"

#include "tests/kernel/kernel.h"

#define STEADY_TRIES 3 /* a capture may miss a packet on a busy machine */

#include <sys/stat.h>

#define MAX_FLAGS 4096
#define TRIES 3 /* chance may hide a difference once */

static bool still_differs(struct box *box, struct scenario *s)
{
	struct tally tally = {0};

	for (int i = 0; i < TRIES; i++) {
		if (scenario_run(box, s, &tally, NULL) >= 0)
			return true;
		if (tally.broken_sets)
			return false;
	}
	return false;
}

/* Turns flags off, halves first, as long as they still differ. */
static bool shrink_flags(struct box *box, struct scenario *s,
			 bool *(*flag)(struct scenario *, size_t), size_t n)
{
	bool is_smaller = false;

	for (size_t step = n < MAX_FLAGS ? n : MAX_FLAGS; step > 0; step /= 2) {
		for (size_t at = 0; at < n; at += step) {
			bool was[MAX_FLAGS];
			size_t changed = 0;

			for (size_t i = 0; i < step && at + i < n; i++) {
				was[i] = *flag(s, at + i);
				changed += !was[i];
				*flag(s, at + i) = true;
			}
			if (changed && still_differs(box, s)) {
				is_smaller = true;
				continue;
			}
			for (size_t i = 0; i < step && at + i < n; i++)
				*flag(s, at + i) = was[i];
		}
	}
	return is_smaller;
}

static bool *rule_flag(struct scenario *s, size_t i)
{
	return &s->rules[i].is_off;
}
static bool *decl_flag(struct scenario *s, size_t i)
{
	return &s->decls[i].is_off;
}
static bool *route_flag(struct scenario *s, size_t i)
{
	return &s->routes[i].is_off;
}
static bool *set_flag(struct scenario *s, size_t i)
{
	return &s->sets[i].is_off;
}
static bool *packet_flag(struct scenario *s, size_t i)
{
	return &s->packets[i].is_off;
}

static bool shrink_parts(struct box *box, struct scenario *s)
{
	bool is_smaller = false;

	for (size_t i = 0; i < s->nrules; i++) {
		struct test_rule *r = &s->rules[i];

		for (size_t k = r->is_off ? 0 : r->nparts; k-- > 0;) {
			struct test_rule was = *r;

			memmove(&r->parts[k], &r->parts[k + 1],
				(r->nparts - k - 1) * sizeof(r->parts[0]));
			r->nparts--;
			if (still_differs(box, s))
				is_smaller = true;
			else
				*r = was;
		}
	}
	return is_smaller;
}

static void keep(const struct scenario *s, const struct nd_buf *why)
{
	const char *folder = getenv("KERNEL_FOUND");
	nd_auto_buf struct nd_buf text = {0};
	char path[256];
	nd_auto_file FILE *f = NULL;

	if (!folder)
		folder = "tests/kernel/found";
	mkdir(folder, 0755);
	snprintf(path, sizeof(path), "%s/level%u-%016llx.txt", folder, s->level,
		 (unsigned long long)s->seed);
	nd_buf_add(&text, why->data ? why->data : "", why->len);
	case_write(s, &text);
	f = fopen(path, "w");
	if (f)
		fwrite(text.data, 1, text.len, f);
	scenario_text(s, &text);
	printf("%s\nkept as %s\n", text.data, path);
}

bool scenario_shrink(struct box *box, struct scenario *s, int packet)
{
	struct tally tally = {0};
	nd_auto_buf struct nd_buf why = {0};

	s->npackets = (size_t)packet + 1;
	for (int i = 0; i < STEADY_TRIES && !still_differs(box, s); i++) {
		if (i < STEADY_TRIES - 1)
			continue;
		printf("does not happen again: %s\n", tally.broken_sets ? "not loaded" : "chance?");
		return false;
	}
	for (int round = 0; round < 4; round++) {
		bool is_smaller = shrink_flags(box, s, packet_flag, s->npackets);

		is_smaller |= shrink_flags(box, s, rule_flag, s->nrules);
		is_smaller |= shrink_parts(box, s);
		is_smaller |= shrink_flags(box, s, decl_flag, s->ndecls);
		is_smaller |= shrink_flags(box, s, route_flag, s->nroutes);
		is_smaller |= shrink_flags(box, s, set_flag, s->nsets);
		if (!is_smaller)
			break;
	}
	for (int i = 0; i < 2 * TRIES && !why.len; i++)
		scenario_run(box, s, &tally, &why);
	keep(s, &why);
	return true;
}
