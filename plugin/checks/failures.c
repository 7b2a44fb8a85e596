#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/failures.h"
#include "plugin/checks/hearing.h"
#include "plugin/checks/service.h"
#include "plugin/probe/excuses.h"
#include "plugin/probe/tries.h"

#define MAX_PROOF 12
/* Of all failures: the rest tells the same again. */
#define MAX_STAGES 512

/* ---- which probes failed ---- */

struct search {
	struct nd_arena *arena;
	struct nd_flow_index index;
	struct nd_excuses excuses;
	struct nd_failures *out;
	size_t nstages;
};

static const struct nd_stage *stage_of(struct search *s, const struct nd_failure *f)
{
	struct nd_stage stage;
	if (!f->result->is_second || s->nstages++ >= MAX_STAGES ||
	    !nd_stage_of(s->arena, s->index.cluster, f->host, f->result, &stage))
		return NULL;
	struct nd_stage *out = nd_arena_alloc(s->arena, sizeof(*out));
	*out = stage;
	return out;
}

static void find_at(struct search *s, const struct nd_host *host)
{
	struct nd_tries *probes;
	size_t n = nd_tries_find(s->arena, host, &probes);
	for (size_t i = 0; i < n; i++) {
		struct nd_failure f = {
			.host = host, .result = probes[i].result, .ntries = probes[i].n};
		if (probes[i].verdict != ND_TRIES_FAILED && probes[i].verdict != ND_TRIES_SHAKY)
			continue;
		nd_flow_find(&s->index, host, f.result, &f.flow);
		if (f.flow.kind != ND_FLOW_SELF &&
		    nd_excuses_of(&s->excuses, &f.flow) != ND_EXCUSE_NONE)
			continue;
		if (probes[i].verdict == ND_TRIES_FAILED)
			f.stage = stage_of(s, &f);
		if (probes[i].verdict == ND_TRIES_FAILED)
			ND_ARENA_PUSH(s->arena, s->out->items, s->out->n) = f;
		else
			ND_ARENA_PUSH(s->arena, s->out->shaky, s->out->nshaky) = f;
	}
}

void nd_failures_find(struct nd_arena *arena, const struct nd_cluster *cluster,
		      struct nd_failures *out)
{
	struct search s = {.arena = arena, .out = out};
	*out = (struct nd_failures){0};
	nd_flow_index_build(arena, cluster, &s.index);
	nd_excuses_find(arena, &s.index, &s.excuses);
	for (size_t i = 0; i < cluster->nhosts; i++)
		if (cluster->hosts[i].nprobes)
			find_at(&s, &cluster->hosts[i]);
}

bool nd_failure_asks_outside(const struct nd_failure *f)
{
	return f->result->name && f->result->name[0] != '/' && !strstr(f->result->name, ".svc.");
}

bool nd_failure_is_refusal(const struct nd_cluster *cluster, const struct nd_failure *f)
{
	return f->result->outcome == ND_OUTCOME_refused && f->flow.service &&
	       f->flow.service_port &&
	       nd_hearing_is_deaf(cluster, f->flow.service, f->flow.service_port);
}

/* ---- effects of them ---- */

const char *nd_failure_source(struct nd_check_run *run, const struct nd_failure *f)
{
	const struct nd_pod *pod = f->flow.source_pod;
	if (pod)
		return nd_check_text(run, "pod %s/%s", pod->meta.ns, pod->meta.name);
	return f->host->node;
}

/* "10.96.0.10:53 (service kube-system/kube-dns)" */
static const char *target_text(struct nd_check_run *run, const struct nd_failure *f)
{
	char ip[ND_IP_TEXT];
	const struct nd_service *s = f->flow.service;
	const struct nd_pod *pod = f->flow.target_pod;
	const char *what = "";
	nd_ip_text(f->result->ip, ip);
	if (s)
		what = nd_check_text(run, " (service %s/%s)", s->meta.ns, s->meta.name);
	else if (pod)
		what = nd_check_text(run, " (pod %s/%s)", pod->meta.ns, pod->meta.name);
	if (!f->result->port)
		return nd_check_text(run, "%s%s", ip, what);
	return nd_check_text(run, f->result->ip.family == 6 ? "[%s]:%u%s" : "%s:%u%s", ip,
			     f->result->port, what);
}

static void prove(struct nd_check_run *run, struct nd_finding *finding, const struct nd_failure *f)
{
	const struct nd_probe_result *r = f->result;
	nd_prove(run, finding, nd_fact_where(run, f->host, "probe"),
		 "%s from %s to %s%s%s: %s after %.3f s, %zu of %zu tries",
		 nd_probe_kind_name(r->kind), nd_failure_source(run, f), target_text(run, f),
		 r->name ? ", " : "", r->name ? r->name : "", nd_probe_outcome_name(r->outcome),
		 (double)r->us / 1e6, f->ntries, f->ntries);
}

/* How far the first that was watched came; the others tell the same. */
static const struct nd_failure *staged_of(const struct nd_failure **group, size_t n)
{
	for (size_t i = 0; i < n && i < MAX_PROOF; i++)
		if (group[i]->stage)
			return group[i];
	return NULL;
}

static void add_node(struct nd_check_run *run, struct nd_finding *finding, const char *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < finding->nnodes; i++)
		if (nd_eq(finding->nodes[i], node))
			return;
	ND_ARENA_PUSH(run->arena, finding->nodes, finding->nnodes) = node;
}

void nd_effect_touches(struct nd_check_run *run, struct nd_finding *finding,
		       const struct nd_failure *f)
{
	size_t n = 0;
	add_node(run, finding, f->flow.source_node);
	add_node(run, finding, f->flow.target_node);
	if (!f->flow.service)
		return;
	const struct nd_slice *slices = nd_look_slices(run->cluster, f->flow.service, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t e = 0; e < slices[i].nendpoints; e++)
			add_node(run, finding, slices[i].endpoints[e].node);
}

static int by_name(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* Services and pods stand by namespace and name. */
static int by_place(const void *a, const void *b)
{
	return a < b ? -1 : a > b;
}

static int by_key(enum nd_effect_key key, const struct nd_failure *a, const struct nd_failure *b)
{
	int order = 0;
	switch (key) {
	case ND_BY_SERVICE:
		return by_place(a->flow.service, b->flow.service);
	case ND_BY_POD:
		return by_place(a->flow.target_pod, b->flow.target_pod);
	case ND_BY_SOURCE:
		return by_name(a->host->node, b->host->node);
	case ND_BY_PAIR:
		order = by_name(a->host->node, b->host->node);
		return order ? order : by_name(a->flow.target_node, b->flow.target_node);
	}
	return 0;
}

/* All are in one array: the address says which was sent first. */
static int by_key_then_place(const void *pa, const void *pb, void *key)
{
	const struct nd_failure *a = *(const struct nd_failure *const *)pa,
				*b = *(const struct nd_failure *const *)pb;
	int order = by_key(*(const enum nd_effect_key *)key, a, b);
	return order ? order : by_place(a, b);
}

static const char *subject_of(struct nd_check_run *run, enum nd_effect_key key,
			      const struct nd_failure *f)
{
	const struct nd_service *s = f->flow.service;
	if (key == ND_BY_SERVICE && s)
		return nd_check_text(run, "service/%s/%s", s->meta.ns, s->meta.name);
	if (key == ND_BY_POD && f->flow.target_pod)
		return nd_check_text(run, "pod/%s/%s", f->flow.target_pod->meta.ns,
				     f->flow.target_pod->meta.name);
	return nd_check_text(run, "node/%s", f->host->node);
}

/* The outcomes of a group, each once: "TIMEOUT, REFUSED". */
static const char *outcomes_of(struct nd_check_run *run, const struct nd_failure **group, size_t n)
{
	uint32_t seen = 0;
	const char *text = "";
	_Static_assert(ND_OUTCOMES <= 32, "a bit an outcome");
	for (size_t i = 0; i < n; i++) {
		enum nd_probe_outcome outcome = group[i]->result->outcome;
		if (seen & 1u << outcome)
			continue;
		seen |= 1u << outcome;
		text = nd_check_text(run, "%s%s%s", text, *text ? ", " : "",
				     nd_probe_outcome_name(outcome));
	}
	return text;
}

static void make_finding(struct nd_check_run *run, const struct nd_effect_spec *spec,
			 const struct nd_failure **group, size_t n)
{
	struct nd_finding *f = nd_find(run, "%s", subject_of(run, spec->key, group[0]));
	const struct nd_failure *staged = staged_of(group, n);
	f->title = spec->title(run, group[0], outcomes_of(run, group, n));
	if (staged)
		add_node(run, f, staged->stage->lost_node);
	for (size_t i = 0; i < n; i++) {
		nd_effect_touches(run, f, group[i]);
		if (i < MAX_PROOF)
			prove(run, f, group[i]);
		if (group[i] == staged)
			nd_prove(run, f, nd_fact_where(run, staged->host, "watch"), "%s",
				 nd_stage_text(run->arena, staged->stage));
	}
	if (n > MAX_PROOF)
		nd_prove(run, f, "probes", "and %zu more probes that failed", n - MAX_PROOF);
}

void nd_effects_find(struct nd_check_run *run, const struct nd_effect_spec *spec)
{
	enum nd_effect_key key = spec->key;
	const struct nd_failure **mine = NULL;
	size_t n = 0;
	for (size_t i = 0; i < run->failures->n; i++) {
		const struct nd_failure *f = &run->failures->items[i];
		if (!(spec->flows & 1u << f->flow.kind) ||
		    (spec->is_mine && !spec->is_mine(run->cluster, f)))
			continue;
		ND_ARENA_PUSH(run->arena, mine, n) = f;
	}
	if (n)
		qsort_r(mine, n, sizeof(*mine), by_key_then_place, &key);
	for (size_t i = 0, count; i < n; i += count) {
		for (count = 1; i + count < n; count++)
			if (by_key(spec->key, mine[i], mine[i + count]) != 0)
				break;
		make_finding(run, spec, &mine[i], count);
	}
}
