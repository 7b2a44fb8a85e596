#include "common/base.h"
#include "plugin/checks/facts.h"

static bool has_default(const struct nd_host *host)
{
	for (size_t i = 0; i < host->nroutes; i++)
		if (host->routes[i].family == 4 && host->routes[i].dst.len == 0 &&
		    nd_eq(host->routes[i].type, "unicast"))
			return true;
	return false;
}

/* Some clusters have none on purpose: it is missing only where its like has one. */
static bool is_expected(const struct nd_cluster *cluster, const struct nd_host *host)
{
	const struct nd_node *node = nd_look_node(cluster, host->node);
	if (node && nd_starts(node->provider_id, "kind://"))
		return true;
	for (size_t i = 0; i < cluster->nhosts; i++)
		if (&cluster->hosts[i] != host &&
		    nd_host_has(&cluster->hosts[i], ND_SECTION_routes) &&
		    has_default(&cluster->hosts[i]))
			return true;
	return false;
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		const struct nd_node *node = nd_look_node(run->cluster, host->node);
		if (!nd_host_has(host, ND_SECTION_routes) || !host->nroutes || has_default(host) ||
		    (node && node->internal_ip.family != 4) || !is_expected(run->cluster, host))
			continue;
		/* A node cut off from its network has lost more than this route. */
		if (!nd_fact_uplink(run->cluster, host))
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(
			run, "%s can't reach services or anything outside: it has no default route",
			host->node);
		nd_prove(run, f, nd_fact_where(run, host, "routes"),
			 "no 0.0.0.0/0 in any table, %zu routes read", host->nroutes);
	}
}

const struct nd_check nd_check_route_default_missing = {
	.id = "route-default-missing",
	.layer = ND_LAYER_ROUTES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The node has no default route",
	.why = "The node and its hostNetwork pods route before the service address is translated: "
	       "without a route for it they get \"network is unreachable\" although all rules are "
	       "right. Pods can't leave the cluster.",
	.fix = "on NODE: ip route add default via GATEWAY (in kind: the first address of eth0's "
	       "network)",
	.source = "kernel: ip_route_output before nf_nat OUTPUT; measured on kind",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_NODE(ND_SAME_NODE)},
	.run = run,
};
