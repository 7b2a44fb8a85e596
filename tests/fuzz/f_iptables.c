/* f_iptables.c: what a hostile node says iptables-save printed. */
#include "common/base.h"

#include "tests/fuzz/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	push_and_ask(ND_ITEM_SECTION, "iptables", data, size);
	return 0;
}
