#include "common/base.h"
#include "plugin/checks/drops.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/mtu.h"

static void look_at(struct nd_check_run *run, const struct nd_host *host)
{
	enum nd_ipt_backend backend = nd_fact_kube_backend(host);
	struct nd_finding *f = NULL;
	struct nd_mtu_gap gap;
	struct nd_drops drops;
	nd_drops_ipt(run, host, backend, &drops);
	for (size_t i = 0; i < drops.n; i++) {
		const struct nd_drop *d = &drops.items[i];
		/* A policy is another check's; so is a rule that only makes a wrong MTU felt. */
		if (d->is_policy || (d->is_too_big && nd_mtu_gap_matters(run->cluster, host, &gap)))
			continue;
		if (!f) {
			f = nd_find(run, "node/%s", host->node);
			f->title =
				d->is_too_big
					? nd_check_text(
						  run,
						  "Large transfers through %s may stall: a "
						  "firewall rule drops \"packet too big\" messages",
						  host->node)
					: nd_check_text(run,
							"A firewall rule on %s drops %s %s",
							host->node, nd_drop_packets(d), d->what);
		}
		nd_prove(run, f,
			 nd_check_text(run, "%s: %s %s %s rule %u", host->node, d->program,
				       d->table, d->chain, d->number),
			 "%s (%llu packets)", d->text, (unsigned long long)d->packets);
	}
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++)
		look_at(run, &run->cluster->hosts[i]);
}

const struct nd_check nd_check_ipt_stray_drop = {
	.id = "ipt-stray-drop",
	.layer = ND_LAYER_IPTABLES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A firewall rule drops packets that the cluster needs",
	.why = "A rule that neither Kubernetes nor the CNI made drops or rejects packets between "
	       "pods, services and nodes. An administrator, a hardening script or a security tool "
	       "put it there.",
	.fix = "on NODE: delete the rule by its exact text (iptables -t TABLE -D CHAIN ...), if "
	       "nobody wants it",
	.source = "iptables(8); kernel: netfilter hooks and their order",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_NODE(ND_SAME_NODE)},
	.run = run,
};
