#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/service.h"

#define MAX_PROOFS 6

/* A pod address that no pod and no slice has any more. */
static bool is_gone(const struct nd_cluster *cluster, struct nd_ip ip)
{
	struct nd_prefix pods = nd_look_cluster_cidr(cluster);
	bool is_pods = nd_look_is_pod_ip(cluster, ip) ||
		       (pods.ip.family == ip.family && nd_prefix_has(pods, ip));
	if (!ip.family || !is_pods || nd_look_pod_by_ip(cluster, ip))
		return false;
	for (size_t i = 0; i < cluster->nslices; i++)
		for (size_t k = 0; k < cluster->slices[i].nendpoints; k++)
			if (nd_ip_eq(cluster->slices[i].endpoints[k].ip, ip))
				return false;
	return true;
}

static struct nd_ip target_of(const struct nd_ipt *ipt, const char *sep, uint16_t *port)
{
	const struct nd_ipt_chain *c = nd_look_ipt_chain(ipt, "nat", sep);
	for (size_t i = 0; c && i < c->nrules; i++)
		if (nd_eq(c->rules[i].target, "DNAT")) {
			*port = c->rules[i].to_port;
			return c->rules[i].to_ip;
		}
	return (struct nd_ip){0};
}

static const struct nd_service *service_at(const struct nd_cluster *cluster, struct nd_ip ip)
{
	for (size_t i = 0; i < cluster->nservices; i++)
		if (ip.family && nd_ip_eq(cluster->services[i].cluster_ip, ip))
			return &cluster->services[i];
	return NULL;
}

static bool leads_to(const struct nd_ipt *ipt, const struct nd_ipt_chain *svc, struct nd_ip ip)
{
	uint16_t port;
	for (size_t i = 0; i < svc->nrules; i++)
		if (nd_starts(svc->rules[i].target, "KUBE-SEP-") &&
		    nd_ip_eq(target_of(ipt, svc->rules[i].target, &port), ip))
			return true;
	return false;
}

/*
 * A rollout takes kube-proxy a second or two, and the rules were not read at the instant the API
 * was. Late by more than that is who knows the dead but not the living: new pods become ready
 * before old ones end.
 */
static bool lacks_a_ready_one(const struct nd_cluster *cluster, const struct nd_service *s,
			      const struct nd_ipt *ipt, const struct nd_ipt_chain *svc)
{
	size_t n;
	const struct nd_slice *slices = nd_look_slices(cluster, s, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < slices[i].nendpoints && slices[i].family == 4; k++) {
			const struct nd_endpoint *e = &slices[i].endpoints[k];
			if (e->is_ready && !e->is_terminating && !leads_to(ipt, svc, e->ip))
				return true;
		}
	return false;
}

struct staleness {
	struct nd_finding *f;
	bool is_proxy_down;
};

static void report(struct nd_check_run *run, const struct nd_host *host, struct staleness *st,
		   const char *service, const char *chain, struct nd_ip ip, uint16_t port)
{
	char text[ND_IP_TEXT];
	if (!st->f) {
		st->f = nd_find(run, "node/%s", host->node);
		st->f->is_likely = !st->is_proxy_down;
		st->f->title =
			nd_check_text(run, "Service %s on %s still leads to pods that are gone",
				      service, host->node);
	}
	if (st->f->nproof < MAX_PROOFS)
		nd_prove(run, st->f, nd_check_text(run, "%s: %s", host->node, chain),
			 "%s leads to %s:%u, which no pod has", service, nd_ip_text(ip, text),
			 port);
}

static void look_at_service(struct nd_check_run *run, const struct nd_host *host,
			    const struct nd_ipt *ipt, const struct nd_ipt_rule *vip,
			    struct staleness *st)
{
	const struct nd_ipt_chain *svc = nd_look_ipt_chain(ipt, "nat", vip->target);
	const struct nd_service *s = NULL;
	for (size_t i = 0; svc && i < svc->nrules; i++) {
		uint16_t port = 0;
		struct nd_ip ip = nd_starts(svc->rules[i].target, "KUBE-SEP-")
					  ? target_of(ipt, svc->rules[i].target, &port)
					  : (struct nd_ip){0};
		if (!is_gone(run->cluster, ip))
			continue;
		s = s ? s : service_at(run->cluster, vip->dst.ip);
		if (!s || (!st->is_proxy_down && !lacks_a_ready_one(run->cluster, s, ipt, svc)))
			return;
		report(run, host, st, nd_check_text(run, "%s/%s", s->meta.ns, s->meta.name),
		       svc->name, ip, port);
	}
}

static void look_at_iptables(struct nd_check_run *run, const struct nd_host *host,
			     struct staleness *st)
{
	const struct nd_ipt *ipt = &host->ipt[nd_fact_kube_backend(host)];
	const struct nd_ipt_chain *services = nd_look_ipt_chain(ipt, "nat", "KUBE-SERVICES");
	for (size_t i = 0; services && i < services->nrules; i++)
		if (nd_starts(services->rules[i].target, "KUBE-SVC-"))
			look_at_service(run, host, ipt, &services->rules[i], st);
}

/* "endpoint-ULMVA6XW-ns/svc/tcp/http__10.244.1.5/8080": the address behind the last "__". */
static bool parse_endpoint(struct nd_check_run *run, const char *name, const char **service,
			   struct nd_ip *ip, uint16_t *port)
{
	const char *at = nd_starts(name, "endpoint-") ? strstr(name, "__") : NULL;
	const char *slash = at ? strchr(at, '/') : NULL,
		   *who = at ? strchr(name + strlen("endpoint-"), '-') : NULL;
	char text[ND_IP_TEXT];
	uint64_t number;
	if (!slash || !who || who > at || (size_t)(slash - at - 2) >= sizeof(text) ||
	    !nd_parse_u64(nd_str(slash + 1), UINT16_MAX, &number))
		return false;
	memcpy(text, at + 2, (size_t)(slash - at - 2));
	text[slash - at - 2] = '\0';
	*port = (uint16_t)number;
	*service = nd_check_text(run, "%.*s", (int)(at - who - 1), who + 1);
	return nd_ip_parse(text, ip);
}

/* Without a kube-proxy only: a running one removes such chains some time after it stopped to use
 * them. */
static void look_at_nftables(struct nd_check_run *run, const struct nd_host *host,
			     struct staleness *st)
{
	const struct nd_nft_table *table = nd_look_nft_table(host, "ip", "kube-proxy");
	for (size_t i = 0; table && st->is_proxy_down && i < table->nchains; i++) {
		const char *service;
		struct nd_ip ip;
		uint16_t port;
		if (parse_endpoint(run, table->chains[i].name, &service, &ip, &port) &&
		    is_gone(run->cluster, ip))
			report(run, host, st, service, "nft table ip kube-proxy", ip, port);
	}
}

static void run(struct nd_check_run *run)
{
	const struct nd_cluster *cluster = run->cluster;
	enum nd_proxy_mode mode = nd_look_proxy_mode(cluster);
	if (!nd_look_has_list(cluster, "pods") || !nd_look_has_list(cluster, "endpointslices") ||
	    !nd_look_has_list(cluster, "services"))
		return;
	for (size_t i = 0; i < cluster->nhosts; i++) {
		const struct nd_host *host = &cluster->hosts[i];
		const struct nd_pod *proxy = nd_fact_kube_proxy_pod(cluster, host->node);
		struct staleness st = {.is_proxy_down = !proxy || nd_fact_not_running(proxy)};
		/* A mode that nobody knows (a typo) is asked of both: rules that are there are
		 * there. */
		if (mode != ND_PROXY_NFTABLES && nd_host_has(host, ND_SECTION_iptables))
			look_at_iptables(run, host, &st);
		if (mode != ND_PROXY_IPTABLES && nd_host_has(host, ND_SECTION_nft))
			look_at_nftables(run, host, &st);
	}
}

const struct nd_check nd_check_kp_stale_rules = {
	.id = "kp-stale-rules",
	.layer = ND_LAYER_PROXY,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The node's service rules are out of date",
	.why = "The node sends a part of the connections to addresses that no pod has any more, so "
	       "they time out. kube-proxy does not run there, or it can't read the API or write "
	       "its rules.",
	.fix = "delete the kube-proxy pod of NODE: the new one writes all rules again; look at its "
	       "log if they age again",
	.source = "kube-proxy: pkg/proxy/iptables/proxier.go, pkg/proxy/nftables/proxier.go",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE}, ND_EXPLAINS_SERVICES(ND_SAME_NODE)},
	.run = run,
};
