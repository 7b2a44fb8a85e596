/* f_nft.c: what a hostile node says nft printed. */
#include "common/base.h"

#include "tests/fuzz/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	push_and_ask(ND_ITEM_SECTION, "nft", data, size);
	return 0;
}
