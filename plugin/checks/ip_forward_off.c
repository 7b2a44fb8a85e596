#include "common/base.h"
#include "plugin/checks/facts.h"

/* The device that other nodes are reached by: with forwarding off there, nothing from outside gets
 * to a pod. */
static const char *closed_uplink(struct nd_check_run *run, const struct nd_host *host,
				 const char **key)
{
	const char *dev = nd_fact_uplink(run->cluster, host);
	if (!dev)
		return NULL;
	*key = nd_check_text(run, "net.ipv4.conf.%s.forwarding", dev);
	return nd_eq(nd_look_sysctl(host, *key), "0") ? dev : NULL;
}

static void prove_counter(struct nd_check_run *run, struct nd_finding *f,
			  const struct nd_host *host)
{
	const char *errors = nd_look_sysctl(host, "counter.Ip.InAddrErrors");
	if (errors && !nd_eq(errors, "0"))
		nd_prove(run, f, nd_fact_where(run, host, "counters"),
			 "Ip InAddrErrors is %s: packets that were not for the node and were not "
			 "passed on",
			 errors);
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		const struct nd_node *node = nd_look_node(run->cluster, host->node);
		if (!nd_host_has(host, ND_SECTION_sysctls) ||
		    (node && node->npod_cidrs && !nd_fact_has_family(node, 4)))
			continue;
		const char *key = "net.ipv4.ip_forward", *dev = NULL;
		if (!nd_eq(nd_look_sysctl(host, key), "0") &&
		    !(dev = closed_uplink(run, host, &key)))
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = dev ? nd_check_text(run,
					       "Other nodes can't reach pods on %s: it does not "
					       "forward what comes in by %s",
					       host->node, dev)
			       : nd_check_text(run,
					       "Pods on %s can't reach other nodes: the node does "
					       "not forward packets",
					       host->node);
		nd_prove(run, f, nd_fact_where(run, host, "sysctl"), "%s = 0 (wanted 1)", key);
		prove_counter(run, f, host);
	}
}

const struct nd_check nd_check_ip_forward_off = {
	.id = "ip-forward-off",
	.layer = ND_LAYER_KERNEL,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The node does not forward packets",
	.why = "A node is a router for its pods. With forwarding off the kernel drops what pods "
	       "send to other nodes, to services and outside, and what others send to them; the "
	       "node itself stays healthy. A hardening script or sysctl.d file sets it; the CNI "
	       "turns it on again with the next pod it starts.",
	.fix = "on NODE: sysctl -w net.ipv4.ip_forward=1",
	.source = "kernel: Documentation/networking/ip-sysctl.rst, ip_forward; CNI plugins: "
		  "bridge.go, ptp.go EnableForward",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
