#include "common/base.h"
#include "plugin/probe/watch.h"

#define MAX_NAME 255
/* Start of the agent, opening of namespaces, writing of the answer. */
#define MARGIN_MS 5000

bool nd_probe_name_is_ok(const char *name)
{
	size_t n = name ? strlen(name) : 0;

	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return n >= 1 && n <= MAX_NAME;
}

static int within(int value, int min, int max)
{
	return value < min ? min : value > max ? max : value;
}

/* When every probe times out, the number in flight is what holds the others back. */
static int64_t deadline_ms(size_t n, int timeout_ms, int rate)
{
	int64_t waves = (int64_t)(n / ND_PROBE_MAX_FLIGHT) + 1;

	return (int64_t)n * 1000 / rate + waves * timeout_ms + MARGIN_MS;
}

static void write_probe(const struct nd_probe *p, size_t id, struct nd_buf *out)
{
	char ip[ND_IP_TEXT];

	nd_buf_printf(out, "probe %zu %s ", id, nd_probe_kind_name(p->kind));
	if (p->netns_inode)
		nd_buf_printf(out, "%llu", (unsigned long long)p->netns_inode);
	else
		nd_buf_puts(out, "node");
	nd_buf_printf(out, " %s %u", nd_ip_text(p->ip, ip), p->port);
	if (p->name)
		nd_buf_printf(out, " %s", p->name);
	nd_buf_puts(out, p->is_aaaa ? " AAAA\n" : "\n");
}

/* Until the last probe that starts in time has ended, and what it caused has come. */
static int watch_ms(size_t n, int timeout_ms, int rate)
{
	int look = timeout_ms > ND_PROBE_WATCH_LEAST_MS ? timeout_ms : ND_PROBE_WATCH_LEAST_MS;
	int64_t ms = (int64_t)n * 1000 / rate + look + ND_PROBE_WATCH_DELAY_MS;

	return ms < ND_WATCH_MAX_MS ? (int)ms : ND_WATCH_MAX_MS;
}

static void write_watch(const struct nd_probe_watch *watch, int ms, struct nd_buf *out)
{
	nd_buf_printf(out, "watch-ms %d\nprobe-delay-ms %d\nwatch node\n", ms,
		      ND_PROBE_WATCH_DELAY_MS);
	for (size_t i = 0; i < watch->ninodes; i++)
		nd_buf_printf(out, "watch %llu\n", (unsigned long long)watch->inodes[i]);
}

void nd_probe_request_watching(const struct nd_probe_plan *plan, size_t first, size_t n,
			       int timeout_ms, int rate, const struct nd_probe_watch *watch,
			       struct nd_buf *out)
{
	int timeout = within(timeout_ms, ND_PROBE_MIN_TIMEOUT_MS, ND_PROBE_MAX_TIMEOUT_MS);
	int pace = within(rate, 1, ND_PROBE_MAX_RATE);
	/* A node that only looks does so as long as those that send. */
	int look = watch ? watch_ms(n ? n : ND_PROBE_MAX_RETRY_A_NODE, timeout, pace) : 0;
	int64_t deadline = deadline_ms(n, timeout, pace) + look;

	if (first > plan->nprobes || n > plan->nprobes - first || n > ND_PROBE_MAX)
		ND_BUG("no such probes in the plan");
	nd_buf_printf(out, "netdoctor 1\nprobe-timeout-ms %d\nprobe-rate %d\ndeadline-ms %lld\n",
		      timeout, pace,
		      (long long)(deadline < ND_PROBE_MAX_DEADLINE_MS ? deadline
								      : ND_PROBE_MAX_DEADLINE_MS));
	if (watch)
		write_watch(watch, look, out);
	for (size_t i = first; i < first + n; i++) {
		const struct nd_probe *p = &plan->probes[i];

		if (!p->ip.family || (p->name && !nd_probe_name_is_ok(p->name)))
			ND_BUG("a probe without a target, or with a name that is no word");
		write_probe(p, i - first + 1, out);
	}
	nd_buf_puts(out, "go\n");
}

void nd_probe_request(const struct nd_probe_plan *plan, size_t first, size_t n, int timeout_ms,
		      int rate, struct nd_buf *out)
{
	nd_probe_request_watching(plan, first, n, timeout_ms, rate, NULL, out);
}
