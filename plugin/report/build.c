#include "common/base.h"
#include "plugin/report/report.h"

#define ND_FORMAT(id, name) extern const struct nd_format nd_format_##id;
#include "plugin/report/formats.def"
#undef ND_FORMAT

static const struct nd_format *const formats[] = {
#define ND_FORMAT(id, name) &nd_format_##id,
#include "plugin/report/formats.def"
#undef ND_FORMAT
};

const struct nd_format *nd_format_find(const char *name)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(formats); i++)
		if (nd_eq(formats[i]->name, name))
			return formats[i];
	return NULL;
}

const char *nd_formats_names(void)
{
#define ND_FORMAT(id, name) ", " name
	static const char names[] =
#include "plugin/report/formats.def"
		;
#undef ND_FORMAT
	return names + 2;
}

const char *nd_finding_title(const struct nd_finding *f)
{
	return f->title ? f->title : f->check->title;
}

const char *nd_finding_fix(const struct nd_finding *f, char *dst, size_t size)
{
	const char *fix = f->check->fix ? f->check->fix : "";
	size_t n = 0;
	while (*fix && n + 1 < size) {
		if (nd_starts(fix, "NODE") && f->node) {
			n += (size_t)snprintf(dst + n, size - n, "%s", f->node);
			fix += 4;
		} else {
			dst[n++] = *fix++;
		}
	}
	dst[n < size ? n : size - 1] = '\0';
	return dst;
}

static const char *summarize(struct nd_arena *arena, const struct nd_report *r)
{
	const struct nd_diagnosis *d = r->diagnosis;
	const struct nd_cluster *c = r->cluster;
	if (d->ncauses)
		return nd_finding_title(d->causes[0]);
	if (r->verdict == ND_PROBLEMS)
		return nd_arena_printf(arena, "Something is wrong, and no cause was found: %s",
				       nd_finding_title(d->effects[0]));
	if (r->verdict == ND_INCOMPLETE)
		return nd_arena_printf(arena,
				       "No cause found, but %zu thing%s could not be looked at",
				       c->ngaps, c->ngaps == 1 ? "" : "s");
	return nd_arena_printf(arena, "Healthy: %zu node%s, %zu pods, %zu services", c->nnodes,
			       c->nnodes == 1 ? "" : "s", c->npods, c->nservices);
}

const struct nd_report *nd_report_build(struct nd_arena *arena, const struct nd_cluster *cluster,
					const struct nd_diagnosis *diagnosis, double seconds)
{
	struct nd_report *r = nd_arena_alloc(arena, sizeof(*r));
	r->diagnosis = diagnosis;
	r->cluster = cluster;
	r->seconds = seconds;
	nd_matrix_build(arena, cluster, &r->matrix);
	for (size_t i = 0; i < diagnosis->neffects; i++)
		*(diagnosis->effects[i]->explained_by ? &r->nexplained : &r->nunexplained) += 1;
	if (diagnosis->ncauses || r->nunexplained)
		r->verdict = ND_PROBLEMS;
	else
		r->verdict = cluster->ngaps ? ND_INCOMPLETE : ND_HEALTHY;
	r->summary = summarize(arena, r);
	return r;
}
