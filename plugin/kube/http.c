#include "common/base.h"

#include "plugin/kube/http.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <sys/utsname.h>

#ifndef ND_VERSION
#define ND_VERSION "unknown"
#endif

enum {
	ND_HTTP_CONNECT_MS = 10000,
	ND_HTTP_MAX_STATUS = 64 * 1024, /* of an error's JSON that is looked at */
};

struct nd_http {
	struct nd_arena arena;
	const struct nd_kube_config *config;
	const char *base;  /* URL without a slash behind; its host is the name to verify */
	const char *where; /* host:port, for errors */
	const char *proxy; /* "" for none */
	struct curl_slist *headers, *connect_to;
	char user_agent[128];
	bool has_gzip, has_http2;
};

static void header_add(struct nd_http *http, const char *name, const char *value)
{
	struct curl_slist *list = curl_slist_append(
		http->headers, nd_arena_printf(&http->arena, "%s: %s", name, value));

	if (!list)
		ND_BUG("out of memory");
	http->headers = list;
}

/* Keys of user-extra become part of a header's name: what is no token character is %XX. */
static const char *extra_key(struct nd_arena *arena, const char *key)
{
	static const char token_chars[] = "!#$&'*+-.^_`|~";
	char *out = nd_arena_alloc(arena, strlen(key) * 3 + 1), *at = out;

	for (; *key; key++) {
		unsigned char c = (unsigned char)*key;

		if ((c < 0x80 && isalnum(c)) || strchr(token_chars, c))
			*at++ = (char)tolower(c);
		else
			at += sprintf(at, "%%%02X", c);
	}
	return out;
}

static void add_headers(struct nd_http *http)
{
	const struct nd_kube_config *config = http->config;

	header_add(http, "Accept", "application/json");
	if (http->connect_to)
		header_add(http, "Host", http->where);
	if (config->token)
		header_add(http, "Authorization",
			   nd_arena_printf(&http->arena, "Bearer %s", config->token));
	if (config->as)
		header_add(http, "Impersonate-User", config->as);
	if (config->as_uid)
		header_add(http, "Impersonate-Uid", config->as_uid);
	for (size_t i = 0; i < config->nas_groups; i++)
		header_add(http, "Impersonate-Group", config->as_groups[i]);
	for (size_t i = 0; i < config->nas_extra; i++)
		header_add(http,
			   nd_arena_printf(&http->arena, "Impersonate-Extra-%s",
					   extra_key(&http->arena, config->as_extra[i].name)),
			   config->as_extra[i].value);
}

/* Take "host", "port" and "/prefix" out of the server's URL (kubeconfig.c has checked its form). */
static void split_server(struct nd_http *http, const char **host, const char **port,
			 const char **prefix, bool *is_v6)
{
	const char *server = http->config->server, *at = strstr(server, "://"), *end, *colon;

	at = at ? at + 3 : server;
	*prefix = at + strcspn(at, "/");
	*is_v6 = at[0] == '[';
	end = *is_v6 ? at + strcspn(at, "]") : NULL;
	colon = memchr(end ? end : at, ':', (size_t)(*prefix - (end ? end : at)));
	*port = nd_starts(server, "https") ? "443" : "80";
	if (colon)
		*port = nd_arena_strdup(&http->arena, colon + 1, (size_t)(*prefix - colon - 1));
	if (!end)
		end = colon ? colon : *prefix;
	at += *is_v6;
	*host = nd_arena_strdup(&http->arena, at, end > at ? (size_t)(end - at) : 0);
}

/*
 * tls-server-name: the URL carries the name to verify, CONNECT_TO leads it to the real host. This
 * works through proxies, which CURLOPT_RESOLVE does not.
 */
static void set_target(struct nd_http *http)
{
	const struct nd_kube_config *config = http->config;
	const char *host, *port, *prefix, *real;
	bool is_v6, is_https = nd_starts(config->server, "https://");

	split_server(http, &host, &port, &prefix, &is_v6);
	real = nd_arena_printf(&http->arena, is_v6 ? "[%s]:%s" : "%s:%s", host, port);
	http->where = real;
	http->base = config->server;
	http->proxy = nd_http_proxy(&http->arena, config->proxy_url, is_https, host, port);
	/* measured by others and us: on loopback gunzip costs more than it saves */
	http->has_gzip = !config->disable_compression && !nd_http_is_loopback(host);
	http->has_http2 = !getenv("DISABLE_HTTP2");
	if (!config->tls_server_name || !is_https)
		return;
	http->base = nd_arena_printf(&http->arena, "https://%s:%s%s", config->tls_server_name, port,
				     prefix);
	http->connect_to =
		curl_slist_append(NULL, nd_arena_printf(&http->arena, "%s:%s:%s",
							config->tls_server_name, port, real));
}

struct nd_http *nd_http_new(const struct nd_kube_config *config, struct nd_err *err)
{
	struct nd_http *http;
	struct utsname sys;

	if (!config->server) {
		nd_err_set(err, ND_E_CONFIG, "no server is known");
		return NULL;
	}
	http = calloc(1, sizeof(*http));
	if (!http)
		ND_BUG("out of memory");
	http->config = config;
	set_target(http);
	add_headers(http);
	uname(&sys);
	snprintf(http->user_agent, sizeof(http->user_agent), "kubectl-netdoctor/%s (linux/%.20s)",
		 ND_VERSION, strcmp(sys.machine, "x86_64") == 0 ? "amd64" : sys.machine);
	return http;
}

void nd_http_renew(struct nd_http *http)
{
	curl_slist_free_all(http->headers);
	http->headers = NULL;
	add_headers(http);
}

void nd_http_free(struct nd_http *http)
{
	if (!http)
		return;
	curl_slist_free_all(http->headers);
	curl_slist_free_all(http->connect_to);
	nd_arena_free(&http->arena);
	free(http);
}

/* MAXFILESIZE does not limit chunked bodies nor what gunzip makes of them, so count here. */
static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct nd_http_reply *reply = ctx;

	if (nd_buf_add(&reply->body, p, size * n) < 0)
		return 0;
	if (reply->total_bytes)
		*reply->total_bytes += size * n;
	return size * n;
}

static struct curl_blob blob_of(struct nd_str bytes)
{
	/* the config outlives the transfer: no copy */
	return (struct curl_blob){(void *)bytes.p, bytes.n, CURL_BLOB_NOCOPY};
}

static void set_tls(const struct nd_http *http, CURL *easy)
{
	const struct nd_kube_config *config = http->config;
	struct curl_blob blob;

	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (config->ca_data.n > 0) {
		/* a blob does not switch off Debian's built-in CAPATH with every public CA */
		blob = blob_of(config->ca_data);
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
	}
	if (config->insecure_skip_tls_verify) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (config->cert_data.n == 0)
		return;
	blob = blob_of(config->cert_data);
	curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &blob);
	blob = blob_of(config->key_data);
	curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &blob);
	curl_easy_setopt(easy, CURLOPT_KEYPASSWD, ""); /* or OpenSSL would ask on the terminal */
}

static void set_identity(const struct nd_http *http, CURL *easy)
{
	const struct nd_kube_config *config = http->config;

	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, http->user_agent);
	if (!config->token && (config->username || config->password)) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, config->username ? config->username : "");
		curl_easy_setopt(easy, CURLOPT_PASSWORD, config->password ? config->password : "");
	}
}

CURL *nd_http_get(struct nd_http *http, const char *path, int64_t deadline_ms,
		  struct nd_http_reply *reply)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		ND_BUG("out of memory");
	nd_auto_buf struct nd_buf url = {0};
	if (deadline_ms < 1)
		deadline_ms = 1; /* 0 would be for ever */
	nd_buf_printf(&url, "%s%s", http->base, path);
	reply->body.max_bytes = ND_HTTP_MAX_BODY;
	curl_easy_setopt(easy, CURLOPT_URL, url.data);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reply->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)deadline_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)ND_HTTP_CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, http->proxy);
	curl_easy_setopt(easy, CURLOPT_NOPROXY, ""); /* decided already */
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, http->has_http2 ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
			 (long)(http->has_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, http->has_gzip ? "gzip" : NULL);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, http->connect_to);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, http->where);
	set_tls(http, easy);
	set_identity(http, easy);
	return easy;
}

void nd_http_reply_free(struct nd_http_reply *reply)
{
	nd_buf_free(&reply->body);
}

long nd_http_status(CURL *easy)
{
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

bool nd_http_is_broken(CURLcode result)
{
	return result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR ||
	       result == CURLE_GOT_NOTHING || result == CURLE_PARTIAL_FILE ||
	       result == CURLE_HTTP2 || result == CURLE_HTTP2_STREAM;
}

static int check_transport(CURL *easy, CURLcode result, const struct nd_http_reply *reply,
			   struct nd_err *err)
{
	const char *where = "";
	char safe[CURL_ERROR_SIZE];
	long sys = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&where);
	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &sys);
	nd_text_safe(safe, sizeof(safe),
		     reply->error[0] ? reply->error : curl_easy_strerror(result));
	switch (result) {
	case CURLE_COULDNT_CONNECT:
		if (sys > 0)
			return nd_err_sys(err, ND_E_UNREACHABLE, (int)sys, "connect to %s", where);
		return nd_err_set(err, ND_E_UNREACHABLE, "connect to %s: %s", where, safe);
	case CURLE_OPERATION_TIMEDOUT:
		return nd_err_set(err, ND_E_TIMEOUT, "no answer from %s in time: %s", where, safe);
	case CURLE_PEER_FAILED_VERIFICATION:
		return nd_err_set(err, ND_E_UNREACHABLE, "the certificate of %s is not trusted: %s",
				  where, safe);
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return nd_err_set(err, ND_E_CONFIG, "a certificate of the kubeconfig is no use: %s",
				  safe);
	case CURLE_WRITE_ERROR:
		if (reply->body.is_over)
			return nd_err_set(err, ND_E_LIMIT, "the answer is larger than %u MiB",
					  ND_HTTP_MAX_BODY >> 20);
		break;
	default:
		break;
	}
	return nd_err_set(err, ND_E_UNREACHABLE, "talk to %s: %s", where, safe);
}

/* .message of a v1 Status; "" when the body is none. */
static const char *status_message(const struct nd_http_reply *reply, char *dst, size_t size)
{
	cJSON *root = NULL;
	const cJSON *message;

	dst[0] = '\0';
	if (reply->body.len > 0 && reply->body.len <= ND_HTTP_MAX_STATUS)
		root = cJSON_ParseWithLength(reply->body.data, reply->body.len);
	message = cJSON_GetObjectItemCaseSensitive(root, "message");
	if (cJSON_IsString(message))
		nd_text_safe(dst, size, message->valuestring);
	cJSON_Delete(root);
	return dst;
}

static bool is_html(CURL *easy, const struct nd_http_reply *reply)
{
	const char *type = NULL;
	struct nd_str body = nd_str_trim((struct nd_str){reply->body.data, reply->body.len});

	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	return nd_starts(type, "text/html") || (body.n > 0 && body.p[0] == '<');
}

static int check_status(long status, const char *message, struct nd_err *err)
{
	const char *sep = message[0] ? ": " : "";

	switch (status) {
	case 401:
		return nd_err_set(err, ND_E_FORBIDDEN,
				  "unauthorized: the server does not accept who we "
				  "are%s%s",
				  sep, message);
	case 403:
		return nd_err_set(err, ND_E_FORBIDDEN, "forbidden%s%s", sep, message);
	case 404:
		return nd_err_set(err, ND_E_NOT_FOUND, "not found (404)%s%s", sep, message);
	case 410:
		return nd_err_set(err, ND_E_NOT_FOUND,
				  "the list expired while it was read (410)%s%s", sep, message);
	case 429:
		return nd_err_set(err, ND_E_UNREACHABLE, "the server throttles us (429)%s%s", sep,
				  message);
	default:
		return nd_err_set(err, ND_E_UNREACHABLE, "the server answered %ld%s%s", status, sep,
				  message);
	}
}

int nd_http_check(CURL *easy, CURLcode result, const struct nd_http_reply *reply,
		  struct nd_err *err)
{
	char message[512];
	long status = nd_http_status(easy);

	if (result != CURLE_OK)
		return check_transport(easy, result, reply, err);
	if (is_html(easy, reply))
		return nd_err_set(err, ND_E_UNREACHABLE,
				  "the answer (%ld) is a web page, not JSON: a "
				  "proxy or a login page stands there, not an "
				  "API server",
				  status);
	if (status >= 200 && status < 300)
		return 0;
	return check_status(status, status_message(reply, message, sizeof(message)), err);
}
