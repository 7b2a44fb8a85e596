#include "common/base.h"
#include "plugin/report/matrix_text.h"
#include "plugin/report/report.h"

#include <stdarg.h>

#define MAX_CAUSES 3 /* each shown with its proof, so that one screen is enough */
#define MAX_PROOF 4
#define MAX_LISTED 6

struct page {
	const struct nd_report *report;
	const struct nd_style *style;
	struct nd_buf *out;
};

static const char *paint(const struct page *p, const char *code)
{
	return p->style->has_colour ? code : "";
}

/* One line "    LABEL     TEXT"; the text is made safe for a terminal. */
static void row(const struct page *p, const char *label, const char *fmt, ...) ND_PRINTF(3, 4);
static void row(const struct page *p, const char *label, const char *fmt, ...)
{
	char raw[1024], safe[1024];
	va_list args;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	nd_buf_printf(p->out, "    %s%-9s%s %s\n", paint(p, "\033[2m"), label, paint(p, "\033[0m"),
		      nd_text_safe(safe, sizeof(safe), raw));
}

static void headline(const struct page *p, const char *colour, const char *mark, const char *text)
{
	char safe[1024];
	nd_buf_printf(p->out, "%s%s%s %s\n", paint(p, colour), mark, paint(p, "\033[0m"),
		      nd_text_safe(safe, sizeof(safe), text));
}

static void print_proof(const struct page *p, const struct nd_finding *f)
{
	size_t most = p->style->is_wide ? f->nproof : MAX_PROOF;
	for (size_t i = 0; i < f->nproof && i < most; i++)
		row(p, i ? "" : "proof", "%s   (%s)", f->proof[i].text, f->proof[i].where);
	if (f->nproof > most)
		row(p, "", "and %zu more (-o wide)", f->nproof - most);
}

static void print_explained(const struct page *p, const struct nd_finding *cause)
{
	const struct nd_diagnosis *d = p->report->diagnosis;
	size_t n = 0, most = p->style->is_wide ? d->neffects : MAX_LISTED;
	for (size_t i = 0; i < d->neffects; i++) {
		if (d->effects[i]->explained_by != cause)
			continue;
		if (n < most)
			row(p, n ? "" : "explains", "%s", nd_finding_title(d->effects[i]));
		n++;
	}
	if (n > most)
		row(p, "", "and %zu more (-o wide)", n - most);
}

static void print_cause(const struct page *p, const struct nd_finding *f)
{
	char fix[512];
	headline(p, "\033[1;31m", "✗", nd_finding_title(f));
	row(p, "cause", "%-24s %s   %s", f->check->id, f->subject,
	    f->is_likely ? "likely" : "proved");
	print_proof(p, f);
	print_explained(p, f);
	if (*nd_finding_fix(f, fix, sizeof(fix)))
		row(p, "next", "%s", fix);
	row(p, "more", "kubectl netdoctor explain %s", f->check->id);
	nd_buf_puts(p->out, "\n");
}

static void print_unexplained(const struct page *p)
{
	const struct nd_diagnosis *d = p->report->diagnosis;
	for (size_t i = 0; i < d->neffects; i++) {
		if (d->effects[i]->explained_by)
			continue;
		headline(p, "\033[33m", "?", nd_finding_title(d->effects[i]));
		row(p, "effect", "%-24s %s   unexplained", d->effects[i]->check->id,
		    d->effects[i]->subject);
		print_proof(p, d->effects[i]);
	}
}

static void print_hazards(const struct page *p)
{
	const struct nd_diagnosis *d = p->report->diagnosis;
	for (size_t i = 0; i < d->nhazards; i++) {
		headline(p, "\033[33m", "!", nd_finding_title(d->hazards[i]));
		row(p, "hazard", "%-24s %s   nothing we sent was lost by it",
		    d->hazards[i]->check->id, d->hazards[i]->subject);
		print_proof(p, d->hazards[i]);
	}
}

static void print_gaps(const struct page *p)
{
	const struct nd_cluster *c = p->report->cluster;
	size_t most = p->style->is_wide ? c->ngaps : MAX_LISTED;
	if (c->ngaps)
		headline(p, "\033[33m", "?", "Not looked at:");
	for (size_t i = 0; i < c->ngaps && i < most; i++)
		row(p, "gap", "%s of %s: %s", c->gaps[i].what, c->gaps[i].where, c->gaps[i].why);
	if (c->ngaps > most)
		row(p, "", "and %zu more (-o wide)", c->ngaps - most);
}

/* Only when something failed: how much got through, and between which nodes. */
static void print_probes(const struct page *p)
{
	const struct nd_matrix *m = &p->report->matrix;
	size_t npods = m->pods.nok + m->pods.nfailed;
	if (!m->all.nfailed)
		return;
	nd_buf_printf(p->out, "%zu of %zu probes failed", m->all.nfailed,
		      m->all.nok + m->all.nfailed);
	if (m->pods.nfailed)
		nd_buf_printf(p->out, "; between pods %zu of %zu (%d %% get through)",
			      m->pods.nfailed, npods, nd_tally_percent(m->pods));
	else if (npods)
		nd_buf_printf(p->out, "; none of the %zu between pods", npods);
	nd_buf_puts(p->out, "\n");
	nd_matrix_print(m, p->style->is_wide, p->out);
	nd_buf_puts(p->out, "\n");
}

static void count(const struct page *p, size_t n, const char *noun)
{
	nd_buf_printf(p->out, "%zu %s%s", n, noun, n == 1 ? "" : "s");
}

static void print_footer(const struct page *p)
{
	const struct nd_report *r = p->report;
	const struct nd_diagnosis *d = r->diagnosis;
	if (r->verdict == ND_HEALTHY)
		return;
	if (d->nhazards)
		nd_buf_puts(p->out, "\n");
	count(p, d->ncauses, "cause");
	nd_buf_puts(p->out, ", ");
	count(p, r->nexplained, "effect");
	nd_buf_printf(p->out, " explained, %zu unexplained · ", r->nunexplained);
	count(p, r->cluster->nnodes, "node");
	nd_buf_puts(p->out, ", ");
	count(p, r->cluster->npods, "pod");
	nd_buf_puts(p->out, ", ");
	count(p, r->cluster->nservices, "service");
	nd_buf_printf(p->out, " · %.1f s\n", r->seconds);
}

static void print(const struct nd_report *r, const struct nd_style *style, struct nd_buf *out)
{
	struct page p = {.report = r, .style = style, .out = out};
	const struct nd_diagnosis *d = r->diagnosis;
	char line[1024];
	size_t most = style->is_wide ? d->ncauses : MAX_CAUSES;
	for (size_t i = 0; i < d->ncauses && i < most; i++)
		print_cause(&p, d->causes[i]);
	for (size_t i = most; i < d->ncauses; i++)
		row(&p, "cause", "%-24s %s", d->causes[i]->check->id, d->causes[i]->subject);
	if (r->verdict == ND_HEALTHY) {
		snprintf(line, sizeof(line), "%s · %.1f s", r->summary, r->seconds);
		headline(&p, "\033[1;32m", "✓", line);
	} else if (r->verdict == ND_INCOMPLETE) {
		headline(&p, "\033[1;33m", "?", r->summary);
	}
	print_unexplained(&p);
	print_probes(&p);
	print_hazards(&p);
	print_gaps(&p);
	print_footer(&p);
}

const struct nd_format nd_format_text = {.name = "text", .print = print};
