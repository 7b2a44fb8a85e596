#include "common/base.h"

#include "plugin/model/decode.h"
#include "plugin/model/iptables_rule.h"

static const struct nd_ipt_table *find_ipt_table(const struct nd_ipt *ipt, const char *name)
{
	for (size_t i = 0; i < ipt->ntables; i++)
		if (nd_eq(ipt->tables[i].name, name))
			return &ipt->tables[i];
	return NULL;
}

static bool is_bare(const struct nd_ipt_rule *rule)
{
	return !rule->src.ip.family && !rule->dst.ip.family && !rule->in && !rule->out &&
	       !rule->proto && !rule->dport_max && !rule->ctstate && !rule->comment &&
	       !rule->has_other_match;
}

/*
 * Measured with iptables 1.8.9: `nft add rule ip filter FORWARD ip saddr . ip daddr { ... } drop`
 * is shown by iptables-nft-save as "-A FORWARD -j DROP". Such a rule must not look as wide as that.
 * Both programs list the rules of a chain in the same order.
 */
static void narrow_rules(const struct nd_ipt_table *table, const struct nd_nft_chain *native)
{
	const struct nd_ipt_chain *chain = nd_ipt_table_chain(table, native->name);

	if (!chain || chain->nrules != native->nrules)
		return;
	for (size_t i = 0; i < chain->nrules; i++) {
		/* A verdict of nft itself and no comment: what is left over is a real match. */
		if (native->rules[i].has_other_match && native->rules[i].verdict &&
		    is_bare(&chain->rules[i]))
			chain->rules[i].has_other_match = true;
	}
}

/*
 * A table with base chains of its own is left out by iptables-nft-save ("contains incompatible
 * base-chains"). Then nd_ipt does not have it, and its rules are to be read in nd_nft_table.
 */
static void settle_table(struct nd_host *host, struct nd_nft_table *table)
{
	const struct nd_ipt *ipt = nd_eq(table->family, "ip6") ? host->ipt6 : host->ipt;
	const struct nd_ipt_table *same = find_ipt_table(&ipt[ND_IPT_NFT], table->name);

	/* Where iptables-nft-save did not speak, its silence says nothing. */
	if (!table->is_iptables || !ipt[ND_IPT_NFT].is_present || ipt[ND_IPT_NFT].error)
		return;
	if (!same) {
		table->is_iptables = false;
		return;
	}
	for (size_t i = 0; i < table->nchains; i++)
		narrow_rules(same, &table->chains[i]);
}

void nd_nft_settle(struct nd_host *host)
{
	const uint32_t both = 1u << ND_SECTION_iptables | 1u << ND_SECTION_nft;

	if ((host->have & both) != both)
		return;
	for (size_t i = 0; i < host->nnft; i++)
		settle_table(host, &host->nft[i]);
}
