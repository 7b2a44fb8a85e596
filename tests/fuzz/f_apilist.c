/* f_apilist.c: a hostile List page. Slices must lie inside it; what ends early is refused. */
#include "common/base.h"

#include "plugin/kube/listpage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct nd_str s, const char *p, size_t size)
{
	if (s.n > 0 && (s.p <= p || s.p + s.n >= p + size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nd_listpage page;
	struct nd_err err = {0};
	char *p = malloc(size ? size : 1); /* exact, so that ASan sees a byte too far */

	memcpy(p, data, size);
	int rc = nd_listpage_scan(p, size, &page, &err);
	check_inside(page.kind, p, size);
	check_inside(page.next_token, p, size);
	if (rc < 0 && err.text[0] == '\0')
		abort();
	/* a whole page is no page any more without its last bracket */
	while (rc == 0 && p[--size] != '}')
		;
	if (rc == 0 && nd_listpage_scan(p, size, &page, &err) == 0)
		abort();
	free(p);
	return 0;
}
