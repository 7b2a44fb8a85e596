#include "common/base.h"

#include "plugin/walk/run.h"

#include <stdarg.h>

#define TEXT_MAX 512

static const char *text_of(struct nd_arena *arena, const char *fmt, va_list args)
{
	char *text = nd_arena_vprintf(arena, fmt, args);

	if (strnlen(text, TEXT_MAX) == TEXT_MAX)
		text[TEXT_MAX - 1] = 0;
	return text;
}

static struct nd_way *push(struct nd_run *run, enum nd_way_kind kind, const char *where,
			   const char *text)
{
	struct nd_way way;

	run->kept = nd_pkt_keep(run->arena, &run->pkt, run->kept);
	way = (struct nd_way){.kind = kind,
			      .node = run->net->host ? run->net->host->node : NULL,
			      .netns_inode = run->net->inode,
			      .text = text,
			      .where = where,
			      .packet = run->kept};

	ND_ARENA_PUSH(run->arena, run->ways, run->nways) = way;
	return &run->ways[run->nways - 1];
}

struct nd_way *nd_run_way(struct nd_run *run, enum nd_way_kind kind, const char *where,
			  const char *fmt, ...)
{
	const char *text = NULL;
	va_list args;

	if (!run->ask->is_terse) {
		va_start(args, fmt);
		text = text_of(run->arena, fmt, args);
		va_end(args);
	}
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
	return nd_net_where(run->net, what);
}

int64_t nd_run_sysctl(const struct nd_run *run, const char *key, int64_t fallback)
{
	return nd_net_sysctl(run->net, key, fallback);
}

int64_t nd_run_conf(const struct nd_run *run, const char *dev, const char *name, int64_t fallback)
{
	return nd_net_conf(run->net, dev, name, fallback);
}

void nd_run_scrub(struct nd_run *run)
{
	run->pkt.mark = 0;
	run->pkt.ct = (struct nd_ct){0};
	run->pkt.iif = run->pkt.oif = run->pkt.physin = run->pkt.physout = NULL;
}
