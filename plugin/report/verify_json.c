#include "common/base.h"
#include "common/jsonw.h"
#include "plugin/report/verify.h"

static void put_decimal(struct nd_jsonw *w, const char *key, double value)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%.3f", value);
	nd_jsonw_raw(w, key, text, (size_t)n);
}

static void print_outcome(struct nd_jsonw *w, const struct nd_verify_outcome *o)
{
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "id", nd_verify_test_id(o->test));
	nd_jsonw_str(w, "title", nd_verify_test_title(o->test));
	nd_jsonw_str(w, "result", nd_verify_result_name(o->result));
	nd_jsonw_uint(w, "ok", o->nok);
	nd_jsonw_uint(w, "total", o->ntotal);
	nd_jsonw_uint(w, "sent_again", o->nagain);
	if (o->slowest_us >= 0)
		put_decimal(w, "slowest_ms", (double)o->slowest_us / 1e3);
	else
		nd_jsonw_str(w, "slowest_ms", NULL);
	nd_jsonw_str(w, "why", o->why);
	nd_jsonw_begin(w, "failures", '[');
	for (size_t i = 0; i < o->nfailures; i++)
		nd_jsonw_str(w, NULL, o->failures[i]);
	nd_jsonw_end(w, ']');
	nd_jsonw_end(w, '}');
}

void nd_verify_print_json(const struct nd_verify *v, double seconds, struct nd_buf *out)
{
	struct nd_jsonw w = {.out = out, .indent = 2};
	nd_jsonw_begin(&w, NULL, '{');
	nd_jsonw_str(&w, "apiVersion", "netdoctor/v1alpha1");
	nd_jsonw_str(&w, "kind", "Verification");
	nd_jsonw_str(&w, "verdict", nd_verify_result_name(v->verdict));
	nd_jsonw_str(&w, "summary", v->summary);
	nd_jsonw_begin(&w, "tests", '[');
	for (size_t i = 0; i < v->noutcomes; i++)
		print_outcome(&w, &v->outcomes[i]);
	nd_jsonw_end(&w, ']');
	put_decimal(&w, "seconds", seconds);
	nd_jsonw_end(&w, '}');
	nd_buf_puts(out, "\n");
}
