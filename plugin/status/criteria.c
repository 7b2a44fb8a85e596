#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/service.h"
#include "plugin/model/look.h"
#include "plugin/status/status.h"

#include <stdarg.h>

#define MAX_NAMES 3 /* of what misses a criterion */

struct judgement {
	struct nd_arena *arena;
	const struct nd_status *status;
	struct nd_criterion *out;
};

static void say(const struct judgement *j, enum nd_criterion_state state, const char *fmt, ...)
	ND_PRINTF(3, 4);
static void say(const struct judgement *j, enum nd_criterion_state state, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	j->out->state = state;
	j->out->detail = nd_arena_strdup(j->arena, text, strlen(text));
}

/* ", a/b, c/d and 3 more": collected one by one. */
struct names {
	const char *text;
	size_t n;
};
static void add_name(const struct judgement *j, struct names *names, const char *ns,
		     const char *name)
{
	const char *so_far = names->text ? names->text : "";
	if (names->n++ < MAX_NAMES)
		names->text = nd_arena_printf(j->arena, "%s%s%s%s%s", so_far, *so_far ? ", " : "",
					      ns ? ns : "", ns ? "/" : "", name ? name : "");
}
static const char *all_names(const struct judgement *j, const struct names *names)
{
	if (names->n <= MAX_NAMES)
		return names->text ? names->text : "";
	return nd_arena_printf(j->arena, "%s and %zu more", names->text, names->n - MAX_NAMES);
}

/* ---- ready ---- */

static void judge_nodes(const struct judgement *j)
{
	const struct nd_status *s = j->status;
	struct names names = {0};
	size_t n = s->cluster->nnodes;
	if (!s->has_nodes || n == 0) {
		say(j, ND_BLOCKED, "%s", s->has_nodes ? "no nodes" : nd_status_why(s, "nodes"));
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!s->cluster->nodes[i].is_ready)
			add_name(j, &names, NULL, s->cluster->nodes[i].meta.name);
	if (names.n)
		say(j, ND_MISSED, "%zu of %zu, not: %s", n - names.n, n, all_names(j, &names));
	else
		say(j, ND_MET, "%zu of %zu", n, n);
}

static void judge_workload(const struct judgement *j, const struct nd_workload *w)
{
	bool is_met = w->wanted > 0 && w->ready >= w->wanted;
	say(j, is_met ? ND_MET : ND_MISSED, "%s: %d of %d ready%s", w->meta.name, w->ready,
	    w->wanted, w->wanted > 0 ? "" : ", none is wanted");
}

/*
 * A DaemonSet that wants too few pods (a selector, a toleration) is ready all the same. Only nodes
 * that we have entered count: others may be of another system, with a DaemonSet of their own.
 */
static void judge_daemonset(const struct judgement *j, const struct nd_workload *w)
{
	const struct nd_cluster *c = j->status->cluster;
	bool *has_pod = nd_arena_array(j->arena, c->nhosts + 1, sizeof(*has_pod));
	struct names names = {0};
	bool is_seen = false;
	judge_workload(j, w);
	for (size_t i = 0; i < c->npods; i++) {
		const struct nd_meta *meta = &c->pods[i].meta;
		const struct nd_host *host =
			nd_eq(meta->owner_name, w->meta.name) && nd_eq(meta->ns, w->meta.ns)
				? nd_look_host(c, c->pods[i].node)
				: NULL;
		if (host)
			has_pod[host - c->hosts] = is_seen = true;
	}
	for (size_t i = 0; i < c->nhosts; i++)
		if (!has_pod[i] && c->hosts[i].have && nd_look_node(c, c->hosts[i].node))
			add_name(j, &names, NULL, c->hosts[i].node);
	if (is_seen && names.n && j->status->has_pods && j->out->state == ND_MET)
		say(j, ND_MISSED, "%s: %d of %d ready, not on %s", w->meta.name, w->ready,
		    w->wanted, all_names(j, &names));
}

static void judge_cni(const struct judgement *j)
{
	const struct nd_workload *w = nd_fact_cni_daemonset(j->status->cluster);
	if (w)
		judge_daemonset(j, w);
	else if (nd_look_cni(j->status->cluster) == ND_CNI_NONE)
		say(j, ND_MISSED, "no CNI is installed");
	else if (nd_look_has_list(j->status->cluster, "daemonsets"))
		say(j, ND_BLOCKED, "no DaemonSet of a known CNI");
	else
		say(j, ND_BLOCKED, "%s", nd_status_why(j->status, "daemonsets"));
}

static void judge_proxy(const struct judgement *j)
{
	const struct nd_cluster *c = j->status->cluster;
	const struct nd_workload *w = nd_look_workload(c, "DaemonSet", "kube-system", "kube-proxy");
	struct nd_tally services = j->status->matrix.services;
	if (w)
		judge_daemonset(j, w);
	else if (!nd_look_has_list(c, "daemonsets"))
		say(j, ND_BLOCKED, "%s", nd_status_why(j->status, "daemonsets"));
	else if (services.nok && !services.nfailed)
		say(j, ND_MET, "no kube-proxy, and services answer without it");
	else
		say(j, ND_BLOCKED, "no DaemonSet kube-system/kube-proxy");
}

static void judge_coredns(const struct judgement *j)
{
	const struct nd_cluster *c = j->status->cluster;
	const struct nd_workload *w = nd_look_workload(c, "Deployment", "kube-system", "coredns");
	const struct nd_service *dns = nd_look_service(c, "kube-system", "kube-dns");
	size_t nready = dns ? nd_look_ready_endpoints(c, dns, NULL) : 0;
	if (w)
		judge_workload(j, w);
	else if (!nd_look_has_list(c, "deployments") && !nready)
		say(j, ND_BLOCKED, "%s", nd_status_why(j->status, "deployments"));
	else if (!j->status->has_endpoints)
		say(j, ND_BLOCKED, "%s", nd_status_why(j->status, "endpointslices"));
	else
		say(j, nready ? ND_MET : ND_MISSED, "%zu ready behind kube-system/kube-dns",
		    nready);
}

static void judge_endpoints(const struct judgement *j)
{
	const struct nd_status *s = j->status;
	struct names names = {0};
	if (!s->has_endpoints) {
		say(j, ND_BLOCKED, "%s",
		    nd_status_why(s, s->has_services ? "endpointslices" : "services"));
		return;
	}
	for (size_t i = 0; i < s->cluster->nservices; i++) {
		const struct nd_service *service = &s->cluster->services[i];
		if ((!s->only_ns || nd_eq(service->meta.ns, s->only_ns)) &&
		    nd_service_wants_pods(service) &&
		    !nd_look_ready_endpoints(s->cluster, service, NULL))
			add_name(j, &names, service->meta.ns, service->meta.name);
	}
	if (names.n)
		say(j, ND_MISSED, "%zu of %zu, not: %s", s->endpoints.nready, s->endpoints.n,
		    all_names(j, &names));
	else
		say(j, ND_MET, "%zu of %zu", s->endpoints.nready, s->endpoints.n);
}

/* ---- probed ---- */

/* Met or missed by the tally; without one it stays blocked. */
static bool judge_tally(const struct judgement *j, struct nd_tally tally, const char *which)
{
	size_t n = tally.nok + tally.nfailed;
	if (!n)
		return false;
	say(j, tally.nfailed ? ND_MISSED : ND_MET, "%zu of %zu%s%s%s", tally.nok, n,
	    *which ? "" : " probes get through", *which ? ", not: " : "", which);
	return true;
}

static const char *worst_pair(const struct judgement *j, bool is_cross)
{
	const struct nd_matrix *m = &j->status->matrix;
	const struct nd_matrix_cell *worst = NULL;
	for (size_t i = 0; i < m->ncells; i++) {
		const struct nd_matrix_cell *cell = &m->cells[i];
		if (cell->tally.nfailed && is_cross == (cell->from != cell->to) &&
		    (!worst || cell->tally.nfailed > worst->tally.nfailed))
			worst = cell;
	}
	if (!worst)
		return "";
	size_t cut = nd_matrix_common_start(m);
	return nd_arena_printf(j->arena, "%s to %s (%s)", m->nodes[worst->from] + cut,
			       m->nodes[worst->to] + cut, nd_probe_outcome_name(worst->outcome));
}

/* A cluster of one node has no other: there, its pods among each other. */
static void judge_pods(const struct judgement *j)
{
	const struct nd_matrix *m = &j->status->matrix;
	bool is_cross = m->nnodes > 1;
	struct nd_tally tally = is_cross ? m->cross_node : m->pods;
	if (!judge_tally(j, tally, worst_pair(j, is_cross)))
		say(j, ND_BLOCKED, "not probed");
}

static void judge_services(const struct judgement *j)
{
	const struct nd_status *s = j->status;
	struct names names = {0};
	for (size_t i = 0; i < s->cluster->nservices; i++)
		if ((!s->only_ns || nd_eq(s->cluster->services[i].meta.ns, s->only_ns)) &&
		    s->matrix.by_service[i].nfailed)
			add_name(j, &names, s->cluster->services[i].meta.ns,
				 s->cluster->services[i].meta.name);
	if (!s->has_services)
		say(j, ND_BLOCKED, "%s", nd_status_why(s, "services"));
	else if (!s->nservices_probed)
		say(j, ND_BLOCKED, "not probed");
	else if (names.n)
		say(j, ND_MISSED, "%zu of %zu probed, not: %s", s->nanswering, s->nservices_probed,
		    all_names(j, &names));
	else
		say(j, ND_MET, "%zu of %zu probed", s->nanswering, s->nservices_probed);
}

static void judge_dns(const struct judgement *j)
{
	const struct nd_cluster *c = j->status->cluster;
	if (judge_tally(j, j->status->matrix.dns, ""))
		return;
	if (j->status->has_services && !nd_look_service(c, "kube-system", "kube-dns") &&
	    nd_look_workload(c, "Deployment", "kube-system", "coredns"))
		say(j, ND_MISSED, "there is no service kube-system/kube-dns");
	else
		say(j, ND_BLOCKED, "not probed");
}

/* ---- all ---- */

static const struct {
	const char *name, *text;
	uint32_t after;
	void (*judge)(const struct judgement *j);
} criteria[ND_CRITERIA] = {
#define ND_CRITERION(id, name, text, after) [ND_CRITERION_##id] = {name, text, after, judge_##id},
#include "plugin/status/criteria.def"
#undef ND_CRITERION
};

/* Nothing was probed: the first thing before it that is broken says why, if there is one. */
static void blame(const struct judgement *j, uint32_t after)
{
	for (size_t i = 0; i < ND_CRITERIA; i++)
		if (after & 1u << i && j->status->criteria[i].state == ND_MISSED) {
			say(j, ND_BLOCKED, "not probed; before it: %s", criteria[i].text);
			return;
		}
}

void nd_status_judge(struct nd_arena *arena, struct nd_status *s)
{
	bool has_all = s->has_nodes && s->has_pods && s->has_endpoints && s->has_policies;
	s->verdict = has_all && !s->cluster->ngaps ? ND_MET : ND_BLOCKED;
	for (size_t i = 0; i < ND_CRITERIA; i++) {
		struct judgement j = {arena, s, &s->criteria[i]};
		j.out->name = criteria[i].name;
		j.out->text = criteria[i].text;
		criteria[i].judge(&j);
		if (j.out->state == ND_BLOCKED)
			blame(&j, criteria[i].after);
		if (j.out->state == ND_MISSED)
			s->verdict = ND_MISSED;
		else if (j.out->state == ND_BLOCKED && s->verdict == ND_MET)
			s->verdict = ND_BLOCKED;
	}
}
