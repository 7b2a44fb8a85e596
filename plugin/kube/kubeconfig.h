/*
 * kubeconfig.h: which API server, and who we are. Follows client-go's rules (loading order, merge,
 * relative paths, overrides); knows nothing of HTTP.
 *
 *	struct nd_kube_flags flags = {.context = "kind-dev"};
 *	struct nd_kube_config config;
 *	if (nd_kubeconfig_load(&arena, &flags, &config, err) < 0) ...
 */
#ifndef ND_PLUGIN_KUBE_KUBECONFIG_H
#define ND_PLUGIN_KUBE_KUBECONFIG_H

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"

/* The standard kubectl flags; NULL: not given. Filled by cli/. */
struct nd_kube_flags {
	const char *kubeconfig, *context, *cluster, *user, *namespace_;
	const char *server, *token, *tls_server_name;
	const char *certificate_authority, *client_certificate, *client_key;
	const char *as, *as_uid, *username, *password;
	const char **as_groups; /* nas_groups; --as-group may come often */
	const char **as_extra; /* nas_extra, "KEY=VALUE"; --as-user-extra may come often */
	size_t nas_groups, nas_extra;
	const char *request_timeout; /* "0", "5", "30s", "1m" */
	const char *cache_dir;
	bool insecure_skip_tls_verify, disable_compression;
};

struct nd_kube_env {
	const char *name, *value;
};

struct nd_kube_exec {
	const char *api_version; /* client.authentication.k8s.io/v1 or v1beta1 */
	const char *command;	 /* resolved against the kubeconfig's folder when it has a slash */
	const char **args;	 /* nargs */
	size_t nargs;
	struct nd_kube_env *env; /* nenv */
	size_t nenv;
	const char *install_hint;
	const char *interactive_mode;	 /* Never, IfAvailable or Always */
	const char *cluster_config_json; /* the cluster's exec extension as JSON, or NULL */
	bool provide_cluster_info;
};

/* The one merged, resolved answer. Strings live in the arena; NULL: not set. *_data are decoded
 * bytes. */
struct nd_kube_config {
	const char *context_name, *cluster_name, *user_name;
	const char *namespace_; /* never NULL: "default" at the end */
	const char *server;	/* https://host:port, no slash behind */
	const char *proxy_url, *tls_server_name;
	bool insecure_skip_tls_verify, disable_compression, is_in_cluster;
	const char *ca_file, *cert_file, *key_file; /* absolute paths */
	struct nd_str ca_data, cert_data,
		key_data;		/* PEM; of the files too, they are read at load */
	const char *token, *token_file; /* the file wins once it could be read */
	const char *username, *password;
	const char *as, *as_uid;
	const char **as_groups;
	size_t nas_groups;
	struct nd_kube_env *as_extra; /* nas_extra; a key may come often */
	size_t nas_extra;
	struct nd_kube_exec *exec;
	int64_t request_timeout_ms; /* 0: none given */
};

int nd_kubeconfig_load(struct nd_arena *arena, const struct nd_kube_flags *flags,
		       struct nd_kube_config *out, struct nd_err *err) ND_MUST_USE;

#endif
