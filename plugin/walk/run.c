#include "common/base.h"

#include "plugin/walk/run.h"

#include <stdarg.h>

static const char *text_of(struct nd_arena *arena, const char *fmt, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	return nd_arena_strdup(arena, text, strlen(text));
}

static struct nd_way *push(struct nd_run *run, enum nd_way_kind kind, const char *where,
			   const char *text)
{
	struct nd_way way = {.kind = kind,
			     .node = run->net->host ? run->net->host->node : NULL,
			     .netns_inode = run->net->inode,
			     .text = text,
			     .where = where,
			     .packet = run->pkt};

	ND_ARENA_PUSH(run->arena, run->ways, run->nways) = way;
	return &run->ways[run->nways - 1];
}

struct nd_way *nd_run_way(struct nd_run *run, enum nd_way_kind kind, const char *where,
			  const char *fmt, ...)
{
	const char *text;
	va_list args;

	va_start(args, fmt);
	text = text_of(run->arena, fmt, args);
	va_end(args);
	return push(run, kind, where, text);
}

void nd_run_end(struct nd_run *run, enum nd_walk_verdict verdict, const char *where,
		const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	run->reason = text_of(run->arena, fmt, args);
	va_end(args);
	run->verdict = verdict;
	run->is_over = true;
	run->next = NULL;
	push(run, ND_WAY_END, where, run->reason);
}

const char *nd_run_ip(const struct nd_run *run, struct nd_ip ip)
{
	char text[ND_IP_TEXT];

	nd_ip_text(ip, text);
	return nd_arena_strdup(run->arena, text, strlen(text));
}

const char *nd_run_where(const struct nd_run *run, const char *what)
{
	return nd_arena_printf(run->arena, "%s: %s", run->net->label, what);
}

int64_t nd_run_sysctl(const struct nd_run *run, const char *key, int64_t fallback)
{
	const char *value = run->net->inode ? NULL : nd_look_sysctl(run->net->host, key);
	int64_t number;

	return value && nd_parse_i64(nd_str(value), INT32_MIN, INT32_MAX, &number) ? number
										   : fallback;
}

int64_t nd_run_conf(const struct nd_run *run, const char *dev, const char *name, int64_t fallback)
{
	char key[128];

	/* A name with a dot is written with a slash, as sysctl(8) does. */
	snprintf(key, sizeof(key), "net.ipv4.conf.%s.%s", dev, name);
	for (char *p = key + strlen("net.ipv4.conf.");
	     p < key + strlen("net.ipv4.conf.") + strlen(dev); p++)
		if (p < key + sizeof(key) - 1 && *p == '.')
			*p = '/';
	return nd_run_sysctl(run, key, fallback);
}

void nd_run_scrub(struct nd_run *run)
{
	run->pkt.mark = 0;
	run->pkt.ct = (struct nd_ct){0};
	run->pkt.iif = run->pkt.oif = run->pkt.physin = run->pkt.physout = NULL;
}
