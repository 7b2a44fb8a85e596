/*
 * api.h: read lists from an API server into a sink, page by page.
 *
 *	struct nd_api *api = nd_api_new(loop, &config, err);
 *	nd_api_collect(api, &options, sink);	queues; nd_loop_run does the work
 *	nd_loop_run(loop, err);
 *	nd_api_free(api);
 */
#ifndef ND_PLUGIN_KUBE_API_H
#define ND_PLUGIN_KUBE_API_H

#include "plugin/evidence/item.h"
#include "plugin/kube/kubeconfig.h"
#include "plugin/kube/loop.h"

struct nd_api;

struct nd_api_options {
	int64_t deadline_ms;	     /* for everything; 0: 60 s */
	int64_t request_deadline_ms; /* for one page; 0: 15 s */
	/*
	 * Called once, when the server does not accept who we are (401): 0 when config has other
	 * credentials now. NULL: it has no others.
	 */
	int (*renew)(void *ctx, struct nd_err *err);
	void *renew_ctx;
};

struct nd_api *nd_api_new(struct nd_loop *loop, const struct nd_kube_config *config,
			  struct nd_err *err);
void nd_api_free(struct nd_api *api);

/*
 * Queue every list of resources.def: limit=500, at most 8 requests in flight, gzip, Retry-After,
 * 410 continuation. Each page becomes an item of kind ND_ITEM_API; what fails becomes a gap with
 * where "api". Also GET /version (item META "version"). First of all one request checks that the
 * server answers at all, so that a dead server is one gap, not a dozen.
 * done is called once, when the last page has come or been given up.
 */
void nd_api_collect(struct nd_api *api, const struct nd_api_options *options,
		    const struct nd_sink *sink, void (*done)(void *ctx), void *ctx);
/* After the loop: 0 when the server answered, else why it never did (ND_E_UNREACHABLE, ...). */
int nd_api_status(const struct nd_api *api, struct nd_err *err);
uint64_t nd_api_bytes_received(const struct nd_api *api);

#endif
