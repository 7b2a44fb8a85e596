#include "common/base.h"
#include "plugin/checks/facts.h"

/* The kernel takes the larger of "all" and the device's own value. */
static bool is_strict(struct nd_check_run *run, const struct nd_host *host, const char *dev,
		      const char **key)
{
	char name[64];
	snprintf(name, sizeof(name), "%s", dev);
	for (char *p = name; *p; p++)
		if (*p == '.')
			*p = '/';
	const char *own_key = nd_check_text(run, "net.ipv4.conf.%s.rp_filter", name);
	const char *all = nd_look_sysctl(host, "net.ipv4.conf.all.rp_filter"),
		   *own = nd_look_sysctl(host, own_key);
	if (!all || !own || nd_eq(all, "2") || nd_eq(own, "2"))
		return false;
	*key = nd_eq(own, "1") ? own_key : "net.ipv4.conf.all.rp_filter";
	return nd_eq(all, "1") || nd_eq(own, "1");
}

/* By which device what the peer's pods send arrives here: the tunnel, if the peer's route goes into
 * its own. */
static const char *arrives_by(const struct nd_cluster *cluster, const struct nd_host *host,
			      const struct nd_host *peer, const struct nd_prefix *own_cidr)
{
	const struct nd_route *r = nd_look_route(peer, nd_prefix_at(*own_cidr, 1));
	const struct nd_link *out = r && r->dev ? nd_look_link(peer, r->dev) : NULL;
	if (!out || r->dst.len == 0 || !nd_eq(r->type, "unicast"))
		return NULL;
	if (!nd_eq(out->kind, "vxlan"))
		return nd_eq(r->dev, nd_fact_uplink(cluster, peer)) ? nd_fact_uplink(cluster, host)
								    : NULL;
	for (size_t i = 0; i < host->nlinks; i++)
		if (nd_eq(host->links[i].kind, "vxlan") && host->links[i].vxlan_id == out->vxlan_id)
			return host->links[i].name;
	return NULL;
}

static bool can_tell(const struct nd_host *host)
{
	return nd_host_has(host, ND_SECTION_routes) && nd_host_has(host, ND_SECTION_links) &&
	       nd_host_has(host, ND_SECTION_addrs);
}

static void look_at(struct nd_check_run *run, const struct nd_host *host)
{
	const struct nd_cluster *cluster = run->cluster;
	const struct nd_prefix *own = nd_fact_pod_cidr(nd_look_node(cluster, host->node), 4);
	for (size_t i = 0; own && i < cluster->nhosts; i++) {
		const struct nd_host *peer = &cluster->hosts[i];
		const struct nd_prefix *theirs =
			nd_fact_pod_cidr(nd_look_node(cluster, peer->node), 4);
		if (peer == host || !theirs || !can_tell(peer))
			continue;
		const char *in = arrives_by(cluster, host, peer, own), *key = NULL;
		const struct nd_route *back = nd_look_route(host, nd_prefix_at(*theirs, 1));
		char text[ND_PREFIX_TEXT];
		if (!in || !back || !back->dev || !nd_eq(back->type, "unicast") ||
		    back->dst.len == 0 || nd_eq(in, back->dev) || !is_strict(run, host, in, &key))
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(run,
					 "%s drops packets from pods on %s: they come by another "
					 "way than the answers go",
					 host->node, peer->node);
		nd_prove(run, f, nd_fact_where(run, host, "routes"),
			 "%s goes out by %s, but comes in by %s", nd_prefix_text(*theirs, text),
			 back->dev, in);
		nd_prove(run, f, nd_fact_where(run, host, "sysctl"), "%s = 1 (strict; 2 is loose)",
			 key);
		const char *count = nd_look_sysctl(host, "counter.TcpExt.IPReversePathFilter");
		if (count && !nd_eq(count, "0"))
			nd_prove(run, f, nd_fact_where(run, host, "counters"),
				 "TcpExt IPReversePathFilter is %s", count);
		return;
	}
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++)
		if (can_tell(&run->cluster->hosts[i]) &&
		    nd_host_has(&run->cluster->hosts[i], ND_SECTION_sysctls))
			look_at(run, &run->cluster->hosts[i]);
}

const struct nd_check nd_check_rp_filter_drop = {
	.id = "rp-filter-drop",
	.layer = ND_LAYER_KERNEL,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "Strict reverse-path filtering drops packets of pods",
	.why = "With rp_filter 1 the kernel drops a packet that arrives by another device than the "
	       "one its answer would leave by. Here the routes to and from the pods of another "
	       "node differ, so all they send is dropped without a trace.",
	.fix = "on NODE: correct the route, so that both ways are the same; else sysctl -w "
	       "net.ipv4.conf.all.rp_filter=2",
	.source = "kernel: Documentation/networking/ip-sysctl.rst, rp_filter; RFC 3704",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
