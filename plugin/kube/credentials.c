#include "common/base.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/jsonw.h"
#include "plugin/kube/base64.h"
#include "plugin/kube/credentials.h"
#include "plugin/kube/kubefile.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	ND_EXEC_DEADLINE_MS = 60000,
	ND_EXEC_MAX_REPLY = 1 << 20,
	ND_TOKEN_MAX_BYTES = 64 * 1024,
};

extern char **environ;

/* A plugin that runs. */
struct plugin {
	const struct nd_kube_exec *exec;
	char name[128]; /* the command, safe to show */
	pid_t pid;
	int out_fd;   /* its stdout */
	int error_fd; /* one int: errno of an exec that failed; closed by one that worked */
	int pid_fd;   /* readable when it has ended; -1 on old kernels */
	struct nd_buf reply;
};

static void cluster_json(struct nd_arena *arena, const struct nd_kube_config *config,
			 struct nd_jsonw *w)
{
	nd_jsonw_begin(w, "cluster", '{');
	nd_jsonw_str(w, "server", config->server);
	if (config->tls_server_name)
		nd_jsonw_str(w, "tls-server-name", config->tls_server_name);
	if (config->insecure_skip_tls_verify)
		nd_jsonw_bool(w, "insecure-skip-tls-verify", true);
	if (config->ca_data.n > 0)
		nd_jsonw_str(w, "certificate-authority-data",
			     nd_base64_encode(arena, config->ca_data));
	if (config->proxy_url)
		nd_jsonw_str(w, "proxy-url", config->proxy_url);
	if (config->disable_compression)
		nd_jsonw_bool(w, "disable-compression", true);
	if (config->exec->cluster_config_json)
		nd_jsonw_raw(w, "config", config->exec->cluster_config_json,
			     strlen(config->exec->cluster_config_json));
	nd_jsonw_end(w, '}');
}

static bool is_interactive(const struct nd_kube_exec *exec)
{
	return !nd_eq(exec->interactive_mode, "Never") && isatty(STDIN_FILENO);
}

static const char *exec_info(struct nd_arena *arena, const struct nd_kube_config *config)
{
	nd_auto_buf struct nd_buf buf = {0};
	struct nd_jsonw w = {.out = &buf};

	nd_jsonw_begin(&w, NULL, '{');
	nd_jsonw_str(&w, "kind", "ExecCredential");
	nd_jsonw_str(&w, "apiVersion", config->exec->api_version);
	nd_jsonw_begin(&w, "spec", '{');
	if (config->exec->provide_cluster_info)
		cluster_json(arena, config, &w);
	nd_jsonw_bool(&w, "interactive", is_interactive(config->exec));
	nd_jsonw_end(&w, '}');
	nd_jsonw_end(&w, '}');
	return nd_arena_printf(arena, "KUBERNETES_EXEC_INFO=%s", buf.data);
}

static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strncmp(a, b, n) == 0 && b[n] == '=';
}

/* Ours, then the kubeconfig's, then the info; the later one of a name replaces the earlier. */
static char **exec_env(struct nd_arena *arena, const struct nd_kube_config *config)
{
	const struct nd_kube_exec *exec = config->exec;
	char **out = NULL;
	size_t n = 0, nown = 0;

	for (size_t i = 0; i < exec->nenv; i++)
		ND_ARENA_PUSH(arena, out, nown) =
			nd_arena_printf(arena, "%s=%s", exec->env[i].name, exec->env[i].value);
	ND_ARENA_PUSH(arena, out, nown) = (char *)exec_info(arena, config);
	n = nown;
	for (char **at = environ; *at; at++) {
		bool is_replaced = false;

		for (size_t i = 0; i < nown; i++)
			is_replaced = is_replaced || same_name(*at, out[i]);
		if (!is_replaced)
			ND_ARENA_PUSH(arena, out, n) = *at;
	}
	ND_ARENA_PUSH(arena, out, n) = NULL;
	return out;
}

static ND_NORETURN void child(const struct plugin *plugin, char *const *argv, char *const *env,
			      int out_fd, int error_fd)
{
	int null_fd = -1, why;

	if (!is_interactive(plugin->exec))
		null_fd = open("/dev/null", O_RDONLY);
	if (null_fd >= 0)
		dup2(null_fd, STDIN_FILENO);
	dup2(out_fd, STDOUT_FILENO);
	signal(SIGPIPE, SIG_DFL);
	execvpe(argv[0], argv, env);
	why = errno;
	if (write(error_fd, &why, sizeof(why)) < 0)
		_exit(126);
	_exit(127);
}

static int plugin_start(struct nd_arena *arena, const struct nd_kube_config *config,
			struct plugin *plugin, struct nd_err *err)
{
	const struct nd_kube_exec *exec = config->exec;
	char **argv = nd_arena_array(arena, exec->nargs + 2, sizeof(*argv));
	char **env = exec_env(arena, config);
	int out[2], errors[2];

	argv[0] = (char *)exec->command;
	for (size_t i = 0; i < exec->nargs; i++)
		argv[i + 1] = (char *)exec->args[i];
	if (pipe2(out, O_CLOEXEC) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "pipe");
	nd_auto_fd int out_write = out[1];
	plugin->out_fd = out[0];
	if (pipe2(errors, O_CLOEXEC) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "pipe");
	nd_auto_fd int error_write = errors[1];
	plugin->error_fd = errors[0];
	plugin->pid = fork();
	if (plugin->pid < 0)
		return nd_err_sys(err, ND_E_IO, errno, "fork");
	if (plugin->pid == 0)
		child(plugin, argv, env, out_write, error_write);
	plugin->pid_fd = (int)syscall(SYS_pidfd_open, plugin->pid, 0);
	fcntl(plugin->out_fd, F_SETFL, O_NONBLOCK);
	return 0;
}

/* 1: more may come, 0: end of output, -1: too much. */
static int plugin_read(struct plugin *plugin)
{
	for (;;) {
		char chunk[8192];
		ssize_t n = read(plugin->out_fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 1 : 0;
		if (n == 0)
			return 0;
		int rc = nd_buf_add(&plugin->reply, chunk, (size_t)n);
		explicit_bzero(chunk, sizeof(chunk));
		if (rc < 0)
			return -1;
	}
}

/* Until the plugin has ended (not until a grandchild lets go of the pipe) or the deadline passes.
 */
static int plugin_wait(struct plugin *plugin, int64_t deadline_us, struct nd_err *err)
{
	for (;;) {
		int64_t left_ms = (deadline_us - nd_clock_mono_us()) / 1000;
		struct pollfd fds[2] = {{.fd = plugin->out_fd, .events = POLLIN},
					{.fd = plugin->pid_fd, .events = POLLIN}};
		bool has_ended;
		int rc;

		if (left_ms <= 0)
			return nd_err_set(err, ND_E_CONFIG,
					  "exec: executable %s did not answer in %d s",
					  plugin->name, ND_EXEC_DEADLINE_MS / 1000);
		if (poll(fds, plugin->pid_fd >= 0 ? 2 : 1, (int)left_ms) < 0 && errno != EINTR)
			return nd_err_sys(err, ND_E_IO, errno, "poll");
		has_ended = plugin->pid_fd >= 0 && fds[1].revents;
		rc = plugin_read(plugin);
		if (rc < 0)
			return nd_err_set(err, ND_E_CONFIG,
					  "exec: executable %s wrote more than %d bytes",
					  plugin->name, ND_EXEC_MAX_REPLY);
		if (rc == 0 || has_ended)
			return 0;
	}
}

/* After the end of output the plugin may live on for a moment. -1: not within the deadline. */
static int plugin_reap(struct plugin *plugin, int64_t deadline_us, int *status)
{
	while (nd_clock_mono_us() < deadline_us) {
		pid_t got = waitpid(plugin->pid, status, WNOHANG);

		if (got == plugin->pid) {
			plugin->pid = -1;
			return 0;
		}
		struct pollfd fd = {.fd = plugin->pid_fd, .events = POLLIN};
		poll(&fd, 1, plugin->pid_fd >= 0 ? 100 : 10);
	}
	return -1;
}

static void plugin_end(struct plugin *plugin)
{
	if (plugin->pid > 0) {
		kill(plugin->pid, SIGKILL);
		while (waitpid(plugin->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	nd_close_fd(&plugin->out_fd);
	nd_close_fd(&plugin->error_fd);
	nd_close_fd(&plugin->pid_fd);
	if (plugin->reply.data)
		explicit_bzero(plugin->reply.data, plugin->reply.len);
	nd_buf_free(&plugin->reply);
}

static int plugin_check_status(const struct plugin *plugin, int status, struct nd_err *err)
{
	char hint[256];
	int why = 0;

	if (read(plugin->error_fd, &why, sizeof(why)) == sizeof(why)) {
		nd_text_safe(hint, sizeof(hint),
			     plugin->exec->install_hint ? plugin->exec->install_hint : "");
		if (why == ENOENT)
			return nd_err_set(err, ND_E_CONFIG, "exec: executable %s not found%s%s",
					  plugin->name, hint[0] ? ": " : "", hint);
		return nd_err_sys(err, ND_E_CONFIG, why, "exec: run %s", plugin->name);
	}
	if (WIFSIGNALED(status))
		return nd_err_set(err, ND_E_CONFIG, "exec: executable %s was ended by signal %d",
				  plugin->name, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return nd_err_set(err, ND_E_CONFIG, "exec: executable %s failed with exit code %d",
				  plugin->name, WEXITSTATUS(status));
	return 0;
}

static int plugin_run(struct plugin *plugin, struct nd_err *err)
{
	int64_t deadline_us = nd_clock_mono_us() + (int64_t)ND_EXEC_DEADLINE_MS * 1000;
	int status = 0;

	if (plugin_wait(plugin, deadline_us, err) < 0)
		return -1;
	if (plugin_reap(plugin, deadline_us, &status) < 0)
		return nd_err_set(err, ND_E_CONFIG, "exec: executable %s did not end in %d s",
				  plugin->name, ND_EXEC_DEADLINE_MS / 1000);
	return plugin_check_status(plugin, status, err);
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

static const char *text_of(struct nd_arena *arena, const cJSON *map, const char *key)
{
	const cJSON *node = cJSON_GetObjectItemCaseSensitive(map, key);

	if (!cJSON_IsString(node) || !node->valuestring[0])
		return NULL;
	return nd_arena_strdup(arena, node->valuestring, strlen(node->valuestring));
}

/* What the plugin said never goes into an error: it may be half a secret. */
static int reply_read(struct nd_arena *arena, const cJSON *root, const struct plugin *plugin,
		      struct nd_kube_config *config, struct nd_err *err)
{
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(root, "status");
	const char *kind = text_of(arena, root, "kind"), *token, *cert, *key,
		   *version = text_of(arena, root, "apiVersion");

	if (!nd_eq(kind, "ExecCredential"))
		return nd_err_set(err, ND_E_CONFIG, "exec: executable %s printed no ExecCredential",
				  plugin->name);
	if (!nd_eq(version, plugin->exec->api_version))
		return nd_err_set(err, ND_E_CONFIG,
				  "exec: executable %s answered in another apiVersion "
				  "than the kubeconfig's %s",
				  plugin->name, plugin->exec->api_version);
	token = text_of(arena, status, "token");
	cert = text_of(arena, status, "clientCertificateData");
	key = text_of(arena, status, "clientKeyData");
	if (!token && !cert && !key)
		return nd_err_set(err, ND_E_CONFIG,
				  "exec: executable %s gave neither a token nor a "
				  "certificate",
				  plugin->name);
	if (!cert != !key)
		return nd_err_set(err, ND_E_CONFIG,
				  "exec: executable %s gave a certificate without its "
				  "key or a key without its certificate",
				  plugin->name);
	if (token && has_control(token))
		return nd_err_set(err, ND_E_CONFIG,
				  "exec: executable %s gave a token with a control "
				  "character",
				  plugin->name);
	config->token = token;
	if (cert) {
		config->cert_data = nd_str(cert);
		config->key_data = nd_str(key);
	}
	return 0;
}

static int reply_parse(struct nd_arena *arena, const struct plugin *plugin,
		       struct nd_kube_config *config, struct nd_err *err)
{
	const char *end = NULL, *p = plugin->reply.data ? plugin->reply.data : "";
	cJSON *root = cJSON_ParseWithLengthOpts(p, plugin->reply.len, &end, 0);
	int rc;

	while (root && end < p + plugin->reply.len && strchr(" \t\r\n", *end))
		end++;
	if (!cJSON_IsObject(root) || end != p + plugin->reply.len)
		rc = nd_err_set(err, ND_E_CONFIG,
				"exec: executable %s printed %zu bytes that are not "
				"one JSON object",
				plugin->name, plugin->reply.len);
	else
		rc = reply_read(arena, root, plugin, config, err);
	cJSON_Delete(root);
	return rc;
}

static int exec_fetch(struct nd_arena *arena, struct nd_kube_config *config, struct nd_err *err)
{
	struct plugin plugin = {.exec = config->exec,
				.pid = -1,
				.out_fd = -1,
				.error_fd = -1,
				.pid_fd = -1,
				.reply = {.max_bytes = ND_EXEC_MAX_REPLY}};
	int rc;

	nd_text_safe(plugin.name, sizeof(plugin.name), config->exec->command);
	if (nd_eq(config->exec->interactive_mode, "Always") && !isatty(STDIN_FILENO))
		return nd_err_set(err, ND_E_CONFIG,
				  "exec: %s wants a terminal: standard input is not "
				  "a terminal",
				  plugin.name);
	rc = plugin_start(arena, config, &plugin, err);
	if (rc == 0)
		rc = plugin_run(&plugin, err);
	if (rc == 0)
		rc = reply_parse(arena, &plugin, config, err);
	plugin_end(&plugin);
	return rc;
}

static int token_fetch(struct nd_arena *arena, struct nd_kube_config *config, struct nd_err *err)
{
	struct nd_err why = {0};
	struct nd_str text = {0};

	if (nd_kubefile_read(arena, config->token_file, ND_TOKEN_MAX_BYTES, &text, &why) == 0) {
		text = nd_str_trim(text);
		if (text.n == 0)
			nd_err_set(&why, ND_E_CONFIG, "token file %s is empty", config->token_file);
	}
	if (text.n > 0) {
		const char *token = nd_arena_strdup(arena, text.p, text.n);

		if (strlen(token) == text.n && !has_control(token)) {
			config->token = token;
			return 0;
		}
		nd_err_set(&why, ND_E_CONFIG, "token file %s has a control character",
			   config->token_file);
	}
	if (config->token)
		return 0; /* the kubeconfig's own token stays, as in client-go */
	if (err)
		*err = why;
	return -1;
}

int nd_credentials_fetch(struct nd_arena *arena, struct nd_kube_config *config, struct nd_err *err)
{
	if (config->exec)
		return exec_fetch(arena, config, err);
	if (config->token_file)
		return token_fetch(arena, config, err);
	return 0;
}
