/*
 * The matrix: which try of a probe counts, which cell it counts in, what percentage that is, and
 * that the grid stays small and harmless whatever the nodes are called.
 */
#include "common/base.h"
#include "plugin/probe/matrix.h"
#include "plugin/probe/tries.h"
#include "plugin/report/matrix_text.h"
#include "tests/unit/model.h"

/* Nodes with two pods each: 10.0.NODE.5, whose netns has inode 100 + NODE, sends; 10.0.NODE.6 is asked. */
struct world {
	struct nd_model *model;
	const struct nd_cluster *cluster;
	struct nd_arena arena;
	const char *const *names; /* n; NULL: n000, n001, ... */
	size_t n;
	struct nd_buf results[300]; /* JSON of section probe, a node */
};

static const char *node_name(const struct world *w, size_t i, char dst[64])
{
	if (w->names)
		return w->names[i];
	snprintf(dst, 64, "n%03zu", i);
	return dst;
}

static void feed_buf(struct world *w, enum nd_item_kind kind, const char *node, const char *name,
		     struct nd_buf *json)
{
	for (size_t i = 0; i < json->len; i++)
		json->data[i] = json->data[i] == '\'' ? '"' : json->data[i];
	feed(w->model, kind, node, name, json->data, json->len);
	nd_buf_free(json);
}

#define SERVICE(ns, name, ip, port)                                                                \
	"{'metadata':{'namespace':'" ns "','name':'" name "','uid':'" name "'},'spec':{'clusterIP':'" ip   \
	"','type':'ClusterIP','selector':{'app':'" name "'},'ports':[{'port':" port ",'protocol':'TCP'}]}}"

static void build(struct world *w)
{
	struct nd_buf nodes = {0}, pods = {0}, services = {0};
	char name[64];
	w->model = nd_model_new();
	nd_buf_puts(&nodes, "{'items':[");
	nd_buf_puts(&pods, "{'items':[");
	for (size_t i = 0; i < w->n; i++) {
		node_name(w, i, name);
		nd_buf_printf(&nodes,
			      "%s{'metadata':{'name':'%s'},'spec':{'podCIDRs':['10.0.%zu.0/24']},'status':"
			      "{'addresses':[{'type':'InternalIP','address':'172.18.0.%zu'}]}}",
			      i ? "," : "", node_name(w, i, name), i, i % 200 + 2);
		for (size_t k = 5; k <= 6; k++)
			nd_buf_printf(&pods,
				      "%s{'metadata':{'namespace':'app','name':'p%zu-%zu','uid':'u%zu-%zu'},"
				      "'spec':{'nodeName':'%s'},'status':{'phase':'Running',"
				      "'podIPs':[{'ip':'10.0.%zu.%zu'}]}}",
				      i || k > 5 ? "," : "", i, k, i, k, node_name(w, i, name), i, k);
	}
	nd_buf_puts(&nodes, "]}");
	nd_buf_puts(&pods, "]}");
	nd_buf_puts(&services, "{'items':[" SERVICE("app", "web", "10.96.1.1", "80") "," SERVICE(
				       "kube-system", "kube-dns", "10.96.0.10", "53") "]}");
	feed_buf(w, ND_ITEM_API, NULL, "nodes", &nodes);
	feed_buf(w, ND_ITEM_API, NULL, "pods", &pods);
	feed_buf(w, ND_ITEM_API, NULL, "services", &services);
	for (size_t i = 0; i < w->n; i++) {
		struct nd_buf ns = {0};
		nd_buf_printf(&ns, "[{'uids':['u%zu-5'],'netns_inode':%zu,'is_host_network':false}]", i, 100 + i);
		feed_buf(w, ND_ITEM_SECTION, node_name(w, i, name), "pods", &ns);
		if (!w->results[i].len)
			continue;
		nd_buf_puts(&w->results[i], "]");
		feed_buf(w, ND_ITEM_SECTION, node_name(w, i, name), "probe", &w->results[i]);
	}
	w->cluster = nd_model_finish(w->model);
}

static void end(struct world *w)
{
	nd_model_free(w->model);
	nd_arena_free(&w->arena);
}

/* From the pod of node i, or with is_node from the node. */
static void send(struct world *w, size_t i, bool is_node, const char *addr, int port, const char *outcome)
{
	char source[32] = "node";
	if (!is_node)
		snprintf(source, sizeof(source), "%zu", 100 + i);
	nd_buf_printf(&w->results[i],
		      "%s{'id':1,'kind':'tcp','source':'%s','addr':'%s','port':%d,'outcome':'%s','us':9}",
		      w->results[i].len ? "," : "[", source, addr, port, outcome);
}

static void send_pod(struct world *w, size_t from, size_t to, int port, const char *outcome)
{
	char addr[32];
	snprintf(addr, sizeof(addr), "10.0.%zu.6", to);
	send(w, from, false, addr, port, outcome);
}

static void check_tally(struct nd_tally tally, size_t nok, size_t nfailed)
{
	assert_int_equal(tally.nok, nok);
	assert_int_equal(tally.nfailed, nfailed);
}

/* ---- which try counts ---- */

static void the_last_try_counts(void **state)
{
	(void)state;
	struct world w = {.n = 2};
	struct nd_matrix m;
	struct nd_tries *tries;
	send_pod(&w, 0, 1, 1, "TIMEOUT"); /* twice: failed */
	send_pod(&w, 0, 1, 2, "TIMEOUT"); /* then ok: shaky */
	send_pod(&w, 0, 1, 3, "ok");
	send_pod(&w, 0, 1, 4, "TIMEOUT"); /* then the pod ended: says nothing */
	send_pod(&w, 0, 1, 5, "GONE");
	send_pod(&w, 0, 1, 6, "ERROR");
	send_pod(&w, 0, 1, 1, "REFUSED");
	send_pod(&w, 0, 1, 2, "ok");
	send_pod(&w, 0, 1, 4, "GONE");
	build(&w);
	size_t n = nd_tries_find(&w.arena, &w.cluster->hosts[0], &tries);
	static const enum nd_tries_verdict want[] = {
		[1] = ND_TRIES_FAILED,	[2] = ND_TRIES_SHAKY,	[3] = ND_TRIES_OK,
		[4] = ND_TRIES_UNKNOWN, [5] = ND_TRIES_UNKNOWN, [6] = ND_TRIES_UNKNOWN};
	assert_int_equal(n, 6);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(tries[i].verdict, want[tries[i].result->port]);
		assert_true(i == 0 || tries[i - 1].result < tries[i].result);
	}
	nd_matrix_build(&w.arena, w.cluster, &m);
	check_tally(m.all, 2, 1);
	check_tally(m.pods, 2, 1);
	assert_int_equal(m.cells[0].outcome, ND_OUTCOME_refused); /* of the last try */
	end(&w);
}

/* ---- cells and sums ---- */

static void cells_and_sums(void **state)
{
	(void)state;
	struct world w = {.n = 3};
	struct nd_matrix m;
	send_pod(&w, 0, 0, 80, "ok");
	send_pod(&w, 0, 1, 80, "TIMEOUT");
	send_pod(&w, 0, 1, 81, "REFUSED");
	send_pod(&w, 0, 1, 82, "TIMEOUT");
	send_pod(&w, 0, 1, 83, "ok");
	send_pod(&w, 2, 0, 80, "ok");
	send(&w, 2, true, "10.0.0.6", 80, "TIMEOUT"); /* from the node: not between pods */
	send(&w, 2, false, "10.96.1.1", 80, "ok");
	send(&w, 2, false, "10.96.0.10", 53, "TIMEOUT");
	send(&w, 2, false, "10.96.0.10", 9153, "ok"); /* a service, but not DNS */
	send(&w, 2, false, "192.0.2.1", 80, "NONET");
	build(&w);
	nd_matrix_build(&w.arena, w.cluster, &m);
	assert_int_equal(m.nnodes, 3);
	assert_int_equal(m.ncells, 3);
	check_tally(nd_matrix_cell(&m, 0, 0)->tally, 1, 0);
	check_tally(nd_matrix_cell(&m, 0, 1)->tally, 1, 3);
	assert_int_equal(nd_matrix_cell(&m, 0, 1)->outcome, ND_OUTCOME_timeout);
	check_tally(nd_matrix_cell(&m, 2, 0)->tally, 1, 0);
	assert_null(nd_matrix_cell(&m, 1, 0));
	assert_null(nd_matrix_cell(&m, 0, 2));
	assert_null(nd_matrix_cell(&m, 9, 9));
	check_tally(m.rows[0], 2, 3);
	check_tally(m.columns[0], 2, 0);
	check_tally(m.columns[1], 1, 3);
	check_tally(m.columns[2], 0, 0);
	check_tally(m.pods, 3, 3);
	check_tally(m.cross_node, 2, 3);
	check_tally(m.services, 2, 1);
	check_tally(m.dns, 0, 1);
	check_tally(m.all, 5, 6);
	end(&w);
}

/* A pod that does not answer itself, or has ended: nothing of the network is known from it. */
static void silent_pods_are_no_failures(void **state)
{
	(void)state;
	static const char *const outcomes[] = {"REFUSED", "GONE"};
	for (size_t i = 0; i < ND_ARRAY_LEN(outcomes); i++) {
		struct world w = {.n = 2};
		struct nd_matrix m;
		send(&w, 1, false, "10.0.1.5", 80, outcomes[i]); /* asks itself */
		send(&w, 0, false, "10.0.1.5", 80, "REFUSED");
		send(&w, 0, false, "10.0.1.6", 80, "ok");
		build(&w);
		nd_matrix_build(&w.arena, w.cluster, &m);
		check_tally(m.pods, 1, 0);
		check_tally(m.all, 1, i == 0);
		end(&w);
	}
}

static void percent(void **state)
{
	(void)state;
	assert_int_equal(nd_tally_percent((struct nd_tally){0, 0}), -1);
	assert_int_equal(nd_tally_percent((struct nd_tally){5, 0}), 100);
	assert_int_equal(nd_tally_percent((struct nd_tally){0, 5}), 0);
	assert_int_equal(nd_tally_percent((struct nd_tally){2, 1}), 66);
	assert_int_equal(nd_tally_percent((struct nd_tally){100000, 1}), 99);
	assert_int_equal(nd_tally_percent((struct nd_tally){1, 100000}), 1);
}

static void nothing_is_probed(void **state)
{
	(void)state;
	struct nd_cluster cluster = {0};
	struct nd_arena arena = {0};
	struct nd_matrix m;
	struct nd_buf out = {0};
	nd_matrix_build(&arena, &cluster, &m);
	assert_int_equal(nd_tally_percent(m.pods), -1);
	assert_int_equal(m.ncells, 0);
	nd_matrix_print(&m, false, &out);
	assert_int_equal(out.len, 0);
	nd_arena_free(&arena);
}

/* ---- the grid ---- */

static const char *grid(struct world *w)
{
	struct nd_matrix m;
	struct nd_buf out = {0};
	build(w);
	nd_matrix_build(&w->arena, w->cluster, &m);
	nd_matrix_print(&m, false, &out);
	const char *text = nd_arena_strdup(&w->arena, out.len ? out.data : "", out.len);
	nd_buf_free(&out);
	return text;
}

static void a_small_grid(void **state)
{
	(void)state;
	static const char *const names[] = {"dev-control-plane", "dev-worker", "dev-worker2"};
	struct world w = {.n = 3, .names = names};
	send_pod(&w, 0, 0, 80, "ok");
	send_pod(&w, 0, 2, 80, "TIMEOUT");
	send_pod(&w, 1, 2, 80, "TIMEOUT");
	send_pod(&w, 1, 2, 81, "ok");
	send_pod(&w, 2, 0, 80, "ok");
	assert_string_equal(grid(&w), "    from \\ to      control-plane  worker  worker2\n"
				      "    control-plane  ✓              -       TIMEOUT\n"
				      "    worker         -              -       TIMEOUT 1/2\n"
				      "    worker2        ✓              -       -\n");
	end(&w);
}

static void no_failure_no_grid(void **state)
{
	(void)state;
	struct world w = {.n = 2};
	send_pod(&w, 0, 1, 80, "ok");
	assert_string_equal(grid(&w), "");
	end(&w);
}

static size_t lines_of(const char *text, size_t *widest)
{
	size_t n = 0, width = 0;
	*widest = 0;
	for (; *text; text++) {
		width += *text != '\n' && (*text & 0xc0) != 0x80;
		if (*text != '\n')
			continue;
		n++;
		*widest = width > *widest ? width : *widest;
		width = 0;
	}
	return n;
}

/* 100 nodes, nobody reaches n050; n007 reaches nobody. */
static void a_big_grid_is_cut(void **state)
{
	(void)state;
	struct world w = {.n = 100};
	size_t widest;
	for (size_t i = 0; i < w.n; i++)
		for (size_t j = 0; j < w.n; j++)
			send_pod(&w, i, j, 80, i == 7 || j == 50 ? "TIMEOUT" : "ok");
	const char *text = grid(&w);
	assert_true(lines_of(text, &widest) <= 1 + 12 + 4 + 1);
	assert_true(widest <= 80);
	assert_non_null(strstr(text, "n007"));
	assert_non_null(strstr(text, "n050"));
	assert_non_null(strstr(text, "    88 more rows and 93 more columns with failures are not shown\n"));
	end(&w);
}

static void only_failing_rows_of_many(void **state)
{
	(void)state;
	struct world w = {.n = 20};
	size_t widest;
	for (size_t i = 0; i < w.n; i++)
		for (size_t j = 0; j < w.n; j++)
			send_pod(&w, i, j, 80, i == 3 && j == 4 ? "NOHOST" : "ok");
	const char *text = grid(&w);
	assert_int_equal(lines_of(text, &widest), 3);
	assert_non_null(strstr(text, "    n003       NOHOST\n"));
	assert_non_null(strstr(text, "only nodes with failures are shown\n"));
	end(&w);
}

static void long_names_get_numbers(void **state)
{
	(void)state;
	static const char *const names[] = {
		"ip-10-0-0-1.eu-central-1.compute.internal", "ip-10-0-0-2.eu-central-1.compute.internal",
		"ip-10-0-0-3.eu-central-1.compute.internal", "ip-10-0-0-4.eu-central-1.compute.internal"};
	struct world w = {.n = 4, .names = names};
	size_t widest;
	send_pod(&w, 0, 3, 80, "TIMEOUT");
	const char *text = grid(&w);
	lines_of(text, &widest);
	assert_true(widest <= 80);
	assert_non_null(strstr(text, "to 1 1.eu-central"));
	end(&w);
}

static void hostile_names(void **state)
{
	(void)state;
	static const char *const names[] = {"a-\\u001b[2J", "a-\\u202ex\\u0007", "a-", "a"};
	struct world w = {.n = 4, .names = names};
	send_pod(&w, 0, 1, 80, "TIMEOUT");
	/* The host goes by another name than the API's: still no control characters. */
	const char *text = grid(&w);
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\a'));
	assert_null(strstr(text, "\xe2\x80\xae"));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_try_counts),
		cmocka_unit_test(cells_and_sums),
		cmocka_unit_test(silent_pods_are_no_failures),
		cmocka_unit_test(percent),
		cmocka_unit_test(nothing_is_probed),
		cmocka_unit_test(a_small_grid),
		cmocka_unit_test(no_failure_no_grid),
		cmocka_unit_test(a_big_grid_is_cut),
		cmocka_unit_test(only_failing_rows_of_many),
		cmocka_unit_test(long_names_get_numbers),
		cmocka_unit_test(hostile_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
