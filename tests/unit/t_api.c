/*
 * t_api.c: lists from a server that misbehaves. The server is a fake, tests/api/fake.py; real ones
 * are asked by tests/cluster.
 */
#include "common/base.h"

#include "common/clock.h"
#include "plugin/kube/api.h"
#include "plugin/kube/kubefile.h"
#include "plugin/kube/listpage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#define NLISTS 12 /* rows of resources.def */

struct fake {
	pid_t pid;
	int in_fd; /* it ends when this does */
	int port;
};

static char dir[] = "/tmp/nd-t-api-XXXXXX";
static struct nd_arena arena;
static struct fake good, expired;
static bool is_ready; /* python3 and openssl are there */

/* What came of one collection. */
struct seen {
	size_t nitems, npods, ngaps;
	char pods[4096]; /* their bytes, one after the other */
	char gaps[4096]; /* "what: why\n" */
	bool must_fail;	 /* the sink refuses its third item */
	unsigned ndone;
	int rc; /* of nd_api_status */
	struct nd_err err;
	int64_t took_ms;
};

static int on_item(void *ctx, const struct nd_item *item, struct nd_err *err)
{
	struct seen *seen = ctx;
	size_t used = strlen(seen->pods);

	if (seen->must_fail && seen->nitems == 2)
		return nd_err_set(err, ND_E_IO, "disk full");
	seen->nitems++;
	if (strcmp(item->name, "pods") != 0)
		return 0;
	seen->npods++;
	snprintf(seen->pods + used, sizeof(seen->pods) - used, "%.*s\n", (int)item->len,
		 item->bytes);
	return 0;
}

static int on_gap(void *ctx, const struct nd_gap *gap, struct nd_err *err)
{
	struct seen *seen = ctx;
	size_t used = strlen(seen->gaps);

	(void)err;
	assert_string_equal(gap->where, "api");
	seen->ngaps++;
	snprintf(seen->gaps + used, sizeof(seen->gaps) - used, "%s: %s\n", gap->what, gap->why);
	return 0;
}

static void on_done(void *ctx)
{
	((struct seen *)ctx)->ndone++;
}

static pid_t spawn(const char *const *argv, int in_fd, int out_fd)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (in_fd >= 0)
		dup2(in_fd, STDIN_FILENO);
	if (out_fd >= 0)
		dup2(out_fd, STDOUT_FILENO);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static int fake_start(struct fake *fake, const char *cert)
{
	char crt[128], key[128], text[16] = "";
	const char *argv[] = {"python3", "tests/api/fake.py", crt, key, NULL};
	int in[2], out[2];

	snprintf(crt, sizeof(crt), "%s/%s.crt", dir, cert);
	snprintf(key, sizeof(key), "%s/%s.key", dir, cert);
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return -1;
	fake->pid = spawn(argv, in[0], out[1]);
	fake->in_fd = in[1];
	close(in[0]);
	close(out[1]);
	ssize_t n = read(out[0], text, sizeof(text) - 1);
	close(out[0]);
	fake->port = n > 0 ? atoi(text) : 0;
	return fake->port > 0 ? 0 : -1;
}

static void fake_stop(struct fake *fake)
{
	if (fake->pid <= 0)
		return;
	close(fake->in_fd);
	waitpid(fake->pid, NULL, 0);
}

static int set_up(void **state)
{
	const char *argv[] = {"tests/api/certs.sh", dir, NULL};
	int status = -1;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return -1;
	waitpid(spawn(argv, -1, -1), &status, 0);
	is_ready = status == 0 && fake_start(&good, "server") == 0 &&
		   fake_start(&expired, "expired") == 0;
	return 0;
}

static int tear_down(void **state)
{
	const char *argv[] = {"rm", "-r", dir, NULL};

	(void)state;
	fake_stop(&good);
	fake_stop(&expired);
	waitpid(spawn(argv, -1, -1), NULL, 0);
	nd_arena_free(&arena);
	return 0;
}

static struct nd_kube_config config_for(int port, const char *mode, const char *ca)
{
	struct nd_kube_config config = {.namespace_ = "default"};
	struct nd_err err = {0};

	if (!is_ready)
		skip();
	config.server = nd_arena_printf(&arena, "https://127.0.0.1:%d/%s", port, mode);
	config.ca_file = nd_arena_printf(&arena, "%s/%s.crt", dir, ca);
	assert_int_equal(nd_kubefile_read(&arena, config.ca_file, 1 << 20, &config.ca_data, &err),
			 0);
	return config;
}

static void collect(const struct nd_kube_config *config, const struct nd_api_options *options,
		    struct seen *seen)
{
	struct nd_sink sink = {.ctx = seen, .item = on_item, .gap = on_gap};
	struct nd_loop *loop = nd_loop_new();
	struct nd_err err = {0};
	struct nd_api *api = nd_api_new(loop, config, &err);
	int64_t start_us = nd_clock_mono_us();

	assert_non_null(api);
	nd_api_collect(api, options, &sink, on_done, seen);
	assert_int_equal(nd_loop_run(loop, &err), 0);
	seen->rc = nd_api_status(api, &seen->err);
	seen->took_ms = (nd_clock_mono_us() - start_us) / 1000;
	nd_api_free(api);
	nd_loop_free(loop);
	assert_int_equal(seen->ndone, 1);
	assert_null(strchr(seen->gaps, '\033')); /* no server drives our terminal */
}

static struct seen run(const char *mode)
{
	struct nd_kube_config config = config_for(good.port, mode, "ca");
	struct nd_api_options options = {.deadline_ms = 8000, .request_deadline_ms = 1000};
	struct seen seen = {0};

	collect(&config, &options, &seen);
	return seen;
}

static void assert_dead(const struct seen *seen, enum nd_code code, const char *word)
{
	assert_int_equal(seen->rc, -1);
	assert_int_equal(seen->err.code, code);
	assert_int_equal(seen->ngaps, 1);
	assert_int_equal(seen->nitems, 0);
	if (!strstr(seen->gaps, word))
		fail_msg("\"%s\" is not in: %s", word, seen->gaps);
}

static void reads_every_list(void **state)
{
	struct seen seen = run("ok");

	(void)state;
	assert_int_equal(seen.rc, 0);
	assert_int_equal(seen.ngaps, 0);
	assert_int_equal(seen.nitems, NLISTS + 1);
}

static void follows_pages(void **state)
{
	struct seen seen = run("paged");

	(void)state;
	assert_string_equal(seen.gaps, "");
	assert_int_equal(seen.npods, 3);
	assert_non_null(strstr(seen.pods, "\"c\""));
}

static void goes_on_after_410(void **state)
{
	struct seen seen = run("gone");

	(void)state;
	assert_string_equal(seen.gaps, "");
	assert_int_equal(seen.npods, 2);
	seen = run("gonehard");
	assert_string_equal(seen.gaps, "");
	assert_int_equal(seen.npods, 2);
}

static void waits_when_throttled(void **state)
{
	struct seen seen = run("throttle");

	(void)state;
	assert_string_equal(seen.gaps, "");
	assert_int_equal(seen.npods, 1);
	assert_true(seen.took_ms >= 1000);
}

static void forbidden_lists_are_gaps(void **state)
{
	struct seen seen = run("forbidden");

	(void)state;
	assert_int_equal(seen.rc, 0);
	assert_int_equal(seen.ngaps, 2);
	assert_int_equal(seen.nitems, NLISTS + 1 - 2);
	assert_non_null(strstr(seen.gaps, "pods: forbidden: cannot list ?[31m things"));
}

static void cut_json_is_a_gap(void **state)
{
	struct seen seen = run("cut");

	(void)state;
	assert_int_equal(seen.ngaps, NLISTS);
	assert_int_equal(seen.nitems, 1);
	assert_non_null(strstr(seen.gaps, "ends in the middle, after 700 bytes"));
}

static void other_kind_is_a_gap(void **state)
{
	struct seen seen = run("kind");

	(void)state;
	assert_int_equal(seen.ngaps, 1);
	assert_non_null(
		strstr(seen.gaps, "pods: read the answer: the answer is a Pod, not a list"));
}

static void hanging_list_is_a_gap(void **state)
{
	struct seen seen = run("hang");

	(void)state;
	assert_int_equal(seen.rc, 0);
	assert_int_equal(seen.ngaps, 1);
	assert_non_null(strstr(seen.gaps, "pods: no answer from"));
	assert_true(seen.took_ms < 5000);
}

static void deadline_ends_everything(void **state)
{
	struct nd_kube_config config = config_for(good.port, "hang", "ca");
	struct nd_api_options options = {.deadline_ms = 400};
	struct seen seen = {0};

	(void)state;
	collect(&config, &options, &seen);
	assert_true(seen.ngaps >= 1);
	assert_true(seen.took_ms < 3000);
}

static void web_page_is_no_server(void **state)
{
	struct seen seen = run("html");

	(void)state;
	assert_dead(&seen, ND_E_UNREACHABLE, "web page");
}

static void unauthorized_is_one_gap(void **state)
{
	struct seen seen = run("unauthorized");

	(void)state;
	assert_dead(&seen, ND_E_FORBIDDEN, "unauthorized");
}

static void refused_is_one_gap(void **state)
{
	struct nd_kube_config config = config_for(1, "ok", "ca");
	struct nd_api_options options = {0};
	struct seen seen = {0};

	(void)state;
	collect(&config, &options, &seen);
	assert_dead(&seen, ND_E_UNREACHABLE, "refused");
}

static void wrong_ca_is_one_gap(void **state)
{
	struct nd_kube_config config = config_for(good.port, "ok", "other");
	struct nd_api_options options = {0};
	struct seen seen = {0};

	(void)state;
	collect(&config, &options, &seen);
	assert_dead(&seen, ND_E_UNREACHABLE, "not trusted");
	seen = (struct seen){0};
	config = config_for(expired.port, "ok", "ca");
	collect(&config, &options, &seen);
	assert_dead(&seen, ND_E_UNREACHABLE, "expired");
}

static void sends_who_we_are(void **state)
{
	struct nd_kube_config config = config_for(good.port, "who", "ca");
	const char *groups[] = {"dev", "ops"};
	struct nd_kube_env extra = {"a/b", "c"};
	struct nd_api_options options = {0};
	struct seen seen = {0};

	(void)state;
	config.token = "s3cret";
	config.as = "jane";
	config.as_groups = groups;
	config.nas_groups = 2;
	config.as_extra = &extra;
	config.nas_extra = 1;
	config.tls_server_name = "fake.example";
	collect(&config, &options, &seen);
	assert_string_equal(seen.gaps, "");
	assert_int_equal(seen.nitems, NLISTS + 1);
	config.token = "wr0ng-secret";
	seen = (struct seen){0};
	collect(&config, &options, &seen);
	assert_dead(&seen, ND_E_FORBIDDEN, "unauthorized");
	assert_null(strstr(seen.gaps, "wr0ng"));
	config.tls_server_name = "other.example";
	seen = (struct seen){0};
	collect(&config, &options, &seen);
	assert_dead(&seen, ND_E_UNREACHABLE, "other.example");
}

static void sink_error_ends_it(void **state)
{
	struct nd_kube_config config = config_for(good.port, "ok", "ca");
	struct nd_api_options options = {0};
	struct seen seen = {.must_fail = true};

	(void)state;
	collect(&config, &options, &seen);
	assert_int_equal(seen.rc, -1);
	assert_string_equal(seen.err.text, "disk full");
	assert_int_equal(seen.nitems, 2);
}

static int scan(const char *text, struct nd_listpage *page)
{
	struct nd_err err = {0};
	int rc = nd_listpage_scan(text, strlen(text), page, &err);

	assert_int_equal(rc < 0, err.text[0] != '\0');
	return rc;
}

static void scans_pages(void **state)
{
	struct nd_listpage page;

	(void)state;
	assert_int_equal(
		scan("{\"items\":[{\"metadata\":{\"continue\":\"no\"}}],\"metadata\":"
		     "{\"x\":{\"continue\":\"no\"},\"continue\":\"yes\"},\"kind\":\"AList\"}",
		     &page),
		0);
	assert_true(nd_str_eq(page.next_token, "yes"));
	assert_true(nd_str_eq(page.kind, "AList"));
	assert_int_equal(scan(" {\"items\":null} \n", &page), 0);
	assert_int_equal(page.next_token.n, 0);
	assert_int_equal(scan("", &page), -1);
	assert_int_equal(scan("[]", &page), -1);
	assert_int_equal(scan("{}", &page), -1);
	assert_int_equal(scan("{\"items\":[]", &page), -1);
	assert_int_equal(scan("{\"items\":[}", &page), -1);
	assert_int_equal(scan("{\"items\":[]} x", &page), -1);
	assert_int_equal(scan("{\"items\":[\"\\", &page), -1);
	assert_int_equal(scan("{\"items\":[\"\\\"", &page), -1);
	assert_int_equal(scan("{\"kind\":\"Pod\",\"items\":[]}", &page), -1);
	assert_int_equal(scan("\xff\xfe", &page), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scans_pages),		 cmocka_unit_test(reads_every_list),
		cmocka_unit_test(follows_pages),	 cmocka_unit_test(goes_on_after_410),
		cmocka_unit_test(waits_when_throttled),	 cmocka_unit_test(forbidden_lists_are_gaps),
		cmocka_unit_test(cut_json_is_a_gap),	 cmocka_unit_test(other_kind_is_a_gap),
		cmocka_unit_test(hanging_list_is_a_gap), cmocka_unit_test(deadline_ends_everything),
		cmocka_unit_test(web_page_is_no_server), cmocka_unit_test(unauthorized_is_one_gap),
		cmocka_unit_test(refused_is_one_gap),	 cmocka_unit_test(wrong_ca_is_one_gap),
		cmocka_unit_test(sends_who_we_are),	 cmocka_unit_test(sink_error_ends_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
