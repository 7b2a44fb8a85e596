#include "common/base.h"
#include "plugin/report/trace.h"

#include <inttypes.h>
#include <stdarg.h>

struct page {
	const struct nd_trace *trace;
	const struct nd_style *style;
	struct nd_buf *out;
};

static void line(const struct page *p, const char *fmt, ...) ND_PRINTF(2, 3);
static void line(const struct page *p, const char *fmt, ...)
{
	char raw[1400], safe[1400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	nd_buf_printf(p->out, "%s\n", nd_text_safe(safe, sizeof(safe), raw));
}

/* Nothing happened: a base chain was entered, its end let the packet pass. */
static bool is_quiet(const struct nd_rule_event *e)
{
	return e->kind == ND_EV_HOOK || (e->kind == ND_EV_POLICY && nd_ends(e->what, "accept"));
}

static void print_event(const struct page *p, const struct nd_rule_event *e)
{
	const char *table = e->table ? e->table->name : "", *chain = e->chain ? e->chain->name : "";
	if (e->kind == ND_EV_HOOK)
		return; /* the hook's own line says it */
	if (e->kind == ND_EV_POLICY) {
		if (p->style->is_wide || !is_quiet(e))
			line(p, "        %s %s  %s", table, chain, e->what);
		return;
	}
	if (!e->rule) {
		line(p, "        %s", e->what);
		return;
	}
	line(p, "        %s %s rule %" PRIu32 "  [%" PRIu64 "]  %s", table, chain, e->rule->number,
	     e->rule->packets, e->rule->text);
	if (e->share < 1)
		line(p, "          -> %s  (%.1f %%)", e->what, e->share * 100);
	else
		line(p, "          -> %s", e->what);
}

static bool is_dull(const struct nd_way *way)
{
	for (size_t i = 0; i < way->nevents; i++)
		if (!is_quiet(&way->events[i]))
			return false;
	return way->kind == ND_WAY_HOOK;
}

static void print_ways(const struct page *p, const struct nd_way *ways, size_t n)
{
	const char *node = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct nd_way *way = &ways[i];
		if (is_dull(way) && !p->style->is_wide)
			continue;
		if (way->node && !nd_eq(way->node, node))
			line(p, "  %s", node = way->node);
		line(p, "    %s%s%s", way->text ? way->text : "", way->where ? "   " : "",
		     way->where ? way->where : "");
		for (size_t k = 0; k < way->nevents; k++)
			print_event(p, &way->events[k]);
	}
}

static const char *turn_name(const struct nd_walk_path *path, const struct nd_walk_turn *turn)
{
	return nd_walk_turn_name(turn, path->ways[0].packet->proto);
}

static const char *mark(const struct page *p, const struct nd_walk_path *path)
{
	enum nd_walk_verdict verdict = nd_walk_path_verdict(path);
	if (verdict == ND_WALK_DELIVERED)
		return p->style->has_colour ? "\033[1;32m✓\033[0m" : "✓";
	if (verdict == ND_WALK_UNKNOWN || verdict == ND_WALK_OUTSIDE)
		return p->style->has_colour ? "\033[1;33m?\033[0m" : "?";
	return p->style->has_colour ? "\033[1;31m✗\033[0m" : "✗";
}

/* Behind the answer: the first packet that does not arrive. */
static void print_turn(const struct page *p, const struct nd_walk_path *path)
{
	const struct nd_walk_turn *bad = nd_walk_bad_turn(path);
	char safe[1200];
	if (!path->nturns)
		return;
	if (!bad) {
		nd_buf_puts(p->out, "; so are further packets");
		return;
	}
	nd_buf_printf(p->out, "; the %s is %s", turn_name(path, bad),
		      nd_walk_verdict_name(bad->verdict));
	if (bad->reason)
		nd_buf_printf(p->out, ": %s", nd_text_safe(safe, sizeof(safe), bad->reason));
}

static void print_verdict(const struct page *p, const struct nd_walk_path *path)
{
	char safe[1200], raw[1200];
	const char *where = path->node ? path->node : "";
	snprintf(raw, sizeof(raw), "%s%s%s%s%s%s%s", nd_walk_verdict_name(path->verdict),
		 !path->pod			    ? ""
		 : path->verdict == ND_WALK_REFUSED ? " by pod "
						    : " to pod ",
		 path->pod ? path->pod->meta.ns : "", path->pod ? "/" : "",
		 path->pod ? path->pod->meta.name : "", *where ? " on " : "", where);
	nd_buf_printf(p->out, "%s %5.1f %%  %s", mark(p, path), path->share * 100,
		      nd_text_safe(safe, sizeof(safe), raw));
	if (path->reason && path->verdict != ND_WALK_DELIVERED)
		nd_buf_printf(p->out, ": %s", nd_text_safe(safe, sizeof(safe), path->reason));
	bool is_refusal = path->verdict != ND_WALK_DELIVERED;
	if (path->nback && (!is_refusal || path->back_verdict != ND_WALK_DELIVERED)) {
		nd_buf_printf(p->out, "; the %s is %s", is_refusal ? "refusal" : "answer",
			      nd_walk_verdict_name(path->back_verdict));
		if (path->back_verdict != ND_WALK_DELIVERED && path->back_reason)
			nd_buf_printf(p->out, ": %s",
				      nd_text_safe(safe, sizeof(safe), path->back_reason));
	}
	print_turn(p, path);
	nd_buf_puts(p->out, "\n");
}

static void print_live(const struct page *p, const struct nd_trace_live *live)
{
	if (!live)
		return;
	if (!live->result) {
		line(p, "? live: nothing could be sent");
		return;
	}
	line(p, "%s live: %s after %.3f s; the walk expects %s", live->is_same ? "✓" : "✗",
	     nd_probe_outcome_name(live->result->outcome), (double)live->result->us / 1e6,
	     live->expected);
	for (size_t i = 0; i < live->nmoved; i++)
		line(p, "    counter rose   %s", live->moved[i]);
	for (size_t i = 0; i < live->nstill; i++)
		line(p, "    counter still  %s", live->still[i]);
}

void nd_trace_print_text(const struct nd_trace *t, const struct nd_style *style, struct nd_buf *out)
{
	struct page p = {.trace = t, .style = style, .out = out};
	line(&p, "%s -> %s%s%.0u, %s", t->from->text, t->to->text, t->dport ? " port " : "",
	     t->dport, t->proto);
	for (size_t i = 0; i < t->walk->npaths; i++) {
		const struct nd_walk_path *path = &t->walk->paths[i];
		bool is_full = i == 0 || style->is_wide;
		if (is_full)
			print_ways(&p, path->ways, path->nways);
		if (is_full && path->nback &&
		    (style->is_wide || path->back_verdict != ND_WALK_DELIVERED)) {
			line(&p, "  the %s:",
			     path->verdict == ND_WALK_DELIVERED ? "answer" : "refusal");
			print_ways(&p, path->back, path->nback);
		}
		for (size_t k = 0; is_full && k < path->nturns; k++) {
			const struct nd_walk_turn *turn = &path->turns[k];
			if (!style->is_wide && turn != nd_walk_bad_turn(path))
				continue;
			line(&p, "  the %s:", turn_name(path, turn));
			print_ways(&p, turn->ways, turn->nways);
		}
	}
	nd_buf_puts(out, "\n");
	for (size_t i = 0; i < t->walk->npaths; i++)
		print_verdict(&p, &t->walk->paths[i]);
	if (t->walk->is_cut)
		line(&p, "  and further alternatives that are not shown");
	print_live(&p, t->live);
}
