#include "common/base.h"

#include "tests/kernel/kernel.h"

void gen_nft(struct gen *gen)
{
	gen_iptables(gen, LAYER_IPT);
}
