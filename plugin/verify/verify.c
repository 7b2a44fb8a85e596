#include "common/base.h"
#include "plugin/verify/test.h"

#include <stdarg.h>

#define ND_VERIFY_TEST(id) extern const struct nd_verify_test nd_verify_test_##id;
#include "plugin/verify/tests.def"
#undef ND_VERIFY_TEST

static const struct nd_verify_test *const tests[] = {
#define ND_VERIFY_TEST(id) &nd_verify_test_##id,
#include "plugin/verify/tests.def"
#undef ND_VERIFY_TEST
};

const char *nd_verify_result_name(enum nd_verify_result result)
{
	static const char *const names[] = {[ND_VERIFY_PASSED] = "passed",
					    [ND_VERIFY_FAILED] = "failed",
					    [ND_VERIFY_SKIPPED] = "skipped",
					    [ND_VERIFY_INCOMPLETE] = "incomplete"};
	return names[result];
}

const char *nd_verify_test_id(const struct nd_verify_test *test)
{
	return test->id;
}

const char *nd_verify_test_title(const struct nd_verify_test *test)
{
	return test->title;
}

const char *nd_verify_test_what(const struct nd_verify_test *test)
{
	return test->what;
}

const struct nd_verify_test *nd_verify_test_at(size_t n)
{
	return n < ND_ARRAY_LEN(tests) ? tests[n] : NULL;
}

/* ---- what a test says ---- */

void nd_verify_pass(struct nd_verify_run *run)
{
	run->out->ntotal++;
	run->out->nok++;
}

void nd_verify_fail(struct nd_verify_run *run, const char *fmt, ...)
{
	struct nd_verify_outcome *out = run->out;
	char text[1024];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	out->ntotal++;
	ND_ARENA_PUSH(run->arena, out->failures, out->nfailures) =
		nd_arena_strdup(run->arena, text, strlen(text));
}

void nd_verify_leave(struct nd_verify_run *run, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	if (run->out->result == ND_VERIFY_INCOMPLETE)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	run->out->result = ND_VERIFY_INCOMPLETE;
	run->out->why = nd_arena_strdup(run->arena, text, strlen(text));
}

/* "the list of pods was not read: ..."; NULL: all were. */
static const char *why_no_list(const struct nd_verify_run *run, const char *const *names, size_t n)
{
	const struct nd_cluster *c = run->cluster;
	for (size_t i = 0; i < n; i++) {
		const char *why = NULL;
		if (nd_look_has_list(c, names[i]))
			continue;
		for (size_t j = 0; j < c->ngaps && !why; j++)
			if (nd_eq(c->gaps[j].what, names[i]))
				why = c->gaps[j].why;
		return nd_arena_printf(run->arena, "the list of %s was not read%s%s", names[i],
				       why ? ": " : "", why ? why : "");
	}
	return NULL;
}

bool nd_verify_has_lists(struct nd_verify_run *run, const char *const *names, size_t n)
{
	const char *why = why_no_list(run, names, n);
	if (why)
		nd_verify_leave(run, "%s", why);
	return !why;
}

void nd_verify_take(struct nd_verify_run *run, const struct nd_verify_flow *f)
{
	const struct nd_probe_result *r = f->result;
	int64_t most_us = run->options->max_time_us;
	struct nd_verify_outcome *out = run->out;
	if (r->outcome == ND_OUTCOME_gone)
		return; /* the pod ended meanwhile */
	if (r->outcome == ND_OUTCOME_error) {
		nd_verify_leave(run, "%s: could not be sent%s%s",
				nd_verify_flow_text(run->arena, f), r->err_number ? ": " : "",
				r->err_number ? strerror(r->err_number) : "");
		return;
	}
	if (r->outcome != ND_OUTCOME_ok) {
		nd_verify_fail(run, "%s: %s", nd_verify_flow_text(run->arena, f),
			       nd_probe_outcome_name(r->outcome));
		return;
	}
	if (r->us > out->slowest_us)
		out->slowest_us = r->us;
	if (r->us > most_us) {
		nd_verify_fail(run, "%s: slow, %.1f ms (at most %.0f)",
			       nd_verify_flow_text(run->arena, f), (double)r->us / 1e3,
			       (double)most_us / 1e3);
		return;
	}
	if (f->nfailed && out->test->is_lossless) {
		nd_verify_fail(run, "%s: %zu of %zu lost", nd_verify_flow_text(run->arena, f),
			       f->nfailed, f->ntries);
		return;
	}
	out->nagain += f->nfailed > 0;
	nd_verify_pass(run);
}

bool nd_verify_is_in_scope(const struct nd_verify_run *run, const struct nd_verify_flow *f)
{
	const char *ns = run->options->ns;
	return !ns || (f->flow.source_pod && nd_eq(f->flow.source_pod->meta.ns, ns)) ||
	       (f->flow.target_pod && nd_eq(f->flow.target_pod->meta.ns, ns)) ||
	       (f->flow.service && nd_eq(f->flow.service->meta.ns, ns));
}

/* ---- nodes that could not be looked at ---- */

static const char *gap_of(const struct nd_cluster *c, const char *node)
{
	char where[320];
	snprintf(where, sizeof(where), "node/%s", node);
	for (size_t i = 0; i < c->ngaps; i++) {
		const struct nd_known_gap *gap = &c->gaps[i];
		if (nd_eq(gap->where, where) &&
		    (nd_eq(gap->what, "node report") || nd_eq(gap->what, "pods") ||
		     nd_starts(gap->what, "probe")))
			return gap->why;
	}
	return NULL;
}

/* Why no node at all was asked. */
static const char *gap_of_all(const struct nd_cluster *c)
{
	for (size_t i = 0; i < c->ngaps; i++)
		if (nd_eq(c->gaps[i].what, "node reports"))
			return c->gaps[i].why;
	return NULL;
}

/* Why this node's probes are not all there, or NULL: they are. */
static const char *why_blind(const struct nd_verify_run *run, const struct nd_node *of)
{
	const char *node = of->meta.name;
	const struct nd_cluster *c = run->cluster;
	const struct nd_host *host = nd_look_host(c, node);
	const char *why = gap_of(c, node);
	if (why)
		return *why ? why : "it could not be looked at";
	if (!host || (!host->nprobes && !nd_host_has(host, ND_SECTION_pods))) {
		why = gap_of_all(c);
		return why ? why : "there is no report of it";
	}
	/* Each node asks for the API server, at least; of a namespace it may have nothing to ask.
	 */
	if (!host->nprobes && !(run->options->ns && run->nflows))
		return "it sent no probes";
	return of->is_ready ? NULL : "it is not ready, so its pods were not tested";
}

static void find_blind(struct nd_verify_run *run)
{
	const struct nd_cluster *c = run->cluster;
	const char *only = run->options->node, *first = NULL;
	static const char *const lists[] = {"pods", "nodes"};
	size_t nblind = 0;
	run->blind = why_no_list(run, lists, ND_ARRAY_LEN(lists));
	if (run->blind)
		return;
	for (size_t i = 0; i < c->nnodes; i++) {
		const char *node = c->nodes[i].meta.name;
		const char *why = only && !nd_eq(only, node) ? NULL : why_blind(run, &c->nodes[i]);
		if (why && nblind++ == 0)
			first = nd_arena_printf(run->arena, "node %s: %s", node, why);
	}
	if (nblind > 1)
		first = nd_arena_printf(run->arena, "%zu nodes could not be looked at, first %s",
					nblind, first);
	run->blind = first;
}

/* ---- one test after the other ---- */

void nd_verify_take_flows(struct nd_verify_run *run)
{
	const struct nd_verify_test *test = run->out->test;
	for (size_t i = 0; i < run->nflows; i++) {
		const struct nd_verify_flow *f = &run->flows[i];
		if (test->flows & 1u << f->flow.kind && test->kinds & 1u << f->result->kind &&
		    nd_verify_is_in_scope(run, f) && (!test->is_mine || test->is_mine(run, f)))
			nd_verify_take(run, f);
	}
}

static void run_test(struct nd_verify_run *run, const struct nd_verify_test *test)
{
	struct nd_verify_outcome *out = run->out;
	*out = (struct nd_verify_outcome){.test = test, .slowest_us = -1};
	const char *moot = test->is_moot ? test->is_moot(run) : NULL;
	if (moot) {
		out->result = ND_VERIFY_SKIPPED;
		out->why = moot;
		return;
	}
	if (test->run)
		test->run(run);
	else
		nd_verify_take_flows(run);
	if (out->nfailures) {
		out->result = ND_VERIFY_FAILED;
	} else if (test->needs_probes && run->blind) {
		nd_verify_leave(run, "%s", run->blind);
	} else if (out->ntotal == 0 && out->result != ND_VERIFY_INCOMPLETE) {
		out->result = ND_VERIFY_SKIPPED;
		out->why = test->nothing;
	}
}

static enum nd_verify_result verdict_of(const size_t n[4])
{
	if (n[ND_VERIFY_FAILED])
		return ND_VERIFY_FAILED;
	return n[ND_VERIFY_INCOMPLETE] || !n[ND_VERIFY_PASSED] ? ND_VERIFY_INCOMPLETE
							       : ND_VERIFY_PASSED;
}

static void conclude(struct nd_arena *arena, struct nd_verify *v)
{
	size_t n[4] = {0};
	const struct nd_cluster *c = v->cluster;
	const char *skipped = "";
	for (size_t i = 0; i < v->noutcomes; i++)
		n[v->outcomes[i].result]++;
	v->verdict = verdict_of(n);
	if (n[ND_VERIFY_SKIPPED])
		skipped = nd_arena_printf(arena, ", %zu skipped", n[ND_VERIFY_SKIPPED]);
	if (v->verdict == ND_VERIFY_FAILED)
		v->summary =
			nd_arena_printf(arena, "%zu of %zu tests failed%s", n[ND_VERIFY_FAILED],
					v->noutcomes - n[ND_VERIFY_SKIPPED], skipped);
	else if (n[ND_VERIFY_INCOMPLETE])
		v->summary =
			nd_arena_printf(arena, "No test failed, but %zu could not look at all%s",
					n[ND_VERIFY_INCOMPLETE], skipped);
	else if (v->verdict == ND_VERIFY_INCOMPLETE)
		v->summary = "There was nothing to test";
	else
		v->summary = nd_arena_printf(
			arena, "%zu tests passed%s: %zu node%s, %zu pods, %zu services, %zu probes",
			n[ND_VERIFY_PASSED], skipped, c->nnodes, c->nnodes == 1 ? "" : "s",
			c->npods, c->nservices, v->nflows);
}

const struct nd_verify *nd_verify_run(struct nd_arena *arena, const struct nd_cluster *cluster,
				      const struct nd_verify_options *options)
{
	struct nd_verify_run run = {.arena = arena, .cluster = cluster, .options = options};
	struct nd_verify *v = nd_arena_alloc(arena, sizeof(*v));
	v->cluster = cluster;
	v->outcomes = nd_arena_array(arena, ND_ARRAY_LEN(tests), sizeof(*v->outcomes));
	run.flows = nd_verify_flows_find(arena, cluster, &run.nflows);
	v->nflows = run.nflows;
	find_blind(&run);
	for (size_t i = 0; i < ND_ARRAY_LEN(tests); i++) {
		if ((options->ns && !tests[i]->is_of_namespace) ||
		    (tests[i]->is_asked && !tests[i]->is_asked(options)))
			continue;
		run.out = &v->outcomes[v->noutcomes++];
		run_test(&run, tests[i]);
	}
	conclude(arena, v);
	return v;
}
