#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/model/programmed.h"

#define MAX_PROOFS 6

struct look {
	struct nd_check_run *run;
	const struct nd_expected *expected;
	const struct nd_host *host;
	struct nd_finding *f;
};

/*
 * The chain that KUBE-SERVICES sends the port to must go on to some endpoint. kube-proxy writes a
 * chain and the rule that leads to it in one transaction: no race makes it look like this.
 */
static bool is_flushed(const struct nd_programmed_port *port)
{
	return port->kind == ND_PROGRAMMED_CLUSTER_IP && port->service && port->nexpected &&
	       port->nprogrammed == 0 &&
	       (nd_starts(port->chain, "KUBE-SVC-") || nd_starts(port->chain, "KUBE-SVL-"));
}

static void report(struct look *look, const struct nd_programmed_port *port)
{
	const struct nd_service *s = port->service;
	if (!look->f) {
		look->f = nd_find(look->run, "node/%s", look->host->node);
		look->f->title = nd_check_text(look->run,
					       "Service %s/%s does not work on %s: "
					       "kube-proxy's chain for it is empty",
					       s->meta.ns, s->meta.name, look->host->node);
	}
	if (look->f->nproof < MAX_PROOFS)
		nd_prove(look->run, look->f,
			 nd_check_text(look->run, "%s: iptables nat %s", look->host->node,
				       port->chain),
			 "no rule for an endpoint, but %s/%s port %u has %zu ready", s->meta.ns,
			 s->meta.name, port->number, port->nexpected);
}

static void none_at_all(struct look *look, const struct nd_programmed *diff)
{
	size_t n = 0;
	for (size_t i = 0; i < diff->nports; i++)
		n += diff->ports[i].kind == ND_PROGRAMMED_CLUSTER_IP && diff->ports[i].nexpected;
	if (!n)
		return;
	if (!look->f) {
		look->f = nd_find(look->run, "node/%s", look->host->node);
		look->f->title = nd_check_text(
			look->run, "No service works on %s: kube-proxy's rules are gone",
			look->host->node);
	}
	nd_prove(look->run, look->f, nd_fact_where(look->run, look->host, "iptables nat"),
		 "KUBE-SERVICES leads to no service, %zu service ports have ready endpoints", n);
}

static void look_at(struct look *look, uint8_t family)
{
	struct nd_arena scratch = {0};
	struct nd_programmed_ask ask = {look->host, ND_PROXY_IPTABLES,
					nd_fact_kube_backend(look->host), family};
	struct nd_programmed diff;
	bool is_known = nd_programmed_diff(&scratch, look->expected, &ask, &diff);
	if (is_known && diff.is_empty)
		none_at_all(look, &diff);
	for (size_t i = 0; is_known && i < diff.nports; i++)
		if (is_flushed(&diff.ports[i]))
			report(look, &diff.ports[i]);
	nd_arena_free(&scratch);
}

static void run(struct nd_check_run *run)
{
	const struct nd_cluster *cluster = run->cluster;
	if (!cluster->nhosts || nd_look_proxy_mode(cluster) != ND_PROXY_IPTABLES ||
	    !nd_look_has_list(cluster, "services") || !nd_look_has_list(cluster, "endpointslices"))
		return;
	const struct nd_expected *expected = nd_fact_expected(run);
	for (size_t i = 0; i < cluster->nhosts; i++) {
		struct look look = {run, expected, &cluster->hosts[i], NULL};
		const struct nd_node *node = nd_look_node(cluster, look.host->node);
		/* A node that joins gets its rules with its first kube-proxy. */
		if (!node || !node->is_ready)
			continue;
		look_at(&look, 4);
		look_at(&look, 6);
	}
}

const struct nd_check nd_check_ipt_kube_chains_flushed = {
	.id = "ipt-kube-chains-flushed",
	.layer = ND_LAYER_IPTABLES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "kube-proxy's chains are empty or gone",
	.why = "The service has ready endpoints, but the node's chain for it leads to none: "
	       "connections to its address are not translated. The chain was flushed by hand or by "
	       "a firewall tool; kube-proxy writes only what changes and notices at its next full "
	       "sync, up to an hour later.",
	.fix = "delete the kube-proxy pod of NODE: the new one writes all rules again",
	.source = "kube-proxy: pkg/proxy/iptables/proxier.go (syncProxyRules, partial sync)",
	.explains = {{"kp-stale-rules", ND_SAME_NODE},
		     {"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_SERVICES(ND_SAME_NODE)},
	.run = run,
};
