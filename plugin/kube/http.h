/*
 * http.h: one API server as curl sees it: TLS, who we are, proxy, limits. Makes transfers for
 * loop.h and says in words what came of them. Knows no resources.
 */
#ifndef ND_PLUGIN_KUBE_HTTP_H
#define ND_PLUGIN_KUBE_HTTP_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "plugin/kube/kubeconfig.h"

#include <curl/curl.h>

#define ND_HTTP_MAX_BODY (64u << 20) /* after gunzip */

struct nd_http; /* one server */

struct nd_http_reply {
	struct nd_buf body;
	char error[CURL_ERROR_SIZE];
	uint64_t *total_bytes; /* counted here too; may be NULL */
};

/* config must outlive it. */
struct nd_http *nd_http_new(const struct nd_kube_config *config, struct nd_err *err);
void nd_http_free(struct nd_http *http);

/* config's token or client certificate is another one now. No transfer may be running. */
void nd_http_renew(struct nd_http *http);

/* A GET of path (from "/", after the server's own prefix), ready for nd_loop_http. */
CURL *nd_http_get(struct nd_http *http, const char *path, int64_t deadline_ms,
		  struct nd_http_reply *reply);
void nd_http_reply_free(struct nd_http_reply *reply);

long nd_http_status(CURL *easy); /* of the answer; 0: there is none */
/* A connection that broke, as a server going away does it: worth another try. */
bool nd_http_is_broken(CURLcode result);
/* 0 for a 2xx answer; else err says why in words that are safe to show. */
int nd_http_check(CURL *easy, CURLcode result, const struct nd_http_reply *reply,
		  struct nd_err *err) ND_MUST_USE;

/*
 * The proxy for url, as Go finds it: the kubeconfig's, else from the environment, never for
 * loopback. "" for none; storage in the arena.
 */
const char *nd_http_proxy(struct nd_arena *arena, const char *proxy_url, bool is_https,
			  const char *host, const char *port);
bool nd_http_is_loopback(const char *host);

#endif
