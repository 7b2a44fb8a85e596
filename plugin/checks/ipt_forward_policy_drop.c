#include "common/base.h"
#include "plugin/checks/drops.h"
#include "plugin/checks/facts.h"

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		enum nd_ipt_backend backend = nd_fact_kube_backend(host);
		struct nd_drops drops;
		nd_drops_ipt(run, host, backend, &drops);
		for (size_t k = 0; k < drops.n; k++) {
			const struct nd_drop *d = &drops.items[k];
			if (!d->is_policy || !nd_eq(d->base, "FORWARD"))
				continue;
			struct nd_finding *f = nd_find(run, "node/%s", host->node);
			f->title = nd_check_text(run,
						 "Pods on %s can't reach other nodes: the firewall "
						 "drops what it does not expressly accept",
						 host->node);
			nd_prove(run, f,
				 nd_check_text(run, "%s: %s %s", host->node, d->program, d->table),
				 "policy of FORWARD is DROP (%llu packets), and no rule accepts "
				 "packets %s",
				 (unsigned long long)d->packets, d->what);
			break;
		}
	}
}

const struct nd_check nd_check_ipt_forward_policy_drop = {
	.id = "ipt-forward-policy-drop",
	.layer = ND_LAYER_IPTABLES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The node's firewall drops forwarded packets by default",
	.why = "The policy of FORWARD is DROP and nothing accepts the pods' packets before it "
	       "applies. Docker on the node or a hardening script sets it; flannel writes accept "
	       "rules of its own, kindnet does not.",
	.fix = "on NODE: iptables -P FORWARD ACCEPT",
	.source = "iptables(8); flannel: Documentation/troubleshooting.md; Docker: packet "
		  "filtering and firewalls",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
