#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/failures.h"

#define MIN_SHAKY 3 /* on one node; a single packet may get lost anywhere */
#define MAX_PROOF 6

static size_t count_at(const struct nd_failures *all, const struct nd_host *host)
{
	size_t n = 0;
	for (size_t i = 0; i < all->nshaky; i++)
		n += all->shaky[i].host == host &&
		     all->shaky[i].result->outcome == ND_OUTCOME_timeout;
	return n;
}

static void prove_some(struct nd_check_run *run, struct nd_finding *f, const struct nd_host *host)
{
	char ip[ND_IP_TEXT];
	size_t shown = 0;
	for (size_t i = 0; i < run->failures->nshaky; i++) {
		const struct nd_failure *s = &run->failures->shaky[i];
		if (s->host != host || s->result->outcome != ND_OUTCOME_timeout)
			continue;
		nd_effect_touches(run, f, s);
		if (shown++ >= MAX_PROOF)
			continue;
		nd_prove(run, f, nd_fact_where(run, host, "probe"),
			 "%s from %s to %s:%u: TIMEOUT, then it worked",
			 nd_probe_kind_name(s->result->kind), nd_failure_source(run, s),
			 nd_ip_text(s->result->ip, ip), s->result->port);
	}
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		size_t n = count_at(run->failures, host);
		if (n < MIN_SHAKY)
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(
			run, "Connections from %s fail now and then (%zu of %zu probes)",
			host->node, n, host->nprobes);
		prove_some(run, f, host);
	}
}

const struct nd_check nd_check_eff_intermittent_timeout = {
	.id = "eff-intermittent-timeout",
	.layer = ND_LAYER_EFFECT,
	.kind = ND_EFFECT,
	.severity = ND_WARNING,
	.title = "Connections fail now and then",
	.why = "Several probes got no answer and worked when they were sent again. Lost packets, a "
	       "full "
	       "connection tracking table or one bad endpoint among good ones look like that.",
	.fix = "look at the connection tracking count and the error counters of NODE",
	.source = "probe: the same probe, sent twice",
	.run = run,
};
