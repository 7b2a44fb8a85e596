#include "common/base.h"

#include "plugin/kube/base64.h"
#include "plugin/kube/kubeconfig.h"
#include "plugin/kube/kubeuser.h"

#include <sys/stat.h>

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

/* What is being resolved: three entries of the merged files, each may be missing. */
struct pick {
	struct nd_arena *arena;
	const struct nd_kube_flags *flags;
	const struct nd_kubefile_entry *context, *cluster, *user;
	struct nd_kube_config *out;
};

static int no_such(struct nd_err *err, const char *fmt_what, const char *name)
{
	char safe[256];

	return nd_err_set(err, ND_E_CONFIG, "%s \"%s\" does not exist", fmt_what,
			  nd_text_safe(safe, sizeof(safe), name));
}

static int pick_context(struct pick *p, const struct nd_kubefile *file, struct nd_err *err)
{
	const char *name = p->flags->context ? p->flags->context : file->current_context;
	char safe[256];

	if (!name)
		return 0;
	p->out->context_name = name;
	p->context = nd_kubefile_find(&file->contexts, name);
	if (p->context)
		return 0;
	if (p->flags->context)
		return no_such(err, "context", name);
	return nd_err_set(err, ND_E_CONFIG, "context was not found for specified context: %s",
			  nd_text_safe(safe, sizeof(safe), name));
}

/* The entry a context or a flag names; a name that leads nowhere is an error. */
static int pick_entry(const struct pick *p, const struct nd_kubefile_list *list, const char *key,
		      const char *flag, const char *what, const char **name,
		      const struct nd_kubefile_entry **out, struct nd_err *err)
{
	*name = flag;
	if (!flag && p->context &&
	    nd_kubefile_text(p->context, p->context->body, key, name, err) < 0)
		return -1;
	if (!*name)
		return 0;
	*out = nd_kubefile_find(list, *name);
	return *out ? 0 : no_such(err, what, *name);
}

static int pick_namespace(const struct pick *p, struct nd_err *err)
{
	const char *name = p->flags->namespace_;

	if (!name && p->context &&
	    nd_kubefile_text(p->context, p->context->body, "namespace", &name, err) < 0)
		return -1;
	p->out->namespace_ = name && name[0] ? name : "default";
	return 0;
}

static int pick_all(struct pick *p, const struct nd_kubefile *file, struct nd_err *err)
{
	struct nd_kube_config *out = p->out;

	if (pick_context(p, file, err) < 0 || pick_namespace(p, err) < 0)
		return -1;
	if (pick_entry(p, &file->clusters, "cluster", p->flags->cluster, "cluster",
		       &out->cluster_name, &p->cluster, err) < 0)
		return -1;
	return pick_entry(p, &file->users, "user", p->flags->user, "auth info", &out->user_name,
			  &p->user, err);
}

/*
 * A name and its -data twin, of which only one may be given (client-go: validation.go). Flags
 * replace both. The bytes are read at once: an unreadable file is a configuration error.
 */
static int read_pem(const struct pick *p, const struct nd_kubefile_entry *entry, const char *key,
		    const char *flag, const char **file, struct nd_str *data, struct nd_err *err)
{
	char data_key[64];
	const char *text = NULL;

	snprintf(data_key, sizeof(data_key), "%s-data", key);
	*file = flag;
	if (!flag && entry &&
	    (nd_kubefile_text(entry, entry->body, key, file, err) < 0 ||
	     nd_kubefile_text(entry, entry->body, data_key, &text, err) < 0))
		return -1;
	if (*file && text)
		return nd_err_set(err, ND_E_CONFIG, "%s: %s and %s are both given for \"%s\"",
				  entry->path, key, data_key, entry->name);
	if (text && !nd_base64_decode(p->arena, nd_str(text), data))
		return nd_err_set(err, ND_E_CONFIG, "%s:%u: %s is not base64", entry->path,
				  nd_yaml_get(entry->body, data_key)->line, data_key);
	if (!*file)
		return 0;
	if (!flag)
		*file = nd_kubeuser_path(p->arena, entry, *file);
	if (nd_kubefile_read(p->arena, *file, ND_KUBE_MAX_PEM, data, err) < 0)
		return nd_err_wrap(err, "read %s", key);
	return 0;
}

static int read_bool(const struct nd_kubefile_entry *entry, const char *key, bool *out,
		     struct nd_err *err)
{
	const char *text;

	if (nd_kubefile_text(entry, entry->body, key, &text, err) < 0)
		return -1;
	*out = nd_eq(text, "true") || nd_eq(text, "True") || nd_eq(text, "TRUE");
	if (text && !*out && !nd_eq(text, "false") && !nd_eq(text, "False") &&
	    !nd_eq(text, "FALSE"))
		return nd_err_set(err, ND_E_CONFIG, "%s:%u: true or false is wanted for %s",
				  entry->path, nd_yaml_get(entry->body, key)->line, key);
	return 0;
}

static int check_proxy(const struct pick *p, struct nd_err *err)
{
	const char *url = p->out->proxy_url;

	if (!url || nd_starts(url, "http://") || nd_starts(url, "https://") ||
	    nd_starts(url, "socks5://"))
		return 0;
	return nd_err_set(err, ND_E_CONFIG,
			  "proxy-url of cluster \"%s\": the scheme must be http, https or socks5",
			  p->out->cluster_name ? p->out->cluster_name : "");
}

static int read_cluster(struct pick *p, struct nd_err *err)
{
	const struct nd_kube_flags *flags = p->flags;
	const struct nd_kubefile_entry *entry = p->cluster;
	struct nd_kube_config *out = p->out;
	bool is_replaced = flags->insecure_skip_tls_verify || flags->certificate_authority;

	if (entry &&
	    (nd_kubefile_text(entry, entry->body, "server", &out->server, err) < 0 ||
	     nd_kubefile_text(entry, entry->body, "tls-server-name", &out->tls_server_name, err) <
		     0 ||
	     nd_kubefile_text(entry, entry->body, "proxy-url", &out->proxy_url, err) < 0 ||
	     read_bool(entry, "disable-compression", &out->disable_compression, err) < 0 ||
	     read_bool(entry, "insecure-skip-tls-verify", &out->insecure_skip_tls_verify, err) < 0))
		return -1;
	if (flags->server) {
		out->server = flags->server;
		out->tls_server_name = NULL; /* it belonged to the other server */
	}
	if (flags->tls_server_name)
		out->tls_server_name = flags->tls_server_name;
	if (is_replaced)
		out->insecure_skip_tls_verify = flags->insecure_skip_tls_verify;
	out->disable_compression |= flags->disable_compression;
	/* any of the two flags replaces insecure, file and data of the kubeconfig together */
	if (read_pem(p, is_replaced ? NULL : entry, "certificate-authority",
		     flags->certificate_authority, &out->ca_file, &out->ca_data, err) < 0)
		return -1;
	if (out->insecure_skip_tls_verify && (out->ca_file || out->ca_data.p))
		return nd_err_set(err, ND_E_CONFIG,
				  "specifying a root certificates file with the "
				  "insecure flag is not allowed");
	return check_proxy(p, err);
}

static int read_certs(struct pick *p, struct nd_err *err)
{
	struct nd_kube_config *out = p->out;

	if (read_pem(p, p->user, "client-certificate", p->flags->client_certificate,
		     &out->cert_file, &out->cert_data, err) < 0 ||
	    read_pem(p, p->user, "client-key", p->flags->client_key, &out->key_file, &out->key_data,
		     err) < 0)
		return -1;
	if (!out->cert_data.n == !out->key_data.n)
		return 0;
	return nd_err_set(
		err, ND_E_CONFIG,
		"user \"%s\": a client certificate needs its key and a key its certificate",
		out->user_name ? out->user_name : "");
}

/* "host:port" and "host" get a scheme as client-go gives it (rest/url_utils.go). */
static int normalize_server(struct pick *p, struct nd_err *err)
{
	struct nd_kube_config *out = p->out;
	const char *text = out->server, *host;
	bool is_tls = out->ca_data.n || out->cert_data.n || out->insecure_skip_tls_verify;

	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '"' || *c == '\\')
			return nd_err_set(err, ND_E_CONFIG,
					  "the server's URL has a character that "
					  "does not belong in a URL");
	if (!strstr(text, "://"))
		text = nd_arena_printf(p->arena, "%s://%s", is_tls ? "https" : "http", text);
	if (!nd_starts(text, "https://") && !nd_starts(text, "http://"))
		return nd_err_set(err, ND_E_CONFIG, "the server's URL must be http or https");
	size_t n = strcspn(text, "?#");
	while (n > 0 && text[n - 1] == '/')
		n--;
	host = strstr(text, "://") + 3;
	size_t nhost = strcspn(host, "/?#");
	if (nhost == 0)
		return nd_err_set(err, ND_E_CONFIG, "the server's URL has no host");
	if (memchr(host, '@', nhost))
		return nd_err_set(err, ND_E_CONFIG, "the server's URL must not carry a password");
	out->server = nd_arena_strdup(p->arena, text, n);
	return 0;
}

/* Nothing secret goes out in clear: client-go uses credentials with https only. */
static void drop_if_clear(struct nd_kube_config *out)
{
	if (nd_starts(out->server, "https://"))
		return;
	out->token = out->token_file = out->username = out->password = NULL;
	out->ca_file = out->cert_file = out->key_file = NULL;
	out->ca_data = out->cert_data = out->key_data = (struct nd_str){0};
	out->exec = NULL;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* In a pod without any kubeconfig: the service account (client-go: rest.InClusterConfig). */
static int read_in_cluster(struct pick *p, struct nd_err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"),
		   *port = getenv("KUBERNETES_SERVICE_PORT"), *ns = getenv("POD_NAMESPACE");
	struct nd_kube_config *out = p->out;
	struct nd_str text;

	if (!host || !host[0] || !port || !port[0] || !is_file(SERVICE_ACCOUNT "/token"))
		return 0;
	out->is_in_cluster = true;
	if (!p->flags->server)
		out->server = nd_arena_printf(
			p->arena, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host,
			port);
	if (!out->ca_data.n && !out->insecure_skip_tls_verify) {
		out->ca_file = SERVICE_ACCOUNT "/ca.crt";
		if (nd_kubefile_read(p->arena, out->ca_file, ND_KUBE_MAX_PEM, &out->ca_data, err) <
		    0)
			return nd_err_wrap(err, "read the service account");
	}
	if (!out->token)
		out->token_file = SERVICE_ACCOUNT "/token";
	if (p->flags->namespace_)
		return 0;
	if (!(ns && ns[0]) &&
	    nd_kubefile_read(p->arena, SERVICE_ACCOUNT "/namespace", 4096, &text, NULL) == 0) {
		text = nd_str_trim(text);
		ns = nd_arena_strdup(p->arena, text.p, text.n);
	}
	if (ns && ns[0])
		out->namespace_ = ns;
	return 0;
}

/* Go's duration ("1m30s", "500ms"), or whole seconds. */
static int read_timeout(const char *text, int64_t *out_ms, struct nd_err *err)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {
		{"ms", 1},
		{"s", 1000},
		{"m", 60000},
		{"h", 3600000},
	};
	struct nd_str rest = nd_str(text);
	int64_t total = 0;
	uint64_t n;

	if (!text)
		return 0;
	if (nd_parse_u64(rest, 86400 * 365, &n)) {
		*out_ms = (int64_t)n * 1000;
		return 0;
	}
	while (rest.n > 0) {
		size_t digits = strspn(rest.p, "0123456789"), letters;
		int64_t unit_ms = 0;

		letters = strspn(rest.p + digits, "hms");
		for (size_t i = 0; i < ND_ARRAY_LEN(units); i++)
			if (nd_str_eq((struct nd_str){rest.p + digits, letters}, units[i].name))
				unit_ms = units[i].ms;
		if (!unit_ms || !nd_parse_u64((struct nd_str){rest.p, digits}, 1u << 30, &n))
			return nd_err_set(
				err, ND_E_USAGE,
				"invalid timeout value: it must be an integer in seconds, "
				"or an integer followed by a time unit (1s, 2m, 3h)");
		total += (int64_t)n * unit_ms;
		rest = (struct nd_str){rest.p + digits + letters, rest.n - digits - letters};
	}
	*out_ms = total;
	return 0;
}

static int need_server(struct pick *p, const struct nd_kubefile *file, struct nd_err *err)
{
	const char *master = getenv("KUBERNETES_MASTER");
	char safe[512];

	if (p->out->server)
		return 0;
	if (master && master[0] && !p->cluster) {
		p->out->server = master;
		return 0;
	}
	nd_text_safe(safe, sizeof(safe), file->looked_in);
	if (p->cluster)
		return nd_err_set(err, ND_E_CONFIG, "no server found for cluster \"%s\" (%s:%u)",
				  p->cluster->name, p->cluster->path,
				  p->cluster->body ? p->cluster->body->line : 1);
	if (file->nread == 0)
		return nd_err_set(err, ND_E_CONFIG,
				  "no kubeconfig: config not found: %s; "
				  "give --kubeconfig or --server",
				  safe);
	return nd_err_set(err, ND_E_CONFIG, "no cluster is chosen in %s; give --context", safe);
}

static int resolve(struct pick *p, const struct nd_kubefile *file, struct nd_err *err)
{
	bool is_empty =
		file->clusters.nentries + file->users.nentries + file->contexts.nentries == 0 &&
		!file->current_context;

	if (read_timeout(p->flags->request_timeout, &p->out->request_timeout_ms, err) < 0 ||
	    pick_all(p, file, err) < 0 || read_cluster(p, err) < 0 || read_certs(p, err) < 0 ||
	    nd_kubeuser_read(p->arena, p->flags, p->user, p->out, err) < 0)
		return -1;
	if (is_empty && read_in_cluster(p, err) < 0)
		return -1;
	if (need_server(p, file, err) < 0 || normalize_server(p, err) < 0)
		return -1;
	if (p->out->exec)
		p->out->exec->cluster_config_json = nd_kubeuser_exec_config(p->arena, p->cluster);
	drop_if_clear(p->out);
	return 0;
}

int nd_kubeconfig_resolve(struct nd_arena *arena, const struct nd_kubefile *file,
			  const struct nd_kube_flags *flags, struct nd_kube_config *out,
			  struct nd_err *err)
{
	struct pick pick = {.arena = arena, .flags = flags, .out = out};

	*out = (struct nd_kube_config){.namespace_ = "default"};
	if (resolve(&pick, file, err) == 0)
		return 0;
	if (err) {
		struct nd_err raw = *err; /* names in it are a stranger's text */

		nd_text_safe(err->text, sizeof(err->text), raw.text);
	}
	return -1;
}

int nd_kubeconfig_load(struct nd_arena *arena, const struct nd_kube_flags *flags,
		       struct nd_kube_config *out, struct nd_err *err)
{
	struct nd_kubefile file;

	if (nd_kubefile_load(arena, flags->kubeconfig, &file, err) < 0)
		return -1;
	return nd_kubeconfig_resolve(arena, &file, flags, out, err);
}
