#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/service.h"

#include <strings.h>

#define MAX_PROOFS 6

struct count {
	size_t nflushed, nservices;
	struct nd_finding *f;
};

/* Endpoints that kube-proxy must have written for this port. */
static size_t ready_on_port(const struct nd_cluster *cluster, const struct nd_service *s,
			    const struct nd_service_port *p)
{
	size_t nslices, n = 0;
	const struct nd_slice *slices = nd_look_slices(cluster, s, &nslices);
	for (size_t i = 0; i < nslices; i++)
		for (size_t k = 0; k < slices[i].nports && slices[i].family == 4; k++) {
			const struct nd_slice_port *sp = &slices[i].ports[k];
			if (!nd_eq(sp->name ? sp->name : "", p->name ? p->name : "") ||
			    !nd_eq(sp->protocol, p->protocol))
				continue;
			for (size_t e = 0; e < slices[i].nendpoints; e++)
				n += slices[i].endpoints[e].is_ready;
		}
	return n;
}

static bool is_for(const struct nd_ipt_rule *rule, const struct nd_service *s,
		   const struct nd_service_port *p)
{
	return nd_starts(rule->target, "KUBE-SVC-") && rule->dst.len == 32 &&
	       nd_ip_eq(rule->dst.ip, s->cluster_ip) && rule->dport_min == p->port && rule->proto &&
	       strcasecmp(rule->proto, p->protocol ? p->protocol : "") == 0;
}

/* The chain that KUBE-SERVICES sends the port to: it must go on to some endpoint. */
static bool is_flushed(const struct nd_ipt *ipt, const char *name)
{
	const struct nd_ipt_chain *c = nd_look_ipt_chain(ipt, "nat", name);
	for (size_t i = 0; c && i < c->nrules; i++)
		if (nd_starts(c->rules[i].target, "KUBE-SEP-"))
			return false;
	return true;
}

static void look_at_port(struct nd_check_run *run, const struct nd_host *host,
			 const struct nd_ipt_chain *services, const struct nd_ipt *ipt,
			 const struct nd_service *s, const struct nd_service_port *p,
			 struct count *count)
{
	for (size_t i = 0; i < services->nrules; i++) {
		const struct nd_ipt_rule *rule = &services->rules[i];
		if (!is_for(rule, s, p) || !is_flushed(ipt, rule->target))
			continue;
		size_t nready = ready_on_port(run->cluster, s, p);
		if (!nready || ++count->nflushed > MAX_PROOFS)
			return;
		if (!count->f) {
			count->f = nd_find(run, "node/%s", host->node);
			count->f->title = nd_check_text(run,
							"Service %s/%s does not work on %s: "
							"kube-proxy's chain for it is empty",
							s->meta.ns, s->meta.name, host->node);
		}
		nd_prove(run, count->f,
			 nd_check_text(run, "%s: iptables nat %s", host->node, rule->target),
			 "no rule for an endpoint, but %s/%s port %u has %zu ready", s->meta.ns,
			 s->meta.name, p->port, nready);
		return;
	}
}

/* Only looks for a service's rule where a chain is empty at all: otherwise services x rules steps
 * for nothing. */
static bool has_empty_chain(const struct nd_ipt *ipt, const struct nd_ipt_chain *services)
{
	for (size_t i = 0; i < services->nrules; i++)
		if (nd_starts(services->rules[i].target, "KUBE-SVC-") &&
		    is_flushed(ipt, services->rules[i].target))
			return true;
	return false;
}

static bool is_proxied(const struct nd_service *s)
{
	return s->cluster_ip.family == 4 && !s->is_headless && !s->proxy_name &&
	       !nd_eq(s->internal_policy, "Local") && !nd_eq(s->type, "ExternalName");
}

static void none_at_all(struct nd_check_run *run, const struct nd_host *host)
{
	size_t n = 0;
	for (size_t i = 0; i < run->cluster->nservices; i++) {
		const struct nd_service *s = &run->cluster->services[i];
		for (size_t k = 0; k < s->nports && is_proxied(s); k++)
			n += ready_on_port(run->cluster, s, &s->ports[k]) > 0;
	}
	if (!n)
		return;
	struct nd_finding *f = nd_find(run, "node/%s", host->node);
	f->title = nd_check_text(run, "No service works on %s: kube-proxy's rules are gone",
				 host->node);
	nd_prove(run, f, nd_fact_where(run, host, "iptables nat"),
		 "KUBE-SERVICES leads to no service, %zu service ports have ready endpoints", n);
}

static void look_at(struct nd_check_run *run, const struct nd_host *host)
{
	const struct nd_ipt *ipt = &host->ipt[nd_fact_kube_backend(host)];
	const struct nd_ipt_chain *services = nd_look_ipt_chain(ipt, "nat", "KUBE-SERVICES");
	struct count count = {0};
	/* A table that could not be read says nothing; one that can always has its built-in chains.
	 */
	if (!ipt->is_present || ipt->error || !nd_look_ipt_chain(ipt, "nat", "PREROUTING"))
		return;
	for (size_t i = 0; services && i < services->nrules; i++)
		count.nservices += nd_starts(services->rules[i].target, "KUBE-SVC-") ||
				   nd_starts(services->rules[i].target, "KUBE-SVL-");
	if (!count.nservices) {
		none_at_all(run, host);
		return;
	}
	if (!has_empty_chain(ipt, services))
		return;
	for (size_t i = 0; i < run->cluster->nservices; i++) {
		const struct nd_service *s = &run->cluster->services[i];
		for (size_t k = 0; k < s->nports && is_proxied(s); k++)
			look_at_port(run, host, services, ipt, s, &s->ports[k], &count);
	}
}

static void run(struct nd_check_run *run)
{
	const struct nd_cluster *cluster = run->cluster;
	if (nd_look_proxy_mode(cluster) != ND_PROXY_IPTABLES ||
	    !nd_look_has_list(cluster, "services") || !nd_look_has_list(cluster, "endpointslices"))
		return;
	for (size_t i = 0; i < cluster->nhosts; i++) {
		const struct nd_node *node = nd_look_node(cluster, cluster->hosts[i].node);
		/* A node that joins gets its rules with its first kube-proxy. */
		if (nd_host_has(&cluster->hosts[i], ND_SECTION_iptables) && node && node->is_ready)
			look_at(run, &cluster->hosts[i]);
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
