#include "common/base.h"

#include "common/clock.h"
#include "plugin/kube/api.h"
#include "plugin/kube/http.h"
#include "plugin/kube/listpage.h"
#include "plugin/kube/pagetoken.h"

#include <cjson/cJSON.h>

enum {
	ND_API_PAGE_ITEMS = 500, /* kubectl's own page size */
	ND_API_MAX_IN_FLIGHT = 8,
	ND_API_MAX_PAGES = 10000,
	ND_API_MAX_THROTTLED = 10, /* client-go: rest/with_retry.go */
	ND_API_MAX_BROKEN = 2,	   /* connections that end in the middle of an answer */
	ND_API_BROKEN_WAIT_MS = 300,
	ND_API_DEADLINE_MS = 60000,
	ND_API_REQUEST_MS = 15000,
};

struct resource {
	const char *name, *path, *query;
};

static const struct resource RESOURCES[] = {
#define ND_RESOURCE(name, path, query, who) {name, path, query},
#include "plugin/kube/resources.def"
#undef ND_RESOURCE
};

/* IDLE: until /version has answered. */
enum job_state { JOB_IDLE, JOB_QUEUED, JOB_RUNNING, JOB_WAITING, JOB_DONE };

/* One list, page after page; or GET /version. */
struct job {
	struct nd_api *api;
	const struct resource *resource; /* NULL: /version */
	enum job_state state;
	char *next_token; /* percent-escaped; NULL: the first page; owned */
	bool is_unpaged;  /* restarted after a 410 without a way to go on */
	unsigned npages, nthrottled, nbroken;
	int timer;  /* while waiting, else 0 */
	CURL *easy; /* while running */
	struct nd_http_reply reply;
};

struct nd_api {
	struct nd_loop *loop;
	const struct nd_kube_config *config;
	struct nd_http *http;
	struct nd_api_options options;
	const struct nd_sink *sink;
	void (*done)(void *ctx);
	void *done_ctx;
	struct job version;
	struct job lists[ND_ARRAY_LEN(RESOURCES)];
	size_t nrunning;
	int64_t end_us; /* of everything */
	int deadline;	/* timer, 0: none */
	bool is_collecting, has_answered, has_renewed;
	struct nd_err why;	/* why the server never answered */
	struct nd_err sink_err; /* the sink refused: everything ends */
	uint64_t bytes;
};

static struct nd_api *api_alloc(struct nd_loop *loop, const struct nd_kube_config *config)
{
	struct nd_api *api = calloc(1, sizeof(*api));

	if (!api)
		ND_BUG("out of memory");
	api->loop = loop;
	api->config = config;
	api->version.api = api;
	for (size_t i = 0; i < ND_ARRAY_LEN(RESOURCES); i++) {
		api->lists[i].api = api;
		api->lists[i].resource = &RESOURCES[i];
	}
	return api;
}

struct nd_api *nd_api_new(struct nd_loop *loop, const struct nd_kube_config *config,
			  struct nd_err *err)
{
	struct nd_http *http = nd_http_new(config, err);
	struct nd_api *api;

	if (!http)
		return NULL;
	api = api_alloc(loop, config);
	api->http = http;
	nd_err_set(&api->why, ND_E_UNREACHABLE, "the API server was not asked");
	return api;
}

/* Whatever the job is doing, it does it no more. */
static void job_stop(struct job *job)
{
	struct nd_api *api = job->api;

	if (job->state == JOB_RUNNING) {
		nd_loop_http_cancel(api->loop, job->easy);
		curl_easy_cleanup(job->easy);
		job->easy = NULL;
		api->nrunning--;
	}
	if (job->state == JOB_WAITING) {
		nd_loop_timer_stop(api->loop, job->timer);
		nd_loop_release(api->loop);
	}
	nd_http_reply_free(&job->reply);
	free(job->next_token);
	job->next_token = NULL;
	job->state = JOB_DONE;
}

static void stop_all(struct nd_api *api)
{
	job_stop(&api->version);
	for (size_t i = 0; i < ND_ARRAY_LEN(RESOURCES); i++)
		job_stop(&api->lists[i]);
	if (api->deadline)
		nd_loop_timer_stop(api->loop, api->deadline);
	api->deadline = 0;
}

void nd_api_free(struct nd_api *api)
{
	if (!api)
		return;
	stop_all(api);
	nd_http_free(api->http);
	free(api);
}

static bool is_all_done(const struct nd_api *api)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(RESOURCES); i++)
		if (api->lists[i].state != JOB_DONE)
			return false;
	return api->version.state == JOB_DONE;
}

/* The last call of a collection. Nothing of api is touched after done: it may free it. */
static void finish_if_done(struct nd_api *api)
{
	if (!api->is_collecting || !is_all_done(api))
		return;
	api->is_collecting = false;
	stop_all(api);
	if (api->done)
		api->done(api->done_ctx);
}

static void sink_failed(struct nd_api *api, const struct nd_err *err)
{
	if (api->sink_err.code == ND_E_NONE)
		api->sink_err = *err;
	stop_all(api);
}

static void push_gap(struct nd_api *api, const char *what, const char *why)
{
	struct nd_err err = {0};

	if (nd_sink_gap(api->sink, what, "api", &err, "%s", why) < 0)
		sink_failed(api, &err);
}

static int push_item(struct nd_api *api, enum nd_item_kind kind, const char *name,
		     const struct nd_buf *body)
{
	struct nd_err err = {0};
	struct nd_item item = {.kind = kind,
			       .name = name,
			       .bytes = body->data ? body->data : "",
			       .len = body->len,
			       .taken_unix_s = nd_clock_unix_s()};

	if (nd_sink_item(api->sink, &item, &err) == 0)
		return 0;
	sink_failed(api, &err);
	return -1;
}

/* This list is given up. Pages that came before stay: the gap says so. */
static void job_fail(struct job *job, const struct nd_err *why)
{
	struct nd_api *api = job->api;
	char text[sizeof(why->text) + 64];

	if (job->npages > 0)
		snprintf(text, sizeof(text), "only the first %u pages came: %s", job->npages,
			 why->text);
	else
		snprintf(text, sizeof(text), "%s", why->text);
	job_stop(job);
	push_gap(api, job->resource->name, text);
}

/* The server as a whole is of no use: one gap, not a dozen. */
static void server_fail(struct nd_api *api, const struct nd_err *why)
{
	api->why = *why;
	stop_all(api);
	push_gap(api, "api", why->text);
}

static int64_t left_ms(const struct nd_api *api)
{
	return (api->end_us - nd_clock_mono_us()) / 1000;
}

static void job_path(const struct job *job, struct nd_buf *path)
{
	const struct resource *r = job->resource;

	if (!r) {
		nd_buf_puts(path, "/version");
		return;
	}
	const char *sep = "?";
	nd_buf_puts(path, r->path);
	if (r->query[0]) {
		nd_buf_printf(path, "?%s", r->query);
		sep = "&";
	}
	if (!job->is_unpaged) {
		nd_buf_printf(path, "%slimit=%d", sep, ND_API_PAGE_ITEMS);
		sep = "&";
	}
	if (job->next_token)
		nd_buf_printf(path, "%scontinue=%s", sep, job->next_token);
}

static void on_reply(void *ctx, CURL *easy, CURLcode result);

static void job_start(struct job *job)
{
	struct nd_api *api = job->api;
	nd_auto_buf struct nd_buf path = {0};
	int64_t limit_ms = api->options.request_deadline_ms, left = left_ms(api);

	job_path(job, &path);
	job->reply = (struct nd_http_reply){.total_bytes = &api->bytes};
	job->easy =
		nd_http_get(api->http, path.data, left < limit_ms ? left : limit_ms, &job->reply);
	job->state = JOB_RUNNING;
	api->nrunning++;
	nd_loop_http(api->loop, job->easy, on_reply, job);
}

static void pump(struct nd_api *api)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(RESOURCES); i++)
		if (api->nrunning < ND_API_MAX_IN_FLIGHT && api->lists[i].state == JOB_QUEUED)
			job_start(&api->lists[i]);
}

static void on_wait_over(void *ctx)
{
	struct job *job = ctx;

	nd_loop_release(job->api->loop);
	job->state = JOB_QUEUED;
	if (job->resource)
		pump(job->api);
	else
		job_start(job);
}

static void job_wait(struct job *job, int64_t wait_ms)
{
	job->state = JOB_WAITING;
	nd_loop_hold(job->api->loop);
	job->timer = nd_loop_timer(job->api->loop, wait_ms, on_wait_over, job);
}

/* True when the request will be sent again later. */
static bool job_retry(struct job *job, CURL *easy, CURLcode result)
{
	curl_off_t after_s = 0;
	int64_t wait_ms = 0;
	long status = nd_http_status(easy);

	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after_s);
	if (result == CURLE_OK && (status == 429 || status >= 500) && after_s > 0 &&
	    after_s < 3600 && job->nthrottled < ND_API_MAX_THROTTLED) {
		job->nthrottled++;
		wait_ms = after_s * 1000;
	} else if (nd_http_is_broken(result) && job->nbroken < ND_API_MAX_BROKEN) {
		job->nbroken++;
		wait_ms = ND_API_BROKEN_WAIT_MS;
	}
	if (wait_ms == 0 || wait_ms >= left_ms(job->api))
		return false;
	job_wait(job, wait_ms);
	return true;
}

/*
 * A list that takes longer than the server's history (5 to 15 min): the 410 brings a token that
 * goes on from the next key (of a newer state). Without one, once more from the start, in one
 * piece: what came before comes again then. False when there is no way on.
 */
static bool job_go_on_after_410(struct job *job, const struct nd_http_reply *reply)
{
	bool had_token = job->next_token != NULL;

	free(job->next_token);
	job->next_token = NULL;
	if (had_token)
		job->next_token = nd_pagetoken_of_status(reply->body.data, reply->body.len);
	if (job->is_unpaged || job->nthrottled++ >= ND_API_MAX_THROTTLED)
		return false;
	job->is_unpaged = job->next_token == NULL;
	return true;
}

static void job_page(struct job *job, const struct nd_http_reply *reply)
{
	struct nd_err why = {0};
	struct nd_listpage page;

	free(job->next_token);
	job->next_token = NULL;
	if (nd_listpage_scan(reply->body.data, reply->body.len, &page, &why) < 0 ||
	    (nd_pagetoken_of_page(page.next_token, &job->next_token) < 0 &&
	     nd_err_set(&why, ND_E_INPUT, "the continue token is no text") < 0) ||
	    (job->npages >= ND_API_MAX_PAGES &&
	     nd_err_set(&why, ND_E_LIMIT, "more than %d pages", ND_API_MAX_PAGES) < 0)) {
		nd_err_wrap(&why, "read the answer");
		job_fail(job, &why);
		return;
	}
	job->npages++;
	if (push_item(job->api, ND_ITEM_API, job->resource->name, &reply->body) < 0)
		return;
	if (job->next_token && !job->is_unpaged)
		job->state = JOB_QUEUED;
	else
		job_stop(job);
}

static void job_reply(struct job *job, CURL *easy, CURLcode result, struct nd_http_reply *reply)
{
	struct nd_err why = {0};
	long status = nd_http_status(easy);

	if (nd_http_check(easy, result, reply, &why) == 0)
		job_page(job, reply);
	else if (result == CURLE_OK && status == 410 && job_go_on_after_410(job, reply))
		job->state = JOB_QUEUED;
	else if (!job_retry(job, easy, result))
		job_fail(job, &why);
}

/*
 * What an exec plugin or a token file gave may be over before its time: ask it once more, as
 * client-go does. Nothing else is in flight then, as /version comes first. False: that does not
 * help, why says so.
 */
static bool renew(struct nd_api *api, struct nd_err *why)
{
	if (api->has_renewed || !api->options.renew)
		return false;
	api->has_renewed = true;
	if (api->options.renew(api->options.renew_ctx, why) < 0)
		return false;
	nd_http_renew(api->http);
	return true;
}

/* GET /version first: is anybody there, do we trust him, and does he speak JSON? */
static void version_reply(struct job *job, CURL *easy, CURLcode result, struct nd_http_reply *reply)
{
	struct nd_api *api = job->api;
	struct nd_err why = {0};
	long status = nd_http_status(easy);
	bool is_ok = nd_http_check(easy, result, reply, &why) == 0;
	if (!is_ok && job_retry(job, easy, result))
		return;
	if (result == CURLE_OK && status == 401 && renew(api, &why)) {
		job_start(job);
		return;
	}
	job->state = JOB_DONE;
	if (is_ok) {
		cJSON *root = cJSON_ParseWithLength(reply->body.data ? reply->body.data : "",
						    reply->body.len);

		is_ok = cJSON_IsObject(root);
		cJSON_Delete(root);
		if (!is_ok)
			nd_err_set(&why, ND_E_UNREACHABLE,
				   "the answer to /version is not JSON: "
				   "no API server, or one whose answers are cut");
	}
	/* a 403 is an answer: /version may be closed to us while lists are open */
	if (!is_ok && !(result == CURLE_OK && status == 403)) {
		server_fail(api, &why);
		return;
	}
	api->has_answered = true;
	if (!is_ok)
		push_gap(api, "version", why.text);
	else if (push_item(api, ND_ITEM_META, "version", &reply->body) < 0)
		return;
	for (size_t i = 0; i < ND_ARRAY_LEN(RESOURCES); i++)
		if (api->sink_err.code == ND_E_NONE)
			api->lists[i].state = JOB_QUEUED;
}

static void on_reply(void *ctx, CURL *easy, CURLcode result)
{
	struct job *job = ctx;
	struct nd_api *api = job->api;
	struct nd_http_reply reply = job->reply;

	job->reply = (struct nd_http_reply){0};
	job->easy = NULL;
	job->state = JOB_QUEUED;
	api->nrunning--;
	if (job->resource)
		job_reply(job, easy, result, &reply);
	else
		version_reply(job, easy, result, &reply);
	curl_easy_cleanup(easy);
	nd_http_reply_free(&reply);
	if (api->version.state == JOB_DONE)
		pump(api);
	finish_if_done(api);
}

static void on_deadline(void *ctx)
{
	struct nd_api *api = ctx;
	struct nd_err why = {0};

	api->deadline = 0;
	nd_err_set(&why, ND_E_TIMEOUT, "not finished within %.1f s",
		   (double)api->options.deadline_ms / 1000);
	if (api->version.state != JOB_DONE)
		server_fail(api, &why);
	for (size_t i = 0; i < ND_ARRAY_LEN(RESOURCES); i++)
		if (api->lists[i].state != JOB_DONE)
			job_fail(&api->lists[i], &why);
	finish_if_done(api);
}

void nd_api_collect(struct nd_api *api, const struct nd_api_options *options,
		    const struct nd_sink *sink, void (*done)(void *ctx), void *ctx)
{
	if (api->is_collecting)
		ND_BUG("collecting already");
	api->options = *options;
	if (api->options.deadline_ms <= 0)
		api->options.deadline_ms = ND_API_DEADLINE_MS;
	if (api->config->request_timeout_ms > 0)
		api->options.request_deadline_ms = api->config->request_timeout_ms;
	if (api->options.request_deadline_ms <= 0)
		api->options.request_deadline_ms = ND_API_REQUEST_MS;
	api->sink = sink;
	api->done = done;
	api->done_ctx = ctx;
	api->is_collecting = true;
	api->has_answered = api->has_renewed = false;
	api->sink_err = (struct nd_err){0};
	api->end_us = nd_clock_mono_us() + api->options.deadline_ms * 1000;
	for (size_t i = 0; i < ND_ARRAY_LEN(RESOURCES); i++)
		api->lists[i] = (struct job){.api = api, .resource = &RESOURCES[i]};
	api->deadline = nd_loop_timer(api->loop, api->options.deadline_ms, on_deadline, api);
	api->version = (struct job){.api = api};
	job_start(&api->version);
}

int nd_api_status(const struct nd_api *api, struct nd_err *err)
{
	const struct nd_err *why = &api->why;

	if (api->sink_err.code != ND_E_NONE)
		why = &api->sink_err;
	else if (api->has_answered)
		return 0;
	if (err)
		*err = *why;
	return -1;
}

uint64_t nd_api_bytes_received(const struct nd_api *api)
{
	return api->bytes;
}
