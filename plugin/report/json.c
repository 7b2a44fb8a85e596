#include "common/base.h"
#include "common/jsonw.h"
#include "plugin/report/report.h"

static void print_proof(struct nd_jsonw *w, const struct nd_finding *f)
{
	nd_jsonw_begin(w, "proof", '[');
	for (size_t i = 0; i < f->nproof; i++) {
		nd_jsonw_begin(w, NULL, '{');
		nd_jsonw_str(w, "text", f->proof[i].text);
		nd_jsonw_str(w, "where", f->proof[i].where);
		nd_jsonw_end(w, '}');
	}
	nd_jsonw_end(w, ']');
}

/* Who explains it: null for a root cause, and for an effect that nobody explains. */
static void print_explainer(struct nd_jsonw *w, const struct nd_finding *cause)
{
	if (!cause) {
		nd_jsonw_str(w, "explained_by", NULL);
		return;
	}
	nd_jsonw_begin(w, "explained_by", '{');
	nd_jsonw_str(w, "id", cause->check->id);
	nd_jsonw_str(w, "subject", cause->subject);
	nd_jsonw_end(w, '}');
}

static void print_finding(struct nd_jsonw *w, const struct nd_diagnosis *d,
			  const struct nd_finding *f)
{
	char fix[512];
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "id", f->check->id);
	nd_jsonw_str(w, "subject", f->subject);
	nd_jsonw_str(w, "severity",
		     f->severity == ND_ERROR	 ? "error"
		     : f->severity == ND_WARNING ? "warning"
						 : "info");
	nd_jsonw_str(w, "confidence", f->is_likely ? "likely" : "proved");
	nd_jsonw_str(w, "title", nd_finding_title(f));
	print_proof(w, f);
	nd_jsonw_begin(w, "explains", '[');
	for (size_t i = 0; i < d->neffects; i++)
		if (d->effects[i]->explained_by == f)
			nd_jsonw_str(w, NULL, nd_finding_title(d->effects[i]));
	nd_jsonw_end(w, ']');
	print_explainer(w, f->explained_by);
	nd_jsonw_str(w, "repair", NULL); /* until `kubectl netdoctor repair` knows this one */
	nd_jsonw_str(w, "fix", nd_finding_fix(f, fix, sizeof(fix)));
	nd_jsonw_end(w, '}');
}

static void print_list(struct nd_jsonw *w, const char *key, const struct nd_diagnosis *d,
		       const struct nd_finding *const *items, size_t n)
{
	nd_jsonw_begin(w, key, '[');
	for (size_t i = 0; i < n; i++)
		print_finding(w, d, items[i]);
	nd_jsonw_end(w, ']');
}

/* pod_to_pod_percent is null when nothing was probed between pods. */
static void print_probes(struct nd_jsonw *w, const struct nd_matrix *m)
{
	int percent = nd_tally_percent(m->pods);
	nd_jsonw_begin(w, "probes", '{');
	nd_jsonw_uint(w, "sent", m->all.nok + m->all.nfailed);
	nd_jsonw_uint(w, "failed", m->all.nfailed);
	if (percent < 0)
		nd_jsonw_str(w, "pod_to_pod_percent", NULL);
	else
		nd_jsonw_int(w, "pod_to_pod_percent", percent);
	nd_jsonw_end(w, '}');
}

static void print(const struct nd_report *r, ND_UNUSED const struct nd_style *style,
		  struct nd_buf *out)
{
	static const char *const verdicts[] = {[ND_HEALTHY] = "healthy",
					       [ND_PROBLEMS] = "problems",
					       [ND_INCOMPLETE] = "incomplete"};
	const struct nd_diagnosis *d = r->diagnosis;
	struct nd_jsonw w = {.out = out, .indent = 2};
	char seconds[32];
	nd_jsonw_begin(&w, NULL, '{');
	nd_jsonw_str(&w, "apiVersion", "netdoctor/v1alpha1");
	nd_jsonw_str(&w, "kind", "Diagnosis");
	nd_jsonw_str(&w, "verdict", verdicts[r->verdict]);
	nd_jsonw_str(&w, "summary", r->summary);
	print_list(&w, "causes", d, d->causes, d->ncauses);
	print_list(&w, "effects", d, d->effects, d->neffects);
	print_list(&w, "hazards", d, d->hazards, d->nhazards);
	print_probes(&w, &r->matrix);
	nd_jsonw_begin(&w, "gaps", '[');
	for (size_t i = 0; i < r->cluster->ngaps; i++) {
		nd_jsonw_begin(&w, NULL, '{');
		nd_jsonw_str(&w, "what", r->cluster->gaps[i].what);
		nd_jsonw_str(&w, "where", r->cluster->gaps[i].where);
		nd_jsonw_str(&w, "why", r->cluster->gaps[i].why);
		nd_jsonw_end(&w, '}');
	}
	nd_jsonw_end(&w, ']');
	int n = snprintf(seconds, sizeof(seconds), "%.3f", r->seconds);
	nd_jsonw_raw(&w, "seconds", seconds, (size_t)n);
	nd_jsonw_end(&w, '}');
	nd_buf_puts(out, "\n");
}

const struct nd_format nd_format_json = {.name = "json", .print = print};
