#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/jsonw.h"
#include "plugin/verify/test.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#define MIN_TIME_US 1000 /* a millisecond more is noise, whatever the factor */
#define MAX_FACTOR 2
#define MIN_BULK_BYTES 4096 /* less fits into the first packets and tells nothing */
#define BULK_BYTES 65536    /* that take 10 ms more: a busy server's own time is below that */
#define MIN_BULK_US 10000

static int by_nodes(const void *pa, const void *pb)
{
	const struct nd_baseline_pair *a = pa, *b = pb;
	int order = strcmp(a->from, b->from);
	return order ? order : strcmp(a->to, b->to);
}

const struct nd_baseline_pair *nd_baseline_find(const struct nd_baseline_pair *pairs, size_t n,
						const char *from, const char *to)
{
	struct nd_baseline_pair key = {.from = from, .to = to};
	return n ? bsearch(&key, pairs, n, sizeof(*pairs), by_nodes) : NULL;
}

/* ---- measure ---- */

static void take_least(int64_t *best, int64_t value)
{
	if (value > 0 && (!*best || value < *best))
		*best = value;
}

static void take_most(int64_t *best, int64_t value)
{
	if (value > *best)
		*best = value;
}

static void take_result(struct nd_baseline_pair *pair, const struct nd_probe_result *r)
{
	int64_t us = r->us > 0 ? r->us : 1;
	switch (r->kind) {
	case ND_PROBE_icmp:
		take_least(&pair->icmp_us, us);
		break;
	case ND_PROBE_tcp:
		take_least(&pair->tcp_us, us);
		break;
	case ND_PROBE_dns_udp:
		take_least(&pair->dns_us, us);
		break;
	case ND_PROBE_bulk:
		if (r->status == 200 && r->bytes >= MIN_BULK_BYTES &&
		    r->bytes < INT64_MAX / 1000000)
			take_most(&pair->bytes_per_s, r->bytes * 1000000 / us);
		break;
	case ND_PROBE_pmtu:
		take_most(&pair->mtu_bytes, r->mtu_bytes);
		break;
	default:
		break;
	}
}

static bool is_of_pair(const struct nd_verify_flow *f)
{
	return f->result->netns_inode && f->host->node && f->flow.target_node &&
	       (f->flow.kind == ND_FLOW_POD_SAME_NODE || f->flow.kind == ND_FLOW_POD_CROSS_NODE ||
		f->flow.kind == ND_FLOW_DNS_POD);
}

/* The same pair several times becomes one. */
static size_t merge(struct nd_baseline_pair *p, size_t n)
{
	size_t nout = 0;
	if (n)
		qsort(p, n, sizeof(*p), by_nodes);
	for (size_t i = 0; i < n; i++) {
		if (nout == 0 || by_nodes(&p[nout - 1], &p[i]) != 0) {
			p[nout++] = p[i];
			continue;
		}
		struct nd_baseline_pair *to = &p[nout - 1];
		take_least(&to->icmp_us, p[i].icmp_us);
		take_least(&to->tcp_us, p[i].tcp_us);
		take_least(&to->dns_us, p[i].dns_us);
		take_most(&to->bytes_per_s, p[i].bytes_per_s);
		take_most(&to->mtu_bytes, p[i].mtu_bytes);
	}
	return nout;
}

/* Lost is a pair of which nothing else got through. */
static void settle(struct nd_baseline *b)
{
	size_t nlost = merge(b->lost, b->nlost);
	b->npairs = merge(b->pairs, b->npairs);
	b->nlost = 0;
	for (size_t i = 0; i < nlost; i++)
		if (!nd_baseline_find(b->pairs, b->npairs, b->lost[i].from, b->lost[i].to))
			b->lost[b->nlost++] = b->lost[i];
}

void nd_baseline_measure(struct nd_arena *arena, const struct nd_verify_flow *flows, size_t nflows,
			 struct nd_baseline *out)
{
	*out = (struct nd_baseline){0};
	for (size_t i = 0; i < nflows; i++) {
		const struct nd_probe_result *r = flows[i].result;
		struct nd_baseline_pair pair = {.from = flows[i].host->node,
						.to = flows[i].flow.target_node};
		if (!is_of_pair(&flows[i]) || r->outcome == ND_OUTCOME_gone ||
		    r->outcome == ND_OUTCOME_error)
			continue;
		if (r->outcome != ND_OUTCOME_ok) {
			ND_ARENA_PUSH(arena, out->lost, out->nlost) = pair;
			continue;
		}
		take_result(&pair, r);
		ND_ARENA_PUSH(arena, out->pairs, out->npairs) = pair;
	}
	settle(out);
}

static struct nd_baseline_pair copy(struct nd_arena *arena, const struct nd_baseline_pair *pair)
{
	struct nd_baseline_pair out = *pair;
	out.from = nd_arena_strdup(arena, pair->from, strlen(pair->from));
	out.to = nd_arena_strdup(arena, pair->to, strlen(pair->to));
	return out;
}

void nd_baseline_add(struct nd_arena *arena, struct nd_baseline *to, const struct nd_baseline *more)
{
	for (size_t i = 0; i < more->npairs; i++)
		ND_ARENA_PUSH(arena, to->pairs, to->npairs) = copy(arena, &more->pairs[i]);
	to->nlost = 0; /* the last says what gets through no more */
	for (size_t i = 0; i < more->nlost; i++)
		ND_ARENA_PUSH(arena, to->lost, to->nlost) = copy(arena, &more->lost[i]);
	settle(to);
}

/* ---- write ---- */

static void put(struct nd_jsonw *w, const char *key, int64_t value)
{
	if (value > 0)
		nd_jsonw_int(w, key, value);
}

static void render(const struct nd_baseline *b, struct nd_buf *out)
{
	struct nd_jsonw w = {.out = out, .indent = 1};
	nd_jsonw_begin(&w, NULL, '{');
	nd_jsonw_str(&w, "apiVersion", "netdoctor/v1alpha1");
	nd_jsonw_str(&w, "kind", "Baseline");
	nd_jsonw_int(&w, "taken_unix_s", nd_clock_unix_s());
	nd_jsonw_begin(&w, "pairs", '[');
	for (size_t i = 0; i < b->npairs; i++) {
		const struct nd_baseline_pair *p = &b->pairs[i];
		nd_jsonw_begin(&w, NULL, '{');
		nd_jsonw_str(&w, "from", p->from);
		nd_jsonw_str(&w, "to", p->to);
		put(&w, "icmp_us", p->icmp_us);
		put(&w, "tcp_us", p->tcp_us);
		put(&w, "dns_us", p->dns_us);
		put(&w, "bytes_per_s", p->bytes_per_s);
		put(&w, "mtu_bytes", p->mtu_bytes);
		nd_jsonw_end(&w, '}');
	}
	nd_jsonw_end(&w, ']');
	nd_jsonw_end(&w, '}');
	nd_buf_puts(out, "\n");
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = write(fd, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		p += got;
		n -= (size_t)got;
	}
	return fsync(fd);
}

int nd_baseline_write(const char *path, const struct nd_baseline *baseline, struct nd_err *err)
{
	nd_auto_buf struct nd_buf text = {0};
	nd_auto_buf struct nd_buf part = {0};
	nd_buf_printf(&part, "%s.part", path);
	render(baseline, &text);
	/* What an interrupted run left there is ours; O_EXCL: never through a link. */
	unlink(part.data);
	nd_auto_fd int fd = open(part.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return nd_err_sys(err, ND_E_IO, errno, "create %s", part.data);
	if (write_all(fd, text.data, text.len) < 0 || rename(part.data, path) < 0) {
		int why = errno;
		unlink(part.data);
		return nd_err_sys(err, ND_E_IO, why, "write %s", path);
	}
	return 0;
}

/* ---- compare ---- */

static void compare_time(struct nd_verify_run *run, const struct nd_baseline_pair *was,
			 const char *what, int64_t was_us, int64_t is_us)
{
	if (!was_us || !is_us)
		return;
	if (is_us / MAX_FACTOR >= was_us && is_us - was_us > MIN_TIME_US)
		nd_verify_fail(run, "%s -> %s: %s takes %.1f ms, was %.1f ms", was->from, was->to,
			       what, (double)is_us / 1e3, (double)was_us / 1e3);
	else
		nd_verify_pass(run);
}

static void compare_mtu(struct nd_verify_run *run, const struct nd_baseline_pair *was,
			const struct nd_baseline_pair *is)
{
	if (!was->mtu_bytes || !is->mtu_bytes)
		return;
	if (is->mtu_bytes < was->mtu_bytes)
		nd_verify_fail(run, "%s -> %s: path MTU is %" PRId64 ", was %" PRId64, was->from,
			       was->to, is->mtu_bytes, was->mtu_bytes);
	else
		nd_verify_pass(run);
}

static void compare_bulk(struct nd_verify_run *run, const struct nd_baseline_pair *was,
			 const struct nd_baseline_pair *is)
{
	if (!was->bytes_per_s || !is->bytes_per_s)
		return;
	int64_t was_us = INT64_C(1000000) * BULK_BYTES / was->bytes_per_s;
	int64_t is_us = INT64_C(1000000) * BULK_BYTES / is->bytes_per_s;
	if (is->bytes_per_s <= was->bytes_per_s / MAX_FACTOR && is_us - was_us > MIN_BULK_US)
		nd_verify_fail(run, "%s -> %s: %.1f MB/s, was %.1f MB/s", was->from, was->to,
			       (double)is->bytes_per_s / 1e6, (double)was->bytes_per_s / 1e6);
	else
		nd_verify_pass(run);
}

static void compare(struct nd_verify_run *run, const struct nd_baseline_pair *was,
		    const struct nd_baseline_pair *is)
{
	compare_time(run, was, "echo", was->icmp_us, is->icmp_us);
	compare_time(run, was, "connect", was->tcp_us, is->tcp_us);
	compare_time(run, was, "DNS", was->dns_us, is->dns_us);
	compare_mtu(run, was, is);
	compare_bulk(run, was, is);
}

static bool is_asked(const struct nd_verify_options *options)
{
	return options->baseline != NULL;
}

static void run(struct nd_verify_run *run)
{
	const struct nd_baseline *then = run->options->baseline;
	struct nd_baseline now;
	size_t nunknown = 0;
	if (run->options->measured)
		now = *run->options->measured;
	else
		nd_baseline_measure(run->arena, run->flows, run->nflows, &now);
	for (size_t i = 0; i < then->npairs; i++) {
		const struct nd_baseline_pair *was = &then->pairs[i], *is;
		is = nd_baseline_find(now.pairs, now.npairs, was->from, was->to);
		if (is)
			compare(run, was, is);
		else if (nd_baseline_find(now.lost, now.nlost, was->from, was->to))
			nd_verify_fail(run, "%s -> %s: nothing gets through any more", was->from,
				       was->to);
		else
			nunknown++;
	}
	if (nunknown)
		run->out->why = nd_arena_printf(
			run->arena, "%zu pairs of the baseline were not measured now", nunknown);
}

const struct nd_verify_test nd_verify_test_baseline = {
	.id = "baseline",
	.title = "As fast as before",
	.what = "only with --baseline: no time between two nodes is more than twice, and a "
		"millisecond above, that of the file; no path MTU is smaller; no throughput is "
		"half",
	.is_of_namespace = true,
	.needs_probes = true,
	.is_asked = is_asked,
	.run = run,
	.nothing = "no pair of nodes is in the baseline and was measured now",
};
