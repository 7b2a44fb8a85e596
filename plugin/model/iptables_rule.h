/* iptables_rule.h: one line of iptables-save. Private to model/. */
#ifndef ND_PLUGIN_MODEL_IPTABLES_RULE_H
#define ND_PLUGIN_MODEL_IPTABLES_RULE_H

#include "plugin/model/decode.h"

/*
 * line: "-A CHAIN ...", without counters. Fills text and what is understood of it; what is not
 * becomes has_other_match, so a rule never looks wider than it is.
 */
void nd_ipt_rule_parse(struct nd_model *m, struct nd_str line, struct nd_ipt_rule *rule);
const struct nd_ipt_chain *nd_ipt_table_chain(const struct nd_ipt_table *table, const char *name);

#endif
