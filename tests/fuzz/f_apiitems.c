/* f_apiitems.c: a list page of a hostile API server; the first byte picks the list. */
#include "common/base.h"

#include "tests/fuzz/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const lists[] = {
#define ND_RESOURCE(name, path, query, who) name,
#include "plugin/kube/resources.def"
#undef ND_RESOURCE
	};

	if (size > 0)
		push_and_ask(ND_ITEM_API, lists[data[0] % ND_ARRAY_LEN(lists)], data + 1, size - 1);
	return 0;
}
