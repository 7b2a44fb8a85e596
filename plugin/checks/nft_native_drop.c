#include "common/base.h"
#include "plugin/checks/drops.h"
#include "plugin/checks/facts.h"

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		struct nd_drops drops;
		nd_drops_nft(run, host, &drops);
		struct nd_finding *f = NULL;
		for (size_t k = 0; k < drops.n; k++) {
			const struct nd_drop *d = &drops.items[k];
			if (!f) {
				f = nd_find(run, "node/%s", host->node);
				f->title = nd_check_text(
					run, "The nftables table %s on %s drops %s %s", d->table,
					host->node, nd_drop_packets(d), d->what);
			}
			if (d->is_policy)
				nd_prove(run, f,
					 nd_check_text(run, "%s: nft table %s chain %s", host->node,
						       d->table, d->chain),
					 "%s, and no rule accepts packets %s", d->text, d->what);
			else
				nd_prove(run, f,
					 nd_check_text(run, "%s: nft table %s chain %s rule %u",
						       host->node, d->table, d->chain, d->number),
					 "%s (%llu packets)", d->text,
					 (unsigned long long)d->packets);
		}
	}
}

const struct nd_check nd_check_nft_native_drop = {
	.id = "nft-native-drop",
	.layer = ND_LAYER_IPTABLES,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A native nftables table drops packets that the cluster needs",
	.why = "A table made with nft, by a hardening script or a firewall service, drops packets "
	       "between pods and nodes. iptables does not show it, and no accept rule elsewhere "
	       "overrides a drop.",
	.fix = "on NODE: nft delete table TABLE, or add an accept rule to its chain",
	.source = "nft(8): base chains and policies; kernel: netfilter hooks and their order",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_NODE(ND_SAME_NODE)},
	.run = run,
};
