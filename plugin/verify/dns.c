#include "common/base.h"
#include "plugin/verify/test.h"

/* Of a namespace: what its own pods get. */
static bool is_mine(const struct nd_verify_run *run, const struct nd_verify_flow *f)
{
	const char *ns = run->options->ns;
	const struct nd_pod *pod = f->flow.source_pod;
	return !nd_verify_flow_is_outside(f) && (!ns || (pod && nd_eq(pod->meta.ns, ns)));
}

/* Without the service there is nothing to ask, but not because nothing is wanted. */
static void run(struct nd_verify_run *run)
{
	const struct nd_cluster *c = run->cluster;
	nd_verify_take_flows(run);
	if (!nd_look_has_list(c, "services") || nd_look_service(c, "kube-system", "kube-dns"))
		return;
	for (size_t i = 0; i < c->nworkloads; i++)
		if (nd_verify_is_dns(&c->workloads[i])) {
			nd_verify_fail(run, "there is no service kube-system/kube-dns");
			return;
		}
}

const struct nd_verify_test nd_verify_test_dns = {
	.id = "dns",
	.title = "DNS resolution",
	.what = "every question to cluster DNS is answered: by its service address over UDP and "
		"TCP, and by each DNS pod",
	.is_of_namespace = true,
	.needs_probes = true,
	.flows = 1u << ND_FLOW_DNS_VIP | 1u << ND_FLOW_DNS_POD,
	.kinds = 1u << ND_PROBE_dns_udp | 1u << ND_PROBE_dns_tcp,
	.is_mine = is_mine,
	.run = run,
	.nothing = "no pod that may ask cluster DNS",
};
