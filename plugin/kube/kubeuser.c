#include "common/base.h"

#include "common/buf.h"
#include "common/clock.h"
#include "plugin/kube/base64.h"
#include "plugin/kube/kubeuser.h"

#include <cjson/cJSON.h>

enum { ND_KUBE_MAX_EXEC_CONFIG = 96 * 1024 }; /* one environment string ends at 128 KiB */

const char *nd_kubeuser_path(struct nd_arena *arena, const struct nd_kubefile_entry *entry,
			     const char *path)
{
	const char *slash = strrchr(entry->path, '/');

	if (path[0] == '/' || !slash)
		return path;
	return nd_arena_printf(arena, "%.*s/%s", (int)(slash - entry->path), entry->path, path);
}

static int user_fail(const struct nd_kubefile_entry *user, struct nd_err *err, const char *what)
{
	return nd_err_set(err, ND_E_CONFIG, "%s:%u: user \"%s\": %s", user->path,
			  user->body ? user->body->line : 1, user->name, what);
}

static int read_texts(struct nd_arena *arena, const struct nd_kubefile_entry *user,
		      const struct nd_yaml *list, const char *what, const char ***out, size_t *n,
		      struct nd_err *err)
{
	if (nd_yaml_is_null(list))
		return 0;
	if (list->kind != ND_YAML_LIST)
		return user_fail(user, err, what);
	for (size_t i = 0; i < list->nitems; i++) {
		if (list->items[i]->kind != ND_YAML_SCALAR)
			return user_fail(user, err, what);
		ND_ARENA_PUSH(arena, *out, *n) = list->items[i]->text;
	}
	return 0;
}

/* as-user-extra: {key: [value, ...]} */
static int read_extra(struct nd_arena *arena, const struct nd_kubefile_entry *user,
		      struct nd_kube_config *out, struct nd_err *err)
{
	const struct nd_yaml *map = nd_yaml_get(user->body, "as-user-extra");

	if (nd_yaml_is_null(map))
		return 0;
	if (map->kind != ND_YAML_MAP)
		return user_fail(user, err, "as-user-extra must be a map of lists");
	for (size_t i = 0; i < map->npairs; i++) {
		const char **values = NULL;
		size_t n = 0;

		if (read_texts(arena, user, map->pairs[i].value,
			       "as-user-extra must be a map of lists", &values, &n, err) < 0)
			return -1;
		for (size_t k = 0; k < n; k++)
			ND_ARENA_PUSH(arena, out->as_extra, out->nas_extra) =
				(struct nd_kube_env){map->pairs[i].key, values[k]};
	}
	return 0;
}

static int read_env(struct nd_arena *arena, const struct nd_kubefile_entry *user,
		    const struct nd_yaml *list, struct nd_kube_exec *exec, struct nd_err *err)
{
	if (nd_yaml_is_null(list))
		return 0;
	if (list->kind != ND_YAML_LIST)
		return user_fail(user, err, "exec env must be a list");
	for (size_t i = 0; i < list->nitems; i++) {
		struct nd_kube_env env;

		if (nd_kubefile_text(user, list->items[i], "name", &env.name, err) < 0 ||
		    nd_kubefile_text(user, list->items[i], "value", &env.value, err) < 0)
			return -1;
		if (!env.name || strchr(env.name, '='))
			return user_fail(user, err, "exec env needs a name without \"=\"");
		env.value = env.value ? env.value : "";
		ND_ARENA_PUSH(arena, exec->env, exec->nenv) = env;
	}
	return 0;
}

static int check_exec(const struct nd_kubefile_entry *user, struct nd_kube_exec *exec,
		      struct nd_err *err)
{
	bool is_v1 = nd_eq(exec->api_version, "client.authentication.k8s.io/v1");

	if (!exec->command)
		return user_fail(user, err, "exec needs a command");
	if (!is_v1 && !nd_eq(exec->api_version, "client.authentication.k8s.io/v1beta1"))
		return user_fail(user, err,
				 "exec plugin: invalid apiVersion, only "
				 "client.authentication.k8s.io/v1 and v1beta1 are known");
	if (!exec->interactive_mode && is_v1)
		return user_fail(user, err, "interactiveMode must be specified to use exec");
	if (!exec->interactive_mode)
		exec->interactive_mode = "IfAvailable";
	if (!nd_eq(exec->interactive_mode, "Never") && !nd_eq(exec->interactive_mode, "Always") &&
	    !nd_eq(exec->interactive_mode, "IfAvailable"))
		return user_fail(user, err, "interactiveMode must be Never, IfAvailable or Always");
	return 0;
}

static int read_exec(struct nd_arena *arena, const struct nd_kubefile_entry *user,
		     struct nd_kube_config *out, struct nd_err *err)
{
	const struct nd_yaml *map = nd_yaml_get(user->body, "exec");
	struct nd_kube_exec *exec;
	const char *provide;

	if (nd_yaml_is_null(map))
		return 0;
	if (!nd_yaml_is_null(nd_yaml_get(user->body, "auth-provider")))
		return user_fail(user, err, "exec and auth-provider are both given");
	exec = nd_arena_alloc(arena, sizeof(*exec));
	if (nd_kubefile_text(user, map, "apiVersion", &exec->api_version, err) < 0 ||
	    nd_kubefile_text(user, map, "command", &exec->command, err) < 0 ||
	    nd_kubefile_text(user, map, "installHint", &exec->install_hint, err) < 0 ||
	    nd_kubefile_text(user, map, "interactiveMode", &exec->interactive_mode, err) < 0 ||
	    nd_kubefile_text(user, map, "provideClusterInfo", &provide, err) < 0 ||
	    read_texts(arena, user, nd_yaml_get(map, "args"), "exec args must be a list of texts",
		       &exec->args, &exec->nargs, err) < 0 ||
	    read_env(arena, user, nd_yaml_get(map, "env"), exec, err) < 0 ||
	    check_exec(user, exec, err) < 0)
		return -1;
	exec->provide_cluster_info = nd_eq(provide, "true");
	if (strchr(exec->command, '/'))
		exec->command = nd_kubeuser_path(arena, user, exec->command);
	out->exec = exec;
	return 0;
}

/* The time in a JWT's "exp"; 0 when it has none. Not verified: only the server can. */
static int64_t jwt_expiry(struct nd_arena *arena, const char *token)
{
	const char *start = strchr(token, '.'), *end = start ? strchr(start + 1, '.') : NULL;
	struct nd_str json;
	int64_t expiry = 0;

	if (!end)
		return 0;
	size_t n = (size_t)(end - start - 1);
	char *text = nd_arena_alloc(arena, n + 4);
	memcpy(text, start + 1, n);
	for (size_t i = 0; i < n; i++)
		text[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	while (n % 4 != 0)
		text[n++] = '=';
	if (!nd_base64_decode(arena, (struct nd_str){text, n}, &json))
		return 0;
	cJSON *root = cJSON_ParseWithLength(json.p, json.n);
	const cJSON *exp = cJSON_GetObjectItemCaseSensitive(root, "exp");
	if (cJSON_IsNumber(exp) && exp->valuedouble > 0 && exp->valuedouble < 1e15)
		expiry = (int64_t)exp->valuedouble;
	cJSON_Delete(root);
	return expiry;
}

/* Only oidc is left in client-go; its id-token is used while it lasts, never refreshed. */
static int read_provider(struct nd_arena *arena, const struct nd_kubefile_entry *user,
			 struct nd_kube_config *out, struct nd_err *err)
{
	const struct nd_yaml *map = nd_yaml_get(user->body, "auth-provider");
	const char *name, *token;

	if (nd_yaml_is_null(map) || out->token || out->username || out->cert_data.n)
		return 0;
	if (nd_kubefile_text(user, map, "name", &name, err) < 0 ||
	    nd_kubefile_text(user, nd_yaml_get(map, "config"), "id-token", &token, err) < 0)
		return -1;
	if (nd_eq(name, "gcp"))
		return user_fail(user, err,
				 "the gcp auth provider has been removed, use "
				 "gke-gcloud-auth-plugin (exec)");
	if (nd_eq(name, "azure"))
		return user_fail(user, err,
				 "the azure auth provider has been removed, use "
				 "kubelogin (exec)");
	if (!nd_eq(name, "oidc"))
		return user_fail(user, err, "no such auth provider, only oidc is known");
	if (!token || jwt_expiry(arena, token) <= nd_clock_unix_s())
		return user_fail(user, err,
				 "the oidc id-token is missing or has expired; let kubectl "
				 "refresh it (kubectl version) and try again");
	out->token = token;
	return 0;
}

static int read_entry(struct nd_arena *arena, const struct nd_kubefile_entry *user,
		      struct nd_kube_config *out, struct nd_err *err)
{
	const struct nd_yaml *body = user->body;

	if (nd_kubefile_text(user, body, "token", &out->token, err) < 0 ||
	    nd_kubefile_text(user, body, "tokenFile", &out->token_file, err) < 0 ||
	    nd_kubefile_text(user, body, "username", &out->username, err) < 0 ||
	    nd_kubefile_text(user, body, "password", &out->password, err) < 0 ||
	    nd_kubefile_text(user, body, "as", &out->as, err) < 0 ||
	    nd_kubefile_text(user, body, "as-uid", &out->as_uid, err) < 0 ||
	    read_texts(arena, user, nd_yaml_get(body, "as-groups"),
		       "as-groups must be a list of texts", &out->as_groups, &out->nas_groups,
		       err) < 0 ||
	    read_extra(arena, user, out, err) < 0 || read_exec(arena, user, out, err) < 0)
		return -1;
	if (out->token_file)
		out->token_file = nd_kubeuser_path(arena, user, out->token_file);
	return 0;
}

static void drop_extra(struct nd_kube_config *out, const char *key)
{
	size_t kept = 0;

	for (size_t i = 0; i < out->nas_extra; i++)
		if (!nd_eq(out->as_extra[i].name, key))
			out->as_extra[kept++] = out->as_extra[i];
	out->nas_extra = kept;
}

/* A key of --as-user-extra takes the place of the kubeconfig's values for it; it may come often. */
static int apply_extra(struct nd_arena *arena, const struct nd_kube_flags *flags,
		       struct nd_kube_config *out, struct nd_err *err)
{
	struct nd_kube_env *given = nd_arena_array(arena, flags->nas_extra, sizeof(*given));

	for (size_t i = 0; i < flags->nas_extra; i++) {
		const char *text = flags->as_extra[i], *equals = strchr(text, '=');

		if (!equals || equals == text)
			return nd_err_set(err, ND_E_USAGE, "--as-user-extra takes KEY=VALUE");
		given[i].name = nd_arena_strdup(arena, text, (size_t)(equals - text));
		given[i].value = equals + 1;
		drop_extra(out, given[i].name);
	}
	for (size_t i = 0; i < flags->nas_extra; i++)
		ND_ARENA_PUSH(arena, out->as_extra, out->nas_extra) = given[i];
	return 0;
}

static void apply_flags(const struct nd_kube_flags *flags, struct nd_kube_config *out)
{
	if (flags->token) {
		out->token = flags->token;
		out->token_file = NULL;
	}
	out->username = flags->username ? flags->username : out->username;
	out->password = flags->password ? flags->password : out->password;
	out->as = flags->as ? flags->as : out->as;
	out->as_uid = flags->as_uid ? flags->as_uid : out->as_uid;
	if (flags->nas_groups > 0) {
		out->as_groups = flags->as_groups;
		out->nas_groups = flags->nas_groups;
	}
}

/* A line end in a header value would be a second header. */
static bool is_header_value(const char *s)
{
	for (; s && *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static int check_headers(const struct nd_kube_config *out, struct nd_err *err)
{
	bool is_good = is_header_value(out->token) && is_header_value(out->as) &&
		       is_header_value(out->as_uid);

	for (size_t i = 0; i < out->nas_groups; i++)
		is_good = is_good && is_header_value(out->as_groups[i]);
	for (size_t i = 0; i < out->nas_extra; i++)
		is_good = is_good && is_header_value(out->as_extra[i].value);
	if (!is_good)
		return nd_err_set(err, ND_E_CONFIG,
				  "user \"%s\": the token or an impersonated name "
				  "has a control character",
				  out->user_name ? out->user_name : "");
	if (!out->as && (out->as_uid || out->nas_groups > 0 || out->nas_extra > 0))
		return nd_err_set(err, ND_E_CONFIG,
				  "requesting uid, groups or user-extra without "
				  "impersonating a user");
	return 0;
}

int nd_kubeuser_read(struct nd_arena *arena, const struct nd_kube_flags *flags,
		     const struct nd_kubefile_entry *user, struct nd_kube_config *out,
		     struct nd_err *err)
{
	if (user && read_entry(arena, user, out, err) < 0)
		return -1;
	apply_flags(flags, out);
	if (apply_extra(arena, flags, out, err) < 0)
		return -1;
	if (out->token && (out->username || out->password))
		return nd_err_set(err, ND_E_CONFIG,
				  "more than one authentication method found for %s; found "
				  "[token basicAuth], only one is allowed",
				  out->user_name ? out->user_name : "the flags");
	if (user && read_provider(arena, user, out, err) < 0)
		return -1;
	/* client-go does not run the plugin when anything else says who we are */
	if (out->token || out->token_file || out->username || out->password || out->cert_data.n)
		out->exec = NULL;
	return check_headers(out, err);
}

const char *nd_kubeuser_exec_config(struct nd_arena *arena, const struct nd_kubefile_entry *cluster)
{
	const struct nd_yaml *list = cluster ? nd_yaml_get(cluster->body, "extensions") : NULL;
	nd_auto_buf struct nd_buf buf = {.max_bytes = ND_KUBE_MAX_EXEC_CONFIG};
	struct nd_jsonw w = {.out = &buf};

	for (size_t i = 0; list && i < list->nitems; i++) {
		const struct nd_yaml *name = nd_yaml_get(list->items[i], "name");

		if (!name || !nd_eq(name->text, "client.authentication.k8s.io/exec"))
			continue;
		nd_yaml_json(nd_yaml_get(list->items[i], "extension"), NULL, &w);
		return buf.is_over || !buf.data ? NULL : nd_arena_strdup(arena, buf.data, buf.len);
	}
	return NULL;
}
