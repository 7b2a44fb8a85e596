/* Causes, effects, hazards: who explains whom, in which order, and what a scope leaves out. */
#include "common/base.h"
#include "plugin/diagnose/diagnose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct nd_arena arena;

static struct nd_finding *finding(const char *id, const char *subject, const char *node)
{
	struct nd_finding *f = nd_arena_alloc(&arena, sizeof(*f));
	f->check = nd_check_find(id);
	assert_non_null(f->check);
	f->subject = subject;
	f->node = node;
	f->kind = f->check->kind;
	f->severity = f->check->severity;
	return f;
}

static struct nd_diagnosis diagnose(struct nd_finding **items, size_t n,
				    const struct nd_scope *scope)
{
	static const struct nd_scope everything;
	struct nd_finding_list list = {items, n};
	struct nd_diagnosis d;
	nd_diagnose(&arena, &list, scope ? scope : &everything, &d);
	return d;
}

static void nothing_gives_nothing(void **state)
{
	(void)state;
	struct nd_diagnosis d = diagnose(NULL, 0, NULL);
	assert_int_equal(d.ncauses + d.neffects + d.nhazards, 0);
}

static void the_lower_layer_explains(void **state)
{
	(void)state;
	struct nd_finding *items[] = {finding("svc-pods-not-ready", "service/a/b", "w1"),
				      finding("ip-forward-off", "node/w1", "w1")};
	struct nd_diagnosis d = diagnose(items, 2, NULL);
	assert_int_equal(d.ncauses, 1);
	assert_string_equal(d.causes[0]->check->id, "ip-forward-off");
	assert_int_equal(d.neffects, 1);
	assert_ptr_equal(d.effects[0]->explained_by, d.causes[0]);
}

static void another_node_explains_nothing(void **state)
{
	(void)state;
	struct nd_finding *items[] = {finding("kubelet-down", "node/w2", "w2"),
				      finding("kind-node-container-down", "node/w1", "w1")};
	struct nd_diagnosis d = diagnose(items, 2, NULL);
	assert_int_equal(d.ncauses, 2);
	assert_int_equal(d.neffects, 0);
	assert_string_equal(d.causes[0]->check->id, "kind-node-container-down");
}

static void a_hazard_is_never_a_cause(void **state)
{
	(void)state;
	struct nd_finding *items[] = {finding("ip-forward-off", "node/w1", "w1")};
	items[0]->kind = ND_HAZARD;
	struct nd_diagnosis d = diagnose(items, 1, NULL);
	assert_int_equal(d.ncauses, 0);
	assert_int_equal(d.nhazards, 1);
}

static void likely_comes_after_proved(void **state)
{
	(void)state;
	struct nd_finding *items[] = {finding("ip-forward-off", "node/w1", "w1"),
				      finding("route-blackhole", "node/w2", "w2")};
	items[0]->is_likely = true;
	struct nd_diagnosis d = diagnose(items, 2, NULL);
	assert_int_equal(d.ncauses, 2);
	assert_string_equal(d.causes[0]->check->id, "route-blackhole");
}

static void a_scope_leaves_out_other_namespaces_and_nodes(void **state)
{
	(void)state;
	struct nd_scope scope = {.ns = "a", .node = "w1"};
	struct nd_finding *items[] = {finding("svc-selector-mismatch", "service/a/b", NULL),
				      finding("svc-selector-mismatch", "service/ab/b", NULL),
				      finding("ip-forward-off", "node/w2", "w2")};
	struct nd_diagnosis d = diagnose(items, 3, &scope);
	assert_int_equal(d.ncauses, 1);
	assert_string_equal(d.causes[0]->subject, "service/a/b");
}

/* Explaining must not go round in circles whatever the tables say. */
static void every_chain_of_explanations_ends(void **state)
{
	(void)state;
	struct nd_finding *items[64];
	assert_true(nd_nchecks <= ND_ARRAY_LEN(items));
	for (size_t i = 0; i < nd_nchecks; i++)
		items[i] = finding(nd_checks[i]->id, "node/w1", "w1");
	struct nd_diagnosis d = diagnose(items, nd_nchecks, NULL);
	assert_true(d.ncauses >= 1);
	for (size_t i = 0; i < nd_nchecks; i++) {
		size_t steps = 0;
		for (const struct nd_finding *f = items[i]; f; f = f->explained_by)
			assert_true(++steps <= nd_nchecks);
	}
}

/* The tables: every id is unique, has its texts, and explains only ids that exist. */
static void the_checks_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < nd_nchecks; i++) {
		const struct nd_check *c = nd_checks[i];
		assert_non_null(c->title);
		assert_non_null(c->why);
		assert_non_null(c->source);
		assert_non_null(c->run);
		assert_ptr_equal(nd_check_find(c->id), c);
		for (size_t j = 0; j < ND_ARRAY_LEN(c->explains) && c->explains[j].id; j++)
			if (!nd_check_find(c->explains[j].id))
				fail_msg("%s explains %s, which no check reports", c->id,
					 c->explains[j].id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_gives_nothing),
		cmocka_unit_test(the_lower_layer_explains),
		cmocka_unit_test(another_node_explains_nothing),
		cmocka_unit_test(a_hazard_is_never_a_cause),
		cmocka_unit_test(likely_comes_after_proved),
		cmocka_unit_test(a_scope_leaves_out_other_namespaces_and_nodes),
		cmocka_unit_test(every_chain_of_explanations_ends),
		cmocka_unit_test(the_checks_are_whole),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	nd_arena_free(&arena);
	return rc;
}
