#include "common/base.h"
#include "plugin/probe/excuses.h"
#include "plugin/probe/matrix.h"
#include "plugin/probe/tries.h"

/* One probe between pods. */
struct sample {
	size_t from, to;
	enum nd_probe_outcome outcome; /* ok when it did not fail each time */
};
struct work {
	struct nd_arena *arena;
	const struct nd_cluster *cluster;
	struct nd_matrix *out;
	struct nd_flow_index index;
	struct nd_excuses excuses;
	struct sample *samples; /* nsamples */
	size_t nsamples;
};

int nd_tally_percent(struct nd_tally tally)
{
	size_t n = tally.nok + tally.nfailed;
	if (!n)
		return -1;
	int percent = (int)((double)tally.nok * 100.0 / (double)n);
	if (percent == 100 && tally.nfailed)
		return 99;
	return percent == 0 && tally.nok ? 1 : percent;
}

static void count(struct nd_tally *tally, bool has_failed)
{
	*(has_failed ? &tally->nfailed : &tally->nok) += 1;
}

/* ---- nodes ---- */

static int by_name(const void *pa, const void *pb)
{
	return strcmp(*(const char *const *)pa, *(const char *const *)pb);
}

static void find_nodes(struct work *w)
{
	const struct nd_cluster *c = w->cluster;
	const char **names = NULL;
	size_t n = 0, kept = 0;
	for (size_t i = 0; i < c->nnodes; i++)
		if (c->nodes[i].meta.name)
			ND_ARENA_PUSH(w->arena, names, n) = c->nodes[i].meta.name;
	for (size_t i = 0; i < c->nhosts; i++)
		if (c->hosts[i].node && c->hosts[i].nprobes)
			ND_ARENA_PUSH(w->arena, names, n) = c->hosts[i].node;
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	w->out->nodes = names;
	w->out->nnodes = kept;
	w->out->rows = nd_arena_array(w->arena, kept + 1, sizeof(*w->out->rows));
	w->out->columns = nd_arena_array(w->arena, kept + 1, sizeof(*w->out->columns));
}

static bool node_index(const struct nd_matrix *m, const char *name, size_t *out)
{
	const char *const *found =
		name && m->nnodes ? bsearch(&name, m->nodes, m->nnodes, sizeof(*m->nodes), by_name)
				  : NULL;
	if (found)
		*out = (size_t)(found - (const char *const *)m->nodes);
	return found;
}

/* ---- what each probe is counted for ---- */

static bool is_service(enum nd_flow_kind kind)
{
	return kind == ND_FLOW_CLUSTERIP || kind == ND_FLOW_API_VIP || kind == ND_FLOW_DNS_VIP ||
	       kind == ND_FLOW_HAIRPIN;
}

static void count_service(struct work *w, const struct nd_flow *flow, bool has_failed)
{
	count(&w->out->services, has_failed);
	count(&w->out->by_service[flow->service - w->cluster->services], has_failed);
	if (flow->kind == ND_FLOW_DNS_VIP)
		count(&w->out->dns, has_failed);
}

static bool is_pod(const struct nd_flow *flow, const struct nd_probe_result *r)
{
	return flow->kind == ND_FLOW_POD_SAME_NODE || flow->kind == ND_FLOW_POD_CROSS_NODE ||
	       (flow->kind == ND_FLOW_DNS_POD && r->netns_inode);
}

static void count_pod(struct work *w, const struct nd_flow *flow, enum nd_probe_outcome outcome)
{
	struct sample sample = {.outcome = outcome};
	bool has_failed = outcome != ND_OUTCOME_ok;
	if (!node_index(w->out, flow->source_node, &sample.from) ||
	    !node_index(w->out, flow->target_node, &sample.to))
		return;
	count(&w->out->pods, has_failed);
	if (sample.from != sample.to)
		count(&w->out->cross_node, has_failed);
	count(&w->out->rows[sample.from], has_failed);
	count(&w->out->columns[sample.to], has_failed);
	ND_ARENA_PUSH(w->arena, w->samples, w->nsamples) = sample;
}

/*
 * A service whose pod does not answer even itself does not answer: that counts, but it is no
 * failure between pods. What ended meanwhile counts nowhere.
 */
static bool is_excused(const struct work *w, const struct nd_flow *flow)
{
	enum nd_excuse why = nd_excuses_of(&w->excuses, flow);
	return why == ND_EXCUSE_ENDED || (why == ND_EXCUSE_SILENT && !is_service(flow->kind));
}

static void count_probe(struct work *w, const struct nd_host *host, const struct nd_tries *probe)
{
	bool has_failed = probe->verdict == ND_TRIES_FAILED;
	struct nd_flow flow;
	if (probe->verdict == ND_TRIES_UNKNOWN)
		return;
	nd_flow_find(&w->index, host, probe->result, &flow);
	if (has_failed && flow.kind != ND_FLOW_SELF && is_excused(w, &flow))
		return;
	count(&w->out->all, has_failed);
	if (is_service(flow.kind))
		count_service(w, &flow, has_failed);
	if (flow.kind == ND_FLOW_DNS_POD)
		count(&w->out->dns, has_failed);
	if (is_pod(&flow, probe->result))
		count_pod(w, &flow, has_failed ? probe->result->outcome : ND_OUTCOME_ok);
}

static void count_host(struct work *w, const struct nd_host *host)
{
	struct nd_tries *probes;
	size_t n = nd_tries_find(w->arena, host, &probes);
	for (size_t i = 0; i < n; i++)
		count_probe(w, host, &probes[i]);
}

/* ---- cells ---- */

static int by_pair(const void *pa, const void *pb)
{
	const struct sample *a = pa, *b = pb;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

/* samples[0..n) are of one pair of nodes. */
static struct nd_matrix_cell cell_of(const struct sample *samples, size_t n)
{
	struct nd_matrix_cell cell = {.from = samples[0].from, .to = samples[0].to};
	size_t counts[ND_OUTCOMES] = {0}, most = 0;
	for (size_t i = 0; i < n; i++) {
		count(&cell.tally, samples[i].outcome != ND_OUTCOME_ok);
		counts[samples[i].outcome]++;
	}
	for (size_t i = 0; i < ND_OUTCOMES; i++)
		if (i != ND_OUTCOME_ok && counts[i] > most) {
			most = counts[i];
			cell.outcome = (enum nd_probe_outcome)i;
		}
	return cell;
}

static void make_cells(struct work *w)
{
	if (w->nsamples)
		qsort(w->samples, w->nsamples, sizeof(*w->samples), by_pair);
	for (size_t i = 0, n; i < w->nsamples; i += n) {
		for (n = 1; i + n < w->nsamples; n++)
			if (by_pair(&w->samples[i], &w->samples[i + n]) != 0)
				break;
		ND_ARENA_PUSH(w->arena, w->out->cells, w->out->ncells) = cell_of(&w->samples[i], n);
	}
}

static bool has_results(const struct nd_cluster *cluster)
{
	for (size_t i = 0; i < cluster->nhosts; i++)
		if (cluster->hosts[i].nprobes)
			return true;
	return false;
}

void nd_matrix_build(struct nd_arena *arena, const struct nd_cluster *cluster,
		     struct nd_matrix *out)
{
	struct work w = {.arena = arena, .cluster = cluster, .out = out};
	*out = (struct nd_matrix){0};
	_Static_assert(ND_OUTCOME_ok == 0, "a cell without failures is zero");
	out->by_service = nd_arena_array(arena, cluster->nservices + 1, sizeof(*out->by_service));
	if (!has_results(cluster))
		return;
	find_nodes(&w);
	nd_flow_index_build(arena, cluster, &w.index);
	nd_excuses_find(arena, &w.index, &w.excuses);
	for (size_t i = 0; i < cluster->nhosts; i++)
		count_host(&w, &cluster->hosts[i]);
	make_cells(&w);
}

const struct nd_matrix_cell *nd_matrix_cell(const struct nd_matrix *m, size_t from, size_t to)
{
	size_t low = 0, high = m->ncells;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct nd_matrix_cell *cell = &m->cells[middle];
		if (cell->from == from && cell->to == to)
			return cell;
		if (cell->from < from || (cell->from == from && cell->to < to))
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

size_t nd_matrix_common_start(const struct nd_matrix *m)
{
	size_t n = m->nnodes > 1 ? strlen(m->nodes[0]) : 0;
	for (size_t i = 1; i < m->nnodes; i++)
		for (size_t j = 0; j < n; j++)
			if (m->nodes[i][j] != m->nodes[0][j])
				n = j;
	while (n && m->nodes[0][n - 1] != '-' && m->nodes[0][n - 1] != '.')
		n--;
	for (size_t i = 0; i < m->nnodes; i++)
		if (strlen(m->nodes[i]) <= n)
			return 0;
	return n;
}
