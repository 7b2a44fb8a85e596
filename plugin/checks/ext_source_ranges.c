#include "common/base.h"
#include "plugin/checks/shut.h"

static const char *ranges_text(struct nd_check_run *run, const struct nd_service *s)
{
	const char *text = "";
	char one[ND_PREFIX_TEXT];

	for (size_t i = 0; i < s->nsource_ranges && i < 8; i++)
		text = nd_check_text(run, "%s%s%s", text, i ? ", " : "",
				     nd_prefix_text(s->source_ranges[i], one));
	return s->nsource_ranges > 8 ? nd_check_text(run, "%s, ...", text) : text;
}

/* To keep people out is what ranges are for: an error only when somebody with us was. */
static void report(struct nd_check_run *run, const struct nd_shut *shuts, size_t n)
{
	const struct nd_service *s = shuts[0].service;
	const struct nd_walk_ask *ask = &shuts[0].loss->ask;
	struct nd_shut_sum sum;
	char ip[ND_IP_TEXT];

	nd_shuts_sum(run, shuts, n, &sum);
	if (!sum.is_probed && !sum.packets)
		return;
	struct nd_finding *f = nd_find(run, "service/%s/%s", s->meta.ns, s->meta.name);

	f->kind = sum.is_probed ? ND_CAUSE : ND_HAZARD;
	f->severity = sum.is_probed ? ND_ERROR : ND_WARNING;
	f->node = sum.node;
	nd_ip_text(ask->dst, ip);
	f->title =
		sum.is_probed
			? nd_check_text(run,
					"Service %s/%s does not let in what comes from %s to %s: "
					"its loadBalancerSourceRanges leave it out",
					s->meta.ns, s->meta.name,
					ask->netns_inode ? "pods" : ask->host->node, ip)
			: nd_check_text(run,
					"Service %s/%s has dropped packets to %s on %s: none of "
					"its loadBalancerSourceRanges has their senders",
					s->meta.ns, s->meta.name, ip, shuts[0].loss->host->node);
	nd_prove(run, f, nd_check_text(run, "service/%s/%s", s->meta.ns, s->meta.name),
		 "loadBalancerSourceRanges: %s", ranges_text(run, s));
	nd_shuts_prove(run, f, shuts, n);
}

static void run(struct nd_check_run *run)
{
	nd_shuts_each(run, ND_SHUT_RANGES, report);
}

const struct nd_check nd_check_ext_source_ranges = {
	.id = "ext-source-ranges",
	.layer = ND_LAYER_EXTERNAL,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A load balancer's source ranges leave out who asks",
	.why = "kube-proxy lets only senders of loadBalancerSourceRanges to the load balancer's "
	       "address, on the cluster's own nodes too: pods that use that address are dropped "
	       "like strangers unless the ranges have the pods' addresses.",
	.fix = "add the client's range to .spec.loadBalancerSourceRanges, or let pods use the "
	       "service's name instead of its outside address",
	.source = "Kubernetes: Service .spec.loadBalancerSourceRanges; kube-proxy: KUBE-FW-*, "
		  "KUBE-PROXY-FIREWALL; nft map firewall-ips",
	.explains = {{"eff-external-access-fail", ND_SAME_SUBJECT}},
	.run = run,
};
