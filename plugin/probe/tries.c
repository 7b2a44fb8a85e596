#include "common/base.h"
#include "plugin/probe/flow.h"
#include "plugin/probe/tries.h"

/* All are in one array, in the order of sending: so the address tells it. */
static int by_place(const struct nd_probe_result *a, const struct nd_probe_result *b)
{
	return a < b ? -1 : a > b;
}

static int by_probe_then_place(const void *pa, const void *pb)
{
	const struct nd_probe_result *a = *(const struct nd_probe_result *const *)pa,
				     *b = *(const struct nd_probe_result *const *)pb;
	int order = nd_probe_result_order(a, b);
	return order ? order : by_place(a, b);
}

static int by_result(const void *pa, const void *pb)
{
	const struct nd_tries *a = pa, *b = pb;
	return by_place(a->result, b->result);
}

static bool has_failed(const struct nd_probe_result *r)
{
	return r->outcome != ND_OUTCOME_ok && r->outcome != ND_OUTCOME_gone &&
	       r->outcome != ND_OUTCOME_error;
}

/* results[0..n) are of one probe. */
static struct nd_tries judge(const struct nd_probe_result **results, size_t n)
{
	struct nd_tries out = {results[n - 1], n, ND_TRIES_UNKNOWN};
	bool is_ok = out.result->outcome == ND_OUTCOME_ok;
	size_t nfailed = 0;
	for (size_t i = 0; i < n; i++)
		if (has_failed(results[i])) {
			nfailed++;
			out.result = results[i];
		}
	if (nfailed == n)
		out.verdict = ND_TRIES_FAILED;
	else if (is_ok)
		out.verdict = nfailed ? ND_TRIES_SHAKY : ND_TRIES_OK;
	return out;
}

size_t nd_tries_find(struct nd_arena *arena, const struct nd_host *host, struct nd_tries **out)
{
	size_t n = host->nprobes, nout = 0;
	*out = NULL;
	if (!n)
		return 0;
	const struct nd_probe_result **results = nd_arena_array(arena, n, sizeof(*results));
	struct nd_tries *tries = nd_arena_array(arena, n, sizeof(*tries));
	for (size_t i = 0; i < n; i++)
		results[i] = &host->probes[i];
	qsort(results, n, sizeof(*results), by_probe_then_place);
	for (size_t i = 0, count; i < n; i += count) {
		for (count = 1; i + count < n; count++)
			if (nd_probe_result_order(results[i], results[i + count]) != 0)
				break;
		tries[nout++] = judge(&results[i], count);
	}
	qsort(tries, nout, sizeof(*tries), by_result);
	*out = tries;
	return nout;
}
