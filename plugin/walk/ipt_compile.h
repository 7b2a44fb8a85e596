/*
 * ipt_compile.h: rules of iptables-save, as text, into programs (model/ruleset.h).
 *
 * Every match and target that is not known, and every option of a known one, makes its rule's last
 * step ND_DO_UNKNOWN with the words. The matches that are known are tested before it, wherever they
 * stand (all of them must hold), so that a packet which fails one is still known to pass by; what
 * the target does is left out. User-defined chains and the rule's number stay as saved.
 */
#ifndef ND_PLUGIN_WALK_IPT_COMPILE_H
#define ND_PLUGIN_WALK_IPT_COMPILE_H

#include "plugin/model/cluster.h"
#include "plugin/model/ruleset.h"

struct nd_ipset_book;

/*
 * All tables of one backend and family (4, 6): *n of them, in the arena; NULL and 0: none. ipsets:
 * those of the host (walk/ipset.h); NULL: not known.
 */
struct nd_rtable *nd_ipt_compile(struct nd_arena *arena, const struct nd_ipt *ipt,
				 enum nd_rules_backend backend, uint8_t family,
				 struct nd_ipset_book *ipsets, size_t *n);
/* One line "-A CHAIN ..." of a table; for tests and the fuzzer. */
void nd_ipt_compile_rule(struct nd_arena *arena, const char *text, uint8_t family,
			 struct nd_rrule *out);

#endif
