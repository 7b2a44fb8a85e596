/* gen_nft.h: the two halves of the generator of nft rules. */
#ifndef ND_TESTS_KERNEL_GEN_NFT_H
#define ND_TESTS_KERNEL_GEN_NFT_H

#include "tests/kernel/kernel.h"

void gen_nft_matches(struct gen *gen, struct test_rule *rule);
void gen_nft_sets(
	struct gen *gen); /* named sets of gen->table: s0 addresses, s1 with intervals, s2 ports */

#endif
