/* f_bundle.c: hostile bundles; what is read must be writable again. */
#include "common/base.h"

#include "plugin/evidence/bundle.h"
#include "plugin/evidence/layout.h"
#include "plugin/evidence/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int item(void *ctx ND_UNUSED, const struct nd_item *got, struct nd_err *err)
{
	struct nd_buf out = {.max_bytes = 8 << 20};
	char path[ND_LAYOUT_MAX_PATH];
	struct nd_label label;

	if (got->kind == ND_ITEM_API && nd_redact_list(got->bytes, got->len, &out, err) < 0)
		err->code = ND_E_NONE; /* not JSON: fine */
	nd_buf_free(&out);
	if (!nd_layout_path(got, 1, path) || !nd_layout_match(path, &label) ||
	    label.kind != got->kind || strcmp(label.name, got->name) != 0)
		abort();
	return 0;
}

static int gap(void *ctx ND_UNUSED, const struct nd_gap *got, struct nd_err *err ND_UNUSED)
{
	return got->what && got->where && got->why ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct nd_sink sink = {.item = item, .gap = gap};
	struct nd_err err = {0};

	if (nd_bundle_read_bytes(data, size, &sink, &err) < 0 && err.code == ND_E_NONE)
		abort();
	return 0;
}
