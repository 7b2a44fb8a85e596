#include "common/base.h"
#include "common/text.h"
#include "plugin/status/status.h"

#include <stdarg.h>

#define MAX_NAMESPACES 6
#define MAX_POLICIES 3
#define LABEL 11   /* columns before the text of a row */
#define MARK 27	   /* before the detail of a criterion */
#define COLUMNS 80 /* of a line, where nothing asks for more */

struct page {
	const struct nd_status *status;
	const struct nd_status_style *style;
	struct nd_buf *out;
};

static const char *paint(const struct page *p, const char *code)
{
	return p->style->has_colour ? code : "";
}

/* text made safe for a terminal, and short enough for a line of which used columns are taken. */
static const char *fit(const struct page *p, const char *text, size_t used, char *dst, size_t size)
{
	size_t n = 0;
	char *cut = NULL;
	nd_text_safe(dst, size, text);
	for (char *c = dst; *c && !p->style->is_wide; c++) {
		if ((*c & 0xc0) == 0x80)
			continue;
		if (used + n == COLUMNS - 3)
			cut = c;
		if (used + n++ == COLUMNS) {
			memcpy(cut, "...", 4);
			break;
		}
	}
	return dst;
}

/* "LABEL      TEXT" on one line. */
static void row(const struct page *p, const char *label, const char *fmt, ...) ND_PRINTF(3, 4);
static void row(const struct page *p, const char *label, const char *fmt, ...)
{
	char raw[1024], safe[1024];
	va_list args;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	nd_buf_printf(p->out, "%s%-*s%s%s\n", paint(p, "\033[2m"), LABEL, label,
		      paint(p, "\033[0m"), fit(p, raw, LABEL, safe, sizeof(safe)));
}

static void print_head(const struct page *p)
{
	const struct nd_cluster *c = p->status->cluster;
	const char *ns = p->status->only_ns;
	row(p, "cluster", "%s · Kubernetes %s%s%s", c->context ? c->context : "unknown",
	    c->version ? c->version : "unknown", ns ? " · only namespace " : "", ns ? ns : "");
}

static void print_nodes(const struct page *p)
{
	const struct nd_status *s = p->status;
	if (!s->has_nodes) {
		row(p, "nodes", "not looked at: %s", nd_status_why(s, "nodes"));
		return;
	}
	row(p, "nodes", "%zu of %zu ready: control plane %zu of %zu, workers %zu of %zu",
	    s->control_planes.nready + s->workers.nready, s->control_planes.n + s->workers.n,
	    s->control_planes.nready, s->control_planes.n, s->workers.nready, s->workers.n);
}

/* "9 running (1 not ready), 2 pending, 0 failed" */
static const char *counts_text(const struct nd_pod_counts *pods, char *dst, size_t size)
{
	char unready[48] = "", done[48] = "";
	if (pods->nunready)
		snprintf(unready, sizeof(unready), " (%zu not ready)", pods->nunready);
	if (pods->ndone)
		snprintf(done, sizeof(done), ", %zu succeeded", pods->ndone);
	snprintf(dst, size, "%zu running%s, %zu pending, %zu failed%s", pods->nrunning, unready,
		 pods->npending, pods->nfailed, done);
	return dst;
}

static void print_pods(const struct page *p)
{
	const struct nd_status *s = p->status;
	char counts[256], name[64];
	size_t most = p->style->is_wide ? s->nnamespaces : MAX_NAMESPACES;
	if (!s->has_pods) {
		row(p, "pods", "not looked at: %s", nd_status_why(s, "pods"));
		return;
	}
	row(p, "pods", "%s", counts_text(&s->pods, counts, sizeof(counts)));
	for (size_t i = 0; i < s->nnamespaces && i < most; i++)
		row(p, "", "%-20s %s",
		    nd_text_safe(name, p->style->is_wide ? sizeof(name) : 21,
				 s->namespaces[i].name),
		    counts_text(&s->namespaces[i].pods, counts, sizeof(counts)));
	if (s->nnamespaces > most)
		row(p, "", "and %zu more namespace%s (-o wide)", s->nnamespaces - most,
		    s->nnamespaces - most == 1 ? "" : "s");
}

static void print_services(const struct page *p)
{
	const struct nd_status *s = p->status;
	char answer[96] = "none probed", endpoints[96] = "endpoints not looked at";
	if (!s->has_services) {
		row(p, "services", "not looked at: %s", nd_status_why(s, "services"));
		return;
	}
	if (s->nservices_probed)
		snprintf(answer, sizeof(answer), "%zu of %zu probed answer everywhere",
			 s->nanswering, s->nservices_probed);
	if (s->has_endpoints)
		snprintf(endpoints, sizeof(endpoints), "%zu of %zu have ready endpoints",
			 s->endpoints.nready, s->endpoints.n);
	row(p, "services", "%zu: %s, %s", s->nservices, answer, endpoints);
}

static void print_addresses(const struct page *p)
{
	const struct nd_status *s = p->status;
	char pods[ND_PREFIX_TEXT] = "unknown", nodes[ND_PREFIX_TEXT] = "not looked at";
	char more[32] = "";
	if (s->pod_cidr.ip.family)
		nd_prefix_text(s->pod_cidr, pods);
	if (s->nsubnets)
		nd_prefix_text(s->subnets[0], nodes);
	if (s->nsubnets > 1)
		snprintf(more, sizeof(more), " and %zu more", s->nsubnets - 1);
	row(p, "addresses", "pods %s · services %s · nodes %s%s", pods,
	    s->service_cidr ? s->service_cidr : "unknown", nodes, more);
}

/* "2 NetworkPolicies (locked 2)"; namespaces in the order of print_pods */
static void policies_text(const struct page *p, struct nd_buf *out)
{
	const struct nd_status *s = p->status;
	size_t n = 0, most = p->style->is_wide ? s->nnamespaces : MAX_POLICIES;
	if (!s->has_policies) {
		nd_buf_puts(out, "NetworkPolicies not looked at");
		return;
	}
	nd_buf_printf(out, "%zu NetworkPolic%s", s->npolicies, s->npolicies == 1 ? "y" : "ies");
	for (size_t i = 0; i < s->nnamespaces; i++)
		if (s->namespaces[i].npolicies && n++ < most)
			nd_buf_printf(out, "%s%s %zu", n == 1 ? " (" : ", ", s->namespaces[i].name,
				      s->namespaces[i].npolicies);
	if (n > most)
		nd_buf_printf(out, ", %zu more namespaces", n - most);
	if (n)
		nd_buf_puts(out, ")");
}

static void print_network(const struct page *p)
{
	nd_auto_buf struct nd_buf policies = {0};
	policies_text(p, &policies);
	row(p, "network", "CNI %s · kube-proxy %s · %s", p->status->cni, p->status->proxy,
	    policies.data);
}

static const char *percent_text(struct nd_tally tally, char dst[32])
{
	int percent = nd_tally_percent(tally);
	if (percent < 0)
		return "not probed";
	snprintf(dst, 32, "%d %%", percent);
	return dst;
}

static void print_traffic(const struct page *p)
{
	const struct nd_matrix *m = &p->status->matrix;
	char pods[32], services[32], all[96] = "";
	size_t n = m->all.nok + m->all.nfailed;
	if (n)
		snprintf(all, sizeof(all), " · %zu of %zu probes get through", m->all.nok, n);
	row(p, "traffic", "pod to pod %s · to services %s%s", percent_text(m->pods, pods),
	    percent_text(m->services, services), all);
}

static void print_criteria(const struct page *p)
{
	static const char *const marks[] = {
		[ND_MET] = "✓",
		[ND_MISSED] = "✗",
		[ND_BLOCKED] = "-",
	};
	static const char *const colours[] = {
		[ND_MET] = "\033[32m", [ND_MISSED] = "\033[1;31m", [ND_BLOCKED] = "\033[33m"};
	char detail[1024], safe[1024];
	if (p->style->is_wide || p->status->nnamespaces <= MAX_NAMESPACES)
		nd_buf_puts(p->out, "\n"); /* else all of it would not fit into 24 lines */
	for (size_t i = 0; i < ND_CRITERIA; i++) {
		const struct nd_criterion *c = &p->status->criteria[i];
		snprintf(detail, sizeof(detail), "%s%s", c->state == ND_BLOCKED ? "blocked: " : "",
			 c->detail);
		nd_buf_printf(p->out, "%s%s%s %-24s %s\n", paint(p, colours[c->state]),
			      marks[c->state], paint(p, "\033[0m"), c->text,
			      fit(p, detail, MARK, safe, sizeof(safe)));
	}
}

/* One line, and who wants all of them asks for it. */
static void print_gaps(const struct page *p)
{
	const struct nd_cluster *c = p->status->cluster;
	size_t most = p->style->is_wide ? c->ngaps : 1;
	char more[64] = "";
	if (c->ngaps > most)
		snprintf(more, sizeof(more), "%zu gaps (-o wide), such as ", c->ngaps);
	for (size_t i = 0; i < c->ngaps && i < most; i++)
		row(p, i ? "" : "gaps", "%s%s of %s: %s", more, c->gaps[i].what, c->gaps[i].where,
		    c->gaps[i].why);
}

void nd_status_print_text(const struct nd_status *status, const struct nd_status_style *style,
			  struct nd_buf *out)
{
	struct page p = {status, style, out};
	print_head(&p);
	print_nodes(&p);
	print_pods(&p);
	print_services(&p);
	print_addresses(&p);
	print_network(&p);
	print_traffic(&p);
	print_criteria(&p);
	print_gaps(&p);
	if (status->verdict == ND_MISSED)
		nd_buf_puts(out, "why: kubectl netdoctor diagnose\n");
}
