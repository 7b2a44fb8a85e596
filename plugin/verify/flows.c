#include "common/base.h"
#include "plugin/verify/flows.h"

static int by_probe_then_time(const void *pa, const void *pb)
{
	const struct nd_probe_result *a = *(const struct nd_probe_result *const *)pa,
				     *b = *(const struct nd_probe_result *const *)pb;
	int order = nd_probe_result_order(a, b);
	/* Results are one array: the address says which was sent first. */
	return order ? order : (a > b) - (a < b);
}

static int by_time(const void *pa, const void *pb)
{
	const struct nd_verify_flow *a = pa, *b = pb;
	return (a->result > b->result) - (a->result < b->result);
}

static bool has_failed(const struct nd_probe_result *r)
{
	return r->outcome != ND_OUTCOME_ok && r->outcome != ND_OUTCOME_gone &&
	       r->outcome != ND_OUTCOME_error;
}

static size_t find_at(struct nd_arena *arena, const struct nd_flow_index *index,
		      const struct nd_host *host, struct nd_verify_flow *out)
{
	const struct nd_probe_result **sent = nd_arena_array(arena, host->nprobes, sizeof(*sent));
	size_t nout = 0;
	for (size_t i = 0; i < host->nprobes; i++)
		sent[i] = &host->probes[i];
	qsort(sent, host->nprobes, sizeof(*sent), by_probe_then_time);
	for (size_t i = 0, n; i < host->nprobes; i += n) {
		struct nd_verify_flow *f = &out[nout++];
		*f = (struct nd_verify_flow){.host = host};
		for (n = 0; i + n < host->nprobes; n++) {
			if (nd_probe_result_order(sent[i], sent[i + n]) != 0)
				break;
			f->result = sent[i + n];
			f->ntries++;
			f->nfailed += has_failed(f->result);
		}
		nd_flow_find(index, host, f->result, &f->flow);
	}
	qsort(out, nout, sizeof(*out), by_time);
	return nout;
}

struct nd_verify_flow *nd_verify_flows_find(struct nd_arena *arena,
					    const struct nd_cluster *cluster, size_t *n)
{
	size_t nresults = 0;
	struct nd_verify_flow *flows;
	struct nd_flow_index index;
	nd_flow_index_build(arena, cluster, &index);
	for (size_t i = 0; i < cluster->nhosts; i++)
		nresults += cluster->hosts[i].nprobes;
	flows = nd_arena_array(arena, nresults + 1, sizeof(*flows));
	*n = 0;
	for (size_t i = 0; i < cluster->nhosts; i++)
		if (cluster->hosts[i].nprobes)
			*n += find_at(arena, &index, &cluster->hosts[i], flows + *n);
	return flows;
}

static const char *source_text(struct nd_arena *arena, const struct nd_verify_flow *f)
{
	const struct nd_pod *pod = f->flow.source_pod;
	if (pod)
		return nd_arena_printf(arena, "pod %s/%s on %s", pod->meta.ns, pod->meta.name,
				       f->host->node);
	if (f->result->netns_inode)
		return nd_arena_printf(arena, "a pod on %s", f->host->node);
	return nd_arena_printf(arena, "node %s", f->host->node);
}

static const char *owner_text(struct nd_arena *arena, const struct nd_verify_flow *f)
{
	const struct nd_service *service = f->flow.service;
	const struct nd_pod *pod = f->flow.target_pod;
	if (pod)
		return nd_arena_printf(arena, " (pod %s/%s on %s)", pod->meta.ns, pod->meta.name,
				       pod->node ? pod->node : "no node");
	if (service && f->flow.target_node)
		return nd_arena_printf(arena, " (service %s/%s by node %s)", service->meta.ns,
				       service->meta.name, f->flow.target_node);
	if (service)
		return nd_arena_printf(arena, " (service %s/%s)", service->meta.ns,
				       service->meta.name);
	if (f->flow.target_node)
		return nd_arena_printf(arena, " (node %s)", f->flow.target_node);
	return "";
}

const char *nd_verify_flow_text(struct nd_arena *arena, const struct nd_verify_flow *f)
{
	const struct nd_probe_result *r = f->result;
	char ip[ND_IP_TEXT], port[16] = "";
	bool is_six = r->ip.family == 6 && r->port;
	nd_ip_text(r->ip, ip);
	if (r->port)
		snprintf(port, sizeof(port), ":%u", r->port);
	return nd_arena_printf(arena, "%s -> %s%s%s%s%s%s%s%s%s", source_text(arena, f),
			       is_six ? "[" : "", ip, is_six ? "]" : "", port, owner_text(arena, f),
			       r->kind == ND_PROBE_tcp ? "" : " ",
			       r->kind == ND_PROBE_tcp ? "" : nd_probe_kind_name(r->kind),
			       r->name ? " " : "", r->name ? r->name : "");
}

bool nd_verify_flow_is_outside(const struct nd_verify_flow *f)
{
	const struct nd_probe_result *r = f->result;
	bool is_dns = r->kind == ND_PROBE_dns_udp || r->kind == ND_PROBE_dns_tcp;
	return is_dns && r->name && !strstr(r->name, ".svc.");
}
