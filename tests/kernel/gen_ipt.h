/* gen_ipt.h: the two halves of the generator of iptables rules. */
#ifndef ND_TESTS_KERNEL_GEN_IPT_H
#define ND_TESTS_KERNEL_GEN_IPT_H

#include "tests/kernel/kernel.h"

/* 0 to 3 matches, half of them such that the packet in focus passes. */
void gen_ipt_matches(struct gen *gen, struct test_rule *rule);
bool gen_ipt_has_target(const char *name);

/* gen_set.c: which types this kernel has; before the first scenario. Says so when it has none. */
void gen_sets_probe(void);
bool gen_has_sets(void);
/* "NAME src,dst ...", the set made when there is none yet; "... NAME src,dst". */
const char *gen_set_match(struct gen *gen);
const char *gen_set_target(struct gen *gen, const char *text);

#endif
