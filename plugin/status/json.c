#include "common/base.h"
#include "common/jsonw.h"
#include "plugin/status/status.h"

static void print_ready(struct nd_jsonw *w, const char *key, struct nd_ready ready)
{
	nd_jsonw_begin(w, key, '{');
	nd_jsonw_uint(w, "total", ready.n);
	nd_jsonw_uint(w, "ready", ready.nready);
	nd_jsonw_end(w, '}');
}

static void print_counts(struct nd_jsonw *w, const struct nd_pod_counts *pods)
{
	nd_jsonw_uint(w, "running", pods->nrunning);
	nd_jsonw_uint(w, "not_ready", pods->nunready);
	nd_jsonw_uint(w, "pending", pods->npending);
	nd_jsonw_uint(w, "failed", pods->nfailed);
	nd_jsonw_uint(w, "succeeded", pods->ndone);
}

/* What was not read is null. */
static void print_objects(struct nd_jsonw *w, const struct nd_status *s)
{
	if (s->has_nodes) {
		nd_jsonw_begin(w, "nodes", '{');
		print_ready(w, "control_plane", s->control_planes);
		print_ready(w, "workers", s->workers);
		nd_jsonw_end(w, '}');
	} else {
		nd_jsonw_str(w, "nodes", NULL);
	}
	if (s->has_pods) {
		nd_jsonw_begin(w, "pods", '{');
		print_counts(w, &s->pods);
		nd_jsonw_end(w, '}');
	} else {
		nd_jsonw_str(w, "pods", NULL);
	}
	if (s->has_services) {
		nd_jsonw_begin(w, "services", '{');
		nd_jsonw_uint(w, "total", s->nservices);
		nd_jsonw_uint(w, "probed", s->nservices_probed);
		nd_jsonw_uint(w, "answering", s->nanswering);
		nd_jsonw_uint(w, "with_selector", s->endpoints.n);
		if (s->has_endpoints)
			nd_jsonw_uint(w, "with_ready_endpoints", s->endpoints.nready);
		else
			nd_jsonw_str(w, "with_ready_endpoints", NULL);
		nd_jsonw_end(w, '}');
	} else {
		nd_jsonw_str(w, "services", NULL);
	}
}

static void print_namespaces(struct nd_jsonw *w, const struct nd_status *s)
{
	nd_jsonw_begin(w, "namespaces", '[');
	for (size_t i = 0; i < s->nnamespaces; i++) {
		nd_jsonw_begin(w, NULL, '{');
		nd_jsonw_str(w, "name", s->namespaces[i].name);
		print_counts(w, &s->namespaces[i].pods);
		nd_jsonw_uint(w, "network_policies", s->namespaces[i].npolicies);
		nd_jsonw_end(w, '}');
	}
	nd_jsonw_end(w, ']');
}

static void print_network(struct nd_jsonw *w, const struct nd_status *s)
{
	char text[ND_PREFIX_TEXT];
	nd_jsonw_begin(w, "network", '{');
	nd_jsonw_str(w, "cni", s->cni);
	nd_jsonw_str(w, "kube_proxy", s->proxy);
	nd_jsonw_str(w, "pod_cidr",
		     s->pod_cidr.ip.family ? nd_prefix_text(s->pod_cidr, text) : NULL);
	nd_jsonw_str(w, "service_cidr", s->service_cidr);
	nd_jsonw_begin(w, "node_subnets", '[');
	for (size_t i = 0; i < s->nsubnets; i++)
		nd_jsonw_str(w, NULL, nd_prefix_text(s->subnets[i], text));
	nd_jsonw_end(w, ']');
	if (s->has_policies)
		nd_jsonw_uint(w, "network_policies", s->npolicies);
	else
		nd_jsonw_str(w, "network_policies", NULL);
	nd_jsonw_end(w, '}');
}

static void print_percent(struct nd_jsonw *w, const char *key, struct nd_tally tally)
{
	int percent = nd_tally_percent(tally);
	if (percent < 0)
		nd_jsonw_str(w, key, NULL);
	else
		nd_jsonw_int(w, key, percent);
}

static void print_probes(struct nd_jsonw *w, const struct nd_matrix *m)
{
	nd_jsonw_begin(w, "probes", '{');
	nd_jsonw_uint(w, "sent", m->all.nok + m->all.nfailed);
	nd_jsonw_uint(w, "failed", m->all.nfailed);
	print_percent(w, "pod_to_pod_percent", m->pods);
	print_percent(w, "service_percent", m->services);
	nd_jsonw_end(w, '}');
}

static void print_criteria(struct nd_jsonw *w, const struct nd_status *s)
{
	static const char *const states[] = {
		[ND_MET] = "met", [ND_MISSED] = "missed", [ND_BLOCKED] = "blocked"};
	nd_jsonw_begin(w, "criteria", '[');
	for (size_t i = 0; i < ND_CRITERIA; i++) {
		nd_jsonw_begin(w, NULL, '{');
		nd_jsonw_str(w, "name", s->criteria[i].name);
		nd_jsonw_str(w, "state", states[s->criteria[i].state]);
		nd_jsonw_str(w, "detail", s->criteria[i].detail);
		nd_jsonw_end(w, '}');
	}
	nd_jsonw_end(w, ']');
}

static void print_gaps(struct nd_jsonw *w, const struct nd_cluster *c)
{
	nd_jsonw_begin(w, "gaps", '[');
	for (size_t i = 0; i < c->ngaps; i++) {
		nd_jsonw_begin(w, NULL, '{');
		nd_jsonw_str(w, "what", c->gaps[i].what);
		nd_jsonw_str(w, "where", c->gaps[i].where);
		nd_jsonw_str(w, "why", c->gaps[i].why);
		nd_jsonw_end(w, '}');
	}
	nd_jsonw_end(w, ']');
}

void nd_status_print_json(const struct nd_status *s, struct nd_buf *out)
{
	static const char *const verdicts[] = {
		[ND_MET] = "healthy", [ND_MISSED] = "problems", [ND_BLOCKED] = "incomplete"};
	struct nd_jsonw w = {.out = out, .indent = 2};
	nd_jsonw_begin(&w, NULL, '{');
	nd_jsonw_str(&w, "apiVersion", "netdoctor/v1alpha1");
	nd_jsonw_str(&w, "kind", "Status");
	nd_jsonw_str(&w, "verdict", verdicts[s->verdict]);
	nd_jsonw_str(&w, "context", s->cluster->context);
	nd_jsonw_str(&w, "version", s->cluster->version);
	print_objects(&w, s);
	print_namespaces(&w, s);
	print_network(&w, s);
	print_probes(&w, &s->matrix);
	print_criteria(&w, s);
	print_gaps(&w, s->cluster);
	nd_jsonw_end(&w, '}');
	nd_buf_puts(out, "\n");
}
