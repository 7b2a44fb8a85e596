/* What --http and --baseline take, what they refuse, and what is worse than it was. */
#include "common/base.h"
#include "tests/unit/verify_world.h"

#include <sys/stat.h>

/* ---- targets ---- */

static void targets(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool is_good;
		uint16_t port;
		const char *path;
	} cases[] = {
		{"svc/a/web:80", true, 80, "/"},
		{"svc/a/web:main/healthz?x=1", true, 80, "/healthz?x=1"},
		{"http://10.244.1.5:8080/x", true, 8080, "/x"},
		{"10.244.1.5", true, 80, "/"},
		{"http://172.18.0.2/", true, 80, "/"},
		{"http://10.96.0.50", true, 80, "/"},
		{"", false, 0, NULL},
		{"svc/", false, 0, NULL},
		{"svc/a", false, 0, NULL},
		{"svc/a/web", false, 0, NULL},
		{"svc/a/web:", false, 0, NULL},
		{"svc/a/web:0", false, 0, NULL},
		{"svc/a/web:65536", false, 0, NULL},
		{"svc//web:80", false, 0, NULL},
		{"svc/A/web:80", false, 0, NULL},
		{"https://10.244.1.5/", false, 0, NULL},
		{"http://example.com/", false, 0, NULL},
		{"http://10.244.1.5:x/", false, 0, NULL},
		{"http://10.244.1.5:/", false, 0, NULL},
		{"http://[fd00::1:80/", false, 0, NULL},
		{"http://[fd00::1]80/", false, 0, NULL},
		{"http://[10.244.1.5]/", false, 0, NULL},
		{"http://fd00::1/", false, 0, NULL},
		{"http://10.244.1.5/a b", false, 0, NULL},
		{"http://10.244.1.5/\xc3\xa4", false, 0, NULL},
		{"http://", false, 0, NULL},
	};
	build(&(struct world){0}, healthy_w1, healthy_w2);
	for (size_t i = 0; i < ND_ARRAY_LEN(cases); i++) {
		struct nd_target target;
		struct nd_probe_get get;

		err = (struct nd_err){0};
		if ((nd_target_parse(&arena, cases[i].text, &target, &err) == 0) !=
		    cases[i].is_good)
			fail_msg("%s: %s", cases[i].text, err.text);
		if (!cases[i].is_good) {
			assert_int_equal(err.code, ND_E_USAGE);
			continue;
		}
		if (nd_target_resolve(cluster, &target, false, &get, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(get.port, cases[i].port);
		assert_string_equal(get.path, cases[i].path);
	}
}

static enum nd_code resolve(const char *text, bool is_external)
{
	struct nd_target target;
	struct nd_probe_get get;

	err = (struct nd_err){0};
	assert_int_equal(nd_target_parse(&arena, text, &target, &err), 0);
	return nd_target_resolve(cluster, &target, is_external, &get, &err) < 0 ? err.code
										: ND_E_NONE;
}

static void targets_outside(void **state)
{
	(void)state;
	build(&(struct world){0}, healthy_w1, healthy_w2);
	assert_int_equal(resolve("http://192.0.2.1/", false), ND_E_USAGE);
	assert_int_equal(resolve("http://127.0.0.1/", false), ND_E_USAGE);
	assert_int_equal(resolve("http://10.96.0.51/", false), ND_E_USAGE);
	assert_int_equal(resolve("http://192.0.2.1/", true), ND_E_NONE);
	assert_int_equal(resolve("svc/a/nope:80", false), ND_E_NOT_FOUND);
	assert_int_equal(resolve("svc/a/web:81", false), ND_E_NOT_FOUND);
}

/* ---- baselines ---- */

static int parse(const char *text, struct nd_baseline *out)
{
	char *copy = strdup(text);
	int rc;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	err = (struct nd_err){0};
	rc = nd_baseline_parse(&arena, nd_str(copy), out, &err);
	free(copy);
	return rc;
}

#define BASELINE(pairs) "{'apiVersion':'netdoctor/v1alpha1','kind':'Baseline','pairs':[" pairs "]}"

static void bad_baselines(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "it is not JSON"},
		{"{", "it is not JSON"},
		{"[]", "kind: wanted Baseline of netdoctor/v1alpha1"},
		{"{'kind':'Diagnosis'}", "kind: wanted Baseline of netdoctor/v1alpha1"},
		{"{'apiVersion':'netdoctor/v1alpha1','kind':'Baseline'}", "pairs: wanted a list"},
		{BASELINE("1"), "pairs[0]: wanted from and to, names of nodes"},
		{BASELINE("{'from':'w1','to':7}"), "pairs[0]: wanted from and to, names of nodes"},
		{BASELINE("{'from':'w1','to':'w\\u001b'}"),
		 "pairs[0]: wanted from and to, names of nodes"},
		{BASELINE("{'from':'w1','to':'w2'},{'from':'w2','to':'w1','icmp_us':'1'}"),
		 "pairs[1]: icmp_us, tcp_us, dns_us: wanted a number of microseconds"},
		{BASELINE("{'from':'w1','to':'w2','tcp_us':-1}"),
		 "pairs[0]: icmp_us, tcp_us, dns_us: wanted a number of microseconds"},
		{BASELINE("{'from':'w1','to':'w2','mtu_bytes':70000}"),
		 "pairs[0]: mtu_bytes: wanted a number, 1 to 65535"},
		{BASELINE("{'from':'w1','to':'w2'},{'from':'w1','to':'w2'}"),
		 "pairs: w1 to w2 comes twice"},
	};
	struct nd_baseline baseline;

	for (size_t i = 0; i < ND_ARRAY_LEN(cases); i++) {
		assert_int_equal(parse(cases[i].text, &baseline), -1);
		assert_string_equal(err.text, cases[i].says);
		assert_int_equal(err.code, ND_E_INPUT);
	}
	assert_int_equal(nd_baseline_read(&arena, "/nonexistent", &baseline, &err), -1);
	assert_int_equal(nd_baseline_read(&arena, "/dev/null", &baseline, &err), -1);
}

static void what_became_worse(void **state)
{
	(void)state;
	struct nd_baseline then;

	build(&(struct world){0},
	      "[{'id':1,'kind':'tcp','source':'101','addr':'10.244.2.5','port':8080,'outcome':'ok',"
	      "'us':5000},"
	      "{'id':2,'kind':'icmp','source':'101','addr':'10.244.2.5','port':0,'outcome':'ok','"
	      "us':900},"
	      "{'id':3,'kind':'pmtu','source':'101','addr':'10.244.2.5','port':0,'outcome':'ok','"
	      "us':900,'mtu':1450}]",
	      "[{'id':1,'kind':'tcp','source':'202','addr':'10.244.1.5','port':8080,'outcome':'"
	      "TIMEOUT','us':5000}]");
	assert_int_equal(
		parse(BASELINE("{'from':'w2','to':'w1','tcp_us':300},"
			       "{'from':'w1','to':'w2','icmp_us':90,'tcp_us':300,'mtu_bytes':1500},"
			       "{'from':'w1','to':'w9','icmp_us':90}"),
		      &then),
		0);
	options.baseline = &then;
	run();
	check("baseline", ND_VERIFY_FAILED, 1, 4); /* 0.09 to 0.9 ms is noise */
	assert_string_equal(outcome("baseline")->failures[0],
			    "w1 -> w2: connect takes 5.0 ms, was 0.3 ms");
	assert_string_equal(outcome("baseline")->failures[1],
			    "w1 -> w2: path MTU is 1450, was 1500");
	assert_string_equal(outcome("baseline")->failures[2],
			    "w2 -> w1: nothing gets through any more");
	assert_string_equal(outcome("baseline")->why,
			    "1 pairs of the baseline were not measured now");
}

static void a_baseline_comes_back(void **state)
{
	(void)state;
	char path[] = "/tmp/t_verify.XXXXXX";
	struct nd_baseline now, then;
	struct stat st;
	size_t n;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	build(&(struct world){0}, healthy_w1, healthy_w2);
	struct nd_verify_flow *flows = nd_verify_flows_find(&arena, cluster, &n);
	nd_baseline_measure(&arena, flows, n, &now);
	assert_int_equal(now.npairs, 2);
	assert_int_equal(nd_baseline_write(path, &now, &err), 0);
	assert_int_equal(nd_baseline_read(&arena, path, &then, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(path);
	assert_int_equal(then.npairs, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(then.pairs[i].from, now.pairs[i].from);
		assert_int_equal(then.pairs[i].tcp_us, now.pairs[i].tcp_us);
		assert_int_equal(then.pairs[i].icmp_us, now.pairs[i].icmp_us);
		assert_int_equal(then.pairs[i].mtu_bytes, 0);
	}
	assert_int_equal(then.pairs[0].tcp_us, 300);
	assert_int_equal(nd_baseline_write("/nonexistent/x", &now, &err), -1);
}

/* The best of both; what the last sample lost is lost only when none got through. */
static void samples(void **state)
{
	(void)state;
	struct nd_baseline_pair first[] = {
		{.from = "w1", .to = "w2", .icmp_us = 90, .tcp_us = 5000},
		{.from = "w2", .to = "w1", .bytes_per_s = 7}};
	struct nd_baseline_pair second[] = {
		{.from = "w1", .to = "w2", .icmp_us = 900, .tcp_us = 300, .mtu_bytes = 1450},
		{.from = "w3", .to = "w1", .dns_us = 1}};
	struct nd_baseline_pair lost[] = {{.from = "w2", .to = "w1"}, {.from = "w2", .to = "w3"}};
	struct nd_baseline all = {0},
			   more[] = {{.pairs = first, .npairs = 2},
				     {.pairs = second, .npairs = 2, .lost = lost, .nlost = 2}};

	nd_baseline_add(&arena, &all, &more[0]);
	nd_baseline_add(&arena, &all, &more[1]);
	assert_int_equal(all.npairs, 3);
	assert_int_equal(all.pairs[0].icmp_us, 90);
	assert_int_equal(all.pairs[0].tcp_us, 300);
	assert_int_equal(all.pairs[0].mtu_bytes, 1450);
	assert_int_equal(all.pairs[1].bytes_per_s, 7);
	assert_int_equal(all.nlost, 1);
	assert_string_equal(all.lost[0].to, "w3");
}

#define BULK(us, status, bytes)                                                                    \
	"[{'id':1,'kind':'bulk','source':'202','addr':'10.244.1.9','port':9153,'name':'/"          \
	"metrics','outcome':'ok','us':" us ",'status':" status ",'bytes':" bytes "}]"

/* Half is only worse when it takes longer than a busy server does; a page of errors is no transfer.
 */
static void throughput(void **state)
{
	(void)state;
	static const struct {
		const char *w2;
		enum nd_verify_result result;
	} cases[] = {
		{BULK("1000", "200", "30000"), ND_VERIFY_PASSED}, /* 30 MB/s */
		{BULK("5000", "200", "30000"), ND_VERIFY_PASSED}, /* 6 MB/s: 64 KiB in 11 ms, were 2
								   */
		{BULK("9000", "200", "30000"), ND_VERIFY_FAILED}, /* 3 MB/s: 20 ms */
		{BULK("9000", "500", "30000"), ND_VERIFY_SKIPPED},
		{BULK("9000", "200", "4000"), ND_VERIFY_SKIPPED},
	};
	struct nd_baseline then;

	assert_int_equal(parse(BASELINE("{'from':'w2','to':'w1','bytes_per_s':30000000}"), &then),
			 0);
	for (size_t i = 0; i < ND_ARRAY_LEN(cases); i++) {
		build(&(struct world){0}, healthy_w1, cases[i].w2);
		options.baseline = &then;
		run();
		assert_int_equal(outcome("baseline")->result, cases[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),
		cmocka_unit_test(targets_outside),
		cmocka_unit_test(bad_baselines),
		cmocka_unit_test(what_became_worse),
		cmocka_unit_test(a_baseline_comes_back),
		cmocka_unit_test(samples),
		cmocka_unit_test(throughput),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	nd_model_free(model);
	nd_arena_free(&arena);
	return rc;
}
