/* f_baseline.c: a file of --baseline, whoever wrote it. */
#include "common/base.h"
#include "plugin/verify/baseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nd_arena arena = {0};
	struct nd_baseline b = {0};
	struct nd_err err = {0};

	if (nd_baseline_parse(&arena, (struct nd_str){(const char *)data, size}, &b, &err) == 0) {
		for (size_t i = 0; i < b.npairs; i++) {
			const struct nd_baseline_pair *p = &b.pairs[i];

			if (!p->from || !p->to || p->icmp_us < 0 || p->tcp_us < 0 || p->dns_us < 0 ||
			    p->mtu_bytes < 0 || p->bytes_per_s < 0 ||
			    nd_baseline_find(b.pairs, b.npairs, p->from, p->to) != p)
				abort();
		}
	} else if (!err.code || !*err.text) {
		abort();
	}
	nd_arena_free(&arena);
	return 0;
}
