/* bulk.c: a whole body over one connection; small packets may pass where large ones do not. */
#include "common/base.h"

#include "agent/probe/http.h"

#include <strings.h>
#include <sys/epoll.h>

#define MAX_BODY (64 << 20) /* bytes */
enum { TOTAL_TIMES = 3 };   /* timeouts; while data comes a single one does not count */
enum { READS = 16 };	    /* in a row, then others have their turn */

/* The header's Content-Length; -1: not said, or not a number. */
static int64_t content_length(struct nd_str head)
{
	static const char name[] = "content-length:";
	struct nd_str line;
	uint64_t n;

	while (nd_str_line(&head, &line)) {
		if (line.n < sizeof(name) || strncasecmp(line.p, name, sizeof(name) - 1) != 0)
			continue;
		line.p += sizeof(name) - 1;
		line.n -= sizeof(name) - 1;
		return nd_parse_u64(nd_str_trim(line), INT64_MAX, &n) ? (int64_t)n : -1;
	}
	return -1;
}

/* Bytes of a piece of the stream that belong to the body; -1: the header is no such thing. */
static int64_t body_bytes(struct nd_probes *all, struct nd_probe *p, size_t n)
{
	size_t before = p->in.len, room = ND_HTTP_MAX_HEAD - before;
	const char *end;
	int status;

	if (p->bytes >= 0)
		return (int64_t)n;
	if (nd_buf_add(&p->in, all->scratch, n < room ? n : room) < 0)
		return -1;
	status = nd_http_status(&p->in);
	if (status < 0)
		return -1;
	end = memmem(p->in.data, p->in.len, "\r\n\r\n", 4);
	if (!end)
		return p->in.len < ND_HTTP_MAX_HEAD ? 0 : -1;
	p->status = (uint16_t)status;
	p->bytes = 0;
	p->length = content_length((struct nd_str){p->in.data, (size_t)(end - p->in.data)});
	return (int64_t)(before + n) - (end + 4 - p->in.data);
}

static bool is_whole(const struct nd_probes *all, const struct nd_probe *p)
{
	return p->bytes >= MAX_BODY || (p->length >= 0 && p->bytes >= p->length) ||
	       all->now_us - p->started_us >= (int64_t)all->timeout_ms * 1000 * TOTAL_TIMES;
}

/* False: nothing more for now, or it has ended. */
static bool hear(struct nd_probes *all, struct nd_probe *p)
{
	ssize_t n = nd_probe_recv(all, p);
	int64_t nbody;

	if (n < 0)
		return false;
	if (n == 0) { /* the end: of the body, when it did not say how long it is */
		bool is_end = p->bytes >= 0 && p->length < 0;
		nd_probe_end(all, p, is_end ? ND_OUTCOME_ok : ND_OUTCOME_bad);
		return false;
	}
	p->deadline_us = all->now_us + (int64_t)all->timeout_ms * 1000;
	nbody = body_bytes(all, p, (size_t)n);
	if (nbody < 0) {
		nd_probe_end(all, p, ND_OUTCOME_bad);
		return false;
	}
	if (p->bytes < 0)
		return true;
	p->bytes += nbody;
	if (!is_whole(all, p))
		return true;
	nd_probe_end(all, p, ND_OUTCOME_ok);
	return false;
}

static void start(struct nd_probes *all, struct nd_probe *p)
{
	p->length = -1;
	nd_http_start(all, p);
}

static void ready(struct nd_probes *all, struct nd_probe *p, uint32_t events)
{
	if (!nd_probe_asked(all, p, events, nd_http_ask))
		return;
	for (int i = 0; i < READS && hear(all, p); i++)
		;
}

const struct nd_probe_ops nd_probe_ops_bulk = {
	.open = nd_http_open,
	.start = start,
	.ready = ready,
	.has_own_peer = true,
};
