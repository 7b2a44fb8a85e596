/* f_sections.c: a section of a hostile node; the first byte picks which, one more is `docker ps`.
 */
#include "common/base.h"

#include "tests/fuzz/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const sections[] = {
#define ND_SECTION(id, name, what) name,
#include "common/sections.def"
#undef ND_SECTION
	};
	size_t which = size > 0 ? data[0] % (ND_ARRAY_LEN(sections) + 1) : 0;

	if (size == 0)
		return 0;
	if (which < ND_ARRAY_LEN(sections))
		push_and_ask(ND_ITEM_SECTION, sections[which], data + 1, size - 1);
	else
		push_and_ask(ND_ITEM_HOST, "containers", data + 1, size - 1);
	return 0;
}
