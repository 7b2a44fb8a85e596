#include "common/base.h"
#include "plugin/model/look.h"
#include "plugin/probe/matrix.h"
#include "plugin/probe/tries.h"

/* One probe between pods. */
struct sample {
	size_t from, to;
	enum nd_probe_outcome outcome; /* ok when it did not fail each time */
};
/* Services by ClusterIP: there may be thousands, and as many results. */
struct service_ip {
	struct nd_ip ip;
	size_t service; /* index in cluster->services */
};

struct work {
	struct nd_arena *arena;
	const struct nd_cluster *cluster;
	struct nd_matrix *out;
	struct sample *samples; /* nsamples */
	size_t nsamples;
	struct service_ip *ips; /* nips, by address */
	size_t nips;
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

/* ---- services ---- */

static int by_ip(const void *pa, const void *pb)
{
	const struct service_ip *a = pa, *b = pb;
	int order = memcmp(a->ip.bytes, b->ip.bytes, sizeof(a->ip.bytes));
	return order ? order : a->ip.family - b->ip.family;
}

static void find_services(struct work *w)
{
	const struct nd_cluster *c = w->cluster;
	for (size_t i = 0; i < c->nservices; i++) {
		const struct nd_ip ips[] = {c->services[i].cluster_ip, c->services[i].cluster_ip6};
		for (size_t j = 0; j < ND_ARRAY_LEN(ips); j++)
			if (ips[j].family)
				ND_ARENA_PUSH(w->arena, w->ips, w->nips) =
					((struct service_ip){ips[j], i});
	}
	if (w->nips)
		qsort(w->ips, w->nips, sizeof(*w->ips), by_ip);
}

static void count_service(struct work *w, const struct nd_probe_result *r, bool has_failed)
{
	struct service_ip key = {.ip = r->ip};
	const struct service_ip *found =
		w->nips ? bsearch(&key, w->ips, w->nips, sizeof(*w->ips), by_ip) : NULL;
	if (!found)
		return;
	const struct nd_meta *meta = &w->cluster->services[found->service].meta;
	count(&w->out->services, has_failed);
	count(&w->out->by_service[found->service], has_failed);
	if (nd_eq(meta->ns, "kube-system") && nd_eq(meta->name, "kube-dns") &&
	    (r->port == 53 || r->kind == ND_PROBE_dns_udp || r->kind == ND_PROBE_dns_tcp))
		count(&w->out->dns, has_failed);
}

/* ---- pods ---- */

static void count_pod(struct work *w, const struct nd_host *host, const struct nd_probe_result *r,
		      bool has_failed)
{
	struct sample sample = {.outcome = has_failed ? r->outcome : ND_OUTCOME_ok};
	struct nd_flow flow;
	nd_flow_of(w->cluster, host, r, &flow);
	if (flow.kind == ND_FLOW_DNS_POD)
		count(&w->out->dns, has_failed);
	if (!r->netns_inode || !node_index(w->out, flow.source_node, &sample.from) ||
	    !node_index(w->out, flow.target_node, &sample.to))
		return;
	count(&w->out->pods, has_failed);
	if (sample.from != sample.to)
		count(&w->out->cross_node, has_failed);
	count(&w->out->rows[sample.from], has_failed);
	count(&w->out->columns[sample.to], has_failed);
	ND_ARENA_PUSH(w->arena, w->samples, w->nsamples) = sample;
}

static void count_host(struct work *w, const struct nd_host *host)
{
	struct nd_tries *probes;
	size_t n = nd_tries_find(w->arena, host, &probes);
	for (size_t i = 0; i < n; i++) {
		bool has_failed = probes[i].verdict == ND_TRIES_FAILED;
		if (probes[i].verdict == ND_TRIES_UNKNOWN)
			continue;
		count(&w->out->all, has_failed);
		if (nd_look_pod_by_ip(w->cluster, probes[i].result->ip))
			count_pod(w, host, probes[i].result, has_failed);
		else
			count_service(w, probes[i].result, has_failed);
	}
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
	find_services(&w);
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
