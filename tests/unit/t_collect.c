/*
 * t_collect.c: the conversation with nodes, against a fake docker (tests/unit/fake/docker). What
 * it runs is our real script, with directories of its own, and a fake agent.
 */
#include "common/base.h"

#include "common/arena.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/text.h"
#include "plugin/node/collect.h"
#include "plugin/node/discover.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define NODE_MS 1500 /* a node's deadline in these tests; a good one takes 50 ms */

static char dir[] = "/tmp/nd-t-collect-XXXXXX";

/* What came of one run. */
struct run {
	struct nd_buf notes;
	struct nd_err sink_err; /* of nd_collect_status */
	int status;
	int64_t took_ms;
	bool is_sink_broken;
};

static int note_item(void *ctx, const struct nd_item *item, struct nd_err *err)
{
	struct run *run = ctx;

	if (run->is_sink_broken && item->kind == ND_ITEM_SECTION)
		return nd_err_set(err, ND_E_IO, "disk full");
	assert_true(item->taken_unix_s > 1600000000);
	nd_buf_printf(&run->notes, "item %s %s %zu [%.*s]\n", item->node ? item->node : "-",
		      item->name, item->len, item->len < 30 ? (int)item->len : 30, item->bytes);
	return 0;
}

static int note_gap(void *ctx, const struct nd_gap *gap, struct nd_err *err ND_UNUSED)
{
	struct run *run = ctx;

	nd_buf_printf(&run->notes, "gap %s | %s | %s\n", gap->what, gap->where, gap->why);
	return 0;
}

static void note_progress(void *ctx, const char *node, const char *state)
{
	nd_buf_printf(&((struct run *)ctx)->notes, "progress %s %s\n", node, state);
}

static struct nd_collect_options options_of(struct run *run)
{
	return (struct nd_collect_options){
		.kind_cluster = "fake",
		.deadline_ms = NODE_MS,
		.keep_agent = true,
		.progress = note_progress,
		.progress_ctx = run,
	};
}

static void collect(struct run *run, const struct nd_collect_options *options)
{
	struct nd_sink sink = {.ctx = run, .item = note_item, .gap = note_gap};
	struct nd_loop *loop = nd_loop_new();
	struct nd_err err = {0};
	int64_t start_us = nd_clock_mono_us();
	struct nd_collect *collecting = nd_collect_start(loop, options, &sink, &err);

	assert_non_null(collecting);
	assert_int_equal(nd_loop_run(loop, &err), 0);
	run->took_ms = (nd_clock_mono_us() - start_us) / 1000;
	run->status = nd_collect_status(collecting, &run->sink_err);
	nd_collect_free(collecting);
	nd_loop_free(loop);
	for (const char *c = run->notes.data; c && *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\n')
			fail_msg("a control character in: %s", run->notes.data);
}

static void collect_nodes(struct run *run, const char *nodes)
{
	struct nd_collect_options options = options_of(run);

	setenv("ND_FAKE_NODES", nodes, 1);
	collect(run, &options);
	assert_int_equal(run->status, 0);
}

static void expect(const struct run *run, const char *text)
{
	if (!run->notes.data || !strstr(run->notes.data, text))
		fail_msg("\"%s\" is not in:\n%s", text, run->notes.data);
}

static void expect_not(const struct run *run, const char *text)
{
	if (run->notes.data && strstr(run->notes.data, text))
		fail_msg("\"%s\" is in:\n%s", text, run->notes.data);
}

/* The agent travels once, is found the next time, and again when it has been damaged. */
static void need_have_need(void **state ND_UNUSED)
{
	char command[600];

	for (int round = 0; round < 3; round++) {
		struct run run = {.notes = {0}};

		collect_nodes(&run, "w1 w2");
		expect(&run, "item - containers");
		expect(&run, "item w1 links");
		expect(&run, "[netdoctor 1\ncollect host\ncolle]");
		expect(&run, "gap nft | node/w1 | no");
		expect(&run, "progress w1 done");
		expect(&run, "progress w2 done");
		expect_not(&run, "node report");
		if (round != 1)
			expect(&run, "progress w1 sending the agent");
		else
			expect_not(&run, "sending the agent");
		nd_buf_free(&run.notes);
		snprintf(command, sizeof(command), "for f in %s/w1/a/agent-*; do echo >>$f; done",
			 dir);
		if (round == 1)
			assert_int_equal(system(command), 0);
	}
}

static void removes_the_agent(void **state ND_UNUSED)
{
	struct run run = {.notes = {0}};
	struct nd_collect_options options = options_of(&run);
	char path[300];

	options.keep_agent = false;
	setenv("ND_FAKE_NODES", "w3", 1);
	collect(&run, &options);
	expect(&run, "item w3 links");
	snprintf(path, sizeof(path), "%s/w3/a", dir);
	assert_int_not_equal(access(path, F_OK), 0);
	nd_buf_free(&run.notes);
}

static void second_directory(void **state ND_UNUSED)
{
	struct run run = {.notes = {0}};

	collect_nodes(&run, "w-second");
	expect(&run, "item w-second links");
	expect_not(&run, "node report");
	nd_buf_free(&run.notes);
}

/* All the ways to fail, side by side: one deadline for all, and each its own gap. */
static void bad_nodes(void **state ND_UNUSED)
{
	struct run run = {.notes = {0}};

	collect_nodes(&run,
		      "w-never w-half w-cut w-exit w-refused w-silent w-rubbish w-line w-unasked "
		      "w-deaf w-short w-other w-readonly w-paused w-balancer w1");
	expect(&run, "gap node report | node/w-never | no answer within 1500 ms\n");
	expect(&run, "item w-half links 2 [[]]\n");
	expect(&run, "gap node report | node/w-half | ");
	expect(&run, "; no answer within 1500 ms\n");
	expect(&run, "item w-cut links 2 [[]]\n");
	expect(&run, "gap node report | node/w-cut | ");
	expect_not(&run, "item w-cut iptables");
	expect(&run, "gap node report | node/w-exit | exit code 7: bo?[31mom\n");
	expect(&run,
	       "node/w-refused | exit code 1: Error response from daemon: no such container\n");
	expect(&run, "gap node report | node/w-silent | the shell on the node said nothing\n");
	expect(&run, "node/w-rubbish | it answers something other than our script would\n");
	expect(&run, "node/w-line | it answers something other than our script would\n");
	expect(&run, "gap node report | node/w-unasked | it asks for an agent we do not have\n");
	expect(&run, "gap node report | node/w-deaf | exit code 3\n");
	expect(&run, "gap node report | node/w-short | the agent did not arrive whole\n");
	expect(&run, "node/w-other | there is no agent for machine sparc\n");
	expect(&run, "node/w-readonly | none of ");
	expect(&run, "gap node report | node/w-paused | its container is paused\n");
	expect_not(&run, "gap node report | node/w-balancer");
	expect(&run, "item w1 links");
	expect_not(&run, "gap node report | node/w1 ");
	assert_in_range(run.took_ms, NODE_MS, NODE_MS * 3);
	nd_buf_free(&run.notes);
}

static void no_list(void **state ND_UNUSED)
{
	static const struct {
		const char *mode, *expect;
	} cases[] = {
		{"hang",
		 "gap containers | host | docker: no answer within 1500 ms; run podman: No such"},
		{"fail", "docker: exit code 1: Cannot connect to the Docker daemon; run podman"},
		{"junk", "docker: line 1 of the list of containers: not a JSON object; run podman"},
		{"", "docker: no containers of kind cluster fake; run podman"},
	};

	for (size_t i = 0; i < ND_ARRAY_LEN(cases); i++) {
		struct run run = {.notes = {0}};

		setenv("ND_FAKE_PS", cases[i].mode, 1);
		collect_nodes(&run, "");
		unsetenv("ND_FAKE_PS");
		expect(&run, cases[i].expect);
		expect(&run, "gap node reports | host | no container engine here runs the nodes\n");
		nd_buf_free(&run.notes);
	}
}

static void only_one_node(void **state ND_UNUSED)
{
	struct run run = {.notes = {0}};
	struct nd_collect_options options = options_of(&run);

	setenv("ND_FAKE_NODES", "w1 w-never", 1);
	options.only_node = "w1";
	collect(&run, &options);
	expect(&run, "item w1 links");
	expect_not(&run, "gap node report");
	options.only_node = "w9";
	collect(&run, &options);
	expect(&run, "gap node report | node/w9 | the cluster has no container of that name\n");
	nd_buf_free(&run.notes);
}

static void sink_breaks(void **state ND_UNUSED)
{
	struct run run = {.notes = {0}, .is_sink_broken = true};
	struct nd_collect_options options = options_of(&run);

	setenv("ND_FAKE_NODES", "w1", 1);
	collect(&run, &options);
	assert_int_equal(run.status, -1);
	assert_string_equal(run.sink_err.text, "disk full");
	expect_not(&run, "gap ");
	nd_buf_free(&run.notes);
}

static void options_that_cannot_be(void **state ND_UNUSED)
{
	struct nd_loop *loop = nd_loop_new();
	struct nd_sink sink = {0};
	struct nd_err err = {0};
	struct run run = {.notes = {0}};
	struct nd_collect_options options = options_of(&run);

	options.transport = "carrier-pigeon";
	assert_null(nd_collect_start(loop, &options, &sink, &err));
	assert_int_equal(err.code, ND_E_USAGE);
	nd_loop_free(loop);
	options.transport = NULL;
	options.kind_cluster = NULL;
	collect(&run, &options);
	expect(&run, "gap node reports | host | not a kind cluster");
	nd_buf_free(&run.notes);
}

/* Freed while a node has not answered: nothing is left behind, and nobody waits. */
static void dropped_early(void **state ND_UNUSED)
{
	struct run run = {.notes = {0}};
	struct nd_collect_options options = options_of(&run);
	struct nd_sink sink = {.ctx = &run, .item = note_item, .gap = note_gap};
	struct nd_loop *loop = nd_loop_new();
	struct nd_err err = {0};
	int64_t start_us = nd_clock_mono_us();

	setenv("ND_FAKE_PS", "hang", 1);
	struct nd_collect *collecting = nd_collect_start(loop, &options, &sink, &err);
	unsetenv("ND_FAKE_PS");
	assert_non_null(collecting);
	nd_loop_interrupt();
	assert_int_equal(nd_loop_run(loop, &err), -1);
	assert_int_equal(err.code, ND_E_INTERRUPTED);
	nd_collect_free(collecting);
	nd_loop_free(loop);
	assert_true(nd_clock_mono_us() - start_us < 1000000);
	nd_buf_free(&run.notes);
}

static void other_engines(void **state ND_UNUSED)
{
	static const char text[] =
		"{\"Names\":[\"p1\"],\"State\":\"running\",\"Labels\":{\"a\":\"b\"}}\n"
		"{\"Names\":[\"lb\"],\"State\":\"running\",\"Labels\":"
		"{\"io.x-k8s.kind.role\":\"external-load-balancer\"}}\n\n"
		"{\"Names\":\"n1\",\"Status\":\"Up 3 hours\",\"Labels\":\"\"}\n"
		"{\"Names\":\"n2\",\"Status\":\"Up 3 hours (Paused)\"}\n"
		"{\"Names\":\"n3\",\"Status\":\"Exited (137) 2 minutes ago\"}\n"
		"{\"Names\":\"n4\"}\n";
	static const char *const bad[] = {"[]", "{", "{}", "{\"Names\":\"-it\"}", "{\"Names\":[]}"};
	struct nd_arena arena = {0};
	struct nd_node_list list = {0};
	struct nd_err err = {0};

	assert_int_equal(nd_discover_parse(&arena, nd_str(text), &list, &err), 0);
	assert_int_equal(list.nnodes, 5);
	assert_true(list.nodes[0].is_running && list.nodes[1].is_running);
	assert_string_equal(list.nodes[2].state, "paused");
	assert_string_equal(list.nodes[3].state, "exited");
	assert_string_equal(list.nodes[4].state, "unknown");
	for (size_t i = 0; i < ND_ARRAY_LEN(bad); i++) {
		assert_int_equal(nd_discover_parse(&arena, nd_str(bad[i]), &list, &err), -1);
		assert_true(nd_starts(err.text, "line 1 of "));
	}
	nd_arena_free(&arena);
}

/* A copy of the fake agent, as long as a real one, so that it does not fit into any pipe. */
static void agent_install(const char *arch)
{
	nd_auto_file FILE *in = fopen("tests/unit/fake/netdoctor-agent", "re");
	nd_auto_file FILE *out = NULL;
	char path[300], block[4096];
	size_t n;

	snprintf(path, sizeof(path), "%s/netdoctor-agent-%s", dir, arch);
	out = fopen(path, "we");
	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(block, 1, sizeof(block), in)) > 0)
		fwrite(block, 1, n, out);
	for (int i = 0; i < 40000; i++)
		fprintf(out, "# %d padding %s\n", i, arch);
}

static int setup(void **state ND_UNUSED)
{
	char cwd[1024], path[2048];

	if (!mkdtemp(dir) || !getcwd(cwd, sizeof(cwd)))
		return -1;
	agent_install("amd64");
	agent_install("arm64");
	/* Nothing of the machine's own engines may be found. */
	snprintf(path, sizeof(path), "%s/bin", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path),
		 "ln -s %s/tests/unit/fake/docker %s/bin/docker && for p in sh sleep head cat sed "
		 "mkdir "
		 "uname sha256sum chmod rm rmdir mv cut wc; do ln -s \"$(command -v $p)\" "
		 "%s/bin/$p || "
		 "exit 1; done",
		 cwd, dir, dir);
	if (system(path) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/bin", dir);
	setenv("PATH", path, 1);
	setenv("ND_FAKE_DIR", dir, 1);
	setenv("NETDOCTOR_AGENT_DIR", dir, 1);
	return 0;
}

static int forget(const char *path, const struct stat *st ND_UNUSED, int type ND_UNUSED,
		  struct FTW *ftw ND_UNUSED)
{
	return remove(path);
}

static int teardown(void **state ND_UNUSED)
{
	return nftw(dir, forget, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(need_have_need),
		cmocka_unit_test(removes_the_agent),
		cmocka_unit_test(second_directory),
		cmocka_unit_test(bad_nodes),
		cmocka_unit_test(no_list),
		cmocka_unit_test(only_one_node),
		cmocka_unit_test(sink_breaks),
		cmocka_unit_test(dropped_early),
		cmocka_unit_test(options_that_cannot_be),
		cmocka_unit_test(other_engines),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
