/* t_kubeconfig.c: client-go's rules for kubeconfigs, and what exec plugins may answer. */
#include "common/base.h"

#include "plugin/kube/base64.h"
#include "plugin/kube/credentials.h"
#include "plugin/kube/http.h"
#include "plugin/kube/kubeuser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct nd_arena arena;
static char dir[] = "/tmp/nd-t-kube-XXXXXX";

#define PLAIN                                                                                      \
	"apiVersion: v1\nkind: Config\ncurrent-context: one\n"                                     \
	"clusters:\n- name: c\n  cluster: {server: \"https://h:6443/\", tls-server-name: t}\n"     \
	"contexts:\n- name: one\n  context: {cluster: c, user: u, namespace: n}\n"                 \
	"- name: two\n  context: {cluster: c, user: p}\n"                                          \
	"users:\n- name: u\n  user: {token: tok}\n- name: p\n  user: {username: a, password: b}\n"

#define USER(fields)                                                                               \
	"current-context: x\nclusters: [{name: c, cluster: {server: 'https://h'}}]\n"              \
	"contexts: [{name: x, context: {cluster: c, user: u}}]\n"                                  \
	"users:\n- name: u\n  user:\n" fields

#define CLUSTER(fields)                                                                            \
	"current-context: x\nclusters:\n- name: c\n  cluster:\n" fields                            \
	"contexts: [{name: x, context: {cluster: c}}]\n"

static int load(const char *text, const struct nd_kube_flags *flags, struct nd_kube_config *out,
		struct nd_err *err)
{
	static const struct nd_kube_flags none;
	struct nd_kubefile file = {.looked_in = "/k/config"};

	*err = (struct nd_err){0};
	if (nd_kubefile_parse(&arena, text, strlen(text), "/k/config", &file, err) < 0)
		return -1;
	return nd_kubeconfig_resolve(&arena, &file, flags ? flags : &none, out, err);
}

static void refuse(const char *text, const char *word)
{
	struct nd_kube_config config;
	struct nd_err err;

	assert_int_equal(load(text, NULL, &config, &err), -1);
	if (!strstr(err.text, word))
		fail_msg("\"%s\" is not in: %s", word, err.text);
}

static void accepted(const char *text, struct nd_kube_config *out)
{
	struct nd_err err;

	if (load(text, NULL, out, &err) < 0)
		fail_msg("%s", err.text);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

static const char *in_dir(const char *name)
{
	return nd_arena_printf(&arena, "%s/%s", dir, name);
}

static void resolves_the_current_context(void **state)
{
	struct nd_kube_config config;
	struct nd_kube_flags flags = {.context = "two", .namespace_ = "other"};
	struct nd_err err;

	(void)state;
	accepted(PLAIN, &config);
	assert_string_equal(config.server, "https://h:6443");
	assert_string_equal(config.namespace_, "n");
	assert_string_equal(config.token, "tok");
	assert_string_equal(config.tls_server_name, "t");
	assert_int_equal(load(PLAIN, &flags, &config, &err), 0);
	assert_string_equal(config.username, "a");
	assert_null(config.token);
	assert_string_equal(config.namespace_, "other");
	flags = (struct nd_kube_flags){.server = "https://other", .user = "p"};
	assert_int_equal(load(PLAIN, &flags, &config, &err), 0);
	assert_null(config.tls_server_name); /* --server alone clears it */
	assert_string_equal(config.password, "b");
}

static void names_that_lead_nowhere(void **state)
{
	struct nd_kube_flags flags = {.context = "no\033pe"};
	struct nd_kube_config config;
	struct nd_err err;

	(void)state;
	assert_int_equal(load(PLAIN, &flags, &config, &err), -1);
	assert_string_equal(err.text, "context \"no?pe\" does not exist");
	flags = (struct nd_kube_flags){.cluster = "nope"};
	assert_int_equal(load(PLAIN, &flags, &config, &err), -1);
	assert_string_equal(err.text, "cluster \"nope\" does not exist");
	flags = (struct nd_kube_flags){.user = "nope"};
	assert_int_equal(load(PLAIN, &flags, &config, &err), -1);
	assert_string_equal(err.text, "auth info \"nope\" does not exist");
	refuse("current-context: gone\n", "context was not found for specified context: gone");
	refuse("", "no cluster is chosen");
}

static void refuses_what_client_go_refuses(void **state)
{
	(void)state;
	refuse("apiVersion: v2\n", "/k/config:1: apiVersion v1 is wanted");
	refuse("kind: Pod\n", "kind Config is wanted");
	refuse("clusters:\n- name: a\n- name: a\n", "/k/config:3: duplicate name");
	refuse("clusters: [\n", "/k/config:");
	refuse("clusters: x\n", "a list is wanted");
	refuse("- a\n", "not a kubeconfig");
	refuse("users: [{name: [x]}]\n", "a text is wanted for name");
	refuse(CLUSTER("    server: ftp://h\n"), "http or https");
	refuse(CLUSTER("    server: https://u:pw@h\n"), "must not carry a password");
	refuse(CLUSTER("    server: https:///x\n"), "no host");
	refuse(CLUSTER("    proxy-url: ftp://p\n    server: https://h\n"), "socks5");
	refuse(CLUSTER("    certificate-authority-data: '%%%'\n    server: https://h\n"),
	       "/k/config:5: certificate-authority-data is not base64");
	refuse(CLUSTER("    certificate-authority-data: QUJD\n    certificate-authority: x\n"),
	       "both given");
	refuse(CLUSTER("    certificate-authority-data: QUJD\n    insecure-skip-tls-verify: "
		       "true\n"),
	       "insecure flag is not allowed");
	refuse(CLUSTER("    certificate-authority: /nonexistent\n    server: https://h\n"),
	       "open /nonexistent: No such file");
	refuse(USER("    token: SECRET\n    username: a\n"), "more than one authentication method");
	refuse(USER("    client-certificate-data: QUJD\n"), "needs its key");
	refuse(USER("    as-uid: '1'\n"), "without impersonating");
	refuse(USER("    as: \"a\\nX-Evil: b\"\n"), "control character");
	refuse(USER("    auth-provider: {name: gcp}\n"), "gke-gcloud-auth-plugin");
	refuse(USER("    auth-provider: {name: oidc, config: {id-token: a.e30.b}}\n"), "expired");
}

static void secrets_stay_out_of_errors(void **state)
{
	struct nd_kube_config config;
	struct nd_err err;

	(void)state;
	assert_int_equal(load(USER("    token: \"SECRET\\tX\"\n"), NULL, &config, &err), -1);
	assert_null(strstr(err.text, "SECRET"));
	assert_int_equal(
		load(USER("    token: SECRET\n    password: SECRET\n"), NULL, &config, &err), -1);
	assert_null(strstr(err.text, "SECRET"));
	assert_int_equal(load(USER("    token: \"SECRET\n"), NULL, &config, &err), -1);
	assert_null(strstr(err.text, "SECRET"));
	assert_int_equal(load(USER("    client-key-data: SECRET!\n"), NULL, &config, &err), -1);
	assert_null(strstr(err.text, "SECRET"));
}

static void servers_get_a_scheme(void **state)
{
	struct nd_kube_config config;

	(void)state;
	accepted(CLUSTER("    server: h:1/p/?q#f\n"), &config);
	assert_string_equal(config.server, "http://h:1/p");
	accepted(CLUSTER("    server: h:1\n    insecure-skip-tls-verify: true\n"), &config);
	assert_string_equal(config.server, "https://h:1");
	accepted(CLUSTER("    server: https://[::1]:6443\n"), &config);
	assert_string_equal(config.server, "https://[::1]:6443");
}

static void credentials_need_https(void **state)
{
	struct nd_kube_flags flags = {.server = "http://h"};
	struct nd_kube_config config;
	struct nd_err err;

	(void)state;
	assert_int_equal(load(PLAIN, &flags, &config, &err), 0);
	assert_null(config.token);
}

static void yaml_has_anchors_and_limits(void **state)
{
	struct nd_kube_config config;
	char deep[256];

	(void)state;
	accepted("x: &a {server: 'https://h', proxy-url: 'http://p'}\ncurrent-context: x\n"
		 "clusters: [{name: c, cluster: {<<: *a, server: 'https://i'}}]\n"
		 "contexts: [{name: x, context: {cluster: c}}]\n---\ncurrent-context: y\n",
		 &config);
	assert_string_equal(config.server, "https://i");
	assert_string_equal(config.proxy_url, "http://p");
	refuse("a: &a [*a]\n", "an alias to what it stands in");
	refuse("a: *b\n", "anchor");
	refuse("a: !!binary QUJD\n", "tags");
	refuse("a: \"x\\0y\"\n", "NUL");
	refuse("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
	       "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
	       "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
	       "too many values");
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	refuse(deep, "too deep");
	refuse("\xff\xfe\xfa", "/k/config:1:");
}

static void merges_files_by_name(void **state)
{
	struct nd_kube_flags flags = {0};
	struct nd_kube_config config;
	struct nd_err err = {0};

	(void)state;
	write_file("ca", "PEM", 0600);
	write_file("a",
		   "clusters: [{name: c, cluster: {server: 'https://a', "
		   "certificate-authority: ca}}]\n",
		   0600);
	write_file("b",
		   "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
		   "clusters: [{name: c, cluster: {server: 'https://b', proxy-url: 'http://p'}}]\n",
		   0600);
	write_file("empty", "", 0600);
	setenv("KUBECONFIG",
	       nd_arena_printf(&arena, "::%s:/nonexistent:%s:%s:%s", in_dir("empty"), in_dir("a"),
			       in_dir("a"), in_dir("b")),
	       1);
	assert_int_equal(nd_kubeconfig_load(&arena, &flags, &config, &err), 0);
	assert_string_equal(config.server, "https://a");
	assert_null(config.proxy_url); /* the later entry is dropped whole */
	assert_string_equal(config.ca_data.p, "PEM");
	flags.kubeconfig = in_dir("gone");
	assert_int_equal(nd_kubeconfig_load(&arena, &flags, &config, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
	flags.kubeconfig = NULL;
	setenv("KUBECONFIG", "/nonexistent", 1);
	assert_int_equal(nd_kubeconfig_load(&arena, &flags, &config, &err), -1);
	assert_non_null(strstr(err.text, "config not found: $KUBECONFIG (/nonexistent)"));
	unsetenv("KUBECONFIG");
}

static void reads_timeouts(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{"0", 0}, {"5", 5000}, {"1m30s", 90000}, {"500ms", 500}, {"2h", 7200000},
	};
	struct nd_kube_flags flags = {0};
	struct nd_kube_config config;
	struct nd_err err;

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(good); i++) {
		flags.request_timeout = good[i].text;
		assert_int_equal(load(PLAIN, &flags, &config, &err), 0);
		assert_int_equal(config.request_timeout_ms, good[i].ms);
	}
	flags.request_timeout = "5 apples";
	assert_int_equal(load(PLAIN, &flags, &config, &err), -1);
	assert_int_equal(err.code, ND_E_USAGE);
}

static void base64_is_exact(void **state)
{
	struct nd_str out;

	(void)state;
	assert_true(nd_base64_decode(&arena, nd_str("QUI=\n"), &out));
	assert_int_equal(out.n, 2);
	assert_memory_equal(out.p, "AB", 2);
	assert_true(nd_base64_decode(&arena, nd_str(""), &out));
	static const char *const bad[] = {"QUI", "Q===", "QUI=QUI=", "QU I=", "Q\xff==", "="};
	for (size_t i = 0; i < ND_ARRAY_LEN(bad); i++)
		assert_false(nd_base64_decode(&arena, nd_str(bad[i]), &out));
	assert_string_equal(nd_base64_encode(&arena, nd_str("ABCD")), "QUJDRA==");
	assert_string_equal(nd_base64_encode(&arena, nd_str("")), "");
}

static void proxies_as_go_finds_them(void **state)
{
	(void)state;
	setenv("HTTPS_PROXY", "http://proxy:3128", 1);
	setenv("NO_PROXY", "10.0.0.0/8, .corp, exact.org, host:444", 1);
	assert_string_equal(nd_http_proxy(&arena, NULL, true, "127.0.0.1", "443"), "");
	assert_string_equal(nd_http_proxy(&arena, NULL, true, "localhost", "443"), "");
	assert_string_equal(nd_http_proxy(&arena, NULL, true, "10.1.2.3", "443"), "");
	assert_string_equal(nd_http_proxy(&arena, NULL, true, "a.corp", "443"), "");
	assert_string_equal(nd_http_proxy(&arena, NULL, true, "x.exact.org", "443"), "");
	assert_string_equal(nd_http_proxy(&arena, NULL, true, "inexact.org", "443"),
			    "http://proxy:3128");
	assert_string_equal(nd_http_proxy(&arena, NULL, true, "host", "444"), "");
	assert_string_equal(nd_http_proxy(&arena, NULL, true, "host", "443"), "http://proxy:3128");
	assert_string_equal(nd_http_proxy(&arena, "socks5://s:1", true, "h", "443"),
			    "socks5h://s:1");
	unsetenv("HTTPS_PROXY");
	unsetenv("NO_PROXY");
}

/* A kubeconfig in dir whose user is the script "plugin" there; its relative path is found. */
static int run_plugin(const char *script, const char *version, struct nd_kube_config *config,
		      struct nd_err *err)
{
	const char *text = nd_arena_printf(
		&arena,
		USER("    exec:\n      apiVersion: client.authentication.k8s.io/%s\n"
		     "      command: ./plugin\n      args: [a b, '$HOME']\n"
		     "      interactiveMode: Never\n      provideClusterInfo: true\n"
		     "      env: [{name: ND_T, value: v}]\n"),
		version);
	struct nd_kube_flags flags = {.kubeconfig = in_dir("exec")};

	write_file("plugin", script, 0700);
	write_file("exec", text, 0600);
	*err = (struct nd_err){0};
	assert_int_equal(nd_kubeconfig_load(&arena, &flags, config, err), 0);
	return nd_credentials_fetch(&arena, config, err);
}

#define REPLY(version, status)                                                                     \
	"#!/bin/sh\nprintf '%s' '{\"apiVersion\":\"client.authentication.k8s.io/" version          \
	"\",\"kind\":\"ExecCredential\",\"status\":{" status "}}'\n"

#define V1BETA1 "\"apiVersion\":\"client.authentication.k8s.io/v1beta1\""

/* Its words and environment are looked at by the plugin itself. */
static const char CAREFUL_PLUGIN[] =
	"#!/bin/sh\n"
	"[ \"$1\" = 'a b' ] && [ \"$2\" = '$HOME' ] && [ \"$ND_T\" = v ] || exit 9\n"
	"case $KUBERNETES_EXEC_INFO in\n"
	"'{\"kind\":\"ExecCredential\"," V1BETA1 ",\"spec\":"
	"{\"cluster\":{\"server\":\"https://h\"},\"interactive\":false}}') ;;\n"
	"*) exit 8;; esac\n"
	"echo '{" V1BETA1 ",\"kind\":\"ExecCredential\",\"status\":"
	"{\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\"}}'\n";

static void plugin_gives_a_token(void **state)
{
	struct nd_kube_config config;
	struct nd_err err;

	(void)state;
	assert_int_equal(run_plugin(REPLY("v1", "\"token\":\"tok\""), "v1", &config, &err), 0);
	assert_string_equal(config.token, "tok");
	assert_int_equal(run_plugin(CAREFUL_PLUGIN, "v1beta1", &config, &err), 0);
	assert_string_equal(config.cert_data.p, "C");
	assert_string_equal(config.key_data.p, "K");
}

static void plugin_rubbish_is_said(void **state)
{
	static const struct {
		const char *script, *word;
	} bad[] = {
		{"#!/bin/sh\nexit 7\n", "failed with exit code 7"},
		{"#!/bin/sh\nkill -9 $$\n", "signal 9"},
		{"#!/bin/sh\n", "0 bytes"},
		{"#!/bin/sh\necho SECRET\n", "not one JSON object"},
		{"#!/bin/sh\necho '{}'\n", "no ExecCredential"},
		{"#!/bin/sh\necho '{} SECRET'\n", "not one JSON object"},
		{"#!/bin/sh\nyes SECRET | head -c 2000000\n", "more than"},
		{REPLY("v1beta1", "\"token\":\"SECRET\""), "another apiVersion"},
		{REPLY("v1", ""), "neither a token"},
		{REPLY("v1", "\"clientKeyData\":\"SECRET\""), "without its certificate"},
		{REPLY("v1", "\"token\":\"SECRET\\r\\nX: y\""), "control"},
		{"#!/nonexistent\n", "not found"},
	};
	struct nd_kube_config config;
	struct nd_err err;

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(bad); i++) {
		assert_int_equal(run_plugin(bad[i].script, "v1", &config, &err), -1);
		if (!strstr(err.text, bad[i].word))
			fail_msg("\"%s\" is not in: %s", bad[i].word, err.text);
		assert_null(strstr(err.text, "SECRET"));
	}
}

static void exec_is_checked(void **state)
{
	struct nd_kube_config config;

	(void)state;
	refuse(USER("    exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}\n"),
	       "invalid apiVersion");
	refuse(USER("    exec: {command: x, apiVersion: client.authentication.k8s.io/v1}\n"),
	       "interactiveMode must be specified");
	refuse(USER("    exec: {apiVersion: client.authentication.k8s.io/v1beta1}\n"), "command");
	accepted(USER("    token: t\n"
		      "    exec: {command: x, apiVersion: client.authentication.k8s.io/v1beta1}\n"),
		 &config);
	assert_null(config.exec); /* not run when there is a token */
}

static void token_files_are_read(void **state)
{
	struct nd_kube_config config = {.token_file = in_dir("token")};
	struct nd_err err = {0};

	(void)state;
	write_file("token", "  tok\n", 0600);
	assert_int_equal(nd_credentials_fetch(&arena, &config, &err), 0);
	assert_string_equal(config.token, "tok");
	write_file("token", " \n", 0600);
	config.token = NULL;
	assert_int_equal(nd_credentials_fetch(&arena, &config, &err), -1);
	assert_non_null(strstr(err.text, "is empty"));
	config.token = "old";
	assert_int_equal(nd_credentials_fetch(&arena, &config, &err), 0);
	assert_string_equal(config.token, "old");
}

static int set_up(void **state)
{
	(void)state;
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_MASTER");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"ca", "a", "b", "empty", "plugin", "exec", "token"};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++)
		unlink(in_dir(names[i]));
	rmdir(dir);
	nd_arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolves_the_current_context),
		cmocka_unit_test(names_that_lead_nowhere),
		cmocka_unit_test(refuses_what_client_go_refuses),
		cmocka_unit_test(secrets_stay_out_of_errors),
		cmocka_unit_test(servers_get_a_scheme),
		cmocka_unit_test(credentials_need_https),
		cmocka_unit_test(yaml_has_anchors_and_limits),
		cmocka_unit_test(merges_files_by_name),
		cmocka_unit_test(reads_timeouts),
		cmocka_unit_test(base64_is_exact),
		cmocka_unit_test(proxies_as_go_finds_them),
		cmocka_unit_test(plugin_gives_a_token),
		cmocka_unit_test(plugin_rubbish_is_said),
		cmocka_unit_test(exec_is_checked),
		cmocka_unit_test(token_files_are_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
