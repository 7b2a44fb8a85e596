#include "common/base.h"
#include "plugin/report/verify.h"

#define MAX_FAILURES 5
#define MAX_LINE 1100

struct page {
	const struct nd_style *style;
	struct nd_buf *out;
	const char *why; /* the last that was said: a node that is down concerns many tests */
};

static void put(const struct page *p, const char *text)
{
	char safe[MAX_LINE];
	nd_buf_puts(p->out, nd_text_safe(safe, sizeof(safe), text));
}

static void print_mark(const struct page *p, enum nd_verify_result result)
{
	static const struct {
		const char *colour, *mark;
	} marks[] = {[ND_VERIFY_PASSED] = {"\033[1;32m", "✓"},
		     [ND_VERIFY_FAILED] = {"\033[1;31m", "✗"},
		     [ND_VERIFY_SKIPPED] = {"\033[2m", "-"},
		     [ND_VERIFY_INCOMPLETE] = {"\033[1;33m", "?"}};
	bool has_colour = p->style->has_colour;
	nd_buf_printf(p->out, "%s%s%s ", has_colour ? marks[result].colour : "", marks[result].mark,
		      has_colour ? "\033[0m" : "");
}

static void print_failures(const struct page *p, const struct nd_verify_outcome *o)
{
	size_t most = p->style->is_wide ? o->nfailures : MAX_FAILURES;
	for (size_t i = 0; i < o->nfailures && i < most; i++) {
		nd_buf_puts(p->out, "    ");
		put(p, o->failures[i]);
		nd_buf_puts(p->out, "\n");
	}
	if (o->nfailures > most)
		nd_buf_printf(p->out, "    and %zu more (-o wide)\n", o->nfailures - most);
}

static void print_outcome(struct page *p, const struct nd_verify_outcome *o)
{
	print_mark(p, o->result);
	nd_buf_printf(p->out, "%-24s ", nd_verify_test_title(o->test));
	if (o->result == ND_VERIFY_SKIPPED) {
		nd_buf_puts(p->out, "skipped");
	} else if (o->ntotal == 0) {
		nd_buf_puts(p->out, "not tested");
	} else {
		nd_buf_printf(p->out, "%zu of %zu", o->nok, o->ntotal);
		if (o->slowest_us >= 0)
			nd_buf_printf(p->out, ", slowest %.1f ms", (double)o->slowest_us / 1e3);
		if (o->nagain)
			nd_buf_printf(p->out, ", %zu only when sent again", o->nagain);
	}
	if (nd_eq(o->why, p->why)) {
		nd_buf_puts(p->out, ": as above");
	} else if (o->why) {
		nd_buf_puts(p->out, ": ");
		put(p, o->why);
		p->why = o->why;
	}
	nd_buf_puts(p->out, "\n");
	if (p->style->is_wide)
		nd_buf_printf(p->out, "    %s%s%s\n", p->style->has_colour ? "\033[2m" : "",
			      nd_verify_test_what(o->test), p->style->has_colour ? "\033[0m" : "");
	print_failures(p, o);
}

void nd_verify_print_text(const struct nd_verify *v, double seconds, const struct nd_style *style,
			  struct nd_buf *out)
{
	struct page p = {.style = style, .out = out};
	print_mark(&p, v->verdict);
	nd_buf_printf(out, "%s · %.1f s\n", v->summary, seconds);
	for (size_t i = 0; i < v->noutcomes; i++)
		print_outcome(&p, &v->outcomes[i]);
}
